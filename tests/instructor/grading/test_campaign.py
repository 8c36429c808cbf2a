"""From what was handed in to points and reports, here and on a Dask cluster that loses a worker.

WORKBOOK_ANSWERED=200 runs the long version: every one of the 200 is run, and a quarter is hostile.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import queue
import signal
import stat
import subprocess
import sys
import threading
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from hostile import corpus, toy

from course_lib import cli
from course_lib.instructor.grading import campaign, collection, course, sandbox, trial, turns
from course_lib.instructor.grading.inside import clock
from course_lib.instructor.grading.results import Result, Work, slug
from course_lib.session import commands

ROOT = Path(__file__).resolve().parents[3]
SUBMISSIONS = 200
ANSWERED = int(os.environ.get("WORKBOOK_ANSWERED", "16"))  # the others are untouched or damaged
QUICK = ("os._exit", "segmentation fault", "exit in a function", "processes left behind")
MARKS = (
    pytest.mark.slow,
    pytest.mark.timeout(900 if ANSWERED < SUBMISSIONS else 3600),
    pytest.mark.skipif(not sandbox.bubblewrap_works(), reason="bubblewrap does not work here"),
    pytest.mark.skipif(find_spec("distributed") is None, reason="distributed is not installed"),
)


def on_a_cluster(test):
    """Mark a test that needs Dask, bubblewrap and time."""
    for mark in MARKS:
        test = mark(test)
    return test


def test_points_and_hints(graded):
    out, _ = graded
    with open(out / "results.csv", newline="", encoding="utf-8") as file:
        table = {row["student"]: row for row in csv.DictReader(file)}
    assert {name: row["earned"] for name, row in table.items()} == {
        "ada": "8",
        "ben": "1",
        "cy <b>": "0",
        "dan": "0",
        "eve": "0",
    }
    assert table["eve"]["97.1"] == "" and table["dan"]["name"] == "'=Dan"
    assert table["ben"]["97.3"] == "1" and table["ben"]["97.2"] == "0"
    result = json.loads((out / "works" / f"{slug('cy <b>')}_97.json").read_text())
    said = {each["id"]: each["message"] for each in result["exercises"]}
    assert said["97.4"] == "wrong axis" and "NameError: name 'y' is not defined" in said["97.2"]
    assert result["sandbox"] == "bubblewrap"


def test_grading_again_grades_nobody_twice(graded, monkeypatch, capsys):
    out, arguments = graded
    before = {path: path.stat().st_mtime_ns for path in (out / "works").iterdir()}
    table = (out / "results.csv").read_text()

    def never(*_):
        raise AssertionError("graded twice")

    monkeypatch.setattr(trial, "grade", never)
    assert cli.main(arguments) == commands.DONE
    assert {path: path.stat().st_mtime_ns for path in (out / "works").iterdir()} == before
    assert (out / "results.csv").read_text() == table


def test_a_change_is_graded_again(graded, toy_course, monkeypatch):
    """Another answer or another seed makes an earlier result worthless; a damaged one too."""
    out, _ = graded
    works = [Work("ada", "97", "x", {}), Work("ada", "97", "x", {"97.1": "cells = 6"})]
    settings = trial.Settings(toy_course[0], "s")
    stamp = campaign._stamp(settings)
    assert stamp != campaign._stamp(trial.Settings(toy_course[0], "t"))
    assert not campaign._known(out, works, stamp)


def test_an_interrupted_run_keeps_what_it_has(tmp_path, toy_course, monkeypatch):
    works = [Work(f"s{number}", "97", "x", {"97.1": "cells = 6"}) for number in range(6)]
    calls = []

    def grade(work, settings):
        calls.append(work.student)
        if work.student == "s3" and len(calls) < 6:
            raise KeyboardInterrupt
        return Result(work.key, work.student, "97", "97_grading.ipynb", "x", 1.0, 1.0, ())

    monkeypatch.setattr(trial, "grade", grade)
    settings = trial.Settings(toy_course[0], "s")
    with pytest.raises(KeyboardInterrupt):
        campaign.grade_all(works, settings, tmp_path, workers=1)
    kept = len(list((tmp_path / "works").iterdir()))
    assert 0 < kept < 6
    results, failures = campaign.grade_all(works, settings, tmp_path, workers=1)
    assert [each.student for each in results] == [each.student for each in works]
    assert not failures and len(set(calls)) == 6


def test_two_grades_into_one_folder_join(tmp_path, toy_course, monkeypatch, data):
    """A class, then one student of it again: their row is new, and the class stays."""

    def grade(work, settings):
        earned = float(len(work.origin))
        return Result(work.key, work.student, "97", "97_x.ipynb", work.origin, earned, 99.0, ())

    monkeypatch.setattr(trial, "grade", grade)
    monkeypatch.setattr(sandbox, "best_kind", lambda: "bubblewrap")
    for path, text in (("in/ada/97.ipynb", data), ("in/ben/97.ipynb", data)):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(text)
    (tmp_path / "later" / "ben").mkdir(parents=True)
    (tmp_path / "later" / "ben" / "97_corrected.ipynb").write_bytes(
        data.replace(b"2 * x", b"x + x")
    )

    def graded(folder):
        places = {"reference": toy_course[0].references, "exercises": toy.EXERCISES}
        rows, notes, _ = campaign.grade([tmp_path / folder], tmp_path / "out", **places)
        return {row.student: row.earned for row in rows}, notes

    first, notes = graded("in")
    assert set(first) == {"ada", "ben"} and not any("earlier" in note for note in notes)
    both, notes = graded("later")
    assert both["ada"] == first["ada"] and both["ben"] > first["ben"]
    assert any("replaces what an earlier run graded" in note for note in notes)
    with open(tmp_path / "out" / "results.csv", newline="", encoding="utf-8") as file:
        assert [line["student"] for line in csv.DictReader(file)] == ["ada", "ben"]


def test_a_sandbox_that_does_not_start_costs_no_points(
    tmp_path, toy_course, monkeypatch, capsys, data
):
    (tmp_path / "97_grading.ipynb").write_bytes(data)

    def broken(*_, **__):
        raise sandbox.SandboxError("The sandbox could not be started: no space")

    monkeypatch.setattr(sandbox, "run", broken)
    monkeypatch.setattr(sandbox, "best_kind", lambda: "bubblewrap")
    code = cli.main(
        [
            "grade",
            str(tmp_path / "97_grading.ipynb"),
            "--out",
            str(tmp_path / "out"),
            "--reference",
            str(toy_course[0].references),
            "--exercises",
            str(toy.EXERCISES),
            "--quiet",
        ]
    )
    assert code == commands.INCOMPLETE and "Not graded, run again" in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("works/*"))


def _graded(work, settings):
    return Result(work.key, work.student, "97", "97_grading.ipynb", "x", 1.0, 1.0, ())


def test_what_the_machine_ended_is_tried_once_more_alone(tmp_path, toy_course, monkeypatch):
    works = [Work(name, "97", name, {"97.1": "cells = 6"}) for name in ("a", "b", "c")]
    tried = []

    def grade(work, settings):
        tried.append((work.student, settings.limits.alone))
        if work.student == "c" or work.student == "b" and not settings.limits.alone:
            raise sandbox.SandboxError("The machine was too busy to run it.")
        return _graded(work, settings)

    monkeypatch.setattr(trial, "grade", grade)
    settings = trial.Settings(toy_course[0], "s")
    results, failures = campaign.grade_all(works, settings, tmp_path, workers=1)
    expected = [("a", False), ("b", False), ("b", True), ("c", False), ("c", True)]
    assert sorted(tried) == expected
    assert [each.earned for each in results] == [1.0, 1.0, 0.0]
    assert [bool(each.not_graded) for each in results] == [False, False, True]
    assert results[2].points == 8 and results[2].exercises == ()
    assert failures == ["c: The machine was too busy to run it."]
    assert len(list((tmp_path / "works").iterdir())) == 2

    tried.clear()  # the next run grades it, and nobody else
    monkeypatch.setattr(trial, "grade", lambda *each: tried.append(each) or _graded(*each))
    results, failures = campaign.grade_all(works, settings, tmp_path, workers=1)
    assert [work.student for work, _ in tried] == ["c"] and not failures
    assert not any(each.not_graded for each in results)


def test_not_graded_gives_no_points_and_takes_none(tmp_path, toy_course, monkeypatch, data, capsys):
    for name in ("a", "b"):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "97_grading.ipynb").write_bytes(data)

    def grade(work, settings):
        if work.student == "b":
            raise sandbox.SandboxError("A cell of the course itself took too long.")
        return _graded(work, settings)

    monkeypatch.setattr(trial, "grade", grade)
    monkeypatch.setattr(sandbox, "best_kind", lambda: "bubblewrap")
    places = ["--reference", str(toy_course[0].references), "--exercises", str(toy.EXERCISES)]
    command = ["grade", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--quiet", *places]
    assert cli.main(command) == commands.INCOMPLETE
    assert "A cell of the course itself took too long." in capsys.readouterr().err
    with open(tmp_path / "out" / "results.csv", newline="", encoding="utf-8") as file:
        table = {row["student"]: row for row in csv.DictReader(file)}
    assert table["a"]["earned"] == "1"
    assert table["b"]["points"] == ""  # nothing was possible
    monkeypatch.setattr(trial, "grade", _graded)
    assert cli.main(command) == commands.DONE


def test_who_comes_late_to_an_interrupt_still_sees_it(monkeypatch):
    """A thread that is busy for longer than anybody waits, on a slow machine, does not go on."""
    monkeypatch.setattr(campaign, "_JOIN_SECONDS", 0.01)
    begun, go_on, seen = threading.Event(), threading.Event(), queue.Queue()

    def attempt(work, settings):
        if work.student == "late":
            begun.set()
            go_on.wait()
            seen.put(turns.STOP.is_set())
        return work.student

    monkeypatch.setattr(campaign, "_attempt", attempt)
    works = [Work(name, "97", "x", {}) for name in ("first", "late")]
    graded = campaign._here(works, None, 2)
    assert next(graded)[1] == "first"
    assert begun.wait(120)
    graded.close()  # as a KeyboardInterrupt does
    assert turns.STOP.is_set()
    go_on.set()
    assert seen.get(timeout=120)
    while turns.STOP.is_set():  # the last one out takes the sign away
        time.sleep(0)


INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
from course_lib import cli
from course_lib.instructor.grading import sandbox, trial
from course_lib.instructor.grading.inside import clock
from course_lib.instructor.grading.results import Result
sandbox.best_kind = lambda: "bubblewrap"
whole = trial.grade
def grade(work, settings):
    if work.student == "a":
        return Result(work.key, "a", "97", "97_grading.ipynb", work.origin, 8.0, 8.0, ())
    os.write(1, b"begun\\n")  # whole lines, from two threads
    return whole(work, settings)
trial.grade = grade
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not sandbox.bubblewrap_works(), reason="bubblewrap does not work here")
def test_an_interrupt_ends_what_runs_and_leaves_a_partial_report(tmp_path, toy_course):
    """Two sandboxes sleep and two works wait, when the terminal's Ctrl-C comes."""
    sleeping = {**corpus.RIGHT, "97.2": "import time\ntime.sleep(10_000)  # 4711"}
    tree = corpus.notebook(toy_course[1], sleeping)
    for name in "abcde":
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "97_grading.ipynb").write_text(json.dumps(tree))
    places = ["--reference", str(toy_course[0].references), "--exercises", str(toy.EXERCISES)]
    places += ["--out", str(tmp_path / "out"), "--workers", "2", "--quiet"]
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, "grade", str(tmp_path / "in"), *places],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert [process.stdout.readline() for _ in range(2)] == ["begun\n"] * 2
        while not (list((tmp_path / "out").glob("works/*")) and len(clock.family(process.pid)) > 4):
            assert process.poll() is None
        family, timer = clock.family(process.pid), clock.Clock(process.pid)
        process.send_signal(signal.SIGINT)
        while process.poll() is None:
            timer.look()
    finally:
        process.kill()
    said = process.stderr.read()
    assert process.returncode == commands.INTERRUPTED and timer.seconds < 5
    assert "partial report" in said and "1 of 5" in said and "Traceback" not in said
    page = (tmp_path / "out" / "class.html").read_text()
    assert "partial report" in page and (tmp_path / "out" / "results.csv").is_file()
    assert len(list((tmp_path / "out" / "works").iterdir())) == 1
    assert not any(os.path.exists(f"/proc/{pid}") for pid in family)


