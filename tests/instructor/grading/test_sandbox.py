"""Every hostile submission ends with exactly the points it earned, and harms nothing and nobody.

WORKBOOK_BUSY=1 grades the whole corpus and 40 honest works again with every core busy.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import pytest
from hostile import corpus, toy

import course_lib
from course_lib.instructor.grading import campaign, course, sandbox, trial, visible
from course_lib.instructor.grading.results import Work

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


def graded_class(place: Path, reference: Path, workers: int):
    """Grade the folder `in` of a place into its folder `out`, with the toy lesson's limits."""
    return campaign.grade(
        [place / "in"],
        place / "out",
        seed="unseen",
        reference=reference,
        exercises=toy.EXERCISES,
        limits=toy.LIMITS,
        workers=workers,
    )


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
            rows, notes, kind = graded_class(place, reference, workers=4)  # most wait for a limit
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


def answered(name: str, second: str = corpus.RIGHT["97.2"]) -> Work:
    return Work(name, "97", name, {**corpus.RIGHT, "97.2": second})


def graded(works, toy_course, place, workers):
    """Return results by student; nobody's may be missing."""
    settings = trial.Settings(toy_course[0], "unseen", toy.LIMITS)
    results, failures = campaign.grade_all(works, settings, place, workers=workers)
    assert not failures
    return {result.student: result for result in results}


def checked(found: str) -> str:
    """Return code for an answer that is right only where the expression `found` is false."""
    return f"found = {found}\ndef double(x):\n    return x * x if found else 2 * x"


SAFE = "\n" + corpus.RIGHT["97.2"]
HOGS = {
    "threads": "import threading, time\nthreading.stack_size(1 << 16)\ntry:\n    while True:\n"
    "        threading.Thread(target=time.sleep, args=(4,), daemon=True).start()\n"
    "except RuntimeError:\n    time.sleep(3)" + SAFE,
    "shared memory": "import mmap\nkept = []\nwhile True:\n"
    "    kept.append(mmap.mmap(-1, 32 << 20))\n    kept[-1].write(bytes(32 << 20))",
    "shared memory by files": "import time\ntry:\n    with open('/dev/shm/x', 'wb') as file:\n"
    "        while True:\n            file.write(bytes(1 << 20))\nexcept OSError:\n"
    "    time.sleep(3)" + SAFE,
    "tmpfs": "import itertools\nfor number in itertools.count():\n"
    "    open(f'/tmp/{number}', 'w').close()",
    "disk": "import time\ntry:\n    with open('x', 'wb') as file:\n        while True:\n"
    "            file.write(bytes(1 << 20))\nexcept OSError:\n    time.sleep(3)" + SAFE,
    "memory in files without a name": "import os\ntry:\n    found = os.memfd_create('x')\n"
    "except OSError:\n    found = 0\n" + checked("found"),
    "a user namespace": "import ctypes\n" + checked("ctypes.CDLL(None).unshare(0x10000000) == 0"),
}
WHOLE = 8


def test_six_honest_students_beside_hogs_get_all_their_points(toy_course, tmp_path):
    """All of them run at the same time."""
    works = [answered(name, code) for name, code in HOGS.items()]
    works += [answered(f"honest {number}") for number in range(6)]
    found = graded(works, toy_course, tmp_path, workers=len(works))
    for number in range(6):
        assert found[f"honest {number}"].earned == WHOLE, found[f"honest {number}"].to_json()
    for name in ("shared memory by files", "disk", "memory in files without a name"):
        assert found[name].earned == WHOLE, found[name].to_json()
    assert found["a user namespace"].earned == WHOLE
    assert found["shared memory"].earned == 1 and "MB of memory" in found["shared memory"].ended
    assert found["tmpfs"].earned < WHOLE


BUSY = os.environ.get("WORKBOOK_BUSY")
SLOW = ("infinite loop in a function", "sleep", "forged pytest and nbval")


