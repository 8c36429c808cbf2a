"""Take a checkpoint apart: copy it, remove or spoil one file, and see what still loads."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib import session


@dataclass(frozen=True)
class Trial:
    """Hold the outcome of one trial: `error` is the exception's name, empty where it worked.

    `message` is what TensorFlow said, in full.
    """

    what: str
    error: str = ""
    message: str = ""

    @property
    def works(self) -> bool:
        """True when nothing was raised."""
        return not self.error

    def __str__(self) -> str:
        """Return one line that is the same in every run and for every version of TensorFlow."""
        return f"{self.what}: {'works' if self.works else 'fails'}"


def copy(prefix: str | Path, folder: str | Path, leave_out: str = "") -> Path:
    """Copy a checkpoint's files and its folder's `checkpoint` to a new folder.

    Files whose name contains `leave_out` (".index", ".data", ".meta", "checkpoint") stay behind.
    Return the prefix of the copy.
    """
    prefix, folder = Path(prefix), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for file in (*prefix.parent.glob(f"{prefix.name}.*"), prefix.parent / "checkpoint"):
        if file.is_file() and not (leave_out and leave_out in file.name):
            shutil.copy(file, folder / file.name)
    return folder / prefix.name


def flip_bit(file: str | Path, position: int, bit: int = 0) -> None:
    """Flip one bit of a file's byte at `position`, in place; below 0 counts from the end."""
    data = bytearray(Path(file).read_bytes())
    data[position] ^= 1 << bit
    session.write_atomically(file, bytes(data))


def replace_bytes(file: str | Path, old: bytes, new: bytes) -> int:
    """Put `new` wherever `old`, of the same length, stands in a file; return how often.

    Raises ValueError where nothing would change, or where the file would get another length.
    """
    data = Path(file).read_bytes()
    if len(old) != len(new) or old not in data:
        raise ValueError(f"{old!r} is not in {Path(file).name}, or {new!r} is not as long.")
    session.write_atomically(file, data.replace(old, new))
    return data.count(old)


def attempt(what: str, action: Callable[[], Any]) -> Trial:
    """Run `action()` quietly and return what came of it."""
    try:
        with session.quiet():
            action()
    except Exception as error:  # TensorFlow raises many kinds, and which one is the result
        return Trial(what, type(error).__name__, str(error))
    return Trial(what)
