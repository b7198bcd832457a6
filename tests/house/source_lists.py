"""The source lists: each sources.txt names exactly the .cpp files in and under its folder, sorted, one a line.

CMake and Meson both read them. With --fix, writes them anew from the tree.
"""

import sys
from pathlib import Path, PurePosixPath

import tree

LIST = "sources.txt"
# Folders whose programs are built otherwise: benchmarks are for CMake alone, house fixtures are never built.
APART = ("tests/bench/", "tests/house/")


def owner(path, folders):
    """The nearest folder above `path` that has a list, or None."""
    for parent in PurePosixPath(path).parents:
        if str(parent) in folders:
            return str(parent)
    return None


def wanted(files):
    """What each list should hold, by folder, and the sources that no list covers."""
    folders = {str(PurePosixPath(path).parent) for path in files if PurePosixPath(path).name == LIST}
    content, homeless = {folder: [] for folder in folders}, []
    for path in files:
        if path.endswith((".cpp", ".c")) and not path.startswith(APART):
            folder = owner(path, folders)
            if folder is None:
                homeless.append(path)
            else:
                content[folder].append(path[len(folder) + 1:])
    return {folder: sorted(sources) for folder, sources in content.items()}, homeless


def check(root, files):
    content, homeless = wanted(files)
    findings = [tree.Finding(path, 1, f"expected a {LIST} in this folder or above it") for path in homeless]
    for folder, sources in content.items():
        path = f"{folder}/{LIST}"
        listed = tree.read(root, path).splitlines()
        for number, line in enumerate(listed, 1):
            if line not in sources:
                findings.append(tree.Finding(path, number, f"expected a source of the tree, found '{line}'"))
        for source in sources:
            if source not in listed:
                findings.append(tree.Finding(path, len(listed) or 1, f"expected '{source}' to be listed (--fix does it)"))
        if set(listed) == set(sources) and listed != sources:
            findings.append(tree.Finding(path, 1, "expected the list sorted and without repetition (--fix does it)"))
    return findings


if __name__ == "__main__":
    if sys.argv[1:] == ["--fix"]:
        for folder, sources in wanted(tree.list_files(tree.root()))[0].items():
            path = Path(tree.root()) / folder / LIST
            content = "".join(source + "\n" for source in sources)
            if path.read_text() != content:
                path.write_text(content)
        sys.exit(0)
    sys.exit(tree.main(__doc__, check))
