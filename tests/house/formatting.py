"""The format law: every C and C++ file is as clang-format 19 and .clang-format make it.

With --fix, formats the files instead.
"""

import os
import re
import subprocess
import sys

import tree

TOOL = os.environ.get("CLANG_FORMAT", "clang-format-19")


def run(root, arguments, files):
    style = f"--style=file:{tree.root() / '.clang-format'}"
    try:
        return subprocess.run([TOOL, style, *arguments, *files], cwd=root, capture_output=True, text=True)
    except FileNotFoundError:
        sys.exit(f"{TOOL} is missing: expected the Debian package clang-format-19 (scripts/install-dependencies installs it)")


def code(files):
    return [path for path in files if path.endswith(tree.CODE)]


def check(root, files):
    files = code(files)
    result = run(root, ["--dry-run", "-Werror"], files) if files else None
    if result is None or result.returncode == 0:
        return []
    places = re.findall(r"^(.+?):(\d+):\d+: error: (.*)$", result.stderr, re.MULTILINE)
    first = {}
    for path, line, message in places:  # clang-format names each place; the first of a file is enough
        first.setdefault(path, tree.Finding(path, int(line), f"{message}: run scripts/format"))
    return list(first.values()) or [tree.Finding(".clang-format", 1, result.stderr.strip())]


if __name__ == "__main__":
    if sys.argv[1:] == ["--fix"]:
        result = run(tree.root(), ["-i"], code(tree.list_files(tree.root())))
        sys.exit(result.stderr or result.returncode)
    sys.exit(tree.main(__doc__, check))
