"""The command `python -m course_lib grade`: from what was handed in to reports in a folder."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

import course_lib
from course_lib import session
from course_lib.instructor.grading import campaign, collect, pages, reports, sandbox
from course_lib.instructor.grading.course import Course
from course_lib.instructor.grading.one import Settings
from course_lib.instructor.grading.roster import read_roster


class WeakSandboxError(ValueError):
    """Bubblewrap does not work here, and the weaker sandbox was not accepted."""


def grade(
    submissions: list[Path],
    out: Path,
    *,
    roster: Path | None = None,
    seed: str = "",
    reference: Path | None = None,
    exercises: Path | None = None,
    scheduler: str = "",
    workers: int = 0,
    everything: bool = False,
    accept_weak: bool = False,
    limits: sandbox.Limits | None = None,
    progress: Callable[..., Iterable] | None = None,
) -> tuple[list[reports.Row], list[str], str]:
    """Grade `submissions` into the folder `out`; return rows, notes and the kind of sandbox used.

    Without `seed`, one is drawn and kept in `out`, so that running again gives the same points.
    Raises ValueError where nothing can be graded at all, and WeakSandboxError where only limits
    would stand between the submissions and this machine.
    """
    kind = sandbox.best_kind()
    if kind != "bubblewrap" and not accept_weak:
        raise WeakSandboxError(
            "Bubblewrap does not work here, so submissions could read your "
            "files and use the network: install the package bubblewrap, or "
            "accept that with --accept-weak-sandbox."
        )
    course = Course(reference or _default_reference(), exercises)
    students = read_roster(roster) if roster else ()
    works, notes = collect.collected(submissions, course, students)
    settings = Settings(
        course, seed or _kept_seed(out), limits or sandbox.Limits(), kind, everything
    )
    results, failures = campaign.grade_all(works, settings, out, scheduler, workers, progress)
    rows = reports.rows(results, students)
    notes = [*notes, *(f"Not graded, run again: {each}" for each in failures)]
    if students:
        known = {each.id for each in students}
        notes += [
            f"{row.student} is not on the roster." for row in rows if row.student not in known
        ]
    reports.write(rows, out)
    pages.write(rows, out, notes)
    return rows, notes, kind


def _default_reference() -> Path:
    """Return the reference notebooks of the clone that this package lies in."""
    return Path(course_lib.__file__).resolve().parent.parent / "notebooks" / "reference"


def _kept_seed(out: Path) -> str:
    """Return the seed of an earlier run into this folder, or draw one and keep it."""
    path = out / "seed.txt"
    if not path.is_file():
        session.write_atomically(path, secrets.token_hex(16) + "\n")
        path.chmod(0o600)
    return path.read_text(encoding="utf-8").strip()
