"""The include law: which folder may see which.

net, crdt and codec know nothing of each other; replication sees all three and has floors of its own; examples see only
public headers. What is in a folder's detail/ is private to the folder, and since it is not installed no public header
includes it. Only net/uring sees liburing, only net/asio sees Asio, and only net/default_driver.cpp sees the drivers.
All code includes <phoenix/...>, but tests, and a program with a folder of its own, what stands beside them; there is no
cycle.
"""

import posixpath
import re
import sys

import tree

GROUND = ("net", "crdt", "codec")
# The floors inside replication/, the lowest first; those on one line stand beside each other. Files directly in
# replication/ (node.hpp) are above them all; core (errors) and telemetry are below them all.
REPLICATION = (
    ("core",),
    ("telemetry",),
    ("session",),
    ("store",),
    ("membership",),
    ("delta", "anti_entropy", "causal"),
    ("raft",),
    ("state",),
)
TOP = len(REPLICATION)
DRIVERS = ("uring", "asio", "sim")
DRIVER_FACTORY = "net/default_driver.cpp"
# System headers that only one folder of the library may see.
SYSTEM = (
    (re.compile(r"asio(\.hpp|/.*)"), "net/asio"),
    (re.compile(r"liburing(\.h|/.*)|linux/io_uring\.h"), "net/uring"),
)

INCLUDE = re.compile(r"^[ \t]*#[ \t]*(?:include|import)[ \t]*([<\"])([^>\"\n]+)[>\"]", re.MULTILINE)


def replication_floor(path):
    parts = path.split("/")
    if len(parts) == 2:
        return TOP, "node"
    for floor, names in enumerate(REPLICATION):
        if parts[1] in names:
            return floor, parts[1]
    return None, parts[1]


def driver_of(path):
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "net" and parts[1] in DRIVERS else None


def project_include(path, target):
    """The complaint about `path` including the project's file `target`, or None."""
    here, there = path.split("/")[0], target.split("/")[0]
    private = "/detail/" in target
    mirrored = path.split("/")[1] if here == "tests" and path.count("/") >= 2 else here
    if target == "config.hpp":
        return None
    if here == "examples" and private:
        return "examples see only public headers, this one is in detail/"
    if private and mirrored != there:
        return f"the detail/ of {there} is included only from {there} and its tests"
    if here not in tree.FLOORS:
        return None

    owner = target.split("/detail/")[0]
    if private and not path.startswith(owner + "/"):
        return f"{owner}/detail is included only from {owner}"
    if private and path.endswith(".hpp") and "/detail/" not in path:
        return "a public header may not include from detail/, which is not installed"
    if here in GROUND and there != here:
        return f"{here} includes only itself and <phoenix/config.hpp>"
    if driver_of(target) and driver_of(path) != driver_of(target) and path != DRIVER_FACTORY:
        return f"driver headers are included only from net/{driver_of(target)} and {DRIVER_FACTORY}"
    if here == there == "replication":
        (floor, name), (other_floor, other) = replication_floor(path), replication_floor(target)
        if floor is None or other_floor is None:
            return f"replication/{name if floor is None else other} is not a floor that this law knows"
        if other_floor > floor or (other_floor == floor and other != name):
            return f"replication/{name} does not see replication/{other}: it looks only at the floors below it"
    return None


def includes(root, path):
    text = tree.strip_comments(tree.read(root, path))
    for match in INCLUDE.finditer(text):
        yield tree.line_of(text, match.start(2)), match[1], match[2]


def find_cycles(graph):
    """One finding for each include that closes a cycle."""
    state, findings = {}, []

    def visit(path, trail):
        state[path] = "open"
        for line, target in graph.get(path, ()):
            if state.get(target) == "open":
                loop = trail[trail.index(target):] if target in trail else [path]
                findings.append(tree.Finding(path, line, "an include cycle: " + " -> ".join(loop + [target])))
            elif target not in state:
                visit(target, trail + [target])
        state[path] = "done"

    for path in sorted(graph):
        if path not in state:
            visit(path, [path])
    return findings


def check(root, files):
    findings, graph, known = [], {}, set(files)
    for path in files:
        if not path.endswith(tree.CODE):
            continue
        folder = path.split("/")[0]
        edges = graph.setdefault(path, [])
        for line, kind, name in includes(root, path):
            say = lambda message: findings.append(tree.Finding(path, line, message))
            if name.startswith("phoenix/"):
                target = name[len("phoenix/"):]
                if kind == '"':
                    say(f'expected <{name}>, found "{name}"')
                if target != "config.hpp" and target not in known:
                    say(f"<{name}> does not exist: no file {target}")
                complaint = project_include(path, target)
                if complaint:
                    say(complaint)
                edges.append((line, target))
            elif kind == '"':
                beside = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
                edges.append((line, beside))
                # A program with a folder of its own is made of parts.
                of_program = folder == "examples" and posixpath.dirname(beside) == posixpath.dirname(path) != folder
                if beside not in known or not (folder == "tests" or of_program):
                    say(f'expected <phoenix/...>, found "{name}"; only tests include what stands beside them, '
                        "and programs with a folder of their own")
            else:
                if name in known:
                    say(f"expected <phoenix/{name}>, found <{name}>")
                for pattern, home in SYSTEM:
                    if folder in tree.FLOORS and pattern.fullmatch(name) and not path.startswith(home + "/"):
                        say(f"<{name}> is included only from {home}")
    return findings + find_cycles(graph)


if __name__ == "__main__":
    sys.exit(tree.main(__doc__, check))
