"""The lessons under nbval: seconds and memory beside the TensorFlow work inside, first pictures.

What is inside is counted by `inside/sitecustomize.py`, in the kernel and every process below it,
while the lesson runs: both sides of the ratio see the same load. So is what else takes long.
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil

from benchmarks.results import Measured, Options, Ratio, number
from tools import clean_copy, nbval
from tools.environment import THREADS

TITLE = "The lessons: seconds, memory, first pictures"
LIMIT_MB = 900
MOST_TIMES, MOST_PICTURE_SECONDS, MOST_CELL_SECONDS = 1.5, 8.0, 5.0
MOST_SECONDS = 240  # of both editions, in two workers
_PERIOD_SECONDS = 0.05
_INSIDE = Path(__file__).with_name("inside")
_OUTSIDE = {  # of TensorFlow, in the order in which what happens at the same time is counted
    "varying": "clips varied in NumPy, in two processes",
    "waiting": "other processes waited for",
    "drawing": "pictures drawn",
}
_TRIED = (
    "What stands in the way is in the last table: pytest and a kernel are started for every "
    "lesson, clips are varied in NumPy before a training, and what a lesson shows is drawn; "
    "that is work, but none of it is TensorFlow's. Tried, and in use: TensorFlow is imported by "
    "the cell that needs it first; lesson 03 varies and trains on fewer clips, as right on the "
    "test voices; models, arenas and C files of a lesson are made at the same time, or in one "
    "process; statistics take two functions of SciPy instead of a module that takes half a "
    "second. Tried and not taken: XLA, whose compiling takes longer than it saves; not "
    "possible: kernels forked from one that has imported TensorFlow, which a plain `pytest "
    "--nbval` does not start."
)


@dataclass
class Use:
    """What one lesson took: seconds; MB of its kernel, of that its own, of what runs below it."""

    seconds: float = 0.0
    inside: float = 0.0
    outside: tuple[float, ...] = (0.0,) * len(_OUTSIDE)
    picture: float = 0.0
    kernel: float = 0.0
    own: float = 0.0
    below: float = 0.0
    pid: int = 0
    started: float = 0.0
    cells: tuple[tuple[float, str], ...] = ()

    def note(self, pytest: psutil.Process) -> None:
        """Take one more reading of what is resident into account."""
        for process in pytest.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess, IndexError):
                if self.pid in (0, process.pid) and "ipykernel" in " ".join(process.cmdline()):
                    memory = process.memory_info()
                    self.pid, self.started = process.pid, process.create_time()
                    self.kernel = max(self.kernel, memory.rss / 1e6)
                    self.own = max(self.own, (memory.rss - memory.shared) / 1e6)
                    self.below = max(self.below, sum(map(_resident, process.children(True))))


def _resident(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.memory_info().rss / 1e6
    return 0.0


def run(options: Options) -> Measured:
    """Run every solved lesson under strict nbval, one after the other."""
    rows = [
        ("lesson", "kernel, MB", "of that its own", "processes below it, MB", "seconds")
        + ("in TensorFlow", "times that", "first picture, s", "slowest cell, s")
    ]
    used: dict[str, Use] = {}
    empty = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("pass")])
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        both = clean_copy.clone(folder)
        paths = [each for each in both if each.parent.name == "reference"]
        nothing = folder / "notebooks" / "empty.ipynb"
        nbformat.write(empty, nothing)
        around = min(_used(folder, nothing).seconds for _ in range(3))
        for path in paths[:1] if options.quick else paths:
            use = used[path.name[:2]] = _used(folder, path)
            print(f"{path.name[:2]}: {use.seconds:.0f} s", file=sys.stderr, flush=True)
        longest = sorted(used, key=lambda lesson: -used[lesson].seconds)
        both = [each for lesson in longest for each in both if each.name.startswith(lesson)]
        together, busy = in_two_workers(folder, both)
    for lesson, use in used.items():
        figures = (use.kernel, use.own, use.below)
        slowest = max(use.cells, default=(0.0, ""))[0]
        times = (use.seconds, use.inside, use.seconds / use.inside, use.picture, slowest)
        rows.append((lesson, *(f"{each:,.0f}" for each in figures), *map(number, times)))
    late = [lesson for lesson, use in used.items() if use.picture > MOST_PICTURE_SECONDS]
    above = [lesson for lesson, use in used.items() if use.kernel > LIMIT_MB]
    cells = sorted((cell for use in used.values() for cell in use.cells), reverse=True)
    slow = [("seconds", "cell")] + [(number(took), where) for took, where in cells[:12]]
    every = list(used.values())
    whole, inside = sum(use.seconds for use in every), sum(use.inside for use in every)
    left = {lesson: use.seconds - use.inside - around for lesson, use in used.items()}
    most = sorted(left, key=left.get, reverse=True)[:8]
    told = ", ".join(f"lesson {each} {left[each]:.0f}" for each in most)
    kinds = [sum(seconds) for seconds in zip(*(use.outside for use in every), strict=True)]
    start = len(every) * around
    parts = {"inside TensorFlow, Keras and LiteRT": inside, "a start without a lesson": start}
    parts |= dict(zip(_OUTSIDE.values(), kinds, strict=True))
    parts["all else: other imports, our own Python, messages"] = whole - sum(parts.values())
    profile = [("of all lessons", "seconds", "share")]
    profile += [(what, number(s), f"{s / whole:.0%}") for what, s in parts.items()]
    return Measured(
        f"{len(used)} solved lessons under strict nbval, one after the other. In TensorFlow is the "
        "time of all imports and outermost calls of TensorFlow, Keras and LiteRT, in the kernel "
        "or in any process below it, once where two are inside, measured in the same run (single "
        "eager operations are too short to be counted: the ratio is too high rather than too low). "
        "Seconds include pytest, the start of the kernel and comparing outputs. Memory is "
        "resident, at most, read every 50 ms; its own is what lies in no file. A first picture, be "
        "it drawn or a widget, counts from the kernel's start.",
        [
            Ratio("all lessons: seconds over those in TensorFlow", [whole / inside], MOST_TIMES),
            Ratio("the same, by lesson", [use.seconds / use.inside for use in every], MOST_TIMES),
            Ratio("first picture, s", [use.picture for use in every], MOST_PICTURE_SECONDS),
            Ratio(
                "the same, of the last one",
                [max(use.picture for use in every)],
                MOST_PICTURE_SECONDS,
            ),
            Ratio("both editions in two workers, s", [together], MOST_SECONDS),
        ],
        {"Lesson by lesson": rows, "The slowest cells": slow, "Where all seconds go": profile},
        [
            f"Above {LIMIT_MB} MB: {', '.join(above) or 'none'}.",
            f"A notebook with nothing in it takes {number(around)} s: pytest, nbval and what they "
            f"import, a kernel. Without that the lessons take "
            f"{number((whole - len(every) * around) / inside)} times the TensorFlow inside.",
            f"Most seconds outside of both: {told}.",
            f"Both editions, {len(both)} notebooks, were run by one pytest with two workers of one "
            f"thread each, the longest first. Their processor time is {number(busy)} s, so two "
            f"cores cannot take less than {number(busy / 2)} s. A trained lesson trains in both "
            "editions; what is left to cut is clips and epochs, and then words are heard worse.",
            f"First picture after {MOST_PICTURE_SECONDS:g} s: {', '.join(late) or 'none'}. Such a "
            "lesson begins with what it prints, or measures before it draws.",
            _TRIED,
        ],
    )


def in_two_workers(folder: Path, paths: list[Path]) -> tuple[float, float]:
    """Run notebooks under strict nbval, two at a time; return seconds, and those of processors.

    Raises RuntimeError where one fails.
    """
    before, start = os.times(), time.perf_counter()
    options = (*nbval.AT_A_TIME, "2", "--no-loadscope-reorder")
    done = nbval.run(folder, paths, *options, environ=THREADS, capture_output=True)
    seconds, after = time.perf_counter() - start, os.times()
    if done.returncode:
        raise RuntimeError(f"A notebook fails:\n{done.stdout.decode()[-2000:]}")
    spent = after.children_user + after.children_system
    return seconds, spent - before.children_user - before.children_system


def _used(folder: Path, path: Path) -> Use:
    """Run one notebook and return what it took. Raises RuntimeError where it fails."""
    use, over, me = Use(), threading.Event(), psutil.Process()

    def watch() -> None:
        while not over.wait(_PERIOD_SECONDS):
            use.note(me)

    with tempfile.TemporaryDirectory(prefix="bench-inside-") as inside:
        results = Path(inside, "results.xml")
        environ = {"PYTHONPATH": str(_INSIDE), "BENCH_FOLDER": inside}
        watcher = threading.Thread(target=watch)
        watcher.start()
        start = time.perf_counter()
        try:
            done = nbval.run(
                folder, [path], f"--junitxml={results}", environ=environ, capture_output=True
            )
        finally:
            use.seconds = time.perf_counter() - start
            over.set()
            watcher.join()
        if done.returncode:
            raise RuntimeError(f"{path.name} fails:\n{done.stdout.decode()[-2000:]}")
        use.cells = tuple(
            (float(case.get("time")), f"{path.name[:2]} {case.get('name')}")
            for case in ElementTree.parse(results).iter("testcase")
        )
        reached = use.inside = covered(files := _spans(inside, "tensorflow"))
        outside = []
        for kind in _OUTSIDE:
            files += _spans(inside, kind)
            outside.append(covered(files) - reached)
            reached += outside[-1]
        use.outside = tuple(outside)
        pictures = [float(each.read_text("utf-8")) for each in Path(inside).glob("*.picture")]
    use.picture = min(pictures) - use.started if pictures else 0.0
    return use


def _spans(folder: str, kind: str) -> list[bytes]:
    return [each.read_bytes() for each in Path(folder).glob(f"*.{kind}")]


def covered(files: Iterable[bytes]) -> float:
    """Return the seconds that any of the spans in `files` covers: pairs of float64 each."""
    spans = [pair for each in files for pair in struct.iter_unpack("=dd", each[: len(each) & -16])]
    seconds, reached = 0.0, 0.0
    for begin, end in sorted(spans):
        seconds += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return seconds
