"""Watch a sandbox from outside: pipes, time, memory and processes; end it and all it started."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass

import psutil

from course_lib.instructor.grading.inside.clock import Clock, family

_POLL_SECONDS = 0.1
_KEPT_BYTES = 4000  # of what is printed: enough to say why a sandbox did not start


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Memory counts all its processes; disk is memory, too.

    Seconds are those of `inside.clock`, which depend little on how busy the machine is; those of
    `cpu_seconds` are of one processor, for each process.
    """

    wall_seconds: float = 300.0
    cell_seconds: float = 60.0
    call_seconds: float = 10.0
    cpu_seconds: int = 300
    memory_bytes: int = 4 << 30
    disk_bytes: int = 256 << 20
    output_bytes: int = 64 << 20
    processes: int = 64
    threads: int = 500
    open_files: int = 1024


class Watch:
    """Read a process's pipes until it ends by itself or breaks a limit."""

    def __init__(self, process: subprocess.Popen, limits: Limits) -> None:
        self.process, self.limits = process, limits
        self.clock = Clock(process.pid)
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

    def stop(self) -> None:
        """End the process and whatever it started; bubblewrap's whole family ends with it."""
        for _ in range(20):  # while it is ended, a family may grow
            if self.process.poll() is not None:
                break  # from now on its number may be another's
            for pid in family(self.process.pid):
                with suppress(psutil.Error):  # it ended already
                    psutil.Process(pid).kill()
        self.process.wait(timeout=30)

    def _look(self) -> None:
        """Note the first limit that is broken now."""
        found = family(self.process.pid)
        if self.clock.is_over(self.limits.wall_seconds):
            self.ended = f"it took more than {self.limits.wall_seconds:.0f} seconds"
        elif sum(map(_resident_bytes, found)) > self.limits.memory_bytes:
            self.ended = f"it took more than {self.limits.memory_bytes >> 20:,} MB of memory"
        elif len(found) > self.limits.processes:
            self.ended = f"it started more than {self.limits.processes} processes"


def kill_marked(mark: str) -> None:
    """Without bubblewrap, end what left the family: it still has our mark in its environment."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):  # it ended already, or is not ours
            if process.environ().get("WORKBOOK_RUN") == mark:
                process.kill()


def count_threads() -> int:
    """Count the threads that the kernel may count against this user already."""
    count = 0
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.uids().real == os.getuid():
                count += process.num_threads()
    return count


def _read_some(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except BlockingIOError:
        return b""


def _resident_bytes(pid: int) -> int:
    """Return the memory that a process has of its own, shared pages of files left out."""
    try:
        memory = psutil.Process(pid).memory_info()
    except psutil.Error:
        return 0
    return memory.rss - getattr(memory, "shared", 0)  # only Linux tells what is shared
