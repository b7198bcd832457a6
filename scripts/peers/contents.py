"""What peers hold, read through their RESP ports, and how long it takes until they hold the same."""

import time

from peers.processes import Failed
from peers.resp import ReplyError

READERS = {"string": "GET", "set": "SMEMBERS", "hash": "HGETALL"}


def read_all(client):
    """Every key of a peer with its type and content, as values that compare."""
    keys = client("KEYS", "*")
    types = client.pipeline(("TYPE", key) for key in keys)
    found = [(key, kind) for key, kind in zip(keys, types) if kind in READERS]
    contents = client.pipeline((READERS[kind], key) for key, kind in found)
    return {key: (kind, comparable(kind, content)) for (key, kind), content in zip(found, contents)}


def read_now(client):
    """As read_all, or nothing when a key changed its type under the reader."""
    try:
        return read_all(client)
    except ReplyError as error:
        if not str(error).startswith("WRONGTYPE"):
            raise
        return None


def comparable(kind, content):
    if kind == "set":
        return frozenset(content)
    if kind == "hash":
        return frozenset(zip(content[::2], content[1::2]) if isinstance(content, list) else content.items())
    return content


def difference(contents):
    """Where what peers hold differs, in a few words."""
    keys = sorted(key for key in set().union(*contents)
                  if any(one.get(key) != contents[0].get(key) for one in contents))
    shown = [f"{key}: {' / '.join(short(one.get(key)) for one in contents)}" for key in keys[:5]]
    return f"{len(keys)} keys differ: " + "; ".join(shown)


def short(value):
    if value is None:
        return "nothing"
    kind, content = value
    text = f"{len(content)} elements" if kind == "set" else f"{len(content)} fields" if kind == "hash" else str(content)
    return f"{kind} {text}"[:60]


def until_equal(clients, seconds, since=None):
    """Waits until all hold the same; gives how many seconds that took since `since`, and what it is."""
    since = since or time.monotonic()
    while True:
        contents = [read_now(client) for client in clients]
        took = time.monotonic() - since
        if contents[0] is not None and all(one == contents[0] for one in contents):
            return took, contents[0]
        if took > seconds and None not in contents:
            raise Failed(f"expected all peers to hold the same within {seconds:g} s: {difference(contents)}")