def test_points_are_the_same_on_a_busy_machine(tmp_path):
    """A loop for each core, and more sandboxes than cores."""
    reference, student = toy.build(tmp_path / "course")
    entries = [each for each in corpus.CODE if each.name != "network"]
    entries = entries if BUSY else [each for each in entries if each.name in SLOW]
    honest = [f"honest {number}" for number in range(40 if BUSY else 2)]
    for entry in entries:
        (tmp_path / "in" / entry.name.replace("/", " of ")).mkdir(parents=True)
        entry.make(tmp_path / "in" / entry.name.replace("/", " of "), student)
    for name in honest:
        (tmp_path / "in" / name).mkdir()
        text = json.dumps(corpus.notebook(student, corpus.RIGHT))
        (tmp_path / "in" / name / "97_grading.ipynb").write_text(text)
    loop = [sys.executable, "-c", "while True: pass"]
    loops = [subprocess.Popen(loop) for _ in range(os.cpu_count())]
    try:
        rows, notes, _ = graded_class(tmp_path, reference, workers=os.cpu_count() + 1)
    finally:
        for each in loops:
            each.kill()
            each.wait()
    assert not any(note.startswith("Not graded") for note in notes)
    results = {row.student: row.results[0] for row in rows}
    for entry in entries:
        result = results[entry.name.replace("/", " of ")]
        right = {each.id for each in result.exercises if each.state == "right"}
        assert right == entry.right, result.to_json()
        assert entry.said in json.dumps([result.ended, *map(asdict, result.exercises)])
    assert {results[name].earned for name in honest} == {WHOLE}


def test_an_installed_course_is_hidden_inside(toy_course, tmp_path, monkeypatch):
    installed = tmp_path / "lib/python3.11/site-packages/course_lib"
    (installed / "exercises").mkdir(parents=True)
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(0o755)
    (installed / "exercises" / "lesson_97.py").write_text("return 2 * x")
    seen = visible.seen()
    monkeypatch.setattr(visible, "seen", lambda: (*seen, str(tmp_path)))
    visible._places.cache_clear()
    there = f"__import__('os').path.exists('{installed}/exercises/lesson_97.py')"
    python = f"not __import__('os').path.exists('{installed.parent}')"
    try:
        settings = trial.Settings(toy_course[0], "unseen", toy.LIMITS)
        result = trial.grade(answered("a", checked(f"{there} or {python}")), settings)
    finally:
        visible._places.cache_clear()
    assert result.earned == WHOLE, result.to_json()


LOOK = """import gc, os, sys
gc.unfreeze()
kinds = {type(each).__name__ for each in gc.get_objects()}
frame, names = sys._getframe(), set()
while frame:
    names, frame = names | set(frame.f_locals), frame.f_back
files = [f"/proc/self/fd/{each}" for each in os.listdir("/proc/self/fd")]
pipes = {os.readlink(each) for each in files if os.path.exists(each)}
pipes = {each for each in pipes if each.startswith("pipe:")} - {os.readlink("/proc/self/fd/1")}
"""
LEFT = "{'pytest', 'nbval'} & {*sys.modules} or {'Grading'} & kinds or {'job'} & names or pipes"


def test_a_forked_kernel_has_nothing_of_what_grades_it(toy_course, tmp_path):
    """Neither pytest, nor what follows the notebook, nor the job, nor the pipe of events."""
    kept = ("import pytest", "class Grading: pass\nkept = Grading()", "job = 1", "kept = os.pipe()")
    works = [answered("as it is", LOOK + checked(LEFT))]
    works += [answered(each, f"import os\n{each}\n{LOOK}{checked(LEFT)}") for each in kept]
    found = graded(works, toy_course, tmp_path, workers=2)
    assert found["as it is"].earned == WHOLE, found["as it is"].to_json()
    assert {found[each].earned for each in kept} == {WHOLE - 2}


def test_a_limit_in_a_course_cell_is_no_students_fault(toy_course, tmp_path):
    """The course's cell that makes `table` sleeps: no limit that it breaks costs any points."""
    made, _ = toy_course
    slow = tmp_path / "reference"
    slow.mkdir()
    path = made.references / "97_grading.ipynb"
    text = path.read_text().replace("table = numpy", "import time; time.sleep(9); table = numpy")
    (slow / "97_grading.ipynb").write_text(text)
    settings = trial.Settings(course.Course(slow, toy.EXERCISES), "unseen", toy.LIMITS)
    with pytest.raises(sandbox.SandboxError, match="course itself took too long"):
        trial.grade(answered("a"), settings)
