"""The words law: no path of one machine stands in the tree, and nothing is left to be done later.

Patterns are written with a one-letter class, so that this file does not match them.
"""

import re
import sys
import tempfile
from pathlib import Path

import tree

MACHINE = re.compile(
    r"/w[o]rk/[a-z.]|/f[a]rm/|farm-s[t]udio|farm-b[e]nch|sub[a]gent|/h[o]me/[a-z]|/r[o]ot/|/U[s]ers/")
UNFINISHED = re.compile(r"\bT[O]DO\b|\bF[I]XME\b|\bX[X]X\b|\b[Nn]ot i[m]plemented\b|\b[Pp]l[a]ceholder")
TEXT = re.compile(r"[\w./-]*\.(?:hpp|cpp|h|c|md|py|txt|cmake|in|json|build|fbs|supp|yml|toml)|[\w/-]*/[\w-]+|\.[\w-]+|LICENSE")
EXEMPT = ("LICENSE",)


def check(root, files):
    findings = []
    for path in files:
        if path in EXEMPT or not TEXT.fullmatch(path):
            continue
        for number, line in enumerate(tree.read(root, path).splitlines(), 1):
            for pattern, expected in ((MACHINE, "nothing of one machine or its workshop"), (UNFINISHED, "nothing left for later")):
                match = pattern.search(line)
                if match:
                    findings.append(tree.Finding(path, number, f"expected {expected}, found '{match[0]}'"))
    return findings


def prove():
    """The fixtures are made here: written out, they would be found in the tree."""
    refused = ["/w" "ork/main/x", "/h" "ome/someone", "// T" "ODO: later", "F" "IXME", "throw error(\"not i" "mplemented\")"]
    accepted = ["a working tree", "the network/main loop", "a home for it", "mastodon", "implemented"]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "notes.md").write_text("\n".join(refused + accepted))
        lines = {finding.line for finding in check(folder, ["notes.md"])}
    expected = set(range(1, len(refused) + 1))
    return [] if lines == expected else [f"expected the lines {sorted(expected)} to be refused, found {sorted(lines)}"]


if __name__ == "__main__":
    sys.exit(tree.main(__doc__, check, prove))
