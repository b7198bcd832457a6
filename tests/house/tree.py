"""What every law of the house uses: the files of the tree, C++ text without comments and strings, and the runner.

A law is a module with `check(root, files) -> list of Finding` that ends in `sys.exit(tree.main(__doc__, check))`.
Run as a program it first proves itself on fixtures/<law>/, then reads the tree. Each folder in fixtures/<law>/ is a
small tree of its own. A line that the law must flag ends in a comment `// red: words of the message`; every other line
must pass. So one fixture shows what is refused and what is allowed.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CODE = (".hpp", ".cpp", ".h", ".c")
FIXTURES = "tests/house/fixtures/"
FLOORS = ("net", "codec", "crdt", "replication")  # the four folders that are compiled into libraries


@dataclass(frozen=True, order=True)
class Finding:
    path: str  # relative to the root, with forward slashes
    line: int
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message}"


def list_files(root):
    """Every file of the tree that git tracks or would track, as sorted relative paths; the fixtures are left out."""
    try:
        names = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True, check=True).stdout.decode().split("\0")
    except (FileNotFoundError, subprocess.CalledProcessError):  # no git here, or an unpacked archive
        names = []
        for folder, subfolders, files in os.walk(root):
            subfolders[:] = [name for name in subfolders if name not in (".git", ".cache", "build")]
            names += [str((Path(folder) / name).relative_to(root)) for name in files]
    return sorted({name for name in names
                   if name and not name.startswith(FIXTURES) and (Path(root) / name).is_file()})


def read(root, path):
    return (Path(root) / path).read_text(encoding="utf-8", errors="replace")


def line_of(text, position):
    return text.count("\n", 0, position) + 1


LITERALS = re.compile(
    r"""//(?:\\\n|[^\n])*"""
    r"""|/\*.*?\*/"""
    r"""|(?:u8|[uUL])?R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)\""""
    r"""|"(?:\\.|[^"\\\n])*\""""
    r"""|(?<![0-9A-Za-z_])(?:u8|[uUL])?'(?:\\.|[^'\\\n])+'""",
    re.DOTALL)


def blank(text):
    """Spaces instead of everything but the line ends."""
    return re.sub(r"[^\n]", " ", text)


def strip_comments(text):
    """C++ with its comments blanked; every character keeps its place."""
    return LITERALS.sub(lambda m: blank(m[0]) if m[0].startswith(("//", "/*")) else m[0], text)


def strip_literals(text):
    """C++ with comments and the contents of strings and characters blanked; every character keeps its place."""
    def replacement(match):
        literal = match[0]
        if literal.startswith(("//", "/*")):
            return blank(literal)
        return literal[0] + blank(literal[1:-1]) + literal[-1]
    return LITERALS.sub(replacement, text)


def root():
    return Path(__file__).resolve().parents[2]


def prove_on_fixtures(law, check):
    """What the law says wrongly about its fixtures: a list of sentences, empty if all is as marked."""
    wrong = []
    fixtures = root() / FIXTURES / law
    cases = sorted(path for path in fixtures.iterdir() if path.is_dir()) if fixtures.is_dir() else []
    if not cases:
        wrong.append(f"{fixtures}: expected at least one fixture folder")
    for case in cases:
        files = sorted(str(path.relative_to(case)) for path in case.rglob("*") if path.is_file())
        expected, found = {}, {}
        for name in files:
            for number, line in enumerate(read(case, name).splitlines(), 1):
                mark = re.search(r"(?://|#) red: (.*)$", line)
                if mark:
                    expected[(name, number)] = mark[1].strip()
        for finding in check(case, files):
            found.setdefault((finding.path, finding.line), []).append(finding.message)
        for (name, number), words in expected.items():
            messages = found.get((name, number), [])
            if not any(words in message for message in messages):
                wrong.append(f"{case / name}:{number}: expected the law to say '{words}', it said {messages or 'nothing'}")
        for (name, number), messages in found.items():
            if (name, number) not in expected:
                wrong.append(f"{case / name}:{number}: expected this line to pass, the law said {messages}")
    return wrong


def main(what, check, prove=None):
    """Proves the law, on its fixtures unless it brings its own `prove`, then reads the tree. Returns the exit status."""
    law = Path(sys.argv[0]).stem
    wrong = prove() if prove else prove_on_fixtures(law, check)
    findings = sorted(set(check(root(), list_files(root()))))
    for line in wrong + findings:
        print(line)
    if wrong or findings:
        print(f"{law}: {len(wrong)} proofs failed, {len(findings)} places against the law. "
              + " ".join(what.split("\n\n")[0].split()))
        return 1
    return 0
