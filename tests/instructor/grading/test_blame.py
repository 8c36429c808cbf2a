"""What the machine ended is told apart from what the submission ended."""

from __future__ import annotations

import pytest

from course_lib.instructor.grading import blame

COURSE = {"kind": "running", "whose": "course"}
THEIRS = {"kind": "running", "whose": "student"}
END = {"kind": "end"}
ASKED = ["1.1", "1.2"]
MEMORY = "it took more than 9 MB of memory"


def answer(name):
    return {"kind": "answer", "exercise": name, "reply": {}}


def stopped(code):
    return {"kind": "stopped", "exercise": "1.1", "code": code}


BY_THE_MACHINE = {
    "nothing ran": ([END], "", "did not begin"),
    "killed before it began": ([], "", "did not begin"),
    "a limit before it began": ([], MEMORY, "did not begin"),
    "a limit in a course cell": ([COURSE], MEMORY, "course itself: it took"),
    "a limit in a later course cell": ([THEIRS, answer("1.1"), COURSE], MEMORY, "course itself"),
    "the kernel lost in a course cell": ([COURSE, stopped(-9), END], "", "kernel was lost"),
    "a slow course cell": (
        [COURSE, {"kind": "late", "starved": False}, THEIRS, answer("1.1"), answer("1.2"), END],
        "",
        "too long",
    ),
    "a starved call": ([THEIRS, {"kind": "late", "starved": True}], "", "too busy"),
}


@pytest.mark.parametrize("case", BY_THE_MACHINE)
def test_the_machine_is_blamed(case):
    events, ended, words = BY_THE_MACHINE[case]
    assert words in blame.fault(events, ASKED, ended, starved=False, killed=False)


BY_THE_STUDENT = {
    "all is told": ([COURSE, THEIRS, answer("1.1"), answer("1.2"), END], ""),
    "a limit in an answer": ([COURSE, THEIRS], MEMORY),
    "exit in an answer": ([COURSE, THEIRS, stopped(0), END], ""),
    "segmentation fault in an answer": ([COURSE, THEIRS, stopped(-11), END], ""),
    "a slow answer": (
        [COURSE, THEIRS, {"kind": "late", "starved": False}, answer("1.1"), stopped(None), END],
        "",
    ),
    "a limit once all is told": ([THEIRS, answer("1.1"), answer("1.2"), COURSE], MEMORY),
}


@pytest.mark.parametrize("case", BY_THE_STUDENT)
def test_the_student_is_blamed(case):
    events, ended = BY_THE_STUDENT[case]
    assert blame.fault(events, ASKED, ended, starved=False, killed=False) == ""
    assert blame.doubt(events, ASKED, ended) == ""


def test_a_machine_without_memory_or_time_is_blamed_wherever_it_was():
    lost = [COURSE, THEIRS, stopped(-9), END]
    assert "out of memory" in blame.fault(lost, ASKED, "", starved=False, killed=True)
    assert "too busy" in blame.fault(lost, ASKED, "", starved=True, killed=False)
    whole = [THEIRS, answer("1.1"), answer("1.2"), END]
    assert blame.fault(whole, ASKED, "", starved=False, killed=True) == ""
    # What the student's own limit ended while the machine was short is the student's.
    assert blame.fault([THEIRS], ASKED, MEMORY, starved=False, killed=True) == ""


@pytest.mark.parametrize(
    "events, doubtful",
    [
        ([THEIRS, stopped(-9), END], True),  # the student, or a service that frees memory
        ([THEIRS, stopped(-6), END], True),  # C++ that could not start a thread
        ([THEIRS], True),  # all of the sandbox went
        ([THEIRS, stopped(-11), END], False),
        ([THEIRS, stopped(None), END], False),
        ([{"kind": "course cell", "why": "OSError: [Errno 28] No space left"}, END], True),
        ([{"kind": "course cell", "why": "RuntimeError: can't start new thread"}, END], True),
        ([{"kind": "course cell", "why": "NameError: x"}, THEIRS, END], False),
    ],
)
def test_what_running_alone_will_tell(events, doubtful):
    assert bool(blame.doubt(events, ASKED, "")) == doubtful
    assert blame.doubt(events[:1], ASKED, MEMORY) in ("", blame.doubt(events[:1], ASKED, ""))


def test_kills_for_want_of_memory_are_counted():
    assert blame.out_of_memory_kills() >= 0
