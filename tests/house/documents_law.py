"""The documents law: a README of at most 80 lines for every top-level folder with code, and every public header of the
libraries starts with a comment that says what it is for.
"""

import re
import sys

import tree

README_LINES = 80


def check(root, files):
    findings, known = [], set(files)
    folders = {path.split("/")[0] for path in files if path.endswith(tree.CODE) and "/" in path}
    for folder in sorted(folders):
        readme = f"{folder}/README.md"
        if readme not in known:
            findings.append(tree.Finding(readme, 1, f"expected a README of at most {README_LINES} lines, found none"))
            continue
        lines = tree.read(root, readme).splitlines()
        if len(lines) > README_LINES:
            findings.append(tree.Finding(readme, len(lines), f"expected at most {README_LINES} lines, found {len(lines)}"))
    for path in files:
        if path.endswith(".hpp") and path.split("/")[0] in tree.FLOORS and "/detail/" not in path:
            start = re.sub(r"\A\s*#pragma once\s*", "", tree.read(root, path)).lstrip()
            if not re.match(r"//[/!]?\s*\w|/\*[*!]?\s*\w", start):
                findings.append(tree.Finding(path, 1, "expected a comment that says what the header is for, before any code"))
    return findings


if __name__ == "__main__":
    sys.exit(tree.main(__doc__, check))
