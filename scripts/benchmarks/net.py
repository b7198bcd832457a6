"""The suites net and net-techniques: every round runs each contestant of a scene once."""

import os
import re
import resource
import sys
import tempfile
import time
from dataclasses import replace
from operator import sub
from pathlib import Path
from statistics import mean, median

from benchmarks.net_scenes import net_scenes, technique_scenes
from benchmarks.programs import ProgramFailed, Programs, measure_lines, progress
from benchmarks.result import Measured, of_ratios, of_values

# What must be reached: a result's name -> aim on the ratio, or on the value where there is no rival. Ratios of rates want
# more, of CPU and memory less.
AIMS = {
    "ping-pong, one core: uring driver / C uring loop": ">= 0.95",
    "ping-pong, one core: uring driver / C uring loop, CPU": "<= 1.05",
    "ping-pong, one core: uring driver / C uring loop, plain send": ">= 1.1",
    "ping-pong, one core: Asio driver / bare Asio": ">= 1.0",
    "ping-pong, two cores: Asio driver / bare Asio": ">= 0.95",
    "50 x 1, one core: uring driver / best C loop": ">= 0.9",
    "50 x 32, one core: uring driver / best C loop": ">= 0.9",
    "50 x 1, two cores: uring driver / best C loop": ">= 0.9",
    "50 x 32, two cores: uring driver / best C loop": ">= 0.9",
    "50 x 1, one core: uring driver / bare Asio": ">= 1.2",
    "50 x 32, one core: uring driver / bare Asio": ">= 1.2",
    "50 x 1, two cores: uring driver / bare Asio": ">= 0.95",
    "50 x 32, two cores: uring driver / bare Asio": ">= 0.95",
    "50 x 1, one core: Asio driver / bare Asio": ">= 0.95",
    "50 x 32, one core: Asio driver / bare Asio": ">= 0.95",
    "50 x 1, two cores: Asio driver / bare Asio": ">= 0.95",
    "50 x 32, two cores: Asio driver / bare Asio": ">= 0.95",
    "5,000 connections, 100 busy: uring driver / best C loop": ">= 0.9",
    "5,000 connections, 100 busy: uring driver, memory a connection": "< 4096",
    "5,000 connections, 100 busy: Asio driver, memory a connection": "< 4096",
    "stream, one core: uring driver / blocking socket": ">= 0.9",
    "stream, two cores: uring driver / blocking socket": ">= 0.9",
    "spawn and complete": "<= 25",
    "await a child": "<= 15",
    "post, same thread": "<= 15",
}
ALLOCATIONS_AIM = "0"  # of every result whose name ends in "allocations"


def aim_of(name):
    return ALLOCATIONS_AIM if name.endswith("allocations") else AIMS.get(name, "")


SUITES = {"net": (net_scenes, ("phoenix_bench_micro",)), "net-techniques": (technique_scenes, ())}

DISTURBED_CORES = 0.1  # a run with more of other work beside it is disturbed


def needs_uring(contestant):
    return contestant.program.endswith("_uring") or contestant.options[:2] == ("--driver", "uring")


def built_without_uring(folder):
    """Whether the build that `folder` belongs to has no io_uring at all."""
    for parent in folder.parents:
        cache = parent / "CMakeCache.txt"
        if cache.exists():
            option = re.search(r"^PHOENIX_URING:\w+=(.*)$", cache.read_text(), re.MULTILINE)
            return option is not None and option[1].upper() in ("OFF", "0", "NO", "FALSE")
    return not (folder / "rival_uring").exists()


def without_uring(scene, left_out):
    """The scene without what needs io_uring; the names of that go to `left_out`."""
    left_out += [one.name for one in scene.contestants if needs_uring(one) and one.name not in left_out]
    return replace(scene, contestants=tuple(one for one in scene.contestants if not needs_uring(one)),
                   comparisons=tuple(one for one in scene.comparisons
                                     if not any(map(needs_uring, (one.ours, *one.rivals)))))


