"""Watch a sandbox from outside: pipes, time, memory and processes; end it and all it started."""

import math
import os
import selectors
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

from course_lib.instructor.grading.inside.clock import Clock, family
from course_lib.instructor.grading.turns import STOP

_POLL_SECONDS = 0.1
_OWN = ("RssAnon", "VmSwap", "VmPTE")  # of /proc/PID/status: see proc(5)
_WITHOUT_FILE = ("/dev/zero", "/memfd:", "/SYSV")
_PAGE_BYTES = os.sysconf("SC_PAGESIZE")
_FILE_BYTES = 1024  # of the system's memory for each file, however small
_KEPT_BYTES = 4000  # of what is printed: enough to say why a sandbox did not start


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Memory counts all its processes; disk is memory, too.

    Seconds are those of `inside.clock`, which depend little on how busy the machine is; those of
    `cpu_seconds` are each process's on one processor.
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
    alone: bool = False  # wait until no other sandbox runs, and let none begin


class Watch:
    """Read a process's pipes until it ends by itself, breaks a limit, or grading is interrupted.

    `places` are folders in memory that only it sees: what lies there counts as its memory.
    """

    def __init__(
        self, process: subprocess.Popen, limits: Limits, places: Sequence[str] = ()
    ) -> None:
        self.process, self.limits, self.places = process, limits, places
        self.clock = Clock(process.pid)
        self.ended, self.interrupted = "", False

    def read(self, events_end: int, printed_end: int) -> tuple[bytes, bytes]:
        """Return all events and the last bytes that were printed."""
        pieces: dict[int, bytearray] = {events_end: bytearray(), printed_end: bytearray()}
        total = 0
        with selectors.DefaultSelector() as selector:
            for end in pieces:
                os.set_blocking(end, False)
                selector.register(end, selectors.EVENT_READ)
            next_look = 0.0
            while not self.ended and not self.interrupted:
                self.interrupted = STOP.is_set()
                over = self.process.poll() is not None
                ready = selector.select(0 if over or not selector.get_map() else _POLL_SECONDS)
                if not over and not selector.get_map():  # it ends in this very moment
                    with suppress(subprocess.TimeoutExpired):
                        self.process.wait(_POLL_SECONDS)
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
        elif (
            _most_bytes(found, self.places) > self.limits.memory_bytes
            and _memory_bytes(found, self.places) > self.limits.memory_bytes
        ):
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


def _most_bytes(pids: Sequence[int], places: Sequence[str]) -> float:
    """Return more than `_memory_bytes` could: all that is mapped, which costs little to read."""
    mapped = 0
    try:
        for pid in pids:
            with open(f"/proc/{pid}/statm", "rb") as file:
                mapped += int(file.read().split()[0]) * _PAGE_BYTES
    except (OSError, IndexError):
        return math.inf
    return mapped * 1.01 + _stored(pids, places)  # tables of pages: 8 bytes for each of 4,096


def _memory_bytes(pids: Sequence[int], places: Sequence[str]) -> int:
    """Return the memory of processes, and of what lies in `places`; pages of files are left out.

    A shared mapping without a file counts once, in its whole length: what is in use of it cannot
    be seen from outside.
    """
    shared: dict[str, int] = {}
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
                fields = dict(line.split(":", 1) for line in file)
            total += sum(int(fields.get(name, "0").split()[0]) << 10 for name in _OWN)
            with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as file:
                for line in file:
                    if "s " in line[:60] and any(name in line for name in _WITHOUT_FILE):
                        place, _, start, _, inode, _ = line.split(None, 5)
                        first, last = (int(each, 16) for each in place.split("-"))
                        length = int(start, 16) + last - first
                        shared[inode] = max(length, shared.get(inode, 0))
        except OSError:
            total += _resident_bytes(pid)
    return total + sum(shared.values()) + _stored(pids, places)


def _is_inside(pid: int) -> bool:
    """Tell whether a process has another root than we have."""
    try:
        return not os.path.samefile(f"/proc/{pid}/root", "/")
    except OSError:
        return False


def _stored(pids: Sequence[int], places: Sequence[str]) -> int:
    """Return what the files in `places` take, as one of the processes inside sees them."""
    sums = (
        sum(_stored_bytes(f"/proc/{pid}/root{place}") for place in places)
        for pid in filter(_is_inside, pids)
    )
    return next(filter(None, sums), 0)


def _stored_bytes(place: str) -> int:
    """Return what the files in a file system in memory take, empty ones included."""
    try:
        found = os.statvfs(place)
    except OSError:
        return 0
    blocks, files = found.f_blocks - found.f_bfree, found.f_files - found.f_ffree
    return blocks * found.f_frsize + files * _FILE_BYTES


def _resident_bytes(pid: int) -> int:
    """Return a process's own memory where /proc tells no more, or there is none."""
    try:
        memory = psutil.Process(pid).memory_info()
    except psutil.Error:
        return 0
    return memory.rss - getattr(memory, "shared", 0)  # only Linux tells what is shared
