#!/usr/bin/env python3
"""A peer is away for longer than the others remember: it comes back equal, nobody's writes stall, and memory stays bounded.

  overflow.py PHOENIX_PEER [--rounds N] [--seed N] [--short]

Three peers keep at most 1 MiB of batches. One is cut off by proxies that swallow what passes; meanwhile 50 MiB are written at
the others, removals among it, some of what the absent peer still has. The absent peer writes as well. Then the ways are
healed while the writing goes on. Every reply is timed: none takes over 50 ms.
"""

import time

import judge
from judge import expect, say
from partitions import Scene
from peers.processes import Cluster, within
from proxies import Proxies
from writer import Writer

MIB = 1 << 20
BUFFER_BYTES = MIB
VALUE_BYTES = 1024
KEYS = 8192  # the live values of these are what a peer has to hold
STALL_SECONDS = 0.05
# What a peer may take: its keys with what a set and a map cost beside their bytes, the bounded buffers, and one transfer.
MEMORY_BYTES = 64 * MIB + 6 * KEYS * VALUE_BYTES


def change(random, number):
    key, what = random.randrange(KEYS), random.random()
    if what < 0.8:
        return "SET", f"value:{key}", f"{random.getrandbits(64):016x}" * (VALUE_BYTES // 16)
    if what < 0.86:
        return "DEL", f"value:{key}"
    if what < 0.91:
        return "SADD", f"set:{key % 16}", f"element:{key}"
    if what < 0.95:
        return "SREM", f"set:{key % 16}", f"element:{key}"
    if what < 0.98:
        return "HSET", f"hash:{key % 16}", f"field:{key}", number
    return "HDEL", f"hash:{key % 16}", f"field:{key}"


def fill(peer):
    """What all have before one is cut off: a part of it is removed meanwhile, and must be gone at the one that was away."""
    with peer.client() as client:
        client.pipeline(("SET", f"old:{number}", "x" * 100) for number in range(2000))
        client.pipeline(("SADD", "old", f"element:{number}") for number in range(2000))


def remove_old(peer):
    with peer.client() as client:
        client.pipeline(("DEL", f"old:{number}") for number in range(1000))
        client.pipeline(("SREM", "old", f"element:{number}") for number in range(1000))


def judge_overflow(given, random):
    total = (6 if given.short else 50) * MIB
    stall = 1.0 if given.short else STALL_SECONDS
    with Proxies(given.seed) as proxies, Cluster(given.program) as cluster:
        scene = Scene(cluster, proxies, ("auto", "asio", "auto"), ((1, 2), (1, 3), (2, 3)),
                      ("--delta-buffer-bytes", BUFFER_BYTES))
        here, also_here, away = scene.peers
        fill(here)
        scene.until_equal()
        for number in range(1, given.rounds + 1):
            scene.cut([(1, 3), (2, 3)])
            writers = [Writer(peer, change, random.getrandbits(64), size)
                       for peer, size in ((here, total // 2), (also_here, total // 2), (away, MIB // 4))]
            longest = max(writer.end()[1] for writer in writers)
            remove_old(also_here)
            late = Writer(here, change, random.getrandbits(64), MIB // 4, goes_on=True)
            scene.heal()
            healed = time.monotonic()
            # Equal while there is writing is a matter of luck: what was written before it came is a mark.
            with here.client() as client, away.client() as behind:
                client("SET", "mark", number)
                within(60, lambda: behind("GET", "mark") == str(number), "the peer that was away to hear what is new")
            took = time.monotonic() - healed
            longest = max(longest, late.end()[1])
            expect(here.status()["evicted_batches"] > 0, "expected more to be written than the peers keep")
            # Its objects are seen as they come, the mark too: it may go on after that.
            within(60, lambda: away.status()["transfers_joined"] >= number, "a state transfer to end for the peer that was away")
            _, contents = scene.until_equal()
            expect(sum(key.startswith("old:") for key in contents) == 1000 and len(contents["old"][1]) == 1000,
                   "expected what was removed while a peer was away to be gone everywhere, and nothing else")
            expect(longest <= stall, f"expected no reply to take over {stall * 1000:g} ms, found {longest * 1000:.1f} ms")
            memory = [peer.memory_bytes() for peer in scene.peers]
            expect(max(memory) <= MEMORY_BYTES,
                   f"expected at most {MEMORY_BYTES // MIB} MiB of memory, found {[size // MIB for size in memory]} MiB")
            say(f"round {number}: {total // MIB} MiB written while a peer was away, back after {took:.2f} s, equal; longest "
                f"reply {longest * 1000:.1f} ms; memory {' '.join(str(size // MIB) for size in memory)} MiB")


if __name__ == "__main__":
    judge.run(judge_overflow, __doc__, rounds=3, short_rounds=1)
