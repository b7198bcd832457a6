#!/usr/bin/env python3
"""Bad input on both ports of a peer, while three peers go about their work.

  hostile.py PHOENIX_PEER [--rounds N] [--seed N] [--short]

A round throws at the port for peers: random bytes, frames cut short, oversized, with a wrong checksum, of unknown kinds,
hellos of another version, from another time and with garbage in them, a whole recorded handshake, real peers with another
secret and of another cluster, and strangers who say nothing; at the port for clients: random bytes, counts and lengths without
bound, requests cut short, clients who do not read, and clients who say nothing. Meanwhile writers go on at all three peers.
Each bad connection is closed, the log says why in few lines, links stay up, memory stays bounded and all end the same.
"""

import socket
import threading
import time

import judge
from judge import expect, say
from peers.contents import until_equal
from peers.processes import HOST, Cluster, free_ports, within
from peers.resp import ReplyError, encode
from wire import HELLO, first_frame, frame, with_field
from writer import Writer

MIB = 1 << 20
STRANGERS = 500
HANDSHAKE_SECONDS = 5
LOG_LINES = 400  # a peer, for a round: warnings are rate-limited
MEMORY_BYTES = 32 * MIB  # more than before, while batches take at most
BUFFER_BYTES = 4 * MIB
STALL_SECONDS = 1  # for a reply to who behaves


class Recorder(threading.Thread):
    """A proxy before a peer that keeps what the side that dials sends."""

    def __init__(self, target):
        super().__init__(daemon=True)
        self.target = target
        self.door = socket.create_server((HOST, 0))
        self.port = self.door.getsockname()[1]
        self.heard = bytearray()

    def run(self):
        near, _ = self.door.accept()
        far = socket.create_connection((HOST, self.target))
        back = threading.Thread(target=self.pump, args=(far, near, bytearray()), daemon=True)
        back.start()
        self.pump(near, far, self.heard)
        back.join()
        for end in (near, far, self.door):
            end.close()

    @staticmethod
    def pump(source, sink, heard):
        try:
            while data := source.recv(1 << 16):
                heard += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def count(*_):
    return "INCR", "hits"


def is_closed(connection, seconds=HANDSHAKE_SECONDS + 10):
    """Whether the other side ends the connection in time; what it sends before is passed over."""
    connection.settimeout(seconds)
    try:
        while connection.recv(1 << 16):
            pass
        return True
    except TimeoutError:
        return False
    except OSError:
        return True


def throw(port, data, name):
    """Sends it all, and sees the connection closed by the peer."""
    with socket.create_connection((HOST, port)) as connection:
        try:
            connection.sendall(data)
        except OSError:
            return  # closed before all was sent
        expect(is_closed(connection), f"expected the peer to close a connection with {name}")


