"""A client that writes from a process of its own, so that none of its replies waits for the judge's threads."""

import multiprocessing
import time
from random import Random

from judge import Failed
from peers.resp import Client

# Not forked: a child would keep the connections of proxies open.
PROCESSES = multiprocessing.get_context("spawn")


class Writer:
    """Sends change(random, number) to one peer, one command at a time, and times each reply: so many bytes of commands, and
    with `goes_on` until it is ended. `change` is a function of a module."""

    def __init__(self, peer, change, seed, total_bytes=0, goes_on=False):
        self.name = peer.name
        self.may_end = PROCESSES.Event()
        if not goes_on:
            self.may_end.set()
        self.results, told = PROCESSES.Pipe(duplex=False)
        self.process = PROCESSES.Process(target=write, args=(peer.port, change, seed, total_bytes, self.may_end, told),
                                         daemon=True)
        self.process.start()
        told.close()

    def end(self):
        """Waits until all is written; gives how many commands that were, and the longest time of a reply."""
        self.may_end.set()
        try:
            return self.results.recv()
        except EOFError:
            raise Failed(f"expected {self.name} to take all writes; what went wrong stands above") from None
        finally:
            self.process.join()


def write(port, change, seed, total_bytes, may_end, told):
    random, number, written, longest = Random(seed), 0, 0, 0.0
    with Client(port) as client:
        while written < total_bytes or not may_end.is_set():
            command = change(random, number)
            begun = time.perf_counter()
            client(*command)
            longest = max(longest, time.perf_counter() - begun)
            number += 1
            written += sum(len(str(word)) for word in command)
    told.send((number, longest))
