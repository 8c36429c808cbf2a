"""Where no platform wrote anything, folders are read in the one way that is possible, or asked."""

from __future__ import annotations

import pytest

from course_lib.instructor.grading import folders
from course_lib.instructor.grading.folders import Item
from course_lib.instructor.grading.roster import CollectError, Student

LESSONS = {"07": "07_quantization", "08": "08_on_a_microcontroller"}


def whose(*paths, roster=(), default="in", blank=()):
    """Return the labels; each file's lesson is the two digits in its path, or 07."""
    items = []
    for number, path in enumerate(paths):
        lesson = "08" if "08" in path else "07"
        answer = "" if path in blank else str(number)
        items.append(Item(tuple(path.split("/")), LESSONS[lesson], answer, default))
    return [owner.label for (owner,) in folders.owners(items, {}, roster)]


def people(*names):
    return tuple(Student(each, each, frozenset({each}), frozenset({each})) for each in names)


@pytest.mark.parametrize(
    "paths, labels",
    [
        ("ann/07.ipynb bob/07.ipynb", "ann bob"),
        ("ann/07.ipynb bob/08.ipynb", "ann bob"),
        ("Kurs/ann/07.ipynb Kurs/bob/07.ipynb", "ann bob"),
        ("a/b/c/ann/07.ipynb a/b/c/bob/07.ipynb", "ann bob"),
        ("ann/x/07.ipynb bob/y/07.ipynb", "ann bob"),
        ("ann/notebooks/07.ipynb ann/old/07.ipynb ann/08.ipynb bob/07.ipynb", "ann ann ann bob"),
        ("ann/07.ipynb ann/deep/er/07.ipynb bob/07.ipynb", "ann ann bob"),
        ("ann/07.ipynb ann/07-1.ipynb bob/07.ipynb", "ann ann bob"),
        ("Mon/ann/07.ipynb Mon/bob/07.ipynb Tue/cid/07.ipynb Tue/dan/07.ipynb", "ann bob cid dan"),
        ("lab1/ann/07.ipynb lab2/ann/08.ipynb lab1/bob/07.ipynb", "ann ann bob"),
        ("X/ann/07.ipynb X/bob/07.ipynb Y/ann/08.ipynb Y/bob/08.ipynb", "ann bob ann bob"),
        ("ann/7th/07.ipynb ann/8th/08.ipynb bob/7th/07.ipynb bob/8th/08.ipynb", "ann ann bob bob"),
        ("1/07.ipynb 2/07.ipynb 03/07.ipynb", "1 2 03"),
        ("07_quantization_ann.ipynb 07_quantization_bob.ipynb", "ann bob"),
        ("ann_07_quantization.ipynb ann_08_on_a_microcontroller.ipynb bob.ipynb", "ann ann bob"),
        ("Lab/07_quantization_ann.ipynb Lab/07_quantization_bob.ipynb", "ann bob"),
        ("Lab/Ann-Quantization.ipynb Lab/Bob-Quantization-final-v2.ipynb", "Ann Bob"),
        ("ann.zip bob.zip", "ann bob"),
        ("07_quantization.ipynb 08_on_a_microcontroller.ipynb", "in in"),
        ("07_quantization_solved.ipynb", "in"),
        ("ann/07.ipynb 07_quantization_bob.ipynb", "ann bob"),
        ("notebooks/07_quantization.ipynb notebooks/reference/08.ipynb", "in in"),
    ],
)
def test_one_reading_is_possible(paths, labels):
    assert whose(*paths.split()) == labels.split()


@pytest.mark.parametrize(
    "paths, roster, labels",
    [
        ("Lab/ann/07.ipynb Lab/bob/08.ipynb", "ann bob", "ann bob"),
        ("ann/week/07.ipynb ann/other/08.ipynb", "ann", "ann ann"),
        ("ann/first/07.ipynb ann/second/07.ipynb bob/07.ipynb", "ann bob cid", "ann ann bob"),
        ("Lab/ann/07.ipynb Lab/bob/07.ipynb stray/07.ipynb", "ann bob stray", "ann bob stray"),
        ("ann/x.ipynb ann/y.ipynb bob/z.ipynb", "ann bob", "ann ann bob"),
        ("in/x.ipynb in/y.ipynb", "x y", "x y"),
        ("07_quantization_ann.ipynb 08_on_a_microcontroller_bob.ipynb", "ann bob", "ann bob"),
        ("zoe/Ann_1_assignsubmission_file_/07.ipynb zoe/08.ipynb bob/07.ipynb", "zoe bob Ann",
         "zoe zoe bob"),
    ],
)  # fmt: skip
def test_two_readings_are_asked_about_unless_the_roster_knows(paths, roster, labels):
    with pytest.raises(CollectError, match="not clear whose .*; or .*--students CSV") as raised:
        whose(*paths.split())
    assert len(str(raised.value)) < 1200
    assert whose(*paths.split(), roster=people(*roster.split())) == labels.split()


def test_untouched_copies_make_nobody_two():
    paths = ["ann/x/07.ipynb", "ann/y/07.ipynb", "bob/07.ipynb"]
    with pytest.raises(CollectError):
        whose(*paths)
    assert whose(*paths, blank=paths[:1]) == ["ann", "ann", "bob"]


def test_a_platforms_name_inside_a_students_folder_is_the_students():
    inner = "Ann_1_assignsubmission_file_/07.ipynb"
    assert whose(f"zoe/{inner}", "bob/07.ipynb") == ["zoe", "bob"]
    assert whose(f"Lab/{inner}", "Lab/Bob_2_assignsubmission_file_/07.ipynb") == ["Ann", "Bob"]
    assert whose(inner, "Bob_2_assignsubmission_file_/07.ipynb", "stray.ipynb") == [
        "Ann",
        "Bob",
        "stray",
    ]


@pytest.mark.parametrize(
    "labels, roster, expected",
    [
        ("tinyml-ann tinyml-bob-x", "ann x bob-x", "ann bob-x"),
        ("tinyml-ann", "ann", "-"),
        ("quiet-ann tinyml-bob tinyml-cid", "ann bob cid", "- bob cid"),
        ("jupyter-ann jupyter-bob", "ann bob", "ann bob"),
        ("Lee_Ann_ann_12 Ray_van_B_bob_13", "ann bob", "ann bob"),
        ("Ann bob", "ann bob", "ann bob"),
    ],
)
def test_logins_that_github_and_ilias_write(labels, roster, expected):
    items = [Item((each, "07.ipynb"), "07", each, "in") for each in labels.split()]
    found = folders.owners(items, {}, people(*roster.split()))
    known = [[each.id for each in owner.on(people(*roster.split()))] for (owner,) in found]
    assert [" ".join(each) or "-" for each in known] == expected.split()


def test_many_files_are_quick():
    """Of 2,000 files in one folder each is looked at a few times, not each with each."""
    paths = [f"c/{'x-' * 20}s{number}/07.ipynb" for number in range(2_000)]
    assert len(set(whose(*paths))) == 2_000
