"""The course with the toy lesson, what is handed in to it, and a class that is graded once."""

from __future__ import annotations

import json

import pytest
from hostile import corpus, toy

from course_lib import cli
from course_lib.instructor.grading import course, sandbox
from course_lib.session import commands


@pytest.fixture(scope="session")
def toy_course(tmp_path_factory):
    """Return the course with lesson 97, and its student edition."""
    reference, student = toy.build(tmp_path_factory.mktemp("course"))
    made = course.Course(reference, toy.EXERCISES)
    assert list(made.lessons) == ["97"]
    return made, student


@pytest.fixture(scope="session")
def lesson(toy_course):
    """Return lesson 97, as the course reads it."""
    return toy_course[0].lessons["97"]


@pytest.fixture
def data(toy_course):
    """Return the bytes of a notebook in which every answer is right."""
    return json.dumps(corpus.notebook(toy_course[1], corpus.RIGHT)).encode()


@pytest.fixture(scope="session")
def graded(tmp_path_factory, toy_course):
    """Grade five students on the command line, once."""
    if not sandbox.bubblewrap_works():
        pytest.skip("bubblewrap does not work here")
    place = tmp_path_factory.mktemp("graded")
    handed_in = {
        "ada": corpus.RIGHT,
        "ben": {"97.2": corpus.WRONG_2, "97.3": corpus.RIGHT["97.3"]},
        "cy <b>": {
            "97.4": "def totals(array):\n    return array.sum(axis=0)",
            "97.2": "def double(x):\n    return y * 2",
        },
        "dan": {},
    }
    for name, answers in handed_in.items():
        (place / "in" / name).mkdir(parents=True)
        tree = corpus.notebook(toy_course[1], answers)
        (place / "in" / name / "97_grading.ipynb").write_text(json.dumps(tree))
    (place / "roster.csv").write_text("id,name\nada,Ada Lovelace\nben,Ben\ndan,=Dan\neve,Eve\n")
    arguments = [
        "grade",
        str(place / "in"),
        "--out",
        str(place / "out"),
        "--seed",
        "s",
        "--reference",
        str(toy_course[0].references),
        "--exercises",
        str(toy.EXERCISES),
        "--roster",
        str(place / "roster.csv"),
    ]
    assert cli.main(arguments) == commands.DONE
    return place / "out", arguments
