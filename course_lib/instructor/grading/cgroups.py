"""A control group of its own for each sandbox, where the system lets us make one (cgroups v2)."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_WANTED = {"memory", "pids"}


@contextmanager
def group(
    memory_bytes: int, tasks: int, mounts: str = "/proc/self/mountinfo"
) -> Iterator[Path | None]:
    """Make a group that may use so much memory and so many threads, and end all that is in it.

    Its memory includes shared mappings, pipes, sockets and what lies in tmpfs, none of it swapped.
    It is None where no group above this process can be written to and hands both controllers down.
    """
    place = next(filter(None, map(_made, _above(Path(mounts)))), None)
    try:
        yield place if place and _bounded(place, memory_bytes, tasks) else None
    finally:
        if place:
            _end(place)


def entering(place: Path | None) -> list[str]:
    """Return the command that goes into a group, if it may, and becomes the command after it."""
    go = 'echo $$ > "$0" 2>/dev/null; exec "$@"'
    return ["/bin/sh", "-c", go, str(place / "cgroup.procs")] if place else []


def kills(place: Path | None) -> int:
    """Return how many processes of a group were ended because it wanted more memory than it has."""
    if place:
        with suppress(OSError, ValueError, KeyError):
            lines = (place / "memory.events").read_text(encoding="ascii").splitlines()
            return int(dict(line.split() for line in lines)["oom_kill"])
    return 0


def _above(mounts: Path) -> list[Path]:
    """Return the groups that this process is in, innermost first."""
    with suppress(OSError, StopIteration, IndexError):
        lines = [line.split() for line in mounts.read_text(encoding="utf-8").splitlines()]
        root = next(Path(each[4]) for each in lines if each[each.index("-") + 1] == "cgroup2")
        own = (mounts.parent / "cgroup").read_text(encoding="utf-8").splitlines()
        name = next(line[3:] for line in own if line.startswith("0::"))
        inner = root / name.strip("/")
        return [each for each in (inner, *inner.parents) if each.is_relative_to(root)]
    return []


def _made(parent: Path) -> Path | None:
    """Return a new group below `parent`, if that hands the controllers down."""
    with suppress(OSError):
        handed = (parent / "cgroup.subtree_control").read_text(encoding="ascii").split()
        if set(handed) >= _WANTED and os.access(parent / "cgroup.procs", os.W_OK):
            place = parent / f"workbook-grading-{secrets.token_hex(6)}"
            place.mkdir()
            return place
    return None


def _bounded(place: Path, memory_bytes: int, tasks: int) -> bool:
    """Set a group's limits; tell whether that worked."""
    with suppress(FileNotFoundError):  # a system without swap
        (place / "memory.swap.max").write_text("0", encoding="ascii")
    try:
        (place / "memory.max").write_text(str(memory_bytes), encoding="ascii")
        (place / "memory.oom.group").write_text("1", encoding="ascii")
        (place / "pids.max").write_text(str(tasks), encoding="ascii")
    except OSError:
        return False
    return True


def _end(place: Path) -> None:
    """End all processes of a group, and remove it: that works once the last has gone."""
    with suppress(OSError):
        (place / "cgroup.kill").write_text("1", encoding="ascii")
    for _ in range(50):
        with suppress(OSError):
            place.rmdir()
            return
        time.sleep(0.02)
