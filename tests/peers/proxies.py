"""Proxies between peers that can be cut: TCP that swallows.

While a proxy is cut, what either side sends is read and dropped; connections stay open, and new ones are accepted and
answer nothing. Real TCP loses nothing in the middle of a connection, so one that lost something must not go on as if it
had not. When a proxy is healed, each such connection gets one of three ends: it is reset, as by a router that forgot it; it
stays silent, and the peers have to notice; or it goes on with the hole, which TCP never makes. A hole that begins or ends
inside a frame fails its checksum. One of whole frames is seen only by what they were to do: a batch after one that is
missing is refused, and where none follows, the link is given up after delta_options::stall_max, ten seconds.
"""

import random
import selectors
import socket
import struct
import threading

HOST = "127.0.0.1"
CHUNK = 1 << 16
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close sends RST
ENDS = ("reset", "reset", "reset", "silent", "hole")


class Pair:
    """A connection through a proxy: who dialled, and whom the proxy dialled for it (nobody, while it is cut)."""

    def __init__(self, near, far):
        self.ends = [end for end in (near, far) if end]
        self.waiting = {end: bytearray() for end in self.ends}  # what is still to be written to each
        self.lost = far is None  # something was swallowed
        self.silent = False  # everything is, until both have hung up

    def other(self, end):
        return next((one for one in self.ends if one is not end), None)


class Proxy:
    def __init__(self, proxies, target):
        self.proxies, self.target = proxies, target
        self.door = socket.create_server((HOST, 0), backlog=64)
        self.door.setblocking(False)
        self.port = self.door.getsockname()[1]
        self.is_cut = False
        self.pairs = []


class Proxies:
    """All proxies of a run, on one thread. The methods may be called from any other."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.selector = selectors.DefaultSelector()
        self.lock = threading.RLock()
        self.bell, self.ring = socket.socketpair()
        self.bell.setblocking(False)
        self.selector.register(self.bell, selectors.EVENT_READ, None)
        self.stopped = False
        self.proxies = []
        self.thread = threading.Thread(target=self.work, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped = True
        self.ring.send(b".")
        self.thread.join()
        with self.lock:
            for proxy in self.proxies:
                proxy.door.close()
                for pair in list(proxy.pairs):
                    for end in list(pair.ends):
                        self.close(proxy, pair, end)
        self.selector.close()
        self.bell.close()
        self.ring.close()

    def to(self, target):
        """A new proxy before a port; its own port is `port`."""
        with self.lock:
            proxy = Proxy(self, target)
            self.proxies.append(proxy)
            self.selector.register(proxy.door, selectors.EVENT_READ, (proxy, None))
        self.ring.send(b".")
        return proxy

    def cut(self, *proxies):
        with self.lock:
            for proxy in proxies:
                proxy.is_cut = True

    def heal(self, *proxies):
        with self.lock:
            for proxy in proxies:
                if not proxy.is_cut:
                    continue
                proxy.is_cut = False
                for pair in list(proxy.pairs):
                    if pair.lost:
                        self.end(proxy, pair)
        self.ring.send(b".")

    def end(self, proxy, pair):
        how = self.random.choice(ENDS)
        if how == "silent":
            pair.silent = True
        elif how == "hole" and len(pair.ends) == 2:
            pair.lost = False
        else:
            for end in list(pair.ends):
                self.close(proxy, pair, end, reset=True)

    # --- The thread.

    def work(self):
        while not self.stopped:
            for key, events in self.selector.select():
                with self.lock:
                    if key.fileobj is self.bell:
                        self.bell.recv(CHUNK)
                    elif key.fileobj.fileno() < 0:
                        pass  # closed by what came before it in this turn
                    elif key.data[1] is None:
                        self.accept(key.data[0])
                    else:
                        self.serve(key.fileobj, *key.data, events)

    def accept(self, proxy):
        near, _ = proxy.door.accept()
        far = None
        if not proxy.is_cut:
            try:
                far = socket.create_connection((HOST, proxy.target), timeout=1)
            except OSError:
                near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                near.close()  # nobody listens there: the dialler hears of it
                return
        pair = Pair(near, far)
        proxy.pairs.append(pair)
        for end in pair.ends:
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(end, selectors.EVENT_READ, (proxy, pair))

    def serve(self, end, proxy, pair, events):
        try:
            if events & selectors.EVENT_WRITE:
                self.flush(pair, end)
            if events & selectors.EVENT_READ:
                self.forward(proxy, pair, end)
        except BlockingIOError:
            pass
        except OSError:
            self.hung_up(proxy, pair, end)
        for one in pair.ends:
            self.selector.modify(one, self.wanted(pair, one), (proxy, pair))

    @staticmethod
    def wanted(pair, end):
        """Who sends faster than the other side reads has to wait, as without a proxy."""
        other = pair.other(end)
        is_full = other is not None and len(pair.waiting[other]) > 4 * CHUNK
        events = (0 if is_full else selectors.EVENT_READ) | (selectors.EVENT_WRITE if pair.waiting[end] else 0)
        return events or selectors.EVENT_WRITE

    def forward(self, proxy, pair, end):
        data = end.recv(CHUNK)
        if not data:
            self.hung_up(proxy, pair, end)
        elif proxy.is_cut or pair.silent or pair.other(end) is None:
            pair.lost = True
        else:
            pair.waiting[pair.other(end)] += data
            self.flush(pair, pair.other(end))

    @staticmethod
    def flush(pair, end):
        try:
            while pair.waiting[end]:
                del pair.waiting[end][:end.send(pair.waiting[end])]
        except BlockingIOError:
            pass

    def hung_up(self, proxy, pair, end):
        """The end of a connection does not get through a cut either."""
        other = pair.other(end)
        self.close(proxy, pair, end)
        if proxy.is_cut or pair.silent:
            pair.lost = True
        elif other:
            self.close(proxy, pair, other)

    def close(self, proxy, pair, end, reset=False):
        pair.ends.remove(end)
        if not pair.ends:
            proxy.pairs.remove(pair)
        self.selector.unregister(end)
        if reset:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        end.close()