def busy_seconds():
    """What all processors together have worked since the machine started, and what this script's programs did of it."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    everybody = sum(fields[:3] + fields[5:8]) / os.sysconf("SC_CLK_TCK")
    return everybody, sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


class Runner(Programs):
    def __init__(self, folder, seconds, patience):
        super().__init__(folder, seconds + 60)
        self.seconds = seconds
        self.patience = patience  # how often a disturbed run is repeated
        self.disturbance = []  # of the runs that count, in cores

    def play(self, contestant, scene):
        """One run; the line that its client printed. If patient, the least disturbed of several."""
        best = None
        for _ in range(1 + self.patience):
            everybody, ours, clock = *busy_seconds(), time.monotonic()
            line = self.play_once(contestant, scene)
            everybody, ours, clock = *map(sub, busy_seconds(), (everybody, ours)), time.monotonic() - clock
            disturbance = max(0.0, everybody - ours) / clock
            if best is None or disturbance < best[0]:
                best = (disturbance, line)
            if disturbance < DISTURBED_CORES:
                break
        self.disturbance.append(best[0])
        return best[1]

    def play_once(self, contestant, scene):
        command = [str(self.folder / contestant.program), *scene.arguments, *contestant.options,
                   "--seconds", str(self.seconds)]
        if scene.arrangement == "one core":
            return self.finish(self.start(command + ["--cpu", str(self.cpus[0])]), command)
        server_cpu = self.cpus[1] if scene.arrangement == "two cores" else self.cpus[0]
        with tempfile.TemporaryDirectory() as scratch:
            command += ["--port-file", f"{scratch}/port"]
            server = self.start(command + ["--role", "server", "--cpu", str(server_cpu)])
            try:
                client = self.start(command + ["--role", "client", "--cpu", str(self.cpus[0])])
                line = self.finish(client, command)
                self.finish(server, command)
                return line
            finally:
                server.kill()
                server.communicate()


def compare(scene, comparison, runs, key, unit, suffix):
    ours = runs[comparison.ours]
    rival = max(comparison.rivals, key=lambda one: median(run["rate"] for run in runs[one]))
    shown = comparison.title if comparison.title == rival.name else f"{comparison.title} ({rival.name})"
    name = f"{scene.name}: {comparison.ours.name} / {comparison.title}{suffix}"
    return of_ratios(name, [run[key] for run in ours], unit, shown, [run[key] for run in runs[rival]],
                     scene=scene.name, label=comparison.ours.name + suffix, aim=aim_of(name))


def measure_scene(scene, runner, repeat, failures):
    runs = {contestant: [] for contestant in scene.contestants}
    broken = set()
    for number in range(repeat):
        start = number % len(scene.contestants)
        for contestant in scene.contestants[start:] + scene.contestants[:start]:
            if contestant in broken:
                continue
            progress(f"{scene.name}: round {number + 1} of {repeat}, {contestant.name}")
            try:
                runs[contestant].append(runner.play(contestant, scene))
            except ProgramFailed as failure:
                failures.append(str(failure))
                broken.add(contestant)
    results = []
    for comparison in scene.comparisons:
        if broken & {comparison.ours, *comparison.rivals}:
            continue
        results.append(compare(scene, comparison, runs, "rate", "messages/s", ""))
        results.append(compare(scene, comparison, runs, "cpu_ns_per_message", "ns/message", ", CPU"))
    for contestant in scene.contestants if scene.memory else ():
        if contestant not in broken:
            values = [run["rss_bytes_per_connection"] for run in runs[contestant]]
            label = f"{contestant.name}, memory a connection"
            name = f"{scene.name}: {label}"
            results.append(of_values(name, values, "bytes", scene=scene.name, label=label, aim=aim_of(name)))
    return results


def measure(suite, given, find_programs):
    make_scenes, names = SUITES[suite]
    scenes = [scene for scene in make_scenes() if not given.only or given.only in scene.name]
    programs = [name for name in names if not given.only or given.only in name]
    if not scenes and not programs:
        known = "; ".join([scene.name for scene in make_scenes()] + list(names))
        sys.exit(f"nothing in {suite} has '{given.only}' in its name; there are: {known}")
    folder = find_programs()
    measured = Measured(rounds=f"{given.repeat}, each of {given.seconds:g} s")
    runner = Runner(folder, given.seconds, 9 if given.patient else 0)
    if built_without_uring(folder):
        scenes = [without_uring(scene, measured.left_out) for scene in scenes]
    for scene in scenes:
        if scene.arrangement == "two cores" and len(runner.cpus) < 2:
            print(f"note: {scene.name} is left out: there is one CPU", file=sys.stderr)
            continue
        measured.results += measure_scene(scene, runner, given.repeat, measured.failures)
    for program in programs:
        for (name, unit, _), lines in measure_lines(runner, program, given.repeat, measured).items():
            measured.results.append(of_values(name, [line["value"] for line in lines], unit, scene=program, label=name,
                                              aim=aim_of(name)))
    if runner.disturbance:
        measured.note = (f"Other work beside the runs: {mean(runner.disturbance):.2f} cores on average, at most "
                         f"{max(runner.disturbance):.2f}.")
    return measured
