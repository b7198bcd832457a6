"""The suite delta: two nodes in two processes, all in one program: changes a second that the other side has joined, the time
from a write to its being visible there at fixed rates, and how long a newcomer takes to get everything."""

from benchmarks.programs import Programs, measure_lines
from benchmarks.result import Measured, of_values

PROGRAM = "phoenix_bench_delta"

# What must be reached: a result's name -> aim.
AIMS = {"newcomer, 100,000 entries: fed": "< 1"}


def result(name, unit, lines):
    scene, _, label = name.partition(": ")
    return of_values(name, [line["value"] for line in lines], unit, scene=scene, label=label, aim=AIMS.get(name, ""))


def measure(_, given, find_programs):
    programs = Programs(find_programs(), 300)
    measured = Measured(rounds=f"{given.repeat}, each of {given.seconds:g} s", note="each process on a core of its own"
                        if len(programs.cpus) > 1 else "both processes on one core")
    options = ["--far-cpu", str(programs.cpus[-1]), "--seconds", str(given.seconds)]
    found = measure_lines(programs, PROGRAM, given.repeat, measured,
                          lambda _: (*options, *(["--only", given.only] if given.only else [])))
    measured.results = [result(name, unit, lines) for (name, unit, _), lines in found.items()]
    return measured
