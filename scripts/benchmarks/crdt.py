"""The suite crdt: the replicated types beside containers that do the bare work, all in one program that lets ours and the
rivals take turns and counts processor time of one thread."""

from benchmarks.programs import Programs, measure_lines
from benchmarks.result import Measured, of_ratios, of_values

PROGRAM = "phoenix_bench_crdt"
QUICK_MOST = 10_000  # elements

# What must be reached: a result's name -> aim on the ratio, or on the value where there is no rival.
AIMS = {
    "or_set, 100,000 elements: join of two sets half shared, an element": "<= 50",
    "sequence, 100,000 edits: at random places, all": "< 1",
}
for _size in ("1,000", "10,000", "100,000", "1,000,000"):
    AIMS |= {
        f"or_set, {_size} elements: add / flat set's insert": "<= 1.5",
        f"or_set, {_size} elements: join of a delta of 1 / flat set's insert": "<= 1.5",
        f"or_set, {_size} elements: join of a delta of 1,000, an element / flat set's insert": "<= 1.5",
        f"or_set, {_size} elements: memory an element, one writer / flat set": "<= 2.5",
    }


def result(name, unit, rival, lines):
    scene, _, label = name.partition(": ")
    values = [line["value"] for line in lines]
    if rival is None:
        return of_values(name, values, unit, scene=scene, label=label, aim=AIMS.get(name, ""))
    name = f"{name} / {rival}"
    return of_ratios(name, values, unit, rival, [line["rival_value"] for line in lines], scene=scene, label=label,
                     aim=AIMS.get(name, ""))


def measure(_, given, find_programs):
    measured = Measured(rounds=f"{given.repeat}, times of the thread's processor clock")
    options = (["--only", given.only] if given.only else []) + (["--most", str(QUICK_MOST)] if given.quick else [])
    # The round chooses the keys and who begins.
    found = measure_lines(Programs(find_programs(), 300), PROGRAM, given.repeat, measured,
                          lambda number: ("--seed", str(number + 1), *options))
    measured.results = [result(*key, lines) for key, lines in found.items()]
    return measured