def test_an_interrupt_that_does_not_wake_the_main_thread_is_heard(monkeypatch):
    """As when it comes between the last look at signals and the wait: here, another thread's."""
    seen, going, main = queue.Queue(), threading.Event(), threading.get_ident()

    def attempt(work, settings):
        if work == "second":
            going.wait(120)
            while sys._current_frames()[main].f_code.co_name not in ("_first", "wait"):
                time.sleep(0)  # until the main thread waits for this one
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            seen.put(turns.STOP.wait(60))

    monkeypatch.setattr(campaign, "_attempt", attempt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            for _ in campaign._here(["first", "second"], None, 2):
                going.set()
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen.get(timeout=120)
    while turns.STOP.is_set():  # the last one out takes the sign away
        time.sleep(0)


def test_the_seed_is_kept_and_private(tmp_path):
    first = campaign._kept_seed(tmp_path)
    assert len(first) == 32 and campaign._kept_seed(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "seed.txt").stat().st_mode) == 0o600


def test_the_weak_sandbox_must_be_accepted(tmp_path, toy_course, data, monkeypatch, capsys):
    (tmp_path / "97_grading.ipynb").write_bytes(data)
    monkeypatch.setattr(sandbox, "best_kind", lambda: "limits")
    arguments = [
        "grade",
        str(tmp_path / "97_grading.ipynb"),
        "--out",
        str(tmp_path / "out"),
        "--reference",
        str(toy_course[0].references),
        "--exercises",
        str(toy.EXERCISES),
    ]
    assert cli.main(arguments) == commands.UNUSABLE
    assert "--accept-weak-sandbox" in capsys.readouterr().err
    assert cli.main([*arguments, "--accept-weak-sandbox"]) == commands.DONE
    assert "sandbox: limits" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "results.json").read_text())["score"] == 8


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Return the course and 200 works: answered in full or in part, untouched, damaged, hostile."""
    place = tmp_path_factory.mktemp("mixed")
    reference, student = toy.build(place / "course")
    long = ANSWERED == SUBMISSIONS
    attacks = [each for each in corpus.CODE if long or each.name in QUICK]
    for number in range(SUBMISSIONS):
        answers, folder = {}, place / "in" / f"student{number:03d}"
        folder.mkdir(parents=True)
        if number < ANSWERED and number % 4 == 3:
            attacks[number // 4 % len(attacks)].make(folder, student)
            continue
        if number < ANSWERED:
            kept = list(corpus.RIGHT)[: 1 + number % 5]
            answers = {name: corpus.RIGHT[name] for name in kept}
            answers["97.5"] = f"order = ['add', 'divide'][:{number % 3}]"
        data = json.dumps(corpus.notebook(student, answers))
        text = data if number % 7 else data[: len(data) // 2] if number else data
        (folder / "97_grading.ipynb").write_text(text)
    made = course.Course(reference, toy.EXERCISES)
    works, _, notes = collection.collect([place / "in"], made)
    assert len(works) == SUBMISSIONS and not notes
    return works, trial.Settings(made, "a secret", toy.LIMITS), place


@contextlib.contextmanager
def cluster(place: Path):
    """Start a scheduler and two workers on loopback; yield the address and the workers."""
    file = place / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    quiet = {
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "env": environment,
        "cwd": place,
    }
    dask = [
        sys.executable,
        "-m",
        "distributed.cli.dask_scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
        "--scheduler-file",
        str(file),
    ]
    worker = [
        sys.executable,
        "-m",
        "distributed.cli.dask_worker",
        "--host",
        "127.0.0.1",
        "--nthreads",
        "1",
        "--no-nanny",
        "--no-dashboard",
        "--scheduler-file",
        str(file),
    ]
    processes = [subprocess.Popen(dask, **quiet)]
    try:
        deadline = time.monotonic() + 120
        while (address := _address(file)) is None:
            assert time.monotonic() < deadline and processes[0].poll() is None
            time.sleep(0.1)
        processes += [subprocess.Popen(worker, **quiet) for _ in range(2)]
        yield address, processes[1:]
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait(timeout=30)


def _address(file: Path) -> str | None:
    """Return the scheduler's address once its file says it: Dask makes the file, then fills it."""
    try:
        return json.loads(file.read_text())["address"]
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def _comparable(result):
    """Return a result without what depends on the machine: seconds, and which limit came first."""
    stopped = [each.state == "stopped" for each in result.exercises]
    verdicts = zip(result.exercises, stopped, strict=True)
    told = tuple(replace(each, message="") if late else each for each, late in verdicts)
    return replace(result, seconds=0, ended=bool(result.ended), exercises=told)


