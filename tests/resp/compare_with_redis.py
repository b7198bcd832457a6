"""Runs one list of commands against redis-server and a phoenix-peer, over raw sockets in RESP2 and RESP3, and compares
the replies byte for byte.

    tests/resp/compare_with_redis.py HOST:PORT      # of a peer whose keys may be deleted

Starts a redis-server of its own; says so and ends well where none is installed. What differs on purpose is in DIFFERENT.
"""

import shutil
import socket
import subprocess
import sys
import tempfile
import time

# Commands whose replies differ, and why. Prefixes of the command, in upper case.
DIFFERENT = {
    "HELLO": "the numbers of connections",
    "CLIENT ID": "the numbers of connections",
    "CLIENT INFO": "fields that only one of the two has",
    "CLIENT LIST": "fields that only one of the two has",
    "CLIENT SETINFO": "Redis has it from 7.2 on",
    "COMMAND": "the commands that there are",
    "CONFIG GET PROTO-MAX-BULK-LEN": "another limit",
    "CONFIG GET DATABASES": "there is one",
    "INFO": "another server",
    "SET LEFT V": "keys do not expire",
    "SELECT 1": "there is one database",
}
# Replies whose elements have no order: compared sorted.
UNORDERED = ("KEYS", "SMEMBERS", "HGETALL", "CONFIG GET")

SCRIPT = """
PING|PING hello|PING a b|ECHO hi|ECHO|SELECT 0|SELECT x|QUITX|AUTH x|AUTH default x|AUTH nobody x|CLIENT GETNAME
CLIENT SETNAME ann|CLIENT GETNAME|CLIENT SETNAME|CLIENT NOSUCH|CLIENT|CONFIG GET save|CONFIG GET appendonly|CONFIG
CONFIG GET|CONFIG GET nosuch|CONFIG NOSUCH|DBSIZE|DBSIZE x|GET a|SET a 1|GET a|GET|GET a b|SET a|SET a 2 NX|SET a 2 XX
SET b 2 XX|SET a 3 GET|SET a 4 NX GET|SET n 4 NX GET|SET n 4 XX GET|SET a 5 NX XX|SET a 5 XX NX|SET a 5 NOSUCH|SET a 5 NX NX
GETSET a 6|GETSET new1 6|GETSET a|SETNX a 7|SETNX new2 7|SETNX a|MSET x 1 y 2|MSET x 1 y|MSET x|MSET|MGET x y none|MGET
APPEND a tea|APPEND new3 tea|APPEND new3 pot|APPEND new3|STRLEN a|STRLEN new3|STRLEN none|STRLEN|GET a|GET new3
INCR c|INCR c|INCRBY c 40|DECR c|DECRBY c 50|GET c|INCRBY c -5|DECRBY c -5|INCRBY c x|INCRBY c 1.5|INCRBY c|INCR
INCRBY c 9223372036854775807|INCRBY c 9223372036854775808|INCRBY c 007|INCRBY c +1|INCRBY c -0|INCR new3
SET max 9223372036854775807|INCR max|DECR max|INCR max|INCRBY max 1|SET min -9223372036854775808|DECR min
DECRBY c -9223372036854775808|DECRBY c 9223372036854775807|INCRBY zero 0|GET zero|EXISTS zero|TYPE zero
SET pad 007|INCR pad|SET spaced " 1"|INCR spaced|SET neg -0|INCR neg|SET empty ""|GET empty|STRLEN empty|INCR empty
SET c 5|INCR c|GET c|STRLEN c|APPEND c 0|INCR c|GETSET c 1|INCR c|SET c 9 GET
SADD s a|SADD s a b c|SADD s|SADD|SCARD s|SCARD none|SCARD|SISMEMBER s a|SISMEMBER s z|SISMEMBER none z|SISMEMBER s
SMEMBERS s|SMEMBERS none|SMEMBERS|SREM s a z|SREM s|SREM none a|SMEMBERS s|SREM s b c|EXISTS s|TYPE s|SADD s x y
HSET h a 1|HSET h a 2 b 3|HSET h a|HSET h a 1 b|HSET h|HGET h a|HGET h z|HGET none a|HGET h|HMGET h a z b|HMGET none a b
HMGET h|HGETALL h|HGETALL none|HGETALL|HLEN h|HLEN none|HLEN|HINCRBY h a 5|HINCRBY h n 1|HINCRBY h n -3|HINCRBY h t x
HSET h t tea|HINCRBY h t 1|HINCRBY h a 9223372036854775807|HINCRBY h z 0|HINCRBY h|HGETALL h|HSET h a 10|HINCRBY h a 1
HGET h a|HLEN h|HDEL h z none|HDEL h|HDEL none a|HLEN h|HSET one f v|HDEL one f|EXISTS one|TYPE one|HSET h "" ""|HGET h ""
TYPE a|TYPE h|TYPE s|TYPE none|TYPE|EXISTS a|EXISTS a a none|EXISTS|KEYS n*|KEYS *[abc]*|KEYS new?|KEYS [^n]|KEYS nosuch*|KEYS
GET s|GET h|GETSET s 1|APPEND h 1|STRLEN s|INCR s|INCRBY h 1|DECR h|DECRBY s 1|SADD a x|SADD h x|SREM a x|SMEMBERS h|SCARD a
SISMEMBER h x|HSET s f 1|HSET a f 1|HGET s f|HMGET a f|HGETALL s|HDEL s f|HLEN a|HINCRBY s f 1|HINCRBY a f 1|MGET a s h none
SET h 1 GET|SETNX s 1|SET h 1 NX|DBSIZE|SCAN 0 COUNT 1000 MATCH nosuch*|SCAN x|SCAN 0 COUNT|SCAN 0 COUNT 0|SCAN 0 COUNT x
SCAN 0 NOSUCH 1|SCAN 0 MATCH new1 COUNT 1000|SCAN 0 TYPE set COUNT 1000|SCAN 0 TYPE nosuch COUNT 1000|SCAN
DEL a none|DEL a|DEL|UNLINK x y none|UNLINK|GET a|SET s now-a-string|GET s|TYPE s|SADD s x|DEL s|SADD s x|SMEMBERS s
SET h text|HGET h a|DEL h|HSET h f v|HGETALL h|RESET|CLIENT GETNAME|NOSUCH|NOSUCH a b|FLUSHALL NOSUCH|FLUSHALL A B|WAIT x 0
WAIT 0 x|WAIT 0 -1|WAIT 0|WAIT 0 10|FLUSHALL|DBSIZE|KEYS *|FLUSHALL ASYNC|FLUSHALL SYNC|SET left 1|INCR left|DEL left|GET left
HELLO 9|HELLO x|HELLO 2 NOSUCH|EXISTS left|CLIENT ID|CLIENT INFO|CLIENT LIST|CLIENT SETINFO lib-name x|COMMAND COUNT
COMMAND INFO get|COMMAND DOCS get|CONFIG GET databases|CONFIG GET proto-max-bulk-len|INFO|SET left v EX 10|SET left v KEEPTTL
SELECT 1|SELECT 0|HELLO
"""
# Sent as it stands: inline commands, pipelines, and what breaks the protocol.
RAW = (
    b"PING\r\nPING\r\n",
    b"set q 'it\\'s'\r\nget q\r\nset q \"\\x41\\n\"\r\nget q\r\n\r\nPING\n",
    b"*0\r\n*-1\r\nPING\r\n",
    b"*1\r\n$4\r\nPING\r\n" * 100,
    b"*1\r\n:1\r\n",
    b"*x\r\n",
    b"*1\r\n$x\r\n",
    b"*1\r\n$-5\r\n",
    b"*2147483648\r\n",
    b"get \"x\r\n",
    b"QUIT\r\n",
)


