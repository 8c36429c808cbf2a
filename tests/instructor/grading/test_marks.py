"""Marks in the files that Moodle and Canvas import: on the right line, scaled, and nowhere else."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import cli
from course_lib.instructor.grading import marks, reports, results
from course_lib.instructor.grading.results import Result, Verdict
from course_lib.instructor.grading.roster import CollectError
from course_lib.session import commands, write_atomically

ENGLISH = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments"
).split(",")
GERMAN = (
    "ID;Vollständiger Name;E-Mail-Adresse;Status;Bewertung;Bestwertung;Bewertung kann geändert "
    "werden;Zuletzt geändert (Abgabe);Zuletzt geändert (Bewertung);Feedback als Kommentar"
).split(";")


def result(student: str, earned: float, origin: str = "", lesson: str = "01", **more) -> Result:
    """Return a result of two exercises, one of 3 points and one of 5."""
    verdicts = tuple(
        Verdict(
            f"{int(lesson)}.{place}", points, got, "right" if got == points else "wrong", "No <b>"
        )
        for place, points, got in ((1, 3.0, min(earned, 3.0)), (2, 5.0, max(earned - 3.0, 0.0)))
    )
    origin = origin or f"lab.zip/{student}/x.ipynb"
    name = f"{lesson}_x.ipynb"
    return Result("key", student, lesson, name, origin, earned, 8.0, verdicts, **more)


def graded(out: Path, *every: Result, names=()) -> Path:
    """Lay out a graded folder as `campaign.grade` does."""
    rows = [
        results.Row(row.student, dict(names).get(row.student, row.name), row.results)
        for row in results.rows(every)
    ]
    write_atomically(out / "results.csv", reports.table(rows))
    for each in every:
        place = out / "works" / f"{results.slug(each.student)}_{each.lesson}.json"
        write_atomically(place, each.to_json())
    return out


def moodle_line(
    number, name, grade="", maximum="100.00", can="Yes", comment="", word="Participant "
):
    email = f"{name.split(' ')[0].lower()}@x.org"
    state = "Submitted for grading - "
    return [f"{word}{number}", name, email, state, grade, maximum, can, "Monday", "-", comment]


def written(path: Path, heading, *lines, separator=",", encoding="utf-8") -> Path:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator, lineterminator="\n").writerows([heading, *lines])
    path.write_bytes(buffer.getvalue().encode(encoding))
    return path


def read(data: bytes, separator=",", encoding="utf-8") -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(encoding), ""), delimiter=separator))


def moodle(name: str, number: int) -> str:
    return f"Lab 1.zip/{name}_{number}_assignsubmission_file_/01_x.ipynb"


def test_moodles_worksheet(tmp_path):
    out = graded(
        tmp_path / "out",
        result("Ann Lee", 8, moodle("Ann Lee", 11)),
        result("Bob Ray", 3, moodle("Bob Ray", 12)),
        result("Cyd Orr", 5, moodle("Cyd Orr", 13)),
        result("Eve Not", 5, moodle("Eve Not", 99)),
    )
    lines = [
        moodle_line(11, "Ann Lee"),
        moodle_line(12, "Bob Ray", grade="10.00", comment="<p>Graded automatically: 0</p>"),
        moodle_line(13, "Cyd Orr", can="No"),
        moodle_line(14, "Dan, Jr.", comment="Ill until May"),
    ]
    sheet = written(tmp_path / "Grades.csv", ENGLISH, *lines)
    before = sheet.read_bytes()
    filled = marks.fill("moodle", out, sheet)
    after = read(filled.data)
    assert [row[4] for row in after] == ["Grade", "100", "37.5", "", ""]
    for line, row in zip([ENGLISH, *lines], after, strict=True):  # nothing else changed
        assert [row[at] for at in (0, 1, 2, 3, 5, 6, 7, 8)] == [
            line[at] for at in (0, 1, 2, 3, 5, 6, 7, 8)
        ]
    assert after[1][9] == "Graded automatically: 8 of 8 points."
    assert after[2][9] == (
        "Graded automatically: 3 of 8 points.<br>Exercise 1.2, 0 of 5, wrong: No &lt;b&gt;"
    )
    assert after[4] == lines[3] and after[3] == lines[2] and sheet.read_bytes() == before
    assert (filled.marked, filled.lines, filled.complete) == (2, 4, False)
    assert filled.notes == (
        "Not found in the file: Eve Not.",
        "No mark, because the platform does not let it change: "
        "Participant 13 Cyd Orr (locked in Moodle).",
        "An earlier mark was replaced: Participant 12 Bob Ray (10.00).",
        "Lines without a mark of ours: Participant 13 Cyd Orr, Participant 14 Dan, Jr..",
    )


def test_blind_marking_has_numbers_only(tmp_path):
    out = graded(
        tmp_path / "out",
        result("Participant 21", 8, moodle("Participant", 21)),
        result("Participant 22", 0, moodle("Participant", 22)),
    )
    heading = [name for name in ENGLISH if name not in ("Full name", "Email address")]
    lines = [[line[0], *line[3:]] for line in (moodle_line(21, "-"), moodle_line(22, "-"))]
    filled = marks.fill("moodle", out, written(tmp_path / "w.csv", heading, *lines))
    assert [row[2] for row in read(filled.data)[1:]] == ["100", "0"] and filled.complete


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_another_language(tmp_path, encoding):
    out = graded(
        tmp_path / "out", result("Zoë", 7, moodle("Zoë", 5)), result("Bö", 0, moodle("Bö", 6))
    )
    word = "Teilnehmer/in"
    lines = [
        moodle_line(5, "Zoë", maximum="20,00", can="Ja", word=word),
        moodle_line(6, "Bö", maximum="20,00", can="Nein", word=word),
    ]
    sheet = written(tmp_path / "w.csv", GERMAN, *lines, separator=";", encoding=encoding)
    after = read(marks.fill("moodle", out, sheet).data, ";", encoding)
    assert [row[4] for row in after[1:]] == ["17,5", ""]
    assert after[1][9].startswith("Graded automatically: 7 of 8") and not after[2][9]


@pytest.mark.parametrize(
    "earned, maximum, mark",
    [
        (8, "6.666", "6.666"),
        (8, "10", "10"),
        (1, "10,0", "1,25"),
        (0, "5", "0"),
        (7, "100000", "87500"),
    ],
)
def test_scaled_to_the_maximum_and_never_above(earned, maximum, mark):
    assert marks._mark(result("Ann", earned), maximum) == mark


def test_a_work_that_was_stopped_says_so_once():
    verdicts = tuple(
        Verdict(f"1.{at}", 1.0, 0.0, "stopped", "The file is damaged.") for at in (1, 2)
    )
    stopped = Result(
        "k", "x", "01", "01_x.ipynb", "x", 0.0, 2.0, verdicts, ended="The file is damaged."
    )
    assert (
        marks._feedback(stopped) == "Graded automatically: 0 of 2 points.<br>The file is damaged."
    )


def test_what_was_not_tried_is_one_line():
    verdicts = tuple(Verdict(f"1.{at}", 1.0, 0.0, "not tried", "Not tried yet.") for at in (1, 2))
    empty = Result("k", "x", "01", "01_x.ipynb", "x", 0.0, 2.0, verdicts)
    assert marks._feedback(empty).endswith("<br>Not tried: 1.1, 1.2.")


def test_words_that_nobody_knows_lock(tmp_path):
    """Where it is unclear whether a grade may change, the file is refused, not filled."""
    out = graded(tmp_path / "out", result("Ann", 8, moodle("Ann", 1)))
    sheet = written(tmp_path / "w.csv", ENGLISH, moodle_line(1, "Ann", can="Perhaps"))
    with pytest.raises(CollectError, match="no grading worksheet with points"):
        marks.fill("moodle", out, sheet)


def test_a_scale_is_refused(tmp_path):
    out = graded(tmp_path / "out", result("Ann", 8, moodle("Ann", 1)))
    sheet = written(tmp_path / "w.csv", ENGLISH, moodle_line(1, "Ann", maximum="poor, good"))
    with pytest.raises(CollectError, match="no grading worksheet with points"):
        marks.fill("moodle", out, sheet)


def test_a_persons_comment_stays(tmp_path):
    out = graded(tmp_path / "out", result("Ann", 8, moodle("Ann", 1)))
    sheet = written(tmp_path / "w.csv", ENGLISH, moodle_line(1, "Ann", comment="Well done!"))
    assert read(marks.fill("moodle", out, sheet).data)[1][9] == "Well done!"


def test_namesakes_by_number_and_not_by_name(tmp_path):
    lines = [moodle_line(1, "Ann Lee"), moodle_line(2, "Ann Lee")]
    sheet = written(tmp_path / "w.csv", ENGLISH, *lines)
    numbered = graded(tmp_path / "a", result("Ann Lee", 8, moodle("Ann Lee", 2)))
    assert [row[4] for row in read(marks.fill("moodle", numbered, sheet).data)[1:]] == ["", "100"]
    by_name = graded(tmp_path / "b", result("Ann Lee", 8))
    filled = marks.fill("moodle", by_name, sheet)
    assert (
        filled.marked == 0
        and "two lines or two students have this name: Ann Lee" in filled.notes[0]
    )
    two = graded(
        tmp_path / "c", result("ann", 8), result("Ann Lee", 1), names={"ann": "Ann Lee"}.items()
    )
    filled = marks.fill("moodle", two, written(tmp_path / "v.csv", ENGLISH, lines[0]))
    assert filled.marked == 0 and filled.notes[0].endswith("this name: Ann Lee, ann.")


@pytest.mark.parametrize("student", ["ada@x.org", "ADA LOVELACE", "Ada  Love-lace"])
def test_by_name_where_there_is_no_number(tmp_path, student):
    out = graded(tmp_path / "out", result(student, 8))
    sheet = written(tmp_path / "w.csv", ENGLISH, moodle_line(7, "Ada Lovelace"))
    assert marks.fill("moodle", out, sheet).complete
    stranger = graded(tmp_path / "other", result(f"{student}-x", 8))
    assert not marks.fill("moodle", stranger, sheet).marked  # alike is not the same


def test_what_is_not_graded_has_no_mark(tmp_path):
    out = graded(
        tmp_path / "out",
        *(result(name, 8, moodle(name, at)) for at, name in enumerate(("Ann", "Bob", "Cyd"), 1)),
    )
    write_atomically(
        out / "files.csv", "origin,state,student,lesson,why\nx,not graded,Ann,01,lost\n"
    )
    stale = result("Bob", 3, moodle("Bob", 2))  # of a run before that in results.csv
    write_atomically(out / "works" / f"{results.slug('Bob')}_01.json", stale.to_json())
    (out / "works" / "half.json").write_text("{")
    lines = [moodle_line(at, name) for at, name in enumerate(("Ann", "Bob", "Cyd"), 1)]
    filled = marks.fill("moodle", out, written(tmp_path / "w.csv", ENGLISH, *lines))
    assert [row[4] for row in read(filled.data)[1:]] == ["", "", "100"] and not filled.complete
    assert filled.notes[0] == "No mark, because not graded: run the grading again: Ann, Bob."


def test_one_lesson_of_several(tmp_path):
    out = graded(
        tmp_path / "out",
        result("=Ann", 8, moodle("Ann", 1)),
        result("=Ann", 3, moodle("Ann", 1), lesson="10"),
    )
    sheet = written(tmp_path / "w.csv", ENGLISH, moodle_line(1, "Ann"))
    with pytest.raises(CollectError, match="lessons 01, 10: name one"):
        marks.fill("moodle", out, sheet)
    assert read(marks.fill("moodle", out, sheet, "10").data)[1][4] == "37.5"
    with pytest.raises(CollectError, match="no results of lesson 02"):
        marks.fill("moodle", out, sheet, "02")
    with pytest.raises(CollectError, match="no results.csv"):
        marks.fill("moodle", tmp_path, sheet)


CANVAS = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]


def gradebook(path: Path, *lines, heading=(), possible=()) -> Path:
    heading = [*CANVAS, *(heading or ("Lab 1 (501)", "Lab 2 (502)", "Final Score"))]
    possible = [
        "    Points Possible",
        "",
        "",
        "",
        "",
        *(possible or ("10.00", "20.00", "(read only)")),
    ]
    manual = ["", "", "", "", "", "Manual Posting", "", ""]
    return written(path, heading, manual, possible, *lines)


def test_canvass_gradebook(tmp_path):
    out = graded(
        tmp_path / "out",
        result("leeann", 8, "submissions.zip/leeann_13_35_01_x.ipynb"),
        result("raybob", 4, "submissions.zip/raybob_LATE_14_36_01_x.ipynb"),
        result("orrcyd", 4, "submissions.zip/orrcyd_15_37_01_x.ipynb"),
        result("dan@x.org", 2),
        result("anon", 2, "submissions.zip/anon_13_38_01_x.ipynb"),
    )
    lines = [
        ["Lee, Ann", "13", "u13", "ann", "A", "", "7", "3"],
        ["Ray, Bob", "14", "u14", "bob", "A", "2", "", "3"],
        ["Orr, Cyd", "15", "u15", "cyd", "A", "EX", "", "3"],
        ["Dane, Dan", "16", "u16", "dan@x.org", "A", "", "", "3"],
        ["Student, Test", "17", "", "4fc", "A", "", "", ""],
    ]
    sheet = gradebook(tmp_path / "g.csv", *lines)
    with pytest.raises(CollectError, match=r"2 assignments .* Lab 1 \(501\), Lab 2 \(502\)"):
        marks.fill("canvas", out, sheet)
    for column in ("Lab 1", "501", "Lab 1 (501)"):
        filled = marks.fill("canvas", out, sheet, column=column)
        after = read(filled.data)
        assert [row[5] for row in after[3:]] == ["10", "5", "EX", "2.5", ""]
        for line, row in zip(read(sheet.read_bytes()), after, strict=True):
            assert row[:5] + row[6:] == line[:5] + line[6:]
    assert "Not found in the file: anon." in filled.notes
    assert any("Orr, Cyd 15 (excused)" in note for note in filled.notes)
    with pytest.raises(CollectError, match="0 assignments"):
        marks.fill("canvas", out, sheet, column="Final Score")
    with pytest.raises(CollectError, match="no gradebook"):
        marks.fill("canvas", out, written(tmp_path / "w.csv", ENGLISH))


def test_the_only_assignment_of_a_gradebook(tmp_path):
    out = graded(tmp_path / "out", result("Ann Lee", 8))
    sheet = gradebook(
        tmp_path / "g.csv",
        ["Lee, Ann", "13", "", "", "A", "", "", ""],
        heading=("Lab (a) (501)", "Survey (502)", "Total (503)"),
        possible=("3", "0", "(read only)"),
    )
    assert read(marks.fill("canvas", out, sheet).data)[3][5] == "3"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.booleans(), st.booleans()), min_size=1, max_size=6),
    st.sampled_from([1.0, 3.33, 10.0, 6.666, 100.0]),
    st.randoms(use_true_random=False),
)
def test_no_line_but_ones_own(tmp_path_factory, students, maximum, random):
    """Whatever the order, the locks and who is missing: a mark is the owner's share, or is not."""
    place = tmp_path_factory.mktemp("marks")
    every = [
        result(f"S{at}", earned, moodle(f"S{at}", 100 + at))
        for at, (earned, _, _) in enumerate(students)
    ]
    lines = [
        moodle_line(100 + at, f"S{at}", maximum=f"{maximum}", can="No" if locked else "Yes")
        for at, (_, locked, there) in enumerate(students)
        if there
    ]
    random.shuffle(lines)
    sheet = written(
        place / "w.csv", ENGLISH, *lines, moodle_line(7, "Nobody", maximum=f"{maximum}")
    )
    after = read(marks.fill("moodle", graded(place / "out", *every), sheet).data)
    expected = {
        f"Participant {100 + at}": earned * maximum / 8
        for at, (earned, locked, there) in enumerate(students)
        if there and not locked
    }
    assert {row[0] for row in after[1:] if row[4]} == set(expected)
    for row in after[1:]:
        if row[4]:
            assert float(row[4]) <= maximum
            assert float(row[4]) == pytest.approx(expected[row[0]], abs=0.0051)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(["Ann Lee", "ann lee", "Lee", "Bö", "Bo\u0308", "Zoe"]), unique=True),
    st.lists(st.sampled_from(["Ann Lee", "Lee, Ann", "Lee", "Bö", "Eve"]), min_size=1, max_size=5),
    st.sampled_from(["moodle", "canvas"]),
)
def test_names_that_are_not_ones_own_alone_mark_nothing(tmp_path_factory, students, lines, kind):
    """By name, a mark is written only where one student and one line have it, and nobody else."""
    place = tmp_path_factory.mktemp("names")
    out = graded(place / "out", *(result(name, 8) for name in students), result("Nobody", 0))
    if kind == "moodle":
        rows = [moodle_line(at, name) for at, name in enumerate(lines, 1)]
        for row, name in zip(rows, lines, strict=True):
            row[2] = f"{len(name)}{row[0]}@x.org"
        sheet, skip, column = written(place / "w.csv", ENGLISH, *rows), 1, 4
    else:
        rows = [[name, str(at), "", "", "A", "", "", ""] for at, name in enumerate(lines, 1)]
        sheet, skip, column = gradebook(place / "g.csv", *rows), 3, 5
    filled = marks.fill(kind, out, sheet, column="Lab 1")
    got = [bool(row[column]) for row in read(filled.data)[skip:]]

    def same(student: str, line: str) -> bool:
        forms = {line, " ".join(line.split(", ")[::-1]) if kind == "canvas" else line}
        plain = {"".join(filter(str.isalnum, form)).casefold() for form in forms}
        student = student.replace("Bo\u0308", "Bö").casefold().replace(" ", "")
        return student in plain

    for at, line in enumerate(lines):
        owners = [student for student in students if same(student, line)]
        alone = len(owners) == 1 and sum(same(owners[0], other) for other in lines) == 1
        assert got[at] is alone, (students, lines)


def test_the_command(tmp_path, capsys):
    out = graded(tmp_path / "out", result("Ann", 8, moodle("Ann", 1)))
    sheet = written(tmp_path / "w.csv", ENGLISH, moodle_line(1, "Ann"), moodle_line(2, "Bob"))
    assert cli.main(["marks", "--for", "moodle", str(out), str(sheet)]) == commands.DONE
    said = capsys.readouterr()
    assert said.out == f"{out / 'marks.csv'}: 1 of 2 lines have a mark now\n"
    assert "Lines without a mark of ours: Participant 2 Bob" in said.err
    assert read((out / "marks.csv").read_bytes())[1][4] == "100"
    other = written(tmp_path / "v.csv", ENGLISH, moodle_line(2, "Bob"))
    to = tmp_path / "elsewhere.csv"
    assert (
        cli.main(["marks", "--for", "moodle", str(out), str(other), "--to", str(to)])
        == commands.INCOMPLETE
    )
    assert to.read_bytes() == other.read_bytes()
    assert cli.main(["marks", "--for", "moodle", str(out)]) == commands.USAGE
    assert (
        cli.main(["marks", "--for", "canvas", str(out), str(tmp_path / "no.csv")])
        == commands.UNUSABLE
    )
