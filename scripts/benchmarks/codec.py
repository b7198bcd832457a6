"""The suite codec: batches and frames beside copying the same bytes, and the checksum, in processor time of one thread."""

from benchmarks.programs import Programs, measure_lines
from benchmarks.result import Measured, of_ratios, of_values

PROGRAM = "phoenix_bench_codec"


def result(name, unit, rival, lines):
    scene, _, label = name.partition(": ")
    values = [line["value"] for line in lines]
    if rival is None:
        return of_values(name, values, unit, scene=scene, label=label)
    return of_ratios(f"{name} / {rival}", values, unit, rival, [line["rival_value"] for line in lines], scene=scene,
                     label=label)


def measure(_, given, find_programs):
    measured = Measured(rounds=f"{given.repeat}, times of the thread's processor clock")
    found = measure_lines(Programs(find_programs(), 300), PROGRAM, given.repeat, measured, lambda number: ())
    measured.results = [result(*key, lines) for key, lines in found.items()]
    return measured
