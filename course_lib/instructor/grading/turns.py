"""Whose turn it is: sandboxes run beside each other or one alone, each as a user of its own."""

import fcntl
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_USERS = range(60_000, 65_000)  # below the one that stands for nobody
_WAIT_SECONDS = 0.1
_HERE = Path(__file__).resolve().parent
_GATE, _ROOM = _HERE / "turns.py", _HERE / "watch.py"  # files that every process of ours has


class Stopped(RuntimeError):
    """Grading was interrupted: what runs is ended, and what waits never begins."""


STOP = threading.Event()
"""Set while an interrupt ends every sandbox of this process."""


@contextmanager
def turn(alone: bool = False) -> Iterator[None]:
    """Wait until a sandbox may run: beside others, or `alone` while none of this package runs.

    This holds among all processes of this machine. Who waits to be alone holds the gate, so that
    nobody new comes in. Raises Stopped where grading is interrupted meanwhile.
    """
    kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
    with ExitStack() as room:
        with _locked(_GATE, kind):
            room.enter_context(_locked(_ROOM, kind))
        yield


@contextmanager
def user_id() -> Iterator[int]:
    """Claim the number of a user that no other sandbox of this machine has, while it is used.

    A name of an abstract socket belongs to one process at a time and ends with it: see unix(7).
    Raises OSError where all are taken.
    """
    with socket.socket(socket.AF_UNIX) as claim:
        first = os.getpid() * 7 + threading.get_native_id()
        for offset in range(len(_USERS)):
            user = _USERS[(first + offset) % len(_USERS)]
            with suppress(OSError):  # another sandbox has it
                claim.bind(f"\0workbook-grading-user-{user}")
                yield user
                return
    raise OSError("Every user's number for sandboxes is taken.")


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[None]:
    """Hold a lock on a file; where its file system has none, do without."""
    with open(path, "rb") as file:
        while True:
            try:
                fcntl.flock(file, kind | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if STOP.wait(_WAIT_SECONDS):
                    raise Stopped from None
            except OSError:
                break
        yield
