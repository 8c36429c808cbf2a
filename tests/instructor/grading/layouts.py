"""A class of students, and the paths that each platform would give to what they hand in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from unicodedata import normalize

from hypothesis import strategies as st

from course_lib.exercises import core

LESSONS = ("07_quantization", "08_on_a_microcontroller")
LETTERS = st.characters(categories=("L",))
WORDS = st.sampled_from(["Ann", "Zoë", "李", "Ольга", "van der Berg", "O'Hara", "Ng-Lee", "Émile"])
SYSTEM = (".DS_Store", "__MACOSX/._a.ipynb", "Thumbs.db", ".ipynb_checkpoints/a.ipynb")
OTHERS = ("notes.py", "essay.pdf", "page.html", "all.tar.gz", "x.7z", "data.rar", "strange")


@dataclass(frozen=True)
class Person:
    """A student as a platform knows them; names may be shared, login and number are not."""

    first: str
    last: str
    login: str
    number: int


@st.composite
def people(draw, most=6):
    """Draw a class of at least two, in which some have one name."""
    logins = draw(
        st.lists(
            st.text(LETTERS, min_size=2, max_size=8).map(lambda each: f"q{each.lower()}"),
            min_size=2,
            max_size=most,
            unique_by=lambda each: normalize("NFC", each.casefold()),
        )
    )
    first = draw(st.integers(100, 90_000))
    return [
        Person(draw(WORDS), draw(WORDS), login, first + 7 * place)
        for place, login in enumerate(logins)
    ]


def _canvas(who, file):
    name = "".join(each for each in f"{who.last}{who.first}".lower() if each.isalnum())
    return f"{name}{'_LATE' * (who.number % 2)}_{who.number}_{who.number + 5}_{file}"


# Where each platform puts a file; those in PLAIN are told by folders alone.
PLATFORMS = {
    "Moodle": lambda who, file: (
        f"{who.first} {who.last}_{who.number}_assignsubmission_file_/{file}"
    ),
    "Moodle, flat": lambda who, file: (
        f"{who.first} {who.last}_{who.number}_assignsubmission_file_{file}"
    ),
    "Moodle, blind": lambda who, file: f"Participant_{who.number}_assignsubmission_file_/{file}",
    "Moodle, groups": lambda who, file: (
        f"Group A-{who.first} {who.last}_{who.number}_assignsubmission_file_/{file}"
    ),
    "Canvas": _canvas,
    "Canvas, anonymous": lambda who, file: f"anon_x{who.number}_{who.number + 5}_{file}",
    "Blackboard": lambda who, file: f"Lab_1_{who.login}_attempt_2024-01-02-12-30-00_{file}",
    "Gradescope": lambda who, file: f"assignment_5_export/submission_{who.number}/{file}",
    "Sakai": lambda who, file: (
        f"Lab 1/{who.last}, {who.first}({who.login})/Submission attachment(s)/{file}"
    ),
    "Sakai, no comma": lambda who, file: (
        f"Lab 1/{who.first} {who.last}({who.login})/Submission attachment(s)/{file}"
    ),
    "exchange": lambda who, file: f"{who.login}+ps1+2024-01-02 12:30:00 UTC/{file}",
}
PLAIN = {
    "nbgrader": lambda who, file: f"submitted/{who.login}/ps1/{file}",
    "GitHub": lambda who, file: f"tinyml-{who.login}/notebooks/{file}",
    "ILIAS": lambda who, file: (
        f"Abgaben/{who.last.replace(' ', '_')}_{who.first}_{who.login}_{who.number}/{file}"
    ),
    "JupyterHub": lambda who, file: f"home/jupyter-{who.login}/work/{file}",
    "folders": lambda who, file: f"{who.login}/{file}",
    "own folders": lambda who, file: f"{who.login}/of {who.login}/{file}",
    "lessons first": lambda who, file: f"{file[:-6].split('-')[0]}/{who.login}/{file}",
}
BESIDE = {
    "lesson first": lambda who, file: f"{file[:-6]}_{who.login}.ipynb",
    "login first": lambda who, file: f"{who.login}_{file}",
    "numbers": lambda who, file: f"{file[:-6]}_{who.number + 1000}.ipynb",
}


def notebook(lesson: str, answer: str = "") -> bytes:
    """Return a small notebook of a lesson with an answer, or with what was handed out."""
    first = core.of_lesson(lesson[:2])[0].id
    text = f"# Exercise {first}\n{f'answer = {answer!r}' if answer else '...'}"
    identifier = f"ex-{first.replace('.', '-')}"
    cell = {"cell_type": "code", "id": identifier, "metadata": {}, "source": text}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}).encode()
