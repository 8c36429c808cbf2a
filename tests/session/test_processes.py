"""A service answers, and whatever becomes of its process, the one that asks lives on."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from course_lib.session import processes
from course_lib.session.processes import Died, Refused, Service

_SERVICE = """
import os, signal, time

def prepare():
    print("getting ready")
    return answer

def answer(order, *parts):
    print("order", order.decode(), flush=True)
    if order == b"add":
        return b"+".join(parts)
    if order == b"number":
        return str(os.getpid()).encode()
    if order == b"refuse":
        raise ValueError("not this one")
    if order == b"crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if order == b"leave":
        os._exit(3)
    if order == b"hang":
        time.sleep(60)
    if order == b"flood":
        return bytes(1 << 31)
    if order == b"babble":
        os.write(int(parts[0]), b"\\xff" * 64)
        os._exit(0)

def broken():
    raise RuntimeError("no tool here")
"""


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "answering.py").write_text(_SERVICE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Service("answering:prepare", seconds=20) as service:
        yield service


def test_questions_have_any_parts_of_any_bytes(service: Service) -> None:
    large = bytes(range(256)) * 4096
    assert service.ask(b"add", b"", b"\n\0", large) == b"+\n\0+" + large
    assert service.ask(b"add") == b""


def test_one_process_answers_all_questions(service: Service) -> None:
    assert service.process is None  # the first question starts it
    assert service.ask(b"number") == service.ask(b"number") != str(os.getpid()).encode()


def test_an_error_is_an_answer(service: Service) -> None:
    before = service.ask(b"number")
    with pytest.raises(Refused, match="^not this one$"):
        service.ask(b"refuse")
    assert service.ask(b"number") == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no signals")
def test_a_crash_is_told_with_the_last_words_and_a_new_process_started(service: Service) -> None:
    before = service.ask(b"number")
    with pytest.raises(Died) as death:
        service.ask(b"crash")
    assert death.value.code == -signal.SIGSEGV and not death.value.late and death.value.ready
    assert death.value.log == "order crash\n"  # what it said before is of no concern
    assert service.ask(b"number") != before


def test_a_process_that_leaves_is_told_with_its_code(service: Service) -> None:
    with pytest.raises(Died) as death:
        service.ask(b"leave")
    assert death.value.code == 3 and not death.value.late


def test_a_hang_is_ended(service: Service) -> None:
    service.ask(b"add")
    service.seconds = 0.2
    with pytest.raises(Died) as death:
        service.ask(b"hang")
    assert death.value.late
    service.seconds = 20
    assert service.ask(b"add", b"1", b"2") == b"1+2"


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is Linux's")
def test_a_flood_of_memory_is_held_back(service: Service) -> None:
    service.memory_bytes = 1 << 30
    with pytest.raises(Refused, match="MemoryError"):
        service.ask(b"flood")
    with pytest.raises(Died):  # a question that does not even fit
        service.ask(b"add", bytes(1 << 30))


@pytest.mark.skipif(sys.platform != "linux", reason="it looks for the pipe in /proc")
def test_what_is_no_message_is_no_answer(service: Service) -> None:
    service.ask(b"add")
    answers = max(int(name) for name in os.listdir(f"/proc/{service.process.pid}/fd") if name)
    for descriptor in range(3, answers + 1):
        with pytest.raises(Died):
            service.ask(b"babble", str(descriptor).encode())


def test_a_process_that_gets_never_ready_says_why(service: Service) -> None:
    service.prepare = "answering:broken"
    with pytest.raises(Died) as death:
        service.ask(b"add")
    assert "no tool here" in death.value.log and not death.value.ready


def test_the_end_of_the_service_is_the_end_of_its_process(service: Service) -> None:
    service.ask(b"add")
    process = service.process
    assert service.end() == 0 and process.poll() == 0
    assert service.end() is None


def test_a_program_of_our_own_finds_the_package_and_has_a_limit() -> None:
    done = processes.run("-c", "import course_lib; print(course_lib.__name__)", seconds=30)
    assert done.stdout.strip() == "course_lib"