def words_of(line):
    words, quoted = [], False
    for part in line.split('"'):
        words += [part] if quoted else part.split()
        quoted = not quoted
    return words


class Client:
    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=10)
        self.file = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, words):
        encoded = [word.encode() for word in words]
        self.send(b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded))
        return self.reply()

    def reply(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind in b"$=" and rest != b"-1":
            return kind, self.file.read(int(rest) + 2)[:-2]
        if kind in b"*~%>" and rest != b"-1":
            count = int(rest) * (2 if kind == b"%" else 1)
            return kind, [self.reply() for _ in range(count)]
        return kind, rest

    def rest(self):
        """What comes until the server closes or half a second is silent."""
        self.socket.settimeout(0.5)
        data = b""
        try:
            while piece := self.socket.recv(65536):
                data += piece
        except TimeoutError:
            data += b"<open>"
        except ConnectionError:
            pass
        return data


def ordered(reply, is_map):
    kind, value = reply
    if not isinstance(value, list):
        return reply
    step = 2 if is_map else 1
    groups = [value[i:i + step] for i in range(0, len(value), step)]
    return kind, sorted(groups)


def difference(words):
    line = " ".join(words).upper()
    return next((why for start, why in DIFFERENT.items() if line.startswith(start)), None)


def compare(redis_address, peer_address):
    asked, failures, excused = 0, [], 0
    lines = [command for line in SCRIPT.strip().splitlines() for command in line.split("|")]
    for protocol in "2", "3":
        ours, theirs = Client(peer_address), Client(redis_address)
        for client in ours, theirs:
            client.ask(["FLUSHALL"])
            client.ask(["HELLO", protocol])
        for line in lines:
            words = words_of(line)
            found, expected = ours.ask(words), theirs.ask(words)
            if line == "RESET":
                ours.ask(["HELLO", protocol]), theirs.ask(["HELLO", protocol])
            asked += 1
            if line.upper().startswith(UNORDERED):
                is_map = "HGETALL" in line or "CONFIG" in line
                found, expected = ordered(found, is_map), ordered(expected, is_map)
            if found != expected:
                if difference(words):
                    excused += 1
                else:
                    failures.append(f"RESP{protocol} {line}\n  redis: {expected}\n  ours:  {found}")
    for data in RAW:
        ours, theirs = Client(peer_address), Client(redis_address)
        ours.send(data), theirs.send(data)
        found, expected = ours.rest(), theirs.rest()
        asked += 1
        if found != expected:
            failures.append(f"raw {data[:60]}\n  redis: {expected[-200:]}\n  ours:  {found[-200:]}")
    return asked, excused, failures


def start_redis(folder):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
        stdout=subprocess.DEVNULL)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return server, ("127.0.0.1", port)
        except OSError:
            time.sleep(0.05)  # the only way to learn that a foreign program listens
    server.kill()
    sys.exit("redis-server did not start within 10 s")


def main():
    if len(sys.argv) != 2 or ":" not in sys.argv[1]:
        sys.exit(__doc__)
    if shutil.which("redis-server") is None:
        print("skipped: redis-server is not installed")
        return 0
    host, port = sys.argv[1].rsplit(":", 1)
    with tempfile.TemporaryDirectory() as folder:
        server, address = start_redis(folder)
        try:
            asked, excused, failures = compare(address, (host, int(port)))
        finally:
            server.terminate()
            server.wait()
    for each in failures:
        print(each)
    print(f"{asked} replies compared, {excused} differ on purpose, {len(failures)} differ")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
