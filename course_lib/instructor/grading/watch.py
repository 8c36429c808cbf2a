"""Watch a sandbox from outside: pipes, time, memory and processes; end it and all it started."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from course_lib.instructor.grading.sandbox import Limits

_POLL_SECONDS = 0.1
_KEPT_BYTES = 4000


class Watch:
    """Read a process's pipes until it ends by itself or breaks a limit."""

    def __init__(self, process: subprocess.Popen, limits: Limits, started: float) -> None:
        self.process, self.limits, self.started = process, limits, started
        self.ended = ""

    def read(self, events_end: int, printed_end: int) -> tuple[bytes, bytes]:
        """Return all events and the last bytes that were printed."""
        pieces: dict[int, bytearray] = {events_end: bytearray(), printed_end: bytearray()}
        total = 0
        with selectors.DefaultSelector() as selector:
            for end in pieces:
                os.set_blocking(end, False)
                selector.register(end, selectors.EVENT_READ)
            next_look = 0.0
            while not self.ended:
                over = self.process.poll() is not None
                ready = selector.select(0 if over else _POLL_SECONDS)
                for key, _ in ready:
                    data = _read_some(key.fd)
                    total += len(data)
                    pieces[key.fd] += data
                    if key.fd == printed_end:
                        del pieces[key.fd][:-_KEPT_BYTES]
                    if not data:
                        selector.unregister(key.fd)
                if over and not any(key.fd == events_end for key, _ in ready):
                    break  # what a left-behind process may still print does not matter
                if total > self.limits.output_bytes:
                    self.ended = "it printed more than is allowed"
                if time.monotonic() >= next_look:
                    next_look = time.monotonic() + _POLL_SECONDS
                    self._look()
        return bytes(pieces[events_end]), bytes(pieces[printed_end])

    def _look(self) -> None:
        """Note the first limit that is broken now."""
        seconds = time.monotonic() - self.started
        family = _family(self.process.pid)
        if seconds > self.limits.wall_seconds:
            self.ended = f"it took more than {self.limits.wall_seconds:.0f} seconds"
        elif sum(map(_resident_bytes, family)) > self.limits.memory_bytes:
            self.ended = f"it took more than {self.limits.memory_bytes >> 20:,} MB of memory"
        elif len(family) > self.limits.processes:
            self.ended = f"it started more than {self.limits.processes} processes"

    def stop(self) -> None:
        """End the process and whatever it started; bubblewrap's whole family ends with it."""
        for _ in range(20):
            family = [pid for pid in _family(self.process.pid) if pid != self.process.pid]
            _kill(self.process.pid)
            for pid in family:
                _kill(pid)
            if not family:
                break
        self.process.wait(timeout=30)


def kill_marked(mark: str) -> None:
    """Without bubblewrap, end what left the family: it still has our mark in its environment."""
    wanted = f"WORKBOOK_RUN={mark}".encode()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (path / "environ").read_bytes().split(b"\0"):
                _kill(int(path.name))
        except OSError:
            continue  # it ended already, or is not ours


def _read_some(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except BlockingIOError:
        return b""


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass  # it ended already


def _family(pid: int) -> list[int]:
    """Return a process's number and those of all its descendants that can be seen."""
    found, waiting = [], [pid]
    while waiting and len(found) < 20_000:
        current = waiting.pop()
        found.append(current)
        try:
            for task in os.listdir(f"/proc/{current}/task"):
                with open(f"/proc/{current}/task/{task}/children", encoding="ascii") as file:
                    waiting.extend(int(each) for each in file.read().split())
        except OSError:
            continue  # it ended meanwhile
    return found


def _resident_bytes(pid: int) -> int:
    """Return the memory that a process has of its own, shared pages of files left out."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            _, resident, shared, *_ = map(int, file.read().split())
    except (OSError, ValueError):
        return 0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")
