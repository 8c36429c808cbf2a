"""One submission in a container: every end writes what the platform understands, or nothing."""

from __future__ import annotations

import json

import pytest

from course_lib.instructor.grading import campaign, container
from course_lib.instructor.grading.results import Result, Row, Verdict
from course_lib.instructor.grading.roster import CollectError

VERDICT = Verdict("97.1", 2.0, 1.0, "wrong", "no")


def row(**more) -> Row:
    result = Result("k", "x", "97", "97_x.ipynb", "x", 1.0, 2.0, (VERDICT,), **more)
    return Row("x", "x", (result,))


@pytest.fixture
def root(tmp_path):
    (tmp_path / "submission" / ".git").mkdir(parents=True)
    (tmp_path / "submission" / "a.ipynb").write_text("{}")
    (tmp_path / "submission" / "link.ipynb").symlink_to("/etc/passwd")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "results.json").write_text("an older one")
    return tmp_path


def graded(monkeypatch, found):
    """Let grading find this, and return what it was asked."""
    asked = []

    def grade(submissions, out, *, accept_weak):
        (folder,) = (path for source in submissions for path in source.iterdir())
        asked.extend([folder.name, {path.name for path in folder.iterdir()}, accept_weak])
        asked.append((folder / "link.ipynb").is_symlink())
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(campaign, "grade", grade)
    return asked


@pytest.mark.parametrize(
    "metadata, name",
    [('{"id": 42}', "submission_42"), ("{", "submission_1"), ("[]", "submission_1")],
)
def test_points(root, monkeypatch, metadata, name):
    (root / "submission_metadata.json").write_text(metadata)
    asked = graded(monkeypatch, ([row()], ["b.ipynb does not count."], "limits"))
    assert container.main(root) == container.GRADED
    assert asked == [name, {"a.ipynb", "link.ipynb"}, True, True]  # links are never followed
    written = json.loads((root / "results" / "results.json").read_text())
    assert written["score"] == 1 and len(written["tests"]) == 1
    assert "b.ipynb does not count." in written["output"]
    assert "The container was the sandbox" in written["output"]


def test_nothing_to_grade_is_zero_points_with_a_sentence(root):
    """This one asks the real collection: nothing runs where there is no notebook."""
    for path in (root / "submission" / "a.ipynb", root / "submission" / "link.ipynb"):
        path.unlink()
    assert container.main(root) == container.GRADED
    written = json.loads((root / "results" / "results.json").read_text())
    assert written["score"] == 0 and "no notebook" in written["output"]


def test_a_layout_that_is_not_understood_is_no_zero(root, monkeypatch, capsys):
    graded(monkeypatch, CollectError("It is not clear whose a.ipynb is."))
    assert container.main(root) == container.NOT_GRADED
    assert not (root / "results" / "results.json").exists() and "whose" in capsys.readouterr().out


@pytest.mark.parametrize(
    "found",
    [
        ([row(not_graded="The machine was too busy.")], [], "limits"),
        ([row()], ["Not graded, run again: too busy"], "limits"),
        ([row(), row()], [], "limits"),
    ],
)
def test_the_machine_costs_no_points(root, monkeypatch, capsys, found):
    """Without results.json Gradescope says that the autograder failed, and gives no mark."""
    graded(monkeypatch, found)
    assert container.main(root) == container.NOT_GRADED
    assert not (root / "results" / "results.json").exists()
    assert "busy" in capsys.readouterr().out or len(found[0]) == 2


def test_a_broken_course_is_no_zero(root, monkeypatch):
    graded(monkeypatch, ValueError("There is no reference notebook"))
    with pytest.raises(ValueError, match="no reference"):
        container.main(root)
    assert not (root / "results" / "results.json").exists()
