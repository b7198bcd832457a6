"""The story that scripts/demo tells: the words of real texts, counted and collected by three peers."""

import copy
import re
import signal
import threading
import time
from collections import Counter
from pathlib import Path

from peers.contents import comparable, difference, read_all, until_equal
from peers.processes import Cluster, Failed, free_ports, is_free

FOLDER = Path("/usr/share/common-licenses")
TEXTS = ("GPL-3", "MPL-2.0", "LGPL-2.1", "GFDL-1.3", "Apache-2.0")
RESP_PORTS = (7001, 7002, 7003)
PATIENCE_SECONDS = 30
SHORT = 4  # words with fewer letters are taken out of the set in step 2


def texts():
    """Three texts that every Debian has, as names and lists of words."""
    found = []
    for name in TEXTS:
        path = FOLDER / name
        if path.is_file():
            found.append((name, re.findall(r"[a-z]+", path.read_text(errors="replace").lower())))
    if len(found) < 3:
        raise Failed(f"expected three of {', '.join(TEXTS)} in {FOLDER}, found {len(found)}")
    return found[:3]


class Expected:
    """The plain count beside which the peers are checked."""

    def __init__(self):
        self.count, self.letters, self.words = Counter(), Counter(), set()

    def write(self, words):
        self.count.update(words)
        self.letters.update(word[0] for word in words)
        self.words.update(words)

    def contents(self):
        return {**{f"word:{word}": ("string", str(count)) for word, count in self.count.items()},
                "words": ("set", frozenset(self.words)),
                "letters": ("hash", frozenset((letter, str(count)) for letter, count in self.letters.items()))}


def commands(words):
    for word in words:
        yield "INCR", f"word:{word}"
        yield "SADD", "words", word
        yield "HINCRBY", "letters", word[0], 1


def write_at_once(shares):
    """Writes each share of words through its client, all at once; gives the seconds that it took."""
    failures = []

    def write(client, words):
        try:
            client.pipeline(commands(words))
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=write, args=share) for share in shares]
    since = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise Failed(f"expected all writes to be taken: {failures[0]}")
    return time.monotonic() - since


