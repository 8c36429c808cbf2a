"""The suite: `make test` from nothing in a fresh copy of the tree, and where its seconds go."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

from benchmarks.results import Measured, Options, Ratio, number
from benchmarks.setup import fresh_tree

TITLE = "The suite"
MOST_MINUTES = 10
_SHOWN = 15
_TRIED = (
    "What stands in the way is above: every notebook of both editions runs whole, hostile and "
    "honest submissions are graded in real sandboxes, and lessons are opened in a real browser. "
    "Tried, and in use: three workers with one thread each for two cores, the longest first; "
    "one file's tests share what they set up; kernels of the grader are forked; what takes "
    "hours (every cell twice, every lesson in a browser, the corpus on busy cores) runs on "
    "demand. Not taken: fewer lessons, shorter trainings or a corpus drawn at random, for each "
    "would let something pass unseen."
)


def run(options: Options) -> Measured:
    """Set up and run all tests; `quick`: one folder's. Raises RuntimeError where one fails."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        tree, results = fresh_tree(Path(name, "tree")), Path(name, "results.xml")
        more = f"-q --junitxml={results}" + " tests/measure" * options.quick
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(["make", "test", f"ARGS={more}"], cwd=tree, stdout=sys.stderr)
        seconds = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise RuntimeError("make test fails: see above.")
        written = ElementTree.parse(results).getroot()
        cases = [
            (
                float(case.get("time")),
                case.get("classname").removeprefix("tests."),
                case.get("name"),
            )
            for case in written.iter("testcase")
        ]
        tested = float(written[0].get("time"))
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    inside = sum(took for took, *_ in cases)
    return Measured(
        f"`make test` in a fresh copy: {len(cases):,} tests passed, or skipped and said why, in "
        f"{number(tested)} s, after {number(seconds - tested)} s of set-up from pip's cache. "
        f"Workers spent {number(inside)} s in tests and {number(used)} s of processor time "
        "(bubblewrap's sandboxes not counted).",
        [Ratio("minutes from nothing", [seconds / 60], MOST_MINUTES)],
        {"Where they go": _places(cases, inside), "The slowest tests": _slowest(cases)},
        [_TRIED],
    )


def _places(cases: list[tuple[float, str, str]], inside: float) -> list[tuple[str, ...]]:
    """Return a table of seconds by a folder of tests, or a file beside these."""
    seconds: Counter[str] = Counter()
    for took, where, _ in cases:
        seconds[where.partition(".")[0]] += took
    rows = [(place, number(took), f"{took / inside:.0%}") for place, took in seconds.most_common()]
    return [("tests of", "seconds of a worker", "share"), *rows[:_SHOWN]]


def _slowest(cases: list[tuple[float, str, str]]) -> list[tuple[str, ...]]:
    """Return a table of the tests that take longest."""
    rows = [(number(took), where, name) for took, where, name in sorted(cases)[::-1]]
    return [("seconds", "in", "test"), *rows[:_SHOWN]]
