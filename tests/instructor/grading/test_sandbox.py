"""Every hostile submission ends with exactly the points it earned, and harms nothing."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import tempfile
from dataclasses import asdict
from pathlib import Path

import pytest
from hostile import corpus, toy

import course_lib
from course_lib.instructor.grading import campaign, sandbox

SECRET = "HOSTILE_TEST_SECRET"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not sandbox.bubblewrap_works(), reason="bubblewrap does not work here"),
]


def fingerprint(*folders: Path) -> str:
    """Return a digest of every file's name, mode and content below the folders."""
    joined = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if "__pycache__" in path.parts:
                continue
            joined.update(f"{path} {path.lstat().st_mode}".encode())
            joined.update(path.read_bytes() if path.is_file() else b"")
    return joined.hexdigest()


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    """Hand in the whole corpus between two honest students, and grade it once."""
    place = tmp_path_factory.mktemp("hostile")
    reference, student = toy.build(place / "course")
    honest = corpus.notebook(student, corpus.RIGHT)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for entry in corpus.CORPUS:
            folder = place / "in" / entry.name.replace("/", " of ")
            folder.mkdir(parents=True)
            entry.make(folder, student)
            for path in folder.glob("*.ipynb"):
                if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 20:
                    path.write_bytes(path.read_bytes().replace(b"PORT", str(port).encode()))
        for name in ("a honest", "zz honest", "honest"):
            (place / "in" / name).mkdir()
            (place / "in" / name / "97_grading.ipynb").write_text(json.dumps(honest))
        canary = place / "canary"
        canary.mkdir()
        (canary / "thesis.txt").write_text("years of work")
        watched = (
            canary,
            place / "course",
            place / "in",
            toy.HERE,
            Path(course_lib.__file__).parent / "exercises",
            Path(course_lib.__file__).parent / "instructor",
        )
        before = fingerprint(*watched)
        (place / "temporary").mkdir()
        tempfile.tempdir = str(place / "temporary")  # a temporary folder of this test's own
        os.environ[SECRET] = "a secret of the instructor's"
        try:
            rows, notes, kind = campaign.grade(
                [place / "in"],
                place / "out",
                seed="unseen",
                reference=reference,
                exercises=toy.EXERCISES,
                limits=toy.LIMITS,
                workers=4,  # most of them wait for a limit
            )
        finally:
            del os.environ[SECRET]
            tempfile.tempdir = None
        assert kind == "bubblewrap"
        assert fingerprint(*watched) == before
        server.settimeout(0.01)
        with pytest.raises(TimeoutError):
            server.accept()
    return {row.student: row for row in rows}, notes, place


@pytest.mark.parametrize("entry", corpus.CORPUS, ids=lambda each: each.name)
def test_exactly_the_points_it_earned(attacked, entry):
    rows, notes, _ = attacked
    (result,) = rows[entry.name.replace("/", " of ")].results
    right = {each.id for each in result.exercises if each.state == "right"}
    assert right == entry.right, result.to_json()
    assert result.earned == sum(corpus.POINTS[each] for each in entry.right)
    assert result.points == sum(corpus.POINTS.values())
    assert entry.said in json.dumps([result.ended, *map(asdict, result.exercises)])


@pytest.mark.parametrize("name", ["a honest", "zz honest", "honest"])
def test_honest_students_are_unharmed(attacked, name):
    rows, _, _ = attacked
    (result,) = rows[name].results
    assert result.earned == 8 and not result.ended and not result.notes


def test_nothing_is_left_behind(attacked):
    _, _, place = attacked
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes()
        except OSError:
            continue
        assert b"98765" not in words and str(place / "temporary").encode() not in words
    left = [path.name for path in (place / "temporary").iterdir()]
    assert [name for name in left if not name.startswith("grading-view-")] == []
    assert not Path("/tmp/evil").exists() and not Path("/tmp/pickled").exists()
    assert not Path("/etc/evil.ipynb").exists()
    assert (place / "canary" / "thesis.txt").read_text() == "years of work"
    assert len(list((place / "out" / "works").iterdir())) == len(corpus.CORPUS) + 3


def test_reports_hold_every_submission(attacked):
    rows, _, place = attacked
    assert len((place / "out" / "results.csv").read_text().splitlines()) == 1 + len(rows)
    assert SECRET not in "".join(path.read_text() for path in (place / "out").rglob("*.html"))
