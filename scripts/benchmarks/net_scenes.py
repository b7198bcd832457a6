"""Who meets whom over sockets, in which scenario, on which cores: the scenes of the suites net and net-techniques."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Contestant:
    name: str
    program: str
    options: tuple = ()


OURS_URING = Contestant("uring driver", "phoenix_bench_net", ("--driver", "uring"))
OURS_ASIO = Contestant("Asio driver", "phoenix_bench_net", ("--driver", "asio"))
OURS_URING_BLOCKS = Contestant("uring driver, 64 KiB writes", "phoenix_bench_net",
                               ("--driver", "uring", "--write-bytes", "65536"))
C_URING = Contestant("C uring loop", "rival_uring")
C_URING_PLAIN = Contestant("C uring loop, plain send", "rival_uring", ("--send", "plain"))
C_EPOLL = Contestant("C epoll loop", "rival_epoll")
C_BLOCKING = Contestant("blocking socket", "rival_blocking")
ASIO = Contestant("bare Asio", "rival_asio")
ASIO_URING = Contestant("bare Asio, its io_uring backend", "rival_asio_uring")


@dataclass(frozen=True)
class Comparison:
    ours: Contestant
    rivals: tuple  # the best of them, by median rate, is the rival
    title: str  # what the rival is called


def against(ours, rival):
    return Comparison(ours, (rival,), rival.name)


BEST_C = (C_URING, C_EPOLL)
ALL_LOOPS = (OURS_URING, OURS_ASIO, C_URING, C_EPOLL, ASIO, ASIO_URING)


@dataclass(frozen=True)
class Scene:
    """Contestants that meet in one scenario on one arrangement of cores."""
    name: str
    arguments: tuple
    arrangement: str  # "one core": two threads of a process; "two cores", "one core, two processes": two processes
    contestants: tuple
    comparisons: tuple
    memory: bool = False


def net_scenes():
    scenes = []
    for cores in ("one core", "two cores"):
        scenes.append(Scene(
            f"ping-pong, {cores}", ("pingpong",), cores, ALL_LOOPS + (C_URING_PLAIN, C_BLOCKING),
            (against(OURS_URING, C_URING), against(OURS_URING, C_URING_PLAIN), against(OURS_URING, C_EPOLL),
             against(OURS_URING, C_BLOCKING), against(OURS_ASIO, ASIO), against(OURS_URING, ASIO_URING))))
    for cores in ("one core", "two cores"):
        for in_flight in ("1", "32"):
            scenes.append(Scene(
                f"50 x {in_flight}, {cores}", ("connections", "--connections", "50", "--in-flight", in_flight), cores,
                ALL_LOOPS,
                (Comparison(OURS_URING, BEST_C, "best C loop"), against(OURS_URING, ASIO),
                 against(OURS_URING, ASIO_URING), against(OURS_ASIO, ASIO))))
    scenes.append(Scene(
        "5,000 connections, 100 busy", ("idle",), "one core, two processes", ALL_LOOPS,
        (Comparison(OURS_URING, BEST_C, "best C loop"), against(OURS_ASIO, ASIO)), memory=True))
    for cores in ("one core", "two cores"):
        scenes.append(Scene(
            f"stream, {cores}", ("stream",), cores, (OURS_URING, OURS_URING_BLOCKS, OURS_ASIO, C_BLOCKING, ASIO),
            (against(OURS_URING, C_BLOCKING), against(OURS_URING_BLOCKS, C_BLOCKING), against(OURS_ASIO, C_BLOCKING),
             against(OURS_ASIO, ASIO))))
    return scenes


def technique(name, *options):
    return Contestant(name, "rival_uring", options)


TECHNIQUES = (
    technique("multishot receive, provided buffers, send trick"),
    technique("... single receive", "--recv", "single"),
    technique("... single receive, own buffers", "--recv", "single", "--buffers", "own"),
    technique("... single receive that polls first, own buffers", "--recv", "pollfirst", "--buffers", "own"),
    technique("... speculative receive, own buffers", "--recv", "speculative", "--buffers", "own"),
    technique("... plain send", "--send", "plain"),
    technique("... direct descriptors", "--direct", "yes"),
    technique("... ring descriptor not registered", "--ring-fd", "no"),
    Contestant("epoll, edge-triggered", "rival_epoll", ("--trigger", "edge")),
    Contestant("epoll, level-triggered", "rival_epoll", ("--trigger", "level")),
)


def technique_scenes():
    comparisons = tuple(against(other, TECHNIQUES[0]) for other in TECHNIQUES[1:])
    return [
        Scene("ping-pong, one core", ("pingpong",), "one core", TECHNIQUES, comparisons),
        Scene("50 x 1, one core", ("connections", "--in-flight", "1"), "one core", TECHNIQUES, comparisons),
        Scene("50 x 32, one core", ("connections", "--in-flight", "32"), "one core", TECHNIQUES, comparisons),
    ]