@on_a_cluster
def test_a_lost_worker_loses_nothing(mixed, tmp_path):
    works, settings, _ = mixed
    written = []

    def watching(results, total):
        """Kill the first worker when a fifth of the sandboxes have run."""
        for number, (work, result) in enumerate(results):
            if number == SUBMISSIONS - ANSWERED + 3:
                workers[0].kill()
            written.append(work.key)
            yield work, result

    with cluster(tmp_path) as (address, workers):
        found, failures = campaign.grade_all(
            works, settings, tmp_path / "cluster", address, progress=watching
        )
        assert workers[0].poll() is not None
    assert not failures and len(found) == SUBMISSIONS
    assert len(written) == len(set(written)) == SUBMISSIONS
    assert len(list((tmp_path / "cluster" / "works").iterdir())) == SUBMISSIONS
    here, failures = campaign.grade_all(works, settings, tmp_path / "here")
    assert not failures
    assert list(map(_comparable, found)) == list(map(_comparable, here))
    assert len({each.earned for each in here}) >= 5


@on_a_cluster
def test_no_scheduler_is_said_in_one_sentence(mixed, tmp_path):
    works, settings, _ = mixed
    with pytest.raises(ValueError, match="No Dask scheduler answers at tcp://127.0.0.1:1"):
        campaign.grade_all(works, settings, tmp_path, "tcp://127.0.0.1:1")
