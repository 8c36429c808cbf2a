"""Run every notebook as an autograder does, and tell how long the whole and each cell takes.

    python -m benchmarks.notebooks [--workers 2] [--slowest 10] [LESSON …]

Both editions run under strict nbval in a copy without a conftest.py in reach, `--workers` notebooks
at a time. Ask for it on a quiet machine: whatever else wants the cores counts as time of a cell.
Returns what pytest returns.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from tools import clean_copy, nbval


def main() -> int:
    """Run the notebooks and print a table of the slowest cells."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("lessons", nargs="*", help="numbers, as 03; all by default")
    options.add_argument("--workers", type=int, default=2, help="notebooks at a time")
    options.add_argument("--slowest", type=int, default=10, help="how many cells to name")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="notebooks-") as folder:
        copied = clean_copy.clone(Path(folder))
        wanted = [p for p in copied if not chosen.lessons or p.name[:2] in chosen.lessons]
        if not wanted:
            options.error("no such lesson: give numbers as 03")
        code, seconds, cells = timed(Path(folder), wanted, chosen.workers)
    print(f"{len(wanted)} notebooks, {len(cells)} cells: {seconds:.0f} s, {chosen.workers} workers")
    for took, where in sorted(cells, reverse=True)[: chosen.slowest]:
        print(f"{took:7.1f} s  {where}")
    return code


def timed(
    folder: Path, notebooks: list[Path], workers: int
) -> tuple[int, float, list[tuple[float, str]]]:
    """Return pytest's exit code, the seconds of it all, and those of each cell with its name."""
    results = folder / "results.xml"
    start = time.perf_counter()
    options = [*nbval.AT_A_TIME, str(workers), f"--junitxml={results}"]
    code = nbval.run(folder, notebooks, *options).returncode
    seconds = time.perf_counter() - start
    if not results.exists():
        return code, seconds, []
    cases = ElementTree.parse(results).iter("testcase")
    cells = [
        (float(case.get("time")), f"{case.get('classname')} {case.get('name')}") for case in cases
    ]
    return code, seconds, cells


if __name__ == "__main__":
    sys.exit(main())
