"""Sandboxes take turns among all processes, and no two are the same user at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from course_lib.instructor.grading import turns

OTHER = (
    "from course_lib.instructor.grading import turns\n"
    "with turns.{}:\n    print('in', flush=True)\n    input()\n"
)


def other(code: str) -> subprocess.Popen:
    """Start another process that holds a turn or a user until it reads a line; wait until then."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", OTHER.format(code)], **pipes)
    assert process.stdout.readline() == b"in\n"
    return process


def test_no_two_are_the_same_user():
    with ExitStack() as stack:
        users = [stack.enter_context(turns.user_id()) for _ in range(40)]
    assert len(set(users)) == 40 and all(60_000 <= user < 65_000 for user in users)


def test_no_two_are_the_same_user_in_different_processes(monkeypatch):
    monkeypatch.setattr(turns, "_USERS", range(60_000, 60_001))
    code = "user_id() if not vars(turns).update(_USERS=range(60_000, 60_001)) else 0"
    process = other(code)
    with pytest.raises(OSError, match="taken"), turns.user_id():
        pass
    process.communicate(b"\n")
    with turns.user_id() as user:  # who ended holds nothing
        assert user == 60_000


@pytest.fixture
def places(monkeypatch, tmp_path):
    """Let turns be taken at files of this test's own: other sandboxes may run meanwhile."""
    for name in ("_GATE", "_ROOM"):
        (tmp_path / name).touch()
        monkeypatch.setattr(turns, name, tmp_path / name)
    monkeypatch.setattr(turns, "_WAIT_SECONDS", 0.005)
    return tmp_path


def test_who_is_alone_is_alone_and_comes_in_although_others_always_do(places):
    inside, seen, done = [], [], threading.Event()

    def beside() -> None:
        while not done.is_set():
            with turns.turn():
                inside.append(1)
                seen.append(len(inside))
                inside.pop()

    def alone() -> None:
        for _ in range(5):
            with turns.turn(alone=True):
                assert not inside
                inside.append(1)
                assert len(inside) == 1
                inside.pop()
        done.set()

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(beside) for _ in range(3)] + [pool.submit(alone)]
        for each in running:
            each.result(60)
    assert seen and not inside


def test_an_interrupt_ends_the_wait_for_a_turn(places, monkeypatch):
    stop = threading.Event()
    monkeypatch.setattr(turns, "STOP", stop)
    code = f"turn() if not vars(turns).update(_GATE={str(places / '_GATE')!r}, "
    process = other(code + f"_ROOM={str(places / '_ROOM')!r}) else 0")
    with turns.turn():
        pass  # beside the other process
    stop.set()
    with pytest.raises(turns.Stopped), turns.turn(alone=True):
        pass
    process.communicate(b"\n")
    with turns.turn(alone=True):
        assert os.path.exists(places / "_ROOM")


def test_a_file_system_without_locks_stops_nobody(places, monkeypatch):
    def refused(*_):
        raise OSError("no locks here")

    monkeypatch.setattr(turns.fcntl, "flock", refused)
    with turns.turn(alone=True), turns.turn():
        pass
