"""What a suite finds out: results, each a value beside a rival's where there is one, and how far the rounds lay apart."""

from dataclasses import dataclass, field
from statistics import median


@dataclass
class Result:
    name: str
    value: float
    unit: str
    rival: str | None = None
    rival_value: float | None = None
    ratio: float | None = None
    spread: float | None = None
    scene: str = ""
    label: str = ""  # the name without scene and rival
    aim: str = ""  # on the ratio, or on the value where there is no rival

    def as_json(self):
        keys = ("name", "value", "unit", "rival", "rival_value", "ratio", "spread")
        return {key: getattr(self, key) for key in keys}


@dataclass
class Measured:
    """What came out of all rounds of a suite."""
    results: list = field(default_factory=list)
    failures: list = field(default_factory=list)  # programs that failed, in words
    left_out: list = field(default_factory=list)  # contestants that this build does not have
    rounds: str = ""  # how many, and of what
    note: str = ""  # about the run as a whole


def spread_of(values):
    return (max(values) - min(values)) / median(values) if median(values) else 0.0


def of_values(name, values, unit, **more):
    """A result without a rival, from the value of each round."""
    return Result(name, median(values), unit, spread=spread_of(values), **more)


def of_ratios(name, values, unit, rival, rival_values, **more):
    """A result beside a rival, from the values of each round."""
    ratios = [a / b for a, b in zip(values, rival_values)]
    return Result(name, median(values), unit, rival, median(rival_values), median(ratios), spread_of(ratios), **more)
