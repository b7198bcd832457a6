"""Peers as processes on loopback: started, watched, killed, and gone when the script ends, however it ends."""

import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from peers.resp import Client

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[2]
ENDS_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")  # even when the script is killed and can clean up nothing


class Failed(Exception):
    """Something is not as it must be, in words for people."""


def build(target, what):
    """The release build of a program; `what` says which in the message of a failure."""
    for step in (["scripts/install-dependencies", "base"],
                 ["cmake", "--preset", "release", "-DPHOENIX_EXAMPLES=ON"],
                 ["cmake", "--build", "--preset", "release", "--target", target]):
        done = subprocess.run(step, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise Failed(f"{done.stdout[-6000:]}\n{what} could not be built: {' '.join(step)} failed")


def is_free(port):
    try:
        socket.create_server((HOST, port)).close()
        return True
    except OSError:
        return False


PORTS = range(10_000, 30_000)  # below those that the kernel gives to who does not ask for one
GIVEN = set()


def free_ports(count):
    """Ports that nobody listens at now, none of them twice."""
    ports = []
    while len(ports) < count:
        port = random.SystemRandom().choice(PORTS)
        if port not in GIVEN and is_free(port):
            GIVEN.add(port)
            ports.append(port)
    return ports


def within(seconds, done, what):
    """Asks again and again, and gives the first answer that is not false. Fails after so many seconds."""
    end = time.monotonic() + seconds
    while not (answer := done()):
        if time.monotonic() > end:
            raise Failed(f"expected {what() if callable(what) else what} within {seconds:g} s")
        time.sleep(0.001)
    return answer


class Process:
    """A server with a port for RESP, and its log in a file."""

    def __init__(self, name, command, port, log):
        self.name, self.command, self.port, self.log = name, [str(word) for word in command], port, log
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            # A session of its own: Ctrl-C reaches the script alone, which then ends its processes in order.
            self.process = subprocess.Popen([*ENDS_WITH_US, *self.command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        return self

    def ready(self, seconds=10):
        within(seconds, self.answers, lambda: f"{self.name} to answer")
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise Failed(f"{self.name} ended with status {self.process.returncode}:\n{self.log_text()[-3000:]}")
        try:
            with self.client() as client:
                return client("PING") == "PONG"
        except OSError:
            return False

    def client(self, timeout=30.0):
        return Client(self.port, timeout=timeout)

    def status(self):
        """What PHOENIX.STATUS tells, as a dictionary."""
        with self.client() as client:
            client("HELLO", 3)
            return client("PHOENIX.STATUS")

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """SIGKILL: the process has no say in it."""
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=5):
        """SIGTERM, and its exit status."""
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"{self.name} did not end within {seconds} s of SIGTERM") from None

    def memory_bytes(self):
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    def log_text(self):
        return Path(self.log).read_text(errors="replace")


def interrupt(*_):
    """What ends the script ends its peers: as Ctrl-C does, by an exception."""
    raise KeyboardInterrupt


class Cluster:
    """Peers, and the folder with their secret and logs. As a context it ends and removes all that it started."""

    def __init__(self, program, name="loopback", secret=None):
        self.program, self.name = str(program), name
        self.peers = []
        self.others = []
        self.scratch = tempfile.TemporaryDirectory(prefix="phoenix-")
        self.folder = Path(self.scratch.name)
        self.secret_file = self.folder / "secret"
        self.secret_file.write_text(secret or os.urandom(24).hex())
        self.secret_file.chmod(0o600)

    def __enter__(self):
        self.previous = signal.signal(signal.SIGTERM, interrupt)
        return self

    def __exit__(self, *_):
        for process in self.peers + self.others:
            if process.is_running():
                process.kill()
        self.scratch.cleanup()
        signal.signal(signal.SIGTERM, self.previous)

    def add(self, number, listen, dials, driver="auto", resp=None, level="info", options=(), cluster=None, secret_file=None):
        """A peer, not started: `listen` and `dials` are ports for peers, `resp` the one for clients."""
        resp = resp or free_ports(1)[0]
        command = [self.program, "--id", number, "--listen", f"{HOST}:{listen}", "--resp", f"{HOST}:{resp}"]
        for port in dials:
            command += ["--peer", f"{HOST}:{port}"]
        command += ["--driver", driver, "--cluster", cluster or self.name, "--secret-file",
                    secret_file or self.secret_file, "--log", level, *options]
        made = Process(f"peer {number}", command, resp, self.folder / f"peer-{number}.log")
        made.number, made.listen = number, listen
        self.peers.append(made)
        return made

    def mesh(self, drivers, resp_ports=None, **more):
        """Peers of which each dials all others, started and ready."""
        ports = free_ports(len(drivers))
        for place, driver in enumerate(drivers):
            self.add(place + 1, ports[place], ports[:place] + ports[place + 1:], driver,
                     resp_ports[place] if resp_ports else None, **more)
        return self.start()

    def start(self):
        for peer in self.peers:
            peer.start()
        for peer in self.peers:
            peer.ready()
        return self.peers
