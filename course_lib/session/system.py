"""The one door to what operating systems do differently: locks, limits, memory, how a process ends.

Each has a fallback, so that a system which lacks one loses that figure or that limit and nothing
else. Tried on Linux, with each means hidden in turn; written for macOS and Windows from their
documentation.
"""

import contextlib
import ctypes
import re
import signal
import sys
from functools import cache
from pathlib import Path
from typing import BinaryIO

# Parameters of mallopt(3) and their values in bytes: the size from which a block is mapped for
# itself, the free end of the heap that is given back, and how much more is asked for at a time
# (with less, a thread gives back whole heaps of 64 MB).
_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD, _M_TOP_PAD = -3, -1, -2
_KEPT_BYTES = {_M_MMAP_THRESHOLD: 2**30, _M_TRIM_THRESHOLD: 2**31 - 1, _M_TOP_PAD: 2**26}
_CRASHED = 0x80000000  # from here on, Windows' exit codes are what ended a process (NTSTATUS)


def lock(file: BinaryIO) -> None:
    """Keep an open file for this process until it is closed, or the process gone.

    Raises OSError where another process has it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def limit_memory(most_bytes: int) -> None:
    """Limit the memory of this process, 0 for no limit, and let it leave no core file.

    Does nothing where the system has no such limits: whoever asks has to limit its time as well.
    """
    try:
        import resource

        if most_bytes:
            resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        return


def peak_memory() -> int:
    """Return the most bytes of memory that this process has had, 0 where the system won't tell.

    Linux hands the peak of getrusage down from the parent, so its own page is read there.
    """
    with contextlib.suppress(OSError):  # not Linux: the next way
        if peak := re.search(r"^VmHWM:\s+(\d+) kB$", _own_page("status"), re.M):
            return 1024 * int(peak[1])
    try:
        import resource
    except ImportError:  # Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def resident_bytes(address: int) -> int | None:
    """Return how much of the mapping that begins at `address` is in memory, None where unknown.

    A multiple of the page size. Source: Linux, Documentation/filesystems/proc.rst, "smaps".
    """
    try:
        mappings = _own_page("smaps")
    except OSError:
        return None
    lines = rf"^0*{address:x}-[^\n]*\n(?:[A-Z]\w+:.*\n)*?Rss: +(\d+) kB"
    resident = re.search(lines, mappings, re.M)
    return 1024 * int(resident[1]) if resident else None


def heap_in_use() -> int | None:
    """Return the bytes in use of the C library's heap, None where glibc cannot be asked."""
    ask = _of_the_c_library("mallinfo2")
    if ask is None:
        return None
    ask.restype = _MallInfo
    numbers = ask().numbers
    return numbers[4] + numbers[7]


@cache
def keep_freed_memory() -> None:
    """Let this process use freed memory again, which glibc would hand back to the system.

    A step of training frees tens of megabytes and asks for as many anew: 8 million page faults in
    three epochs of lesson 03, which took 94 s in place of 41 s. Does nothing without glibc.
    """
    set_option = _of_the_c_library("mallopt") if sys.platform == "linux" else None
    for option, value in _KEPT_BYTES.items() if set_option else ():
        set_option(option, value)


def crash(exit_code: int | None) -> str | None:
    """Return what ended a process from outside ("SIGSEGV", "0xC0000005"), None where it ended.

    POSIX gives the signal as a negative exit code; Windows an NTSTATUS, of which those from
    0x80000000 on are exceptions that nobody caught.
    """
    if exit_code is None or 0 <= exit_code < _CRASHED:
        return None
    if exit_code >= _CRASHED:
        return f"0x{exit_code:X}"
    try:
        return signal.Signals(-exit_code).name
    except ValueError:  # a signal that has no name here
        return f"signal {-exit_code}"


def _own_page(name: str) -> str:
    """Return what Linux tells of this process in `/proc`. Raises OSError elsewhere."""
    return Path("/proc/self", name).read_text(encoding="utf-8", errors="replace")


def _of_the_c_library(name: str) -> ctypes._CFuncPtr | None:
    """Return a function of the C library, None where it has none of that name."""
    try:
        return getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):  # TypeError: Windows wants a file's name
        return None


class _MallInfo(ctypes.Structure):
    """What glibc's mallinfo2 returns; in use are hblkhd (4, mapped one by one) and uordblks (7)."""

    _fields_ = [("numbers", ctypes.c_size_t * 10)]