class Story:
    def __init__(self, cluster):
        self.cluster = cluster
        self.clients = [peer.client() for peer in cluster.peers]
        self.expected = Expected()
        self.step = 0

    def say(self, text):
        self.step += 1
        print(f"\n{self.step}. {text}", flush=True)

    def show(self, state=""):
        """What each peer holds, a row each; `state` stands behind the last."""
        print(f"   {'':8}{'words counted':>15}{'different':>11}{'in the set':>12}{'letters':>9}{'word:the':>10}")
        for number, client in enumerate(self.clients, 1):
            if client is None:
                print(f"   peer {number:<3}{'killed':>15}")
                continue
            held = read_all(client)
            counts = {key: int(content) for key, (kind, content) in held.items() if kind == "string"}
            sizes = [len(held[key][1]) if key in held else 0 for key in ("words", "letters")]
            figures = (sum(counts.values()), len(counts), *sizes, counts.get("word:the", 0))
            print("   peer {:<3}{:>15,}{:>11,}{:>12,}{:>9,}{:>10,}".format(number, *figures))
        if state:
            print(f"   {state}", flush=True)

    def show_equal(self, since):
        """Waits until all hold what was counted here, and says how long that took."""
        clients = [client for client in self.clients if client]
        right = self.expected.contents()
        # Reading everything takes longer than synchronizing it: the clock stops when a part of it is right everywhere,
        # unless the rest is not.
        letters, the = right["letters"], right["word:the"][1]
        while not all(client.pipeline([("SCARD", "words"), ("GET", "word:the")]) == [len(self.expected.words), the]
                      and comparable("hash", client("HGETALL", "letters")) == letters[1] for client in clients):
            if time.monotonic() - since > PATIENCE_SECONDS:
                break
        took = time.monotonic() - since
        for client in clients:
            while (held := read_all(client)) != right:
                took = time.monotonic() - since
                if took > PATIENCE_SECONDS:
                    self.show()
                    raise Failed(f"expected what was counted here, then what is held: {difference([right, held])}")
        self.show(f"=> equal after {milliseconds(took)}, and exactly what a plain count gives")

    def link(self, verb, at, to):
        for other in to:
            self.clients[at - 1]("PHOENIX.LINK", verb, other)

    # --- The steps.

    def count_together(self, name, words):
        self.say(f"Three writers, one at each peer, count the {len(words):,} words of {name}: 3 writes a word, all at once.")
        took = write_at_once([(client, words[place::3]) for place, client in enumerate(self.clients)])
        since = time.monotonic()
        self.expected.write(words)
        print(f"   {3 * len(words):,} writes in {took:.2f} s")
        self.show_equal(since)

    def cut_and_heal(self, name, words):
        third = len(words) // 3
        shares = [words[:third], words[third:2 * third], words[2 * third:]]
        self.say(f"Peer 3 is cut off: PHOENIX.LINK DOWN. Both sides go on, with {name}, and disagree.")
        self.link("DOWN", 3, (1, 2))
        write_at_once(list(zip(self.clients[:2], shares)))
        until_equal(self.clients[:2], 10)
        short = sorted(word for word in self.clients[0]("SMEMBERS", "words") if len(word) < SHORT)
        self.clients[0].pipeline(("SREM", "words", word) for word in short)
        until_equal(self.clients[:2], 10)
        write_at_once([(self.clients[2], shares[2])])
        print(f"   peer 1 also takes the {len(short)} words below {SHORT} letters out of the set")
        self.show("=> apart: each side holds what was written there, and nothing of the other's")
        apart = copy.deepcopy(self.expected)
        apart.write(shares[2])
        self.expected.write(shares[0] + shares[1])
        self.expected.words -= set(short)
        for client, right in zip(self.clients, (self.expected, self.expected, apart)):
            if (held := read_all(client)) != right.contents():
                raise Failed(f"expected each side alone, then what is held: {difference([right.contents(), held])}")
        self.expected.write(shares[2])

        self.say("The link is healed. Words that peer 3 added meanwhile stay in the set: they are news to who removed them.")
        since = time.monotonic()
        self.link("UP", 3, (1, 2))
        self.show_equal(since)

    def kill_and_restart(self, name, words):
        half = len(words) // 2
        peer = self.cluster.peers[1]
        self.say(f"Peer 2 writes half of {name}, hears from WAIT that another has it, and dies by SIGKILL.")
        write_at_once([(self.clients[1], words[:half])])
        if self.clients[1]("WAIT", 1, 10_000) < 1:
            raise Failed("expected another peer to have what peer 2 wrote within 10 s")
        self.clients[1].close()
        self.clients[1] = None
        peer.kill()
        write_at_once([(self.clients[0], words[half:half + half // 2]), (self.clients[2], words[half + half // 2:])])
        since = time.monotonic()
        self.expected.write(words)
        self.show_equal(since)

        self.say("Peer 2 is started again, with nothing: the others give it everything.")
        since = time.monotonic()
        peer.start().ready()
        self.clients[1] = peer.client()
        self.show_equal(since)


def milliseconds(seconds):
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.1f} s"


def ports():
    """The same at every start, unless somebody has them."""
    return RESP_PORTS if all(map(is_free, RESP_PORTS)) else free_ports(len(RESP_PORTS))


def demonstrate(program, stay):
    with Cluster(program, "demo") as cluster:
        cluster.mesh(("auto", "asio", "auto"), ports())
        story = Story(cluster)
        print("Three peers in three processes, linked to each other over TCP; Redis clients connect to "
              + ", ".join(str(peer.port) for peer in cluster.peers) + ".")
        first, second, third = texts()
        story.count_together(*first)
        story.cut_and_heal(*second)
        story.kill_and_restart(*third)
        if stay:
            remain(cluster)
        for client in story.clients:
            client.close()
        for peer in cluster.peers:
            peer.stop()


def remain(cluster):
    first, second, third = (peer.port for peer in cluster.peers)
    print(f"""
The peers stay until Ctrl-C. In other terminals:
   redis-cli -p {first} INCR word:phoenix
   redis-cli -p {second} GET word:phoenix
   redis-cli -p {third} PHOENIX.LINK DOWN 1
   redis-cli -p {third} PHOENIX.STATUS""", flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()
