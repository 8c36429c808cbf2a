"""The figures of docs/hub.md, each between two marks of its name, from what was measured."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks import results
from benchmarks.lessons import LIMIT_MB
from course_lib import session

GUIDE = results.PAGE.parents[1] / "docs" / "hub.md"
_MARKED = re.compile(r"(<!-- (\w+) -->)(.*?)(<!-- /\2 -->)", re.S)


def rows(page: str) -> dict[str, list[float]]:
    """Return the numbers of each row of the tables of a page, by what the row is about."""
    found = re.findall(r"^\| ([^|]+) \|((?: [\d.,]+ \|)+)$", page, re.M)
    return {
        name: [float(n.replace(",", "")) for n in cells.split("|")[:-1]] for name, cells in found
    }


def figures(page: str) -> dict[str, str]:
    """Return what each mark of the guide holds, from the sections `hub` and `lessons` of a page."""
    of_class, lessons = (rows(results.part(page, name)) for name in ("hub", "lessons"))
    memory = {name: row[0] for name, row in lessons.items() if name.isdigit()}
    low, high = min(memory, key=memory.__getitem__), max(memory, key=memory.__getitem__)
    *above, last = sorted(name for name, mb in memory.items() if mb > LIMIT_MB)
    return {
        "kernels": f"{memory[low] / 1e3:.1f} GB ({low}) to {memory[high] / 1e3:.1f} GB ({high})",
        "kernel": f"{of_class['kernel'][0]:,.0f} MB",
        "server": f"{of_class['server'][0]:,.0f} MB",
        "hub": f"{of_class['hub and proxy, once'][0]:,.0f} MB",
        "there": f"{of_class['its server is there'][1]:,.0f} s",
        "ended": f"{of_class['all its cells have run'][1]:,.0f} s",
        "together": f"{of_class['all in the same instant: all of it'][2]:.2f} s",
        "alone": f"{of_class['each for itself, about every 2 s: all of it'][2]:.2f} s",
        "above": f"{', '.join(above)} and {last} take more than {LIMIT_MB} MB",
        "most": f"{memory[high]:,.0f} MB",
    }


def rewritten(guide: str, page: str) -> str:
    """Return the guide with the figures of a page; KeyError names a mark that has no figure."""
    known = figures(page)
    return _MARKED.sub(lambda mark: f"{mark[1]}{known[mark[2]]}{mark[4]}", guide)


def write(page: Path = results.PAGE, guide: Path = GUIDE) -> None:
    """Put the figures of the page into the guide, atomically."""
    before = guide.read_text(encoding="utf-8")
    session.write_atomically(guide, rewritten(before, page.read_text(encoding="utf-8")))
