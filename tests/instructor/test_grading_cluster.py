"""The same work on a Dask cluster: a worker is lost in the middle, and no result is.

WORKBOOK_ANSWERED=200 runs the long version: every one of the 200 is run, and a quarter is hostile.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostile import corpus, toy

from course_lib.instructor.grading import campaign, collect, course, one, sandbox

pytest.importorskip("distributed")
ROOT = Path(__file__).resolve().parents[2]
SUBMISSIONS = 200
ANSWERED = int(os.environ.get("WORKBOOK_ANSWERED", "16"))  # the others are untouched or damaged
QUICK = ("os._exit", "segmentation fault", "exit in a function", "processes left behind")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900 if ANSWERED < SUBMISSIONS else 3600),
    pytest.mark.skipif(not sandbox.bubblewrap_works(), reason="bubblewrap does not work here"),
]


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
    works, notes = collect.collected([place / "in"], made)
    assert len(works) == SUBMISSIONS and not notes
    return works, one.Settings(made, "a secret", toy.LIMITS), place


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
        while not file.is_file() and time.monotonic() < deadline:
            time.sleep(0.1)
        processes += [subprocess.Popen(worker, **quiet) for _ in range(2)]
        yield json.loads(file.read_text())["address"], processes[1:]
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait(timeout=30)


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
    without_time = [[{**each, "seconds": 0} for each in every] for every in (found, here)]
    assert without_time[0] == without_time[1]
    assert len({each["earned"] for each in here}) >= 5


def test_no_scheduler_is_said_in_one_sentence(mixed, tmp_path):
    works, settings, _ = mixed
    with pytest.raises(ValueError, match="No Dask scheduler answers at tcp://127.0.0.1:1"):
        campaign.grade_all(works, settings, tmp_path, "tcp://127.0.0.1:1")
