"""Who takes the course: read a list of students, and know them by any of their names."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

_COLUMNS = {
    "name": "name",
    "student": "name",
    "first name": "first",
    "last name": "last",
    "surname": "last",
    "id": "id",
    "sid": "id",
    "student id": "id",
    "email": "email",
    "email address": "email",
    "login": "login",
    "login id": "login",
    "username": "login",
    "identifier": "id",
    "github_username": "login",
    "roster_identifier": "id",
    "sis login id": "login",
    "sis user id": "id",
    "submission": "submission",
    "submission id": "submission",
}


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
    lines = list(csv.DictReader(io.StringIO(text)))
    students = []
    for line in lines:
        found = {}
        for key, value in line.items():
            kind = _COLUMNS.get(key.strip().casefold()) if isinstance(key, str) else None
            if kind and isinstance(value, str):
                found[kind] = value.strip()
        student = _listed(found)
        if student is not None:
            students.append(student)
    if not students:
        raise CollectError(f"The roster {path} has no column called name, id, email or login.")
    return tuple(students)


def _listed(found: dict[str, str]) -> Student | None:
    """Return the student that a roster's line names, None where it names none."""
    name = found.get("name") or " ".join(
        each for each in (found.get("first", ""), found.get("last", "")) if each
    )
    email, login = found.get("email", ""), found.get("login", "")
    identifier = found.get("id") or login or email or name
    if not identifier:
        return None
    words = re.findall(r"\w+", name)
    aliases = {
        name,
        identifier,
        email,
        login,
        email.split("@")[0],
        "".join(words),
        "".join(reversed(words)),
        "".join([*words[-1:], *words[:-1]]),
        " ".join(reversed(words)),
    }
    if found.get("submission"):
        aliases.add(f"submission_{found['submission'].removeprefix('submission_')}")
    return Student(
        name or identifier, identifier, frozenset(_folded(each) for each in aliases if each)
    )


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
