"""Holds codec/schema/*.fbs to the released schemas beside them, to which fields are only ever added, and to flatness.

`flatc --conform` refuses what is retyped, renumbered or renamed; it does not look for what is gone, so that is looked for
here. First proves itself on wrong changes, made in a temporary copy.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SCHEMAS = Path(__file__).resolve().parents[2] / "codec" / "schema"

# A change of delta.fbs, and words of its refusal; an empty string for one that is allowed.
CHANGES = (
    (r"  objects: ulong \(id: 4\);\n", "", "TransferBegin.objects is gone"),
    (r"  first: ulong \(id: 2\);\n  last: ulong \(id: 3\);\n", "  last: ulong (id: 3);\n", "consecutive"),
    (r"messages: ulong \(id: 1\)", "messages: uint (id: 1)", "types differ"),
    (r"flags: \[ubyte\] \(id: 1\)", "flags: [ushort] (id: 1)", "types differ"),
    (r"  first: ulong \(id: 2\);\n  last: ulong \(id: 3\);\n", "  first: ulong (id: 3);\n  last: ulong (id: 2);\n", "offset"),
    (r"first: ulong \(id: 2\)", "foremost: ulong (id: 2)", "is gone"),
    (r"  origin: Identity;\n", "  origin: Identity;\n  more: ulong;\n", "offset"),
    (r"table TransferCancel \{[^}]*\}\n", "", "TransferCancel is gone"),
    (r"messages: ulong \(id: 1\)", "messages: ulong = 5 (id: 1)", "default"),
    (r"(messages: ulong \(id: 1\);\n)\}", r"\1  bytes: ulong (id: 2);\n}", ""),
    (r"(keys: \[ubyte\] \(id: 9)\)", r"\1, nested_flatbuffer: \"Behind\")", "nested buffer"),
    (r"(since: ulong \(id: 3\);\n)\}", r"\1  inner: Behind (id: 4);\n}", "TransferRequest.inner holds tables"),
    (r"(since: ulong \(id: 3\);\n)\}", r"\1  inner: [string] (id: 4);\n}", "TransferRequest.inner holds tables"),
    (r"table Behind", "table Ahead {\n  has: [VectorEntry] (id: 0);\n}\n\ntable Behind", ""),
)


def definitions(text, kinds="table|struct"):
    """The tables and structs by name, each with the types of its fields by name."""
    code = re.sub(r"//[^\n]*", "", text)
    return {name: dict(re.findall(r"^\s*(\w+)\s*:\s*([\w\[\]]+)", body, re.MULTILINE))
            for name, body in re.findall(rf"(?:{kinds})\s+(\w+)[^{{]*\{{([^}}]*)\}}", code)}


def trap_nested_verifier_options(current):
    """A nested buffer is verified with limits of its own, and tables in tables cost by their number: there are neither."""
    text = current.read_text()
    if "nested_flatbuffer" in text:
        yield f"{current.name}: a nested buffer, expected one table a message"
    tables = definitions(text, "table")
    for name, members in tables.items():
        for member, kind in members.items():
            if kind.strip("[]") in tables or kind == "[string]":
                yield f"{current.name}: {name}.{member} holds tables or strings, expected columns of numbers or structs"


def complaints(flatc, released, current):
    """What is wrong with `current`: a list of sentences."""
    found = list(trap_nested_verifier_options(current))
    old, new = definitions(released.read_text()), definitions(current.read_text())
    for name, members in old.items():
        if name not in new:
            found.append(f"{current.name}: {name} is gone, expected what was released to stay")
            continue
        for member in sorted(members.keys() - new[name].keys()):
            found.append(f"{current.name}: {name}.{member} is gone, expected what was released to stay")
    result = subprocess.run([flatc, "--conform", str(released), str(current)], capture_output=True, text=True)
    if result.returncode != 0:
        found.append((result.stdout + result.stderr).strip() or f"{flatc} failed with status {result.returncode}")
    return found


def prove(flatc):
    """What this check says wrongly of the changes above."""
    wrong = []
    released = SCHEMAS / "delta.fbs"
    text = released.read_text()
    with tempfile.TemporaryDirectory() as folder:
        changed = Path(folder) / "delta.fbs"
        for pattern, replacement, words in CHANGES:
            changed.write_text(re.sub(pattern, replacement, text, count=1))
            if changed.read_text() == text:
                wrong.append(f"expected '{pattern}' to be found in {released.name}")
                continue
            said = complaints(flatc, released, changed)
            if (words and not any(words in sentence for sentence in said)) or (not words and said):
                wrong.append(f"'{pattern}' to '{replacement}': expected '{words or 'nothing'}' to be said, found {said}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flatc", default="flatc")
    flatc = parser.parse_args().flatc
    wrong = prove(flatc)
    schemas = sorted(SCHEMAS.glob("*.fbs"))
    if not schemas:
        wrong.append(f"{SCHEMAS}: expected schemas")
    for current in schemas:
        released = SCHEMAS / "released" / current.name
        wrong += complaints(flatc, released, current) if released.exists() else trap_nested_verifier_options(current)
    for released in (SCHEMAS / "released").glob("*.fbs"):
        if not (SCHEMAS / released.name).exists():
            wrong.append(f"{released.name} is gone, expected what was released to stay")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
