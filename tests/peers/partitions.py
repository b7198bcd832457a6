#!/usr/bin/env python3
"""Peers behind proxies that swallow what passes, and under SIGKILL: after every round all are the same, and nothing is
lost that was acknowledged.

  partitions.py PHOENIX_PEER [--rounds N] [--seed N] [--short]

A round of the scenes `mesh` (three peers) and `line` (four, each linked to its neighbours): every peer is written to;
meanwhile some ways are cut, and perhaps one peer is killed and started again. At the end the ways are healed, and
- all peers hold the same;
- a counter has grown by at least what WAIT acknowledged, and at most by what was sent;
- what was added and acknowledged is there, unless somebody removed it;
- what was removed and acknowledged, or was gone a round ago, is not there.
WAIT 1 is enough for that, since a round kills at most one peer. In a round of the scene `last_words` a peer writes when
only one other can hear it, and is killed once that one has it: all must hear of it.
"""

import threading
import time
from collections import Counter
from random import Random

import judge
from judge import expect, say
from peers.contents import until_equal
from peers.processes import Cluster, free_ports, within
from proxies import Proxies

OPERATIONS = 150  # of each writer in a round
HEALING_SECONDS = 30  # a connection that stays silent is given up after 5 s, and dialled again after at most 2


class Ledger:
    """What was sent and what was acknowledged since all peers were the same, and what they held then."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counters, self.elements = Counter(), set()
        self.elements_made = 0
        self.begin()

    def begin(self):
        self.sent, self.counted = Counter(), Counter()
        self.added, self.kept = set(), set()  # sent, acknowledged
        self.perhaps_removed, self.removed = set(), set()
        self.operations = 0

    def new_element(self):
        with self.lock:
            self.elements_made += 1
            return f"element:{self.elements_made}"

    def settle(self, contents):
        """Judges what all peers hold now, and begins anew from there."""
        counters = Counter({key: int(content) for key, (kind, content) in contents.items() if kind == "string"})
        counters.update({f"hash {field}": int(count) for field, count in contents.get("hash", (0, ()))[1]})
        for name in counters.keys() | self.counters.keys() | self.counted.keys():
            least, most = self.counters[name] + self.counted[name], self.counters[name] + self.sent[name]
            expect(least <= counters[name] <= most,
                   f"expected {name} to be {least} (acknowledged) to {most} (sent), found {counters[name]}")
        elements = contents.get("set", ("set", frozenset()))[1]
        came_back = elements - self.elements - self.added
        expect(not came_back, f"expected what was gone to stay gone, found {sorted(came_back)[:5]}")
        undone = elements & self.removed
        expect(not undone, f"expected what was removed to be gone, found {sorted(undone)[:5]}")
        lost = (self.elements | self.kept) - self.perhaps_removed - elements
        expect(not lost, f"expected what was acknowledged to be there, missed {sorted(lost)[:5]}")
        self.counters, self.elements = counters, set(elements)
        self.begin()


class Writer(threading.Thread):
    """Writes to one peer until it has done its part, or the peer is gone."""

    def __init__(self, peer, ledger, random, operations):
        super().__init__(daemon=True)
        self.peer, self.ledger, self.random, self.operations = peer, ledger, random, operations
        self.counted, self.added, self.removed = Counter(), set(), set()  # not acknowledged yet
        self.failure = None

    def run(self):
        try:
            with self.peer.client() as client:
                for _ in range(self.operations):
                    self.write(client)
                    self.ledger.operations += 1
                self.wait(client)
        except OSError:
            pass  # the peer was killed: what it did not acknowledge may be lost
        except Exception as failure:
            self.failure = failure

    def write(self, client):
        what = self.random.random()
        if what < 0.35:
            self.count(f"counter:{self.random.randrange(4)}", lambda name, by: client("INCRBY", name, by))
        elif what < 0.55:
            self.count(f"hash field:{self.random.randrange(4)}",
                       lambda name, by: client("HINCRBY", "hash", name.removeprefix("hash "), by))
        elif what < 0.8:
            element = self.ledger.new_element()
            self.ledger.added.add(element)
            client("SADD", "set", element)
            self.added.add(element)
        elif what < 0.95:
            self.remove(client)
        else:
            self.wait(client)

    def count(self, name, send):
        by = self.random.randint(1, 9)
        with self.ledger.lock:
            self.ledger.sent[name] += by
        send(name, by)
        self.counted[name] += by

    def remove(self, client):
        element = self.candidate()
        if element is None:
            return
        self.ledger.perhaps_removed.add(element)
        if client("SREM", "set", element) == 1:
            self.removed.add(element)

    def candidate(self):
        """An element that this peer may have heard of."""
        with self.ledger.lock:
            known = sorted((self.ledger.elements | self.ledger.added) - self.ledger.perhaps_removed)
        return self.random.choice(known) if known else None

    def wait(self, client):
        if client("WAIT", 1, 20) < 1:
            return
        with self.ledger.lock:
            self.ledger.counted.update(self.counted)
            self.ledger.kept |= self.added
            self.ledger.removed |= self.removed
        self.counted, self.added, self.removed = Counter(), set(), set()


class Scene:
    """Peers that are linked through proxies along `ways`, pairs of their numbers; each side dials the other."""

    def __init__(self, cluster, proxies, drivers, ways, options=()):
        self.proxies = proxies
        listens = free_ports(len(drivers))
        self.ways = {way: [proxies.to(listens[number - 1]) for number in way] for way in ways}
        for number, driver in enumerate(drivers, 1):
            dials = [pair[way.index(number) ^ 1].port for way, pair in self.ways.items() if number in way]
            cluster.add(number, listens[number - 1], dials, driver, options=options)
        self.peers = cluster.start()
        self.ledger = Ledger()

    def cut(self, ways):
        self.proxies.cut(*(proxy for way in ways for proxy in self.ways[way]))

    def heal(self, ways=None):
        self.proxies.heal(*(proxy for way in ways or self.ways for proxy in self.ways[way]))

    def until_equal(self, peers=None):
        clients = [peer.client() for peer in peers or self.peers]
        try:
            return until_equal(clients, HEALING_SECONDS)
        finally:
            for client in clients:
                client.close()

    def round(self, random, operations):
        """Writes everywhere, cuts and perhaps kills meanwhile, heals, and judges."""
        cut = random.sample(sorted(self.ways), random.randint(1, len(self.ways)))
        victim = random.choice([None, *self.peers])
        writers = [self.writer(peer, random, operations) for peer in self.peers]
        self.after(writers, random.uniform(0, 0.4))
        self.cut(cut)
        if victim:
            self.after(writers, random.uniform(0.4, 0.8))
            victim.kill()
            if restarts_apart := random.random() < 0.5:
                victim.start().ready()
                writers.append(self.writer(victim, random, operations // 2))
        for writer in writers:
            writer.join()
            if writer.failure:
                raise writer.failure
        self.heal()
        healed = time.monotonic()
        if victim and not restarts_apart:
            victim.start().ready()
        _, contents = self.until_equal()
        took = time.monotonic() - healed
        self.ledger.settle(contents)
        return took, (f"cut {' '.join(f'{near}-{far}' for near, far in cut)}"
                      + (f", killed {victim.number}" if victim else ""))

    def writer(self, peer, random, operations):
        made = Writer(peer, self.ledger, Random(random.getrandbits(64)), operations)
        made.start()
        return made

    def after(self, writers, part):
        """When so great a part of the work is done."""
        wanted = part * sum(writer.operations for writer in writers)
        within(60, lambda: self.ledger.operations >= wanted or not any(writer.is_alive() for writer in writers),
               "the writers to go on")

    def last_words(self, number):
        """1 writes when only 2 hears it, and dies; 3 hears it from 2."""
        first, second, third = self.peers
        self.cut([(1, 3), (2, 3)])
        with first.client() as client:
            before = int(client("GET", "words") or 0)
            client.pipeline([("INCR", "words"), ("SADD", "said", f"word:{number}"), ("HSET", "last", "word", number)])
            expect(client("WAIT", 1, 10_000) == 1, "expected peer 2 alone to acknowledge what peer 1 wrote")
        first.kill()
        self.heal([(2, 3)])
        healed = time.monotonic()
        took, contents = self.until_equal([second, third])
        while contents.get("words") != ("string", str(before + 1)):
            expect(time.monotonic() < healed + HEALING_SECONDS, "expected peer 3 to hear what peer 1 wrote last")
            took, contents = self.until_equal([second, third])
        took = time.monotonic() - healed
        expect(f"word:{number}" in contents["said"][1] and ("word", str(number)) in contents["last"][1],
               f"expected all of the last words, found {contents}")
        first.start().ready()
        self.heal([(1, 3)])
        expect(self.until_equal()[1] == contents, "expected the restarted peer to get what there was, and nothing else")
        return took


MESH = (("uring", "asio", "auto"), ((1, 2), (1, 3), (2, 3)))
LINE = (("auto", "asio", "uring", "auto"), ((1, 2), (2, 3), (3, 4)))


def judge_partitions(given, random):
    for name, (drivers, ways), rounds in (("mesh", MESH, given.rounds), ("line", LINE, max(1, given.rounds // 4)),
                                          ("last_words", MESH, max(1, given.rounds // 4))):
        times = []
        with Proxies(given.seed) as proxies, Cluster(given.program) as cluster:
            scene = Scene(cluster, proxies, drivers, ways)
            for number in range(1, rounds + 1):
                if name == "last_words":
                    took, what = scene.last_words(number), "killed 1"
                else:
                    took, what = scene.round(random, OPERATIONS)
                times.append(took)
                if not given.short:
                    say(f"{name} {number}/{rounds}: {what}: equal {took:.2f} s after healing")
        times.sort()
        say(f"{name}: {rounds} rounds, equal {times[len(times) // 2]:.2f} s after healing (median), "
            f"{times[-1]:.2f} s (longest)")


if __name__ == "__main__":
    judge.run(judge_partitions, __doc__, rounds=100, short_rounds=4)
