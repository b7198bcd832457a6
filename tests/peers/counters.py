#!/usr/bin/env python3
"""Three peers, one on each driver, are counted on by redis-benchmark at once and end at exactly the same.

  counters.py PHOENIX_PEER [--rounds N] [--seed N] [--short]

A round is 3 x 300,000 INCR of one key, -P 16, all at once; then SADD and HINCRBY with random elements. Everywhere the counter is
3 x 300,000 (times the round), within 2 s of the last write, and sets and hashes are equal.
"""

import subprocess
import time

import judge
from judge import expect, say
from peers.contents import until_equal
from peers.processes import Cluster, within

DRIVERS = ("uring", "asio", "auto")
WITHIN_SECONDS = 2


def benchmark(peers, requests, command):
    """Writes at all peers at once; gives when the last was answered, and how long it took."""
    begun = time.monotonic()
    running = [subprocess.Popen([judge.tool("redis-benchmark"), "-p", str(peer.port), "-n", str(requests), "-P", "16",
                                 "-r", "100000", "-q", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
               for peer in peers]
    try:
        for one in running:
            output, _ = one.communicate(timeout=300)
            expect(one.returncode == 0 and "rror" not in output, f"redis-benchmark failed: {output[-500:]}")
    finally:
        for one in running:
            one.kill()
            one.wait()
    return time.monotonic(), time.monotonic() - begun


def judge_counters(given, random):
    judge.tool("redis-benchmark")
    requests = 48_000 if given.short else 300_000
    with Cluster(given.program) as cluster:
        peers = cluster.mesh(DRIVERS)
        clients = [peer.client() for peer in peers]
        for number in range(1, given.rounds + 1):
            written, took = benchmark(peers, requests, ["INCR", "hits"])
            values = []

            def everywhere():
                values[:] = [client("GET", "hits") for client in clients]
                return values == [str(3 * requests * number)] * 3

            within(30 if given.short else WITHIN_SECONDS, everywhere,
                   lambda: f"{3 * requests * number} at all peers, found {values},")
            say(f"round {number}: 3 x {requests:,} INCR in {took:.2f} s, {3 * requests / took:,.0f}/s; "
                f"{3 * requests * number:,} everywhere {time.monotonic() - written:.3f} s after the last")
            for command in (["SADD", "tags", "element:__rand_int__"], ["HINCRBY", "fields", "field:__rand_int__", "1"]):
                written, took = benchmark(peers, requests // 10 // 16 * 16, command)
                lasted, contents = until_equal(clients, 30 if given.short else WITHIN_SECONDS, written)
                size = len(contents[command[1]][1])
                say(f"round {number}: {command[0]} in {took:.2f} s; {size:,} elements, equal {lasted:.3f} s after the last")
        total = sum(int(count) for _, count in contents["fields"][1])
        wanted = 3 * (requests // 10 // 16 * 16) * given.rounds
        expect(total == wanted, f"expected the fields to come to {wanted}, found {total}")


if __name__ == "__main__":
    judge.run(judge_counters, __doc__, rounds=1, short_rounds=1)
