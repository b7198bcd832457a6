"""Installs a build into a scratch folder and builds a program against it with find_package(phoenix) alone."""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path


def run(*command):
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        sys.exit(f"{result.stdout}\nexpected this to succeed: {' '.join(map(str, command))}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("--cmake", "--build", "--compiler", "--work"):
        parser.add_argument(option, required=True)
    options = parser.parse_args()

    work = Path(options.work)
    shutil.rmtree(work, ignore_errors=True)
    prefix = work / "prefix"
    run(options.cmake, "--install", options.build, "--prefix", prefix)

    include = prefix / "include"
    headers = sorted(str(path.relative_to(include)) for path in include.rglob("*.hpp"))
    private = [header for header in headers if "/detail/" in header]
    if private or "phoenix/config.hpp" not in headers or not any(header.startswith("phoenix/net/") for header in headers):
        sys.exit(f"expected config.hpp and the public headers of net to be installed and nothing of detail/, found {headers}")
    source = work / "user.cpp"
    source.write_text("".join(f"#include <{header}>\n" for header in headers)
                      + '\nint main() { PHOENIX_ASSERT(PHOENIX_VERSION_STRING[0] != 0, "a version"); }\n')
    run(options.cmake, "-S", Path(__file__).parent, "-B", work / "build", "-G", "Ninja",
        f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_CXX_COMPILER={options.compiler}", f"-DUSER_SOURCE={source}",
        "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror")
    run(options.cmake, "--build", work / "build")
    run(work / "build" / "user")


if __name__ == "__main__":
    main()
