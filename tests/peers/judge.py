"""What the judges of peers share: the command line, the scale of a run, and how it ends.

A judge starts peers on loopback, does to them what networks and people do, and says what must hold. It prints its seed,
takes it back with --seed, and fails with a sentence. Without redis-benchmark, which some need, they are skipped (status 77).
"""

import argparse
import random
import shutil
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from peers.processes import Failed  # noqa: E402

SKIPPED = 77


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def tool(name):
    return shutil.which(name) or skip(f"{name} is not installed (Debian: redis-tools)")


def say(text):
    print(text, flush=True)


def run(judge, description, rounds, short_rounds):
    """Parses the command line and runs judge(given, random), `given` with program, rounds, seed and short."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path, metavar="PHOENIX_PEER", help="the program phoenix-peer")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"({rounds}; {short_rounds} with --short)")
    parser.add_argument("--seed", type=int, metavar="N", help="repeats a run")
    parser.add_argument("--short", action="store_true", help="some seconds long, and without limits on times that other "
                        "work on the machine can break")
    given = parser.parse_args()
    given.program = given.program.resolve()
    given.rounds = given.rounds or (short_rounds if given.short else rounds)
    given.seed = random.SystemRandom().randrange(1 << 32) if given.seed is None else given.seed
    say(f"seed {given.seed}")
    begun = time.monotonic()
    try:
        judge(given, random.Random(given.seed))
    except Failed as failure:
        sys.exit(f"FAILED: {failure}\n(seed {given.seed}, after {time.monotonic() - begun:.1f} s)")
    say(f"passed in {time.monotonic() - begun:.1f} s")


def expect(holds, what):
    if not holds:
        raise Failed(what)
