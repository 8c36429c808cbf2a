"""A process is watched with all that it starts, and ended with all that bears its mark."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from course_lib.instructor.grading import watch
from course_lib.instructor.grading.inside import clock
from course_lib.instructor.grading.sandbox import bubblewrap_works

CHILD = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', {!r}]); {}"
HOLD = "x = b'x' * (64 << 20); print('held', flush=True); import time; time.sleep(60)"
LIMITS = watch.Limits(wall_seconds=30, memory_bytes=48 << 20, processes=4)


def watched(code: str, limits: watch.Limits = LIMITS) -> tuple[watch.Watch, list[int]]:
    """Run code under a watch until it ends; return that, and the processes there were at last."""
    events, printed = os.pipe(), os.pipe()
    process = subprocess.Popen([sys.executable, "-c", code], stdout=printed[1])
    os.close(events[1])
    os.close(printed[1])
    guard = watch.Watch(process, limits)
    try:
        guard.read(events[0], printed[0])
        family = clock.family(process.pid)
    finally:
        guard.stop()
        os.close(events[0])
        os.close(printed[0])
    return guard, family


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_memory_of_all_processes_counts():
    guard, family = watched(CHILD.format(HOLD, "import time; time.sleep(60)"))
    assert "MB of memory" in guard.ended and len(family) == 2
    time.sleep(0.2)
    assert not any(map(alive, family))


SHARED = {
    "shared": "m = mmap.mmap(-1, 64 << 20)",
    "shared, given back and kept": "m = mmap.mmap(-1, 64 << 20); m.write(b'x' * (64 << 20)); "
    "m.madvise(mmap.MADV_DONTNEED)",
    "shared by two": "m = mmap.mmap(-1, 64 << 20); os.fork()",
    "of a file": "m = open(sys.executable, 'rb')",
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it needs /proc")
@pytest.mark.parametrize("case", SHARED)
def test_shared_memory_counts_once(case):
    code = f"import mmap, os, sys, time\n{SHARED[case]}\nprint(flush=True)\ntime.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        family = clock.family(process.pid)
        taken = watch._memory_bytes(family, ())
        assert watch._most_bytes(family, ()) >= taken  # or the exact figure would not be looked at
        taken >>= 20
    finally:
        for pid in clock.family(process.pid)[::-1]:
            os.kill(pid, signal.SIGKILL)
        process.wait()
    assert (64 <= taken < 110) == (case != "of a file"), taken


@pytest.mark.skipif(not bubblewrap_works(), reason="bubblewrap does not work here")
def test_files_in_memory_count_and_empty_ones_too():
    full = "head -c 9000000 /dev/zero > /home/big; for n in $(seq 3000); do : > /home/$n; done"
    around = "bwrap --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --dev /dev"
    around = [*around.split(), "--symlink", "usr/lib64", "/lib64", "--tmpfs", "/home"]
    shell = [*around, "sh", "-c", f"{full}; echo; read line"]
    process = subprocess.Popen(shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        family = clock.family(process.pid)
        plain, all_of_it = (watch._memory_bytes(family, places) for places in ((), ("/home",)))
    finally:
        process.communicate(b"\n")
    assert 9_000_000 + 3000 * 1024 < all_of_it - plain < 14_000_000
    assert watch._memory_bytes([os.getpid()], ("/tmp",)) == pytest.approx(
        watch._memory_bytes([os.getpid()], ()), rel=0.2
    )  # what lies here is not in a sandbox


def test_too_many_processes_are_noticed():
    fork = "import os, time\nfor _ in range(6):\n    os.fork() or time.sleep(60)\ntime.sleep(60)"
    guard, _ = watched(fork, watch.Limits(wall_seconds=30, processes=4))
    assert guard.ended == "it started more than 4 processes"


def test_what_ends_by_itself_broke_no_limit():
    guard, _ = watched("print('done')")
    assert guard.ended == "" and guard.process.returncode == 0


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="this system has no /proc")
def test_what_left_the_family_is_ended_by_its_mark():
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    ours, other = (
        subprocess.Popen(sleep, env={**os.environ, "WORKBOOK_RUN": mark}, start_new_session=True)
        for mark in ("one", "another")
    )
    try:
        time.sleep(0.3)
        watch.kill_marked("one")
        assert ours.wait(10) == -9 and other.poll() is None
    finally:
        other.kill()
        other.wait()
    assert watch.count_threads() >= 1
