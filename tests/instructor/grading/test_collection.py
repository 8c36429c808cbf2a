"""Submissions are gathered from notebooks, folders and zips of every platform."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import unicodedata
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from instructor.grading import layouts
from instructor.grading.layouts import notebook

from course_lib.instructor.grading import collection, course, submission
from course_lib.instructor.grading.roster import CollectError, read_roster

ROOT = Path(__file__).resolve().parents[3]
WHOLE = course.Course(ROOT / "notebooks" / "reference")
N = "07_quantization.ipynb"
EVERYWHERE = {**layouts.PLATFORMS, **layouts.PLAIN, **layouts.BESIDE}
quickly = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
    phases=[Phase.generate],  # to shrink a class takes minutes
)


def _zip(path: Path, names: list[str], data: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    "names, students",
    [
        (
            [
                "assignment_77_export/submission_11/97_grading.ipynb",
                "assignment_77_export/submission_12/97_grading.ipynb",
                "assignment_77_export/submission_metadata.yml",
            ],
            ["submission_11", "submission_12"],
        ),
        (
            [
                "Ada Lovelace_4711_assignsubmission_file_/97_grading.ipynb",
                "Grace Hopper_4712_assignsubmission_file_/my work.ipynb",
            ],
            ["Ada Lovelace", "Grace Hopper"],
        ),
        (
            [
                "Ada Lovelace_4711_assignsubmission_file_97_grading.ipynb",
                "Grace Hopper_4712_assignsubmission_file_97_grading.ipynb",
            ],
            ["Ada Lovelace", "Grace Hopper"],
        ),
        (
            [
                "lovelaceada_3344_9988_97_grading.ipynb",
                "hoppergrace_LATE_3345_9989_97_grading-2.ipynb",
            ],
            ["lovelaceada", "hoppergrace"],
        ),
        (
            [
                "tinyml-ada/notebooks/97_grading.ipynb",
                "tinyml-grace/notebooks/97_grading.ipynb",
                "tinyml-grace/.ipynb_checkpoints/97_grading-checkpoint.ipynb",
            ],
            ["tinyml-ada", "tinyml-grace"],
        ),
        (["97_grading.ipynb", "__MACOSX/._97_grading.ipynb"], ["export"]),
    ],
)
def test_exports_of_the_platforms(tmp_path, data, toy_course, names, students):
    path = _zip(tmp_path / "export.zip", names, data)
    for _ in range(2):  # as it came, and unpacked
        works, filed, notes = collection.collect([path], toy_course[0])
        assert sorted(each.student for each in works) == sorted(students) and not notes
        assert sum(each.state == "graded" for each in filed) == len(students)
        assert len(filed) == len(names)
        path = tmp_path / "export"
        if not path.exists():
            with zipfile.ZipFile(tmp_path / "export.zip") as archive:
                archive.extractall(path)


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_damaged_entry_costs_nobody_else_anything(tmp_path, data, method):
    path = tmp_path / "export.zip"
    names = [f"submission_{number}/97_grading.ipynb" for number in (1, 2, 3)]
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in names:
            archive.writestr(name, data)
        start = archive.getinfo(names[1]).header_offset
    content = bytearray(path.read_bytes())
    content[start + 80 : start + 120] = bytes(40)
    path.write_bytes(content)
    found = {each.place[0]: each for _, each in collection.files([path])}
    assert found["submission_1"].data == found["submission_3"].data == data
    assert "damaged" in found["submission_2"].problem and not found["submission_2"].data


def test_no_damage_to_a_zip_or_a_notebook_stops_the_rest(tmp_path, data):
    draw, path = random.Random(7), tmp_path / "export.zip"
    methods = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
    for number in range(400):
        with zipfile.ZipFile(path, "w", methods[number % 4]) as archive:
            archive.writestr("a/97_grading.ipynb", data)
            archive.writestr("b/97_grading.ipynb", data)
        damaged = bytearray(path.read_bytes())
        for _ in range(draw.randint(1, 5)):
            damaged[draw.randrange(-200, 0) if draw.random() < 0.6 else draw.randrange(900)] ^= 255
        path.write_bytes(damaged)
        for _, each in collection.files([path]):
            assert each.problem or each.data or each.why
        text = bytearray(data)
        text[draw.randrange(len(text))] ^= 1 << draw.randrange(8)
        with contextlib.suppress(submission.UnreadableError):
            submission.read_cells(bytes(text))


def test_lone_notebooks_and_several_zips(tmp_path, data, toy_course):
    folder = tmp_path / "ada"
    folder.mkdir()
    (folder / "97_grading.ipynb").write_bytes(data)
    (folder / "grace.ipynb").write_bytes(data)
    zips = [
        _zip(
            tmp_path / f"{name}.zip",
            ["x_1_assignsubmission_file_/97_grading.ipynb", "y/97_grading.ipynb"],
            data,
        )
        for name in "ab"
    ]
    sources = [folder / "97_grading.ipynb", folder / "grace.ipynb", *zips]
    works, filed, _ = collection.collect(sources, toy_course[0])
    assert [each.student for each in works] == ["a", "ada", "b", "grace"] and len(filed) == 6
    with pytest.raises(collection.CollectError, match="There is no"):
        list(collection.files([tmp_path / "nowhere"]))


def test_the_last_version_counts_and_the_rest_is_noted(tmp_path, data, toy_course):
    for name in ("97_grading.ipynb", "97_grading-9.ipynb", "97_grading-10.ipynb"):
        (tmp_path / f"ada_33_44_{name}").write_bytes(
            data.replace(b"x def double", b"")
            if name.endswith("10.ipynb")
            else data.replace(b"2 * x", b"3 * x")
        )
    (tmp_path / "thesis.ipynb").write_text('{"cells": []}')
    works, filed, notes = collection.collect([tmp_path], toy_course[0])
    (work,) = works
    assert work.student == "ada" and work.origin == "ada_33_44_97_grading-10.ipynb"
    assert "thesis.ipynb was left out: It belongs to no lesson" in " ".join(notes)
    states = {each.origin: (each.state, each.why) for each in filed}
    assert states.pop("thesis.ipynb")[0] == "left out"
    assert states.pop(work.origin) == ("graded", "")
    assert set(states.values()) == {("superseded", work.origin)} and len(states) == 2
    assert "more than once" in " ".join(notes)


def write(folder, files, packed=False):
    """Write files by their paths into a fresh folder or zip; return it."""
    place = folder / ("export.zip" if packed else "export")
    shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
    if packed:
        with zipfile.ZipFile(place, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return place
    for name, data in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    return place


def collected(folder, files, packed=False, roster="", mapping=None):
    if roster:
        (folder / "roster.csv").write_text(roster, encoding="utf-8")
    students = read_roster(folder / "roster.csv") if roster else ()
    return collection.collect([write(folder, files, packed)], WHOLE, students, mapping)


@pytest.mark.parametrize("layout", EVERYWHERE)
@quickly
@given(
    people=layouts.people(),
    outer=st.sampled_from(["", "Lab 1/", "Kurs SS24/", "a/b c/Übung/"]),
    packed=st.booleans(),
    rest=st.lists(st.sampled_from(layouts.SYSTEM + layouts.OTHERS), unique=True),
    data=st.data(),
)
def test_each_student_has_their_own_files(
    tmp_path_factory, layout, people, outer, packed, rest, data
):
    """Some hand in twice and some two lessons; of two files the second counts."""
    files, last = {}, {}
    twice = layout not in layouts.BESIDE
    for place, who in enumerate(people):
        for lesson in layouts.LESSONS[: data.draw(st.integers(1, 2))]:
            for version in ("", "-1")[: 1 + twice * data.draw(st.integers(0, 1))]:
                token = f"of {place} {lesson[:2]}{version}!"
                path = outer + EVERYWHERE[layout](who, f"{lesson}{version}.ipynb")
                files[path] = notebook(lesson, token)
                last[place, lesson[:2]] = token
    files |= {outer + each: b"" for each in rest}
    folder = tmp_path_factory.mktemp("layout")
    works, filed, _ = collected(folder, files, packed)
    found = {repr(token): [] for token in last.values()}
    for work in works:
        found[next(token for token in found if token[1:-1] in repr(work))].append(work)
    assert all(len(each) == 1 for each in found.values())
    assert len({work.student for work in works}) == len(people)
    for place in range(len(people)):
        mine = [found[repr(token)][0] for (whose, _), token in last.items() if whose == place]
        assert len({work.student for work in mine}) == 1
    origins = Counter(each.origin.removeprefix("export.zip/") for each in filed)
    system = {each for each in origins if "_" in each and each.startswith(outer + "__")}
    assert set(origins.values()) == {1} and len(origins) == len(files)
    plain = {unicodedata.normalize("NFC", each) for each in files}
    assert set(origins) - system <= plain | {outer + ".ipynb_checkpoints"}
    assert all(each.why for each in filed if each.state != "graded")
    shutil.rmtree(folder)


NAMES = st.one_of(
    st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=60),
    st.sampled_from(
        ["10²", "7" * 240, "\u200fann", "a\tb", "Zoe\u0308", "Zo\u00eb", ".", "..", " "]
    ),
    st.binary(min_size=1, max_size=20).map(lambda each: each.replace(b"/", b"").decode("latin-1")),
)


@quickly
@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=6))
def test_no_name_stops_the_class(tmp_path_factory, names):
    """In zips any name may stand; a system may refuse some of them."""
    folder = tmp_path_factory.mktemp("names")
    files = {
        f"{first}/{second}.ipynb": notebook(N, f"{place}!")
        for place, (first, second) in enumerate(names)
    }
    with zipfile.ZipFile(folder / "z.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    with contextlib.suppress(CollectError):  # a question is an answer, too
        works, filed, _ = collection.collect([folder / "z.zip"], WHOLE)
        assert len(filed) == len(files) and works
        assert all(text.isprintable() for each in filed for text in (each.origin, each.student))
        json.dumps([each.origin for each in filed]).encode()
    shutil.rmtree(folder)


def test_bytes_that_are_no_text_in_names(tmp_path):
    for name in (b"m\xfcller", b"m\xf6ller", "müller".encode()):
        place = os.fsencode(tmp_path) + b"/in/" + name
        os.makedirs(place)
        with open(place + b"/x.ipynb", "wb") as file:
            file.write(notebook(N, "1"))
    works, filed, _ = collection.collect([tmp_path / "in"], WHOLE)
    assert sorted(work.student for work in works) == ["möller", "müller"]  # twice the same name
    assert Counter(each.state for each in filed) == {"graded": 2, "superseded": 1}


def test_the_reference_is_never_graded_and_a_solved_copy_beats_a_blank_one(tmp_path):
    reference = (WHOLE.references / N).read_bytes()
    student = (WHOLE.references.parent / N).read_bytes()
    found = json.loads(student)
    solved = {each.get("id"): each for each in json.loads(reference)["cells"]}
    for cell in found["cells"]:
        if "exercise" in cell["metadata"]:
            cell["source"] = solved[cell["id"]]["source"]
    files = {
        f"ann/notebooks/{N}": student,
        f"ann/notebooks/reference/{N}": reference,
        f"ann/notebooks/solutions/{N}": notebook(N, "mine"),
        f"bob/reference/{N}": json.dumps(found).encode(),  # as our answers, but bob's own notebook
        f"cid/{N}": reference,
        "dan/1.ipynb": notebook(N, "one"),
        "dan/2.ipynb": student,
        "dan/3.ipynb": b"{",
        f"eve/{N[:-6]}.tar.gz": b"",
        "eve/all.rar": b"",
    }
    works, filed, notes = collected(tmp_path, files)
    states = {each.origin: (each.state, each.student) for each in filed}
    assert states == {
        f"ann/notebooks/{N}": ("superseded", "ann"),
        f"ann/notebooks/reference/{N}": ("left out", ""),
        f"ann/notebooks/solutions/{N}": ("graded", "ann"),
        f"bob/reference/{N}": ("graded", "bob"),
        f"cid/{N}": ("left out", ""),
        "dan/1.ipynb": ("graded", "dan"),
        "dan/2.ipynb": ("superseded", "dan"),
        "dan/3.ipynb": ("refused", ""),
        f"eve/{N[:-6]}.tar.gz": ("refused", "eve"),
        "eve/all.rar": ("refused", ""),
    }
    assert [work.student for work in works] == ["ann", "bob", "dan", "eve"]
    assert ".tar.gz is not read" in works[-1].problem
    assert f"cid/{N} was left out: It is the course's own solved edition" in " ".join(notes)
    with pytest.raises(
        CollectError, match=f"nothing to grade.*\\n{N} was left out: It is the cour"
    ):
        collected(tmp_path / "alone", {N: reference})


@pytest.mark.parametrize("around", ["", "course/"])
def test_nbgraders_own_folders_are_nobodys(tmp_path, around):
    theirs = {f"{around}submitted/{who}/07/{N}": notebook(N, who) for who in ("ann", "bob")}
    ours = {
        f"{around}{folder}/07/{N}": notebook(N, folder)
        for folder in ("source", "release", "autograded/ann", "feedback/ann")
    }
    works, filed, _ = collected(tmp_path, theirs | ours)
    assert [work.student for work in works] == ["ann", "bob"]
    assert {each.origin for each in filed if "nbgrader's copy" in each.why} == set(ours)
    works, _, _ = collected(
        tmp_path, {f"{who}/{N}": notebook(N, who) for who in ("release", "bob")}
    )
    assert [work.student for work in works] == ["bob", "release"]
    exchange = {
        f"{around}inbound/ann+07+2024-01-02 12:30:00 UTC/{N}": notebook(N, "ann"),
        f"{around}inbound/bob+07+2024-01-02 12:30:00 UTC/{N}": notebook(N, "bob"),
        f"{around}outbound/07/{N}": notebook(N, "course"),
    }
    works, _, _ = collected(tmp_path, exchange)
    assert [work.student for work in works] == ["ann", "bob"]


def test_files_that_may_be_several_peoples_are_asked_about_and_mapped(tmp_path):
    files = {f"in/{N[:-6]}{each}.ipynb": notebook(N, each) for each in ("", " (1)", " (2)")}
    with pytest.raises(CollectError, match="one counts; or they are several people's.*--students"):
        collected(tmp_path, files)
    mapping = dict(zip(files, ("ann", "bob", "ann"), strict=True))
    works, filed, notes = collected(tmp_path, files, mapping={**mapping, "in/zoe": "zoe"})
    assert {work.student: work.origin for work in works} == {
        "ann": f"in/{N[:-6]} (2).ipynb",
        "bob": f"in/{N[:-6]} (1).ipynb",
    }
    assert "--students names in/zoe, which did not come in." in notes
    works, _, _ = collected(tmp_path, files, mapping={"in": "ann", f"in/{N}": "bob"})
    assert [work.student for work in works] == ["ann", "bob"]
    works, _, _ = collected(
        tmp_path, files, roster="id,name\n7,in\n"
    )  # the roster knows the folder
    assert [work.student for work in works] == ["7"]


def test_two_people_never_share_a_place_on_the_roster(tmp_path):
    files = {
        f"Ann Lee_{each}_assignsubmission_file_/{N}": notebook(N, f"of {each}") for each in (1, 2)
    }
    works, _, notes = collected(tmp_path, files, roster="id,name\ns1,Ann Lee\ns2,Bob\n")
    assert [work.student for work in works] == ["Ann Lee_1", "Ann Lee_2"]
    assert sum("was not matched with the roster" in note for note in notes) == 2
    one = dict([files.popitem()])
    works, _, notes = collected(tmp_path, one, roster="id,name\ns1,Ann Lee\ns2,Bob\n")
    assert [work.student for work in works] == ["s1"] and not notes
    works, _, notes = collected(tmp_path, one, roster="id,name\ns1,Ann Lee\ns2,Lee Ann\n")
    assert [work.student for work in works] == ["Ann Lee"] and "s1, s2" in notes[0]


def test_a_groups_file_is_graded_for_each_and_told_once(tmp_path):
    text = "submission_12:\n  :submitters:\n  - :name: Ann\n    :sid: s1\n  - :name: Bob\n"
    files = {
        f"export/submission_12/{N}": notebook(N, "ours"),
        f"export/submission_13/{N}": notebook(N, "mine"),
        "export/submission_metadata.yml": text.encode(),
    }
    works, filed, _ = collected(tmp_path, files, True)
    assert [work.student for work in works] == ["Bob", "s1", "submission_13"]
    assert [each.student for each in filed if each.state == "graded"] == [
        "Bob, s1",
        "submission_13",
    ]
    assert len(filed) == 3


def test_who_handed_in_something_else_is_named(tmp_path):
    files = {
        f"Ann Lee_1_assignsubmission_file_/{N}": notebook(N, "x"),
        "Ann Lee_1_assignsubmission_file_/plot.png": b"",
        "Bob Ray_2_assignsubmission_file_/lab.pdf": b"",
        "Bob Ray_2_assignsubmission_file_/.DS_Store": b"",
        "Ann Lee_3_assignsubmission_file_/lab.tar.gz": b"",
        "Eve_4_assignsubmission_file_/.DS_Store": b"",
    }
    works, filed, notes = collected(tmp_path, files, roster="id,name\n7,Bob Ray\n8,Ann\n")
    assert [work.student for work in works] == ["Ann Lee"]
    assert {each.origin.rpartition("/")[2]: each.student for each in filed} == {
        N: "Ann Lee",
        "plot.png": "",
        "lab.pdf": "7",
        ".DS_Store": "",
        "lab.tar.gz": "Ann Lee_3",
    }
    said = [note for note in notes if "handed in nothing that can be graded" in note]
    assert len(said) == 2 and said[1].startswith("7 handed") and said[1].endswith("lab.pdf.")


def test_a_stray_folder_takes_no_name_from_the_others(tmp_path):
    files = {f"{each}_assignsubmission_file_/{N}": notebook(N, each) for each in ("Ann_1", "Bob_2")}
    works, _, _ = collected(tmp_path, files | {f"zoe/{N}": notebook(N, "zoe")})
    assert [work.student for work in works] == ["Ann", "Bob", "zoe"]


def test_many_idle_files_are_told_in_one_line(tmp_path):
    files = {f"ann/data/{each}.wav": b"" for each in range(40)} | {f"ann/{N}": notebook(N, "x")}
    _, filed, notes = collected(tmp_path, files)
    assert {each.origin for each in filed} == {f"ann/{N}", "ann/data: 40 files"} and not notes


def test_two_exports_named_together(tmp_path):
    for lab, lesson in zip("ab", layouts.LESSONS, strict=True):
        files = {
            f"{name}_{number}_assignsubmission_file_/{lesson}.ipynb": notebook(lesson, name)
            for number, name in enumerate(("Ann Lee", "Bob Ray"), 10 if lab == "a" else 20)
        }
        write(tmp_path, files, True).rename(tmp_path / f"{lab}.zip")
    sources = [tmp_path / "a.zip", tmp_path / "b.zip"]
    works, _, _ = collection.collect(sources, WHOLE)
    assert Counter(work.student for work in works) == {"Ann Lee": 2, "Bob Ray": 2}
    works, _, _ = collection.collect([tmp_path / "a.zip"], WHOLE)
    assert [work.student for work in works] == ["Ann Lee", "Bob Ray"]
    (tmp_path / "nothing").mkdir()
    with pytest.raises(CollectError, match="no notebook in what was named"):
        collection.collect([tmp_path / "nothing"], WHOLE)
