"""The machine, and results as tables for a terminal or in Markdown."""

import os
import platform
from pathlib import Path

from benchmarks.net_scenes import TECHNIQUES


def machine():
    model = "unknown CPU"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {len(os.sched_getaffinity(0))} cores, Linux {platform.release()}"


def number(value):
    if value is None:
        return ""
    if value >= 1e6:
        return f"{value / 1e6:.2f} M"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def percent(value):
    return "" if value is None else f"{value * 100:.0f} %"


def print_table(head, rows, markdown):
    if markdown:
        rule = ["---"] + ["---:" if column in ("value", "rival's", "ratio", "spread") else "---" for column in head[1:]]
        for row in (head, rule, *rows):
            print("| " + " | ".join(row) + " |")
        return
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    for row in (head, ["-" * width for width in widths], *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def print_results(results, markdown):
    head = ["name", "value", "unit", "rival", "rival's", "ratio", "spread", "aim"]
    rows = []
    for result in results:
        if not rows or rows[-1][-1] != result.scene:
            rows.append([f"**{result.scene}**" if markdown else result.scene, *[""] * 7, result.scene])
        rows.append([result.label if markdown else f"  {result.label}", number(result.value), result.unit,
                     result.rival or "", number(result.rival_value),
                     "" if result.ratio is None else f"{result.ratio:.3f}", percent(result.spread), result.aim,
                     result.scene])
    print_table(head, [row[:-1] for row in rows], markdown)


def print_techniques(results, markdown):
    """One row a technique, one column a scene: rate and CPU a message, and the ratio of that CPU to the first row's. On
    one core the rate says the same, but other work on the machine disturbs it."""
    scenes = list(dict.fromkeys(result.scene for result in results))
    by_name = {result.name: result for result in results}
    best = TECHNIQUES[0].name
    rows = []
    for technique_ in TECHNIQUES:
        row = [technique_.name]
        for scene in scenes:
            is_best = technique_.name == best
            name = f"{scene}: {(TECHNIQUES[1] if is_best else technique_).name} / {best}"
            rate, cpu = by_name.get(name), by_name.get(f"{name}, CPU")
            if rate is None:
                row.append("-")
            elif is_best:
                row.append(f"{number(rate.rival_value)}/s, {number(cpu.rival_value)} ns")
            else:
                row.append(f"{number(rate.value)}/s, {number(cpu.value)} ns: x {cpu.ratio:.2f} ({percent(cpu.spread)})")
        rows.append(row)
    print_table(["technique", *scenes], rows, markdown)
