"""A client for RESP, the protocol of Redis: commands one by one or in pipelines, on a plain socket."""

import socket

CHUNK = 512  # commands of a pipeline on their way at once: what they answer must fit into the sockets' buffers


class ReplyError(Exception):
    """What the server refused, in its words."""


def encode(arguments):
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        data = argument if isinstance(argument, bytes) else str(argument).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts)


class Client:
    """One connection. Bytes of replies are decoded as UTF-8, with what is none escaped; errors are thrown as ReplyError."""

    def __init__(self, port, host="127.0.0.1", timeout=30.0):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = bytearray()
        self.at = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def __call__(self, *arguments):
        """The reply to one command."""
        self.socket.sendall(encode(arguments))
        return self.reply()

    def pipeline(self, commands):
        """The replies to many commands, in their order. An error is thrown when all have come."""
        commands, replies, error = list(commands), [], None
        for first in range(0, len(commands), CHUNK):
            chunk = commands[first:first + CHUNK]
            self.socket.sendall(b"".join(map(encode, chunk)))
            for _ in chunk:
                try:
                    replies.append(self.reply())
                except ReplyError as refused:
                    error = error or refused
        if error:
            raise error
        return replies

    def reply(self):
        line = self.line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise ReplyError(rest.decode())
        if kind in (b":", b"("):
            return int(rest)
        if kind in (b"$", b"="):
            return None if rest == b"-1" else self.take(int(rest)).decode(errors="surrogateescape")
        if kind in (b"*", b">"):
            return None if rest == b"-1" else [self.reply() for _ in range(int(rest))]
        if kind == b"~":
            return {self.reply() for _ in range(int(rest))}
        if kind == b"%":
            return {self.reply(): self.reply() for _ in range(int(rest))}
        if kind == b"_":
            return None
        if kind == b"#":
            return rest == b"t"
        if kind == b",":
            return float(rest)
        raise ReplyError(f"expected a reply of RESP, found {line!r}")

    def line(self):
        while (end := self.received.find(b"\r\n", self.at)) < 0:
            self.fill()
        line = bytes(self.received[self.at:end])
        self.at = end + 2
        return line

    def take(self, size):
        while len(self.received) - self.at < size + 2:
            self.fill()
        data = bytes(self.received[self.at:self.at + size])
        self.at += size + 2
        return data

    def fill(self):
        del self.received[:self.at]
        self.at = 0
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.received += data