def bad_frames(random, recorded):
    """What is sent to the port for peers, by name."""
    kind, hello, rest = first_frame(recorded)
    expect(kind == HELLO and hello[4:8] == b"PHNX", "expected a connection to begin with a hello")
    now = int(time.time() * 1_000_000)
    yield "a recorded handshake", bytes(recorded)
    yield "a wrong checksum", frame(HELLO, hello, wrong_crc=True)
    yield "version 2 alone", frame(HELLO, with_field(with_field(hello, 1, "<H", 2), 0, "<H", 2))
    yield "a later clock", frame(HELLO, with_field(hello, 5, "<Q", now + 3600 * 1_000_000)) + rest
    yield "the node's own id", frame(HELLO, with_field(hello, 3, "<Q", 1)) + rest
    yield "two hellos", frame(HELLO, hello) * 2
    yield "a ping before the proof", frame(HELLO, hello) + frame(5, bytes(8))
    yield "an oversized frame", frame(HELLO, hello, length=0xFFFFFFFF)
    yield "a frame of bulk that is 1 GiB long", frame(17, b"", lane=1, length=1 << 30)
    yield "an unknown kind", frame(200, hello)
    yield "another lane", frame(HELLO, hello, lane=1)
    yield "compression", frame(HELLO, hello, compression=1)
    yield "flags", frame(HELLO, hello, flags=128)
    yield "an empty hello", frame(HELLO, b"")
    yield "a request of a web browser", b"GET / HTTP/1.1\r\nHost: peer\r\n\r\n"
    yield "a request of a Redis client", encode(["PING"]) * 4
    for size in (1, 15, 17, len(hello) // 2):
        yield "a frame cut short", frame(HELLO, hello)[:size]
    for _ in range(20):
        yield "random bytes", random.randbytes(random.randint(24, 4096))
    for _ in range(60):
        changed = bytearray(hello)
        for _ in range(random.randint(1, 8)):
            changed[random.randrange(len(changed))] = random.randrange(256)
        yield "a hello with garbage in it", frame(HELLO, bytes(changed)) + frame(2, random.randbytes(64))


def bad_requests(random):
    """What is sent to the port for clients, by name, and whether the connection must be closed."""
    yield "a count without bound", b"*2147483648\r\n"
    yield "a count that is none", b"*x\r\n"
    yield "a length without bound", b"*1\r\n$99999999999\r\n"
    yield "a length below zero", b"*1\r\n$-5\r\n"
    yield "no length", b"*1\r\n:5\r\n"
    yield "an inline command without end", b"A" * (2 * MIB)
    yield "quotes that do not close", b'SET "a b\r\n'
    for _ in range(20):
        yield "random bytes", b"*" + random.randbytes(random.randint(1, 4096))


def silent(port, count):
    return [socket.create_connection((HOST, port)) for _ in range(count)]


def throw_at_peers_port(peer, random, recorded):
    thrown = 0
    for name, data in bad_frames(random, recorded):
        if name == "a frame cut short":
            # Nothing more comes: closed at the handshake's deadline, or at once when the sender ends.
            with socket.create_connection((HOST, peer.listen)) as connection:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                expect(is_closed(connection), f"expected the peer to close a connection with {name}")
        else:
            throw(peer.listen, data, name)
        thrown += 1
    return thrown


def throw_at_clients_port(peer, random):
    thrown = 0
    for name, data in bad_requests(random):
        with socket.create_connection((HOST, peer.port)) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            expect(is_closed(connection), f"expected the peer to close a client's connection with {name}")
        thrown += 1
    for word in ("NOSUCH", "PHOENIX.NOSUCH"):
        with peer.client() as client:
            try:
                client(word, "x" * 1000)
                raise judge.Failed(f"expected {word} to be an error")
            except ReplyError:
                pass
            expect(client("PING") == "PONG", "expected a connection to go on after a command that does not exist")
    # A client that asks and asks and never reads: it is made to wait, or sent away, and nobody else notices.
    with socket.create_connection((HOST, peer.port)) as greedy:
        greedy.settimeout(0.5)
        with peer.client() as client:
            client("SET", "large", "x" * 100_000)
        try:
            for _ in range(2000):
                greedy.sendall(encode(["GET", "large"]))
        except OSError:
            pass
        with peer.client(timeout=5) as client:
            expect(client("PING") == "PONG", "expected others to be served while a client does not read")
    return thrown + 3


def wrong_peers(cluster, victim):
    """Real peers who should not be here: another secret, another cluster."""
    other_secret = cluster.folder / "other-secret"
    other_secret.write_text("0123456789abcdef0123456789abcdef")
    other_secret.chmod(0o600)
    strangers = [cluster.add(8, free_ports(1)[0], [victim.listen], secret_file=other_secret),
                 cluster.add(9, free_ports(1)[0], [victim.listen], cluster="elsewhere")]
    for stranger in strangers:
        del cluster.peers[cluster.peers.index(stranger)]
        cluster.others.append(stranger)
        stranger.start().ready()
        with stranger.client() as client:
            client("SET", "stranger", stranger.number)
    return strangers


def judge_hostile(given, random):
    with Cluster(given.program) as cluster:
        listens = free_ports(3)
        recorder = Recorder(listens[0])
        recorder.start()
        # Peer 2 dials peer 1 through the recorder; 3 dials both.
        for number, driver, dials in ((1, "auto", []), (2, "asio", [recorder.port]), (3, "auto", listens[:2])):
            cluster.add(number, listens[number - 1], dials, driver,
                        options=("--delta-buffer-bytes", BUFFER_BYTES)).start().ready()
        peers = list(cluster.peers)
        victim = peers[0]
        within(10, lambda: all(len(peer.status()["links"]) == 2 for peer in peers), "each peer to be linked to both others")
        recorded = bytes(recorder.heard)
        before = [peer.memory_bytes() for peer in peers]
        writers = [Writer(peer, count, 0, goes_on=True) for peer in peers]
        strangers = []
        for number in range(1, given.rounds + 1):
            lines = victim.log_text().count("\n")
            begun = time.monotonic()
            thrown = throw_at_peers_port(victim, random, recorded)
            quiet = silent(victim.listen, STRANGERS)
            quiet_clients = silent(victim.port, STRANGERS // 5)
            # Again, with the door full of strangers.
            thrown += throw_at_peers_port(victim, random, recorded) + throw_at_clients_port(victim, random)
            # After those above, since the log has room for some lines of a kind at a time; they dial again and again.
            strangers = strangers or wrong_peers(cluster, victim)
            for connection in quiet:
                expect(is_closed(connection), "expected a stranger who says nothing to be sent away at the deadline")
            for connection in quiet + quiet_clients:
                connection.close()
            lines = victim.log_text().count("\n") - lines
            expect(lines <= LOG_LINES, f"expected at most {LOG_LINES} lines of log, found {lines}")
            grown = [peer.memory_bytes() - old for peer, old in zip(peers, before)]
            expect(max(grown) <= MEMORY_BYTES, f"expected memory to grow by at most {MEMORY_BYTES // MIB} MiB, found "
                   f"{[size // MIB for size in grown]} MiB")
            say(f"round {number}: {thrown} bad connections and {STRANGERS} silent ones in {time.monotonic() - begun:.1f} s; "
                f"{lines} lines of log; memory grew by {' '.join(f'{size / MIB:.1f}' for size in grown)} MiB")
        written = [writer.end() for writer in writers]
        clients = [peer.client() for peer in peers]
        _, contents = until_equal(clients, 10)
        for client in clients:
            client.close()
        total = sum(number for number, _ in written)
        expect(contents["hits"] == ("string", str(total)), f"expected {total} hits, found {contents['hits']}")
        expect("stranger" not in contents, "expected nothing of who has another secret or is of another cluster")
        for words in ("wrong proof", "no common version", "checksum", "limit exceeded", "another cluster"):
            within(10, lambda: words in victim.log_text(), f"the log of peer 1 to say \"{words}\"")
        for peer in peers:
            expect("ended:" not in peer.log_text(), f"expected all links to stay up, found in the log of {peer.name}: "
                   + next((line for line in peer.log_text().splitlines() if "ended:" in line), ""))
        for stranger in strangers:
            expect(stranger.is_running(), f"expected {stranger.name}, which was refused, to go on alone")
        longest = max(seconds for _, seconds in written)
        expect(longest <= STALL_SECONDS, f"expected no reply to take over {STALL_SECONDS} s, found {longest:.2f} s")
        say(f"{total:,} writes meanwhile, all counted everywhere; longest reply {longest * 1000:.1f} ms; all links stayed up")


if __name__ == "__main__":
    judge.run(judge_hostile, __doc__, rounds=3, short_rounds=1)
