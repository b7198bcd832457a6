"""The suite resp: one of two connected phoenix-peers beside a redis-server with one replica, under redis-benchmark.

The measured server runs on the first core; redis-benchmark, the other peer and the replica on the second. The servers take turns
within a round. `-r 100000` draws the keys of set and incr and the element and field of sadd and hset from 100,000 (redis-benchmark
gives the latter two one key, as its -t defines them)."""

import os
import re
import shutil
import subprocess
import sys

from benchmarks.programs import ProgramFailed, progress
from benchmarks.result import Measured, of_ratios
from peers.processes import HOST, Cluster, Failed, Process, free_ports, within

COMMANDS = ("set", "incr", "sadd", "hset")
PIPELINES = (1, 32)
KEYS = 100_000
RATE_AIM = ">= 0.7"
REQUESTS = {1: 60_000, 32: 640_000}  # about a second, or less
QUICK_REQUESTS = {1: 10_000, 32: 64_000}
PEER = ("examples", "resp", "phoenix-peer")


def tools():
    missing = [name for name in ("redis-server", "redis-benchmark") if shutil.which(name) is None]
    if missing:
        sys.exit(f"the suite resp needs {' and '.join(missing)} (Debian: redis-server, redis-tools)")


CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU, OTHER_CPU = CPUS[0], CPUS[-1]


def on(cpu, process):
    process.command = pinned(cpu, process.command)
    return process


def pinned(cpu, command):
    return ["taskset", "-c", str(cpu), *command]


class RedisPair:
    """A redis-server that keeps nothing on disk, and one replica."""

    name = "redis-server"

    def __init__(self, folder):
        first, second = free_ports(2)
        options = ("--bind", HOST, "--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0")
        command = ["redis-server", "--dir", folder, *options, "--port"]
        self.server = on(SERVER_CPU, Process("redis-server", [*command, first], first, folder / "redis-server.log"))
        self.other = on(OTHER_CPU, Process("its replica", [*command, second, "--replicaof", HOST, first], second,
                                           folder / "redis-replica.log"))

    def start(self):
        self.server.start().ready()
        self.other.start().ready()
        with self.other.client() as client:
            within(20, lambda: "master_link_status:up" in client("INFO", "replication"), "the replica to be linked")

    def empty(self):
        with self.server.client() as client, self.other.client() as other:
            client("FLUSHALL")
            within(20, lambda: other("DBSIZE") == 0, "the replica to be empty")

    def sent_bytes(self):
        with self.server.client() as client:
            return int(re.search(r"master_repl_offset:(\d+)", client("INFO", "replication"))[1])


class PeerPair:
    """Two peers, of which the first is measured."""

    name = "phoenix-peer"

    def __init__(self, cluster):
        ports = free_ports(2)
        self.server = on(SERVER_CPU, cluster.add(1, ports[0], [ports[1]], level="warning"))
        self.other = on(OTHER_CPU, cluster.add(2, ports[1], [], level="warning"))

    def start(self):
        self.other.start().ready()
        self.server.start().ready()
        with self.server.client() as client, self.other.client() as other:
            client("SET", "linked", "yes")
            within(20, lambda: other("GET", "linked") == "yes", "the peers to be linked")

    def empty(self):
        """Started anew: what FLUSHALL removes is remembered, and a key that was there before is cheaper than a new one."""
        for peer in (self.server, self.other):
            peer.stop()
        self.start()

    def sent_bytes(self):
        return sum(link["sent_bytes"] for link in self.server.status()["links"])


def run(pair, command, pipeline, requests):
    """Requests a second, and bytes to the other side a write."""
    pair.empty()
    before = pair.sent_bytes()
    words = pinned(OTHER_CPU, ["redis-benchmark", "-p", str(pair.server.port), "-t", command, "-r", str(KEYS), "-n",
                               str(requests), "-P", str(pipeline), "--csv"])
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    found = re.search(rf'^"{command}[^"]*","([\d.]+)"', done.stdout, re.MULTILINE | re.IGNORECASE)
    if done.returncode != 0 or not found:
        raise ProgramFailed(f"{' '.join(words)}: status {done.returncode}: {done.stdout.strip()[-300:]}")
    with pair.server.client() as client:
        if client("WAIT", 1, 20_000) < 1:
            raise ProgramFailed(f"{pair.name} did not reach its other side within 20 s")
    return float(found[1]), (pair.sent_bytes() - before) / requests


def measure(_, given, find_programs):
    tools()
    # Beside the benchmarks in the build.
    program = find_programs().parents[1].joinpath(*PEER)
    requests = QUICK_REQUESTS if given.quick else REQUESTS
    measured = Measured(rounds=f"{given.repeat}, -r {KEYS:,}, 50 connections", note="the measured server on one core, all others and redis-benchmark on the other")
    scenes = [(pipeline, command) for pipeline in PIPELINES for command in COMMANDS
              if not given.only or given.only in f"{command}, -P {pipeline}"]
    rates, sizes = {}, {}
    try:
        with Cluster(program, "bench") as cluster:
            pairs = [PeerPair(cluster), RedisPair(cluster.folder)]
            cluster.others += [pairs[1].server, pairs[1].other]
            for pair in pairs:
                pair.start()
            for number in range(given.repeat):
                for place, (pipeline, command) in enumerate(scenes):
                    for pair in pairs if (number + place) % 2 == 0 else pairs[::-1]:
                        progress(f"{command}, -P {pipeline}: round {number + 1} of {given.repeat}, {pair.name}")
                        rate, size = run(pair, command, pipeline, requests[pipeline])
                        rates.setdefault((pipeline, command, pair.name), []).append(rate)
                        sizes.setdefault((pipeline, command, pair.name), []).append(size)
    except (ProgramFailed, Failed, OSError) as failure:
        measured.failures.append(str(failure))
    for pipeline, command in scenes:
        ours, theirs = ((pipeline, command, pair) for pair in (PeerPair.name, RedisPair.name))
        if len(rates.get(ours, [])) == 0 or len(rates.get(theirs, [])) == 0:
            continue
        scene = f"-P {pipeline}"
        measured.results.append(of_ratios(f"{scene}: {command} / {RedisPair.name}", rates[ours], "requests/s", RedisPair.name,
                                          rates[theirs], scene=scene, label=command, aim=RATE_AIM))
        measured.results.append(of_ratios(f"{scene}: {command} / {RedisPair.name}, bytes a write", sizes[ours], "bytes",
                                          RedisPair.name, sizes[theirs], scene=scene,
                                          label=f"{command}, on the wire a write"))
    return measured
