"""Who takes the course: read a list of students, and know them by any of their names."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

# What the learning platforms call the columns of their lists.
_HEADINGS = {
    "name": ("name", "student"),
    "first": ("first name",),
    "last": ("last name", "surname"),
    "id": ("id", "sid", "student id", "identifier", "roster_identifier", "sis user id"),
    "email": ("email", "email address"),
    "login": ("login", "login id", "username", "github_username", "sis login id"),
    "submission": ("submission", "submission id"),
}
_COLUMNS = {heading: kind for kind, headings in _HEADINGS.items() for heading in headings}


class CollectError(ValueError):
    """Say in one sentence what cannot be collected, and what to do."""


@dataclass(frozen=True)
class Student:
    """One line of a roster: the name to show and everything that a submission may be named by."""

    name: str
    id: str
    aliases: frozenset[str]


def read_roster(path: Path) -> tuple[Student, ...]:
    """Read a CSV of students: any columns; those named like name, id, email or login are used.

    Raises CollectError for a file without a line of names or without a usable column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise CollectError(f"The roster {path} cannot be read: {error.strerror}.") from error
    students = []
    for line in csv.DictReader(io.StringIO(text)):
        fields = {}
        for key, value in line.items():  # either is None where a line is too long or too short
            kind = _COLUMNS.get(key.strip().casefold()) if isinstance(key, str) else None
            if kind and isinstance(value, str):
                fields[kind] = value.strip()
        students.append(_listed(fields))
    students = [student for student in students if student is not None]
    if not students:
        raise CollectError(f"The roster {path} has no column called name, id, email or login.")
    return tuple(students)


def _listed(fields: dict[str, str]) -> Student | None:
    """Return the student that a roster's line names, None where it names none."""
    parts = (fields.get("first"), fields.get("last"))
    name = fields.get("name") or " ".join(filter(None, parts))
    email, login = fields.get("email", ""), fields.get("login", "")
    identifier = fields.get("id") or login or email or name
    if not identifier:
        return None
    words = re.findall(r"\w+", name)
    aliases = {name, identifier, email, login, email.split("@")[0]}
    aliases |= {"".join(words[::-1]), "".join(words[-1:] + words[:-1])}  # LastFirst, as Canvas does
    if submission := fields.get("submission"):
        aliases.add(f"submission_{submission.removeprefix('submission_')}")
    folded = frozenset(_folded(alias) for alias in aliases if alias)
    return Student(name or identifier, identifier, folded)


def known(student: str, roster: tuple[Student, ...]) -> str:
    """Return the roster's id of a student, or the name that the submission has."""
    wanted = _folded(student)
    for each in roster:
        if wanted in each.aliases:
            return each.id
    endings = [
        (len(alias), each.id)
        for each in roster
        for alias in each.aliases
        if len(alias) > 3 and wanted.endswith(alias)
    ]  # GitHub Classroom: task-login
    longest = {identifier for length, identifier in endings if length == max(endings)[0]}
    return longest.pop() if len(longest) == 1 else student


def _folded(name: str) -> str:
    """Return a name's letters and digits only, without case."""
    return "".join(each for each in name.casefold() if each.isalnum())
