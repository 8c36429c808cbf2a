"""A clock for a family of processes that goes as fast as the machine lets them work."""

import os
import time
from contextlib import suppress

_LARGEST_FAMILY = 20_000  # a bomb may grow faster than it is counted
_LONGEST_SLEEP = 1.0  # s that one look can add for sleepers: else it was we who were not run
_PATIENCE = 8.0  # times as long on the wall: then the machine, or a trick, starves the family


class Clock:
    """Seconds of a process and all that it starts, the same on a quiet and on a busy machine.

    While all of them sleep, time passes as on the wall. While some want a processor, it passes as
    fast as they get one; several that work at a time count as one, up to the number of cores.
    Without /proc it is the wall's time.
    """

    def __init__(self, pid: int) -> None:
        self.pid, self.seconds = pid, 0.0
        self._started = self._looked = time.monotonic()
        self._used, _ = _use(family(pid))

    def look(self) -> float:
        """Return the seconds until now; to be called a few times a second."""
        now = time.monotonic()
        passed, self._looked = now - self._looked, now
        used, working = _use(family(self.pid))
        worked = {pid: ticks - self._used.get(pid, 0) for pid, ticks in used.items()}
        self._used = used
        cores = max(1, min(working, _cores()))
        step = sum(each for each in worked.values() if each > 0) / cores
        if not working:
            step = max(step, min(passed, _LONGEST_SLEEP))
        self.seconds += min(step, passed)
        return self.seconds

    def is_over(self, limit: float) -> bool:
        """Tell whether more than `limit` seconds have passed, or far more than that on the wall."""
        return self.look() > limit or self.is_starved(limit)

    def is_starved(self, limit: float) -> bool:
        """Tell whether the wall's time is far beyond `limit`, and the family's own is not."""
        return self.seconds <= limit and self.wall() > _PATIENCE * limit

    def wall(self) -> float:
        """Return the seconds on the wall since this was made."""
        return time.monotonic() - self._started


def family(pid: int) -> list[int]:
    """Return a process's number and those of all its descendants that can be seen.

    psutil would read every process of the machine for each of them, ten times a second and in each
    sandbox; the kernel's own lists of children cost a fortieth of that even on a quiet machine.
    """
    found, waiting = [], [pid]
    while waiting and len(found) < _LARGEST_FAMILY:
        current = waiting.pop()
        found.append(current)
        with suppress(OSError):  # it ended meanwhile
            for task in os.listdir(f"/proc/{current}/task"):
                with open(f"/proc/{current}/task/{task}/children", encoding="ascii") as file:
                    waiting.extend(map(int, file.read().split()))
    return found


def _use(pids: list[int]) -> tuple[dict[int, float], int]:
    """Return each process's processor seconds, and how many threads do not sleep.

    The seconds are those of its ended and awaited children, too: see proc(5), stat.
    """
    used, working, tick = {}, 0, os.sysconf("SC_CLK_TCK")
    for pid in pids:
        with suppress(OSError):  # it ended meanwhile
            used[pid] = sum(map(int, _stat(f"/proc/{pid}/stat")[11:15])) / tick
            for task in os.listdir(f"/proc/{pid}/task"):
                if working < _cores():  # more make no difference
                    working += _stat(f"/proc/{pid}/task/{task}/stat")[0] in "RD"
    return used, working


def _stat(path: str) -> list[str]:
    """Return the fields of a stat file from the state on; the name before may hold anything."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().rsplit(")", 1)[1].split()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
