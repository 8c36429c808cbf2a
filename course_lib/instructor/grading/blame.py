"""Whose fault it is that a run ended early: the machine's, or the submission's."""

import signal
from collections.abc import Iterable, Sequence
from pathlib import Path

# What a program meets where the machine has no more memory, processes or files to give.
_SHORTAGES = ("MemoryError", "BlockingIOError", "can't start new thread", "Cannot allocate")
_SHORTAGES += ("[Errno 11]", "[Errno 12]", "[Errno 23]", "[Errno 28]")
_KILLS = {-signal.SIGKILL, -signal.SIGABRT, -signal.SIGBUS}


def fault(
    events: Sequence[dict], asked: Iterable[str], ended: str, starved: bool, killed: bool
) -> str:
    """Return a sentence where the machine, or the course itself, ended a run; else nothing.

    `events` are a sandbox's, `asked` the exercises that it should have told about, `ended` says
    which limit it broke, `starved` that it got no processor, and `killed` that the system ended
    processes for want of memory meanwhile.
    """
    if starved or any(each["kind"] == "late" and each.get("starved") for each in events):
        return "The machine was too busy to run it."
    whose = ""
    for event in events:
        if event["kind"] == "running":
            whose = event.get("whose")
        elif event["kind"] == "late" and whose == "course":
            return "A cell of the course itself took too long."
    told = {each.get("exercise") for each in events if each["kind"] in ("answer", "silent")}
    if set(asked) <= told:
        return ""
    complete = any(each["kind"] in ("stopped", "end") for each in events) and not ended
    lost = any(each["kind"] == "stopped" for each in events) or not complete
    if killed and lost and not ended:
        return "The machine ran out of memory."
    if not whose:
        return f"The notebook did not begin to run: {ended or 'its kernel did not start'}."
    if whose == "course" and lost:
        return f"It ended in a cell of the course itself: {ended or 'the kernel was lost'}."
    return ""


def doubt(events: Sequence[dict], asked: Iterable[str], ended: str) -> str:
    """Return a sentence where the machine may have ended a run, and running it alone will tell."""
    for each in events:
        why = str(each.get("why")) if each["kind"] == "course cell" else ""
        if any(shortage in why for shortage in _SHORTAGES):
            return f"A cell of the course itself ended with {why}."
    told = {each.get("exercise") for each in events if each["kind"] in ("answer", "silent")}
    if ended or set(asked) <= told:
        return ""
    if any(each["kind"] == "stopped" and each.get("code") in _KILLS for each in events):
        return "The kernel was killed."
    if not any(each["kind"] in ("stopped", "end") for each in events):
        return "The sandbox was killed."
    return ""


def out_of_memory_kills() -> int:
    """Return how many processes the system has ended for want of memory since it started."""
    try:
        lines = Path("/proc/vmstat").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
