"""The size law: one concept a file, most under 400 lines, none over 900.

With --long, also lists the files over 400 lines, which is no failure.
"""

import sys

import tree

LIMIT = 900
LONG = 400
KINDS = tree.CODE + (".py", ".cmake", ".txt", ".fbs")


def lines(root, files):
    for path in files:
        if path.endswith(KINDS):
            yield path, tree.read(root, path).count("\n")


def check(root, files):
    return [tree.Finding(path, count, f"expected at most {LIMIT} lines, found {count}")
            for path, count in lines(root, files) if count > LIMIT]


def long_files(root, files):
    return sorted(((count, path) for path, count in lines(root, files) if count > LONG), reverse=True)


def prove():
    """A file one line too long is made here: a fixture of 901 lines would be one more file to scroll past."""
    import tempfile
    from pathlib import Path
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "net").mkdir()
        (Path(folder) / "net/long.cpp").write_text("\n" * (LIMIT + 1))
        (Path(folder) / "net/short.cpp").write_text("\n" * LIMIT)
        found = check(folder, ["net/long.cpp", "net/short.cpp"])
    return [] if [finding.path for finding in found] == ["net/long.cpp"] else [f"expected net/long.cpp alone, found {found}"]


if __name__ == "__main__":
    if sys.argv[1:] == ["--long"]:
        root = tree.root()
        for count, path in long_files(root, tree.list_files(root)):
            print(f"{path}: {count} lines")
    sys.exit(tree.main(__doc__, check, prove))
