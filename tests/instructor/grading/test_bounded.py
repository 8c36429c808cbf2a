"""What is called within limits ends there, alone, and leaves a process for the next call."""

from __future__ import annotations

import json
import os
import pydoc
import re
import signal
from pathlib import Path

import pytest

from course_lib.exercises import core
from course_lib.instructor.grading import bounded, submission
from course_lib.instructor.grading.inside import values

MB = 1 << 20


@pytest.fixture(autouse=True, scope="module")
def _end():
    yield
    while not bounded._idle.empty():
        bounded._idle.get().end()


def test_a_value_an_error_and_bytes_come_back():
    assert bounded.call(max, 3, 5) == 5
    assert bounded.call(bytes.join, b"-", [b"a", b"b"]) == b"a-b"
    with pytest.raises(ValueError, match="invalid literal"):
        bounded.call(int, "no number")
    with pytest.raises(values.ValuesError):
        bounded.call(values.read, "[]")


@pytest.mark.parametrize(
    "function, arguments, words",
    [
        (re.fullmatch, ("(a+)+b", "a" * 60), "within 0.5 seconds of a processor and 60 MB"),
        (bytes, (200 * MB,), "within 0.5 seconds of a processor and 60 MB"),
        (os.abort, (), "without a crash"),
        (os._exit, (3,), "exit code 3"),
        (len, (5,), "without an error .TypeError"),
    ],
    ids=["time", "memory", "crash", "exit", "error"],
)
def test_what_goes_beyond_costs_itself_only(function, arguments, words):
    with pytest.raises(bounded.UnfinishedError, match=words):
        bounded.call(function, *arguments, seconds=0.5, megabytes=60)
    assert bounded.call(max, 3, 5) == 5


def test_waiting_is_not_counted():
    """A process that gets no processor, as on a busy machine, has all its time."""
    assert bounded.call(os.system, "sleep 0.4", seconds=0.2) == 0


def test_what_the_machine_ends_is_nobodys_fault():
    with pytest.raises(OSError, match="by the machine"):
        bounded.call(signal.raise_signal, signal.SIGKILL)


def test_processes_are_kept():
    first = bounded.call(os.getpid)
    assert bounded.call(os.getpid) == first != os.getpid()


def test_libraries_that_were_imported_wear_no_process_out():
    """Every lesson's exercises, with all that they import; what a call leaves behind does."""
    first = bounded.call(os.getpid)
    for lesson in core.lessons():
        assert bounded.call(pydoc.locate, f"course_lib.exercises.lesson_{lesson}.__doc__")
    assert bounded.call(os.getpid) == first
    for _ in range(3):  # circles, which stay: nothing collects in this process
        bounded.call(exec, "for _ in range(300_000):\n    a = []\n    a.append(a)", {})
    assert bounded.call(os.getpid) != first


SMALL = b'{"cells": [%s{}]}'
HOSTILE = {
    "empty cells": (SMALL % (b"{}," * 1_000_000), "more than 200,000 cells"),
    "objects": (SMALL % (b"{}," * (15 * MB)), "could not be read within"),
    "lists": (SMALL % (b"[]," * (15 * MB)), "could not be read within"),
    "depth": (b"[" * (48 * MB), "nested too deeply"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_notebook_costs_little(name):
    data, words = HOSTILE[name]
    with pytest.raises(submission.UnreadableError, match=words):
        submission.read_cells(data)
    # Not ru_maxrss, which begins with what the parent had when it made the process.
    status = bounded.call(Path("/proc/self/status").read_text)
    assert int(status.partition("VmHWM:")[2].split()[0]) < 500 << 10  # in kilobytes


@pytest.mark.parametrize(
    "source",
    [
        "# Exercise 97.1" + " " * 190_000 + "x",
        "# Exercise 97.1 (" + ") " * 95_000 + "x",
        " " * 199_000 + "# Exercise",
        "# Exercise" + "\t " * 95_000,
        "#" * 190_000 + "NBVAL_X",
        "# NBVAL_" + "X" * 190_000 + " .",
        "# Exercise 97.1\n" * 12_000,
    ],
    ids=range(7),
)
def test_no_line_takes_more_than_a_moment(lesson, source):
    cells = [{"cell_type": "code", "source": source, "id": "x"}] * 5
    cells = submission._read_cells(json.dumps({"cells": cells}).encode())
    assert len(cells) == 5
    assert submission.lesson_of(cells, "x", {"97": lesson}) in ("97", None)
    found = bounded.call(submission._find_answers, cells, lesson, seconds=3.0)
    assert isinstance(found, submission.Answers)


@pytest.mark.parametrize("number", ["9" * 20_000_000, "1e999", "-1e-999999", "1" + "0" * 5000])
def test_numbers_of_any_size_are_read(number):
    data = b'{"cells": [{"cell_type": "code", "source": "x"}], "n": %s}' % number.encode()
    assert [cell.text for cell in submission.read_cells(data)] == ["x"]


def test_a_large_honest_notebook_is_read():
    picture = "A" * (40 * MB) + "\U0001f600"  # one such character makes every one four bytes wide
    cell = {"cell_type": "code", "source": "cells = 6", "outputs": [{"data": picture}]}
    data = json.dumps({"cells": [cell]}, ensure_ascii=False).encode()
    assert [each.text for each in submission.read_cells(data)] == ["cells = 6"]
