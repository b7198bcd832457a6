"""Starting the programs of tests/bench, waiting for them, and reading the lines of JSON that they print."""

import json
import os
import subprocess
import sys
from pathlib import Path


class ProgramFailed(Exception):
    pass


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


class Programs:
    def __init__(self, folder, patience_seconds):
        self.folder = folder
        self.patience_seconds = patience_seconds  # a program that takes longer hangs
        self.cpus = sorted(os.sched_getaffinity(0))[:2]

    def lines(self, program, *options):
        """All that a program without a scenario prints, a measure a line."""
        command = [str(self.folder / program), "--cpu", str(self.cpus[0]), *options]
        output, _ = self.wait(self.start(command), command)
        return [json.loads(line) for line in output.splitlines()]

    @staticmethod
    def start(command):
        try:
            return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        except OSError as error:
            raise ProgramFailed(f"{Path(command[0]).name} cannot be started: {error.strerror}") from None

    def wait(self, process, command):
        try:
            output, errors = process.communicate(timeout=self.patience_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            output, errors = "", "did not end"
        if process.returncode != 0 or errors == "did not end":
            words = " ".join([Path(command[0]).name, *command[1:]])
            raise ProgramFailed(f"{words}: status {process.returncode}: {errors.strip()}")
        return output, errors

    def finish(self, process, command):
        """The last line that a program printed."""
        output, _ = self.wait(process, command)
        return json.loads(output.splitlines()[-1])


def measure_lines(programs, name, rounds, measured, options=lambda number: ()):
    """The lines of a program in each round, those of one measure together; until a round fails."""
    found = {}
    try:
        for number in range(rounds):
            progress(f"{name}: round {number + 1} of {rounds}")
            for line in programs.lines(name, *options(number)):
                found.setdefault((line["name"], line["unit"], line.get("rival")), []).append(line)
    except ProgramFailed as failure:
        measured.failures.append(str(failure))
    return found
