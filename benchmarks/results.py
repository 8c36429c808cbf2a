"""What every section of the measurements shares: taking turns, tables, and the page with it all."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import psutil

from course_lib import session

PAGE = Path(__file__).with_name("RESULTS.md")
_PACKAGES = ("tensorflow", "keras", "ai-edge-litert", "numpy", "jupyterlab", "ipywidgets")


@dataclass(frozen=True)
class Options:
    """How much is measured: `quick` for a test's few seconds, `share` of long trainings.

    `clips` is a folder of real speech.
    """

    quick: bool = False
    clips: Path | None = None
    share: float = 1.0


@dataclass(frozen=True)
class Ratio:
    """Quotients measured in one run, and what was aimed at: at most, or at least, `target`."""

    what: str
    values: Sequence[float]
    target: float | None = None
    at_least: bool = False

    @property
    def median(self) -> float:
        """The middle one, which is compared with the target."""
        return statistics.median(self.values)

    @property
    def holds(self) -> bool | None:
        """Whether the target holds; None where there is none."""
        if self.target is None:
            return None
        return self.median >= self.target if self.at_least else self.median <= self.target

    def row(self) -> tuple[str, ...]:
        """Return the cells of a table: what, median, range, target, whether it holds."""
        aim = f"at {'least' if self.at_least else 'most'} {self.target:g}" if self.target else ""
        spread = f"{number(min(self.values))} to {number(max(self.values))}"
        told = {True: "yes", False: "**no**", None: ""}[self.holds]
        return self.what, number(self.median), spread, aim, told


@dataclass(frozen=True)
class Measured:
    """What a section found: what was run, ratios first, tables by their heading, and remarks.

    A table's first row names its columns; every cell is text.
    """

    ran: str
    ratios: Sequence[Ratio] = ()
    tables: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    remarks: Sequence[str] = ()

    def markdown(self) -> str:
        """Return everything as Markdown."""
        parts = [self.ran]
        if self.ratios:
            head = ("ratio", "median", "range", "target", "holds")
            parts.append(table([head, *(each.row() for each in self.ratios)]))
        for heading, rows in self.tables.items():
            parts += [f"### {heading}", table(rows)]
        return "\n\n".join([*parts, *self.remarks])


def number(value: float) -> str:
    """Return three digits of a number: 0.0123, 1.23, 12.3, 1,230."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of text, of which the first is the heading, as a table in Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def spread(seconds: Sequence[float], unit: str = "s") -> str:
    """Return the median and the range of measurements, in their unit."""
    low, high = min(seconds), max(seconds)
    return f"{number(statistics.median(seconds))} {unit} ({number(low)} to {number(high)})"


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values do not exceed."""
    return float(np.quantile(values, share, method="inverted_cdf"))


def taking_turns(
    runs: Mapping[str, Callable[[], object]], rounds: int, warm: bool = True
) -> dict[str, list[float]]:
    """Return the seconds of each, called in turn, every other round backwards.

    What else the machine does then falls on all of them alike. A first round is thrown away where
    what is measured should be `warm`.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(-int(warm), rounds):
        for name in list(runs)[:: 1 if turn % 2 else -1]:
            start = time.perf_counter()
            runs[name]()
            if turn >= 0:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def quotients(seconds: Mapping[str, Sequence[float]], ours: str, theirs: str) -> list[float]:
    """Return ours over theirs, round by round."""
    return [a / b for a, b in zip(seconds[ours], seconds[theirs], strict=True)]


def machine() -> str:
    """Return the day, the machine, its load now and the versions that count."""
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return (
        f"{date.today():%d %B %Y}, {os.cpu_count()} cores ({platform.machine()}), "
        f"{psutil.virtual_memory().total / 1e9:.0f} GB of memory, Python "
        f"{platform.python_version()}, {', '.join(found)}"
    )


def _commit() -> str:
    """Return which commit was measured, with a mark where files differ from it."""
    call = ["git", "describe", "--always", "--dirty", "--abbrev=10"]
    done = subprocess.run(call, cwd=PAGE.parent, capture_output=True, text=True)
    return done.stdout.strip() or "no commit"


def section(title: str, measure: Callable[[], Measured]) -> str:
    """Measure, and return a section of the page with its heading and what it was measured on."""
    before = os.getloadavg()[0]
    start = time.perf_counter()
    found = measure()
    taken = (
        f"Measured on {machine()}; load {before:.1f} at the start and {os.getloadavg()[0]:.1f} at "
        f"the end, {time.perf_counter() - start:,.0f} s, commit {_commit()}."
    )
    return f"## {title}\n\n{taken}\n\n{found.markdown()}"


def part(page: str, name: str) -> str:
    """Return what a page says between the marks of a section, empty where it has none."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", page, re.S)
    return found[1] if found else ""


def rewritten(page: str, titles: Mapping[str, str], name: str, text: str) -> str:
    """Return the page with one section new, the others as they were, in the order of `titles`."""
    parts = {
        each: part(page, each) or f"## {title}\n\nNot yet run." for each, title in titles.items()
    }
    parts[name] = text
    head = (
        "# Measurements\n\n"
        'Written by `make bench`, a section at a time (`make bench ARGS="pipeline growth"`); '
        "nothing here is typed by hand. What is compared was measured in one run, in turns, so "
        "that ratios count and seconds depend on the machine and its load. A section that was not "
        "run keeps what it said, with its own date."
    )
    body = "\n\n".join(f"<!-- {each} -->\n{text}\n<!-- /{each} -->" for each, text in parts.items())
    return f"{head}\n\n{body}\n"


def write(titles: Mapping[str, str], name: str, text: str, page: Path = PAGE) -> None:
    """Put a section into the page, atomically."""
    before = page.read_text(encoding="utf-8") if page.exists() else ""
    session.write_atomically(page, rewritten(before, titles, name, text))
