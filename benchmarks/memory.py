"""How much memory the kernel of each lesson needs, and how much of it is its own.

    python -m benchmarks.memory [--student] [--cells 3] [--out benchmarks/memory.md] [LESSON …]

Runs the solved edition (`--student`: the one without answers) in a clean copy, one lesson after
the other, and asks the system every 50 ms what is resident. Prints a table in Markdown; with
`--cells`, also the cells with the highest peaks. A kernel's own memory is what lies in no file: the
code of TensorFlow does, and is there once for all kernels of a machine. Exits with 1 where the
resident memory of a kernel is above the limit.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psutil

from tools import clean_copy

LIMIT_MB = 900
_PERIOD_SECONDS = 0.05
_CELL_SECONDS = 1500


@dataclass
class Use:
    """What one notebook took at most, in MB: its kernel, of that its own, the rest of its tree."""

    kernel: float = 0.0
    own: float = 0.0
    children: float = 0.0
    cells: dict[int, float] = field(default_factory=dict)

    def note(self, cell: int, kernel: float, own: float, children: float) -> None:
        """Take one more reading into account."""
        self.kernel, self.own = max(self.kernel, kernel), max(self.own, own)
        self.children = max(self.children, children)
        self.cells[cell] = max(self.cells.get(cell, 0.0), kernel)


def of(notebook: Path) -> Use:
    """Execute a notebook where it lies, and return what its kernel took."""
    import nbformat
    from nbclient import NotebookClient

    use, over, at = Use(), threading.Event(), [0]
    client = NotebookClient(
        nbformat.read(notebook, as_version=nbformat.NO_CONVERT),
        timeout=_CELL_SECONDS,
        kernel_name="python3",
        extra_arguments=["--log-level=40"],
        resources={"metadata": {"path": str(notebook.parent)}},
        on_cell_start=lambda cell, cell_index: at.__setitem__(0, cell_index),
    )

    def watch() -> None:
        while not over.wait(_PERIOD_SECONDS):
            pid = getattr(getattr(client.km, "provisioner", None), "pid", None)
            with contextlib.suppress(psutil.NoSuchProcess):
                if pid:
                    use.note(at[0], *resident(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        client.execute()
    finally:
        over.set()
        watcher.join()
    return use


def resident(pid: int) -> tuple[float, float, float]:
    """Return the resident MB of a process, of that its own, and those of all that run below it."""
    process = psutil.Process(pid)
    memory, below = process.memory_info(), 0.0
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            below += child.memory_info().rss / 1e6
    return memory.rss / 1e6, (memory.rss - memory.shared) / 1e6, below


def measured_on() -> str:
    """Return the day, the machine and its load, for the head of a table."""
    return (
        f"Measured on {date.today():%d %B %Y}: {os.cpu_count()} cores ({platform.machine()}), "
        f"{psutil.virtual_memory().total / 1e9:.0f} GB of memory, Python "
        f"{platform.python_version()}, load {os.getloadavg()[0]:.1f} at the end"
    )


def _report(rows: dict[str, str], edition: str) -> str:
    above = [name for name, row in rows.items() if _numbers(row)[1] > LIMIT_MB]
    lines = [
        "# Memory of a kernel, lesson by lesson",
        "",
        "Written by `python -m benchmarks.memory --out FILE`; nothing here is typed by hand.",
        "",
        f"{measured_on()}. The {edition} edition, all cells, one lesson after the other; resident "
        "MB at most, read every 50 ms. Lessons that were not run then keep their earlier row.",
        "",
        "| lesson | kernel | of that its own | processes that it starts |",
        "|---|---|---|---|",
        *(rows[name] for name in sorted(rows)),
        "",
        f"Above {LIMIT_MB} MB: {', '.join(sorted(above)) or 'none'}.",
    ]
    return "\n".join(lines)


def _numbers(row: str) -> list[float]:
    return [float(cell.replace(",", "")) for cell in row.strip("| ").split("|")]


def _earlier(page: Path | None) -> dict[str, str]:
    """Return the rows that a page has, by their lesson."""
    text = page.read_text(encoding="utf-8") if page and page.exists() else ""
    return {row[2:4]: row for row in text.splitlines() if row[2:4].isdigit()}


def main() -> int:
    """Run the notebooks one by one, and tell by the exit code whether the limit is kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="numbers, as 03; all by default")
    parser.add_argument("--student", action="store_true", help="the edition without answers")
    parser.add_argument("--cells", type=int, default=0, help="how many cells to name, a lesson")
    parser.add_argument("--out", type=Path, help="a Markdown file to write the table to")
    chosen = parser.parse_args()
    edition = "student" if chosen.student else "solved"
    rows = _earlier(chosen.out)
    with tempfile.TemporaryDirectory(prefix="memory-") as folder:
        wanted = [
            path
            for path in clean_copy.clone(Path(folder))
            if (path.parent.name == "reference") != chosen.student
            and (not chosen.lessons or path.name[:2] in chosen.lessons)
        ]
        if not wanted:
            parser.error("no such lesson: give numbers as 03")
        for path in wanted:
            use, lesson = of(path), path.name[:2]
            numbers = (use.kernel, use.own, use.children)
            rows[lesson] = f"| {lesson} | {' | '.join(f'{each:,.0f}' for each in numbers)} |"
            print(rows[lesson], file=sys.stderr, flush=True)
            for cell in sorted(use.cells, key=use.cells.get)[: -1 - chosen.cells : -1]:
                print(f"    cell {cell}: {use.cells[cell]:.0f} MB", file=sys.stderr, flush=True)
            text = _report(rows, edition)
            if chosen.out:
                chosen.out.write_text(f"{text}\n", encoding="utf-8")
    print(text)
    return int(any(_numbers(row)[1] > LIMIT_MB for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
