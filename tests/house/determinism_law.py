"""The determinism law: no clock, thread, random device or address-ordered container outside net's drivers.

The simulator depends on it: code that takes time, randomness and order from its driver alone runs twice the same way.
Examples and tests are exempt. Inside net only the files below may do what stands beside them.
"""

import fnmatch
import re
import sys

import tree

RULES = {
    "clock": (
        r"\b\w*_clock\s*::\s*now\b",
        r"\b(?:clock_gettime|clock_getres|gettimeofday|timespec_get|nanosleep|clock_nanosleep|usleep|__rdtscp?)\b",
        r"(?<![\w.>])time\s*\(\s*(?:nullptr|NULL|0|&\s*\w+)\s*\)",
        r"(?<![\w.>])clock\s*\(\s*\)",
    ),
    "thread": (
        r"\bstd\s*::\s*(?:j?thread|async|this_thread|condition_variable\w*|call_once)\b",
        r"\bpthread_(?!sigmask\b)\w+",
        r"\bthrd_create\b",
        r"#\s*include\s*<(?:thread|future|condition_variable|pthread\.h)>",
    ),
    "random": (
        r"\brandom_device\b",
        r"(?<![\w.>])s?rand(?:_r|om_r|48)?\s*\(",
        r"\b(?:getrandom|getentropy|arc4random\w*|RAND_bytes)\b",
        r"/dev/u?random",
    ),
    "address order": (
        r"\b(?:\w+_)?(?:multi)?(?:map|set)\s*<\s*(?:const\s+)?[\w:]+(?:\s*<[^<>]*>)?(?:\s+const)?\s*\*",
        r"\b(?:\w+_)?(?:multi)?(?:map|set)\s*<\s*(?:const\s+)?std\s*::\s*(?:shared|unique|weak)_ptr\b",
        r"\bstd\s*::\s*(?:less|greater|hash)\s*<\s*[^<>]*\*\s*>",
        r"\bstd\s*::\s*owner_less\b",
    ),
}

# What net may do, and where. Add a line only for a file whose purpose it is.
ALLOWED = {
    "net/uring/*": ("clock", "random"),
    "net/asio/*": ("clock", "random"),
    "net/detail/machine.*": ("clock", "random"),
    "net/detail/resolver*": ("thread",),
    "net/detail/file_threads.*": ("thread",),
}

COMPILED = {kind: [re.compile(pattern) for pattern in patterns] for kind, patterns in RULES.items()}


def allowed(path):
    return {kind for pattern, kinds in ALLOWED.items() if fnmatch.fnmatch(path, pattern) for kind in kinds}


def check(root, files):
    findings = []
    for path in files:
        if not path.endswith(tree.CODE) or path.split("/")[0] not in tree.FLOORS:
            continue
        source = tree.read(root, path)
        code = tree.strip_literals(source)
        with_strings = tree.strip_comments(source)
        for kind in COMPILED.keys() - allowed(path):
            for pattern in COMPILED[kind]:
                for match in pattern.finditer(with_strings if pattern.pattern.startswith("/dev") else code):
                    findings.append(tree.Finding(
                        path, tree.line_of(source, match.start()),
                        f"{kind}: expected it to come from the driver, found '{' '.join(match[0].split())}'"))
    return findings


if __name__ == "__main__":
    sys.exit(tree.main(__doc__, check))
