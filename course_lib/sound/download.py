"""Fetch one large file by HTTP: resumed where it stopped, and checked before it gets its name.

What has arrived lies in `<name>.part`; beside it, `<name>.part.tag` keeps the server's mark of
that very version, so that two versions are never joined. Range requests and If-Range: RFC 9110,
sections 13.1.5 and 14.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from tqdm import tqdm

from course_lib.session import system

if TYPE_CHECKING:
    import requests

Progress = Callable[[int, int], None]
_BLOCK = 1 << 16  # what may be lost when a connection breaks
_CONNECT_SECONDS = 10.0
_GONE = (401, 403, 404, 410)  # trying again would not help


class DownloadError(ValueError):
    """Say in one sentence what could not be fetched or unpacked, and what to do."""


class _Passing(Exception):
    """A trouble that may be over in a moment, such as a connection that broke: try again."""


@dataclass(frozen=True)
class Remote:
    """A published file: its address, its size, and the SHA-256 of its bytes."""

    url: str
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        return Path(urlsplit(self.url).path).name

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


def fetch(
    remote: Remote,
    folder: Path,
    progress: Progress | None = None,
    tries: int = 5,
    patience_seconds: float = 30.0,
    pause: Callable[[float], None] = time.sleep,
) -> Path:
    """Return the path of `remote` in `folder`; it is downloaded where it is not there yet.

    A connection that breaks or falls silent for `patience_seconds` is taken up again, `tries`
    times without a new byte, with a longer `pause` each time. `progress(done, total)` counts
    bytes. Raises DownloadError in every other case: what has arrived stays for the next call, a
    whole file with a wrong checksum does not.
    """
    target = folder / remote.name

    def arrived() -> bool:
        return target.is_file() and target.stat().st_size == remote.bytes

    try:
        folder.mkdir(parents=True, exist_ok=True)
        if arrived():
            return target
        path = folder / f"{remote.name}.part"
        with _alone(path) as file:
            part = _Part(remote, file, progress or (lambda done, total: None), patience_seconds)
            if not arrived():  # while this process waited for the lock, another may have ended
                part.fill(tries, pause)
                part.check()
                path.replace(target)
            part.tag.unlink(missing_ok=True)
    except OSError as error:
        raise no_room(error, folder) from error
    return target


@dataclass
class _Part:
    """What has arrived of a remote file so far, and how to get the rest."""

    remote: Remote
    file: BinaryIO
    progress: Progress
    patience_seconds: float

    @property
    def length(self) -> int:
        return self.file.seek(0, 2)

    @property
    def tag(self) -> Path:
        return Path(f"{self.file.name}.tag")

    def fill(self, tries: int, pause: Callable[[float], None]) -> None:
        """Ask for what is missing until nothing is."""
        import requests  # late: only real recordings need it, and it takes its time

        remote, failed = self.remote, 0
        self._make_sure_of_room()
        with requests.Session() as session:
            while (had := self.length) != remote.bytes:
                try:
                    self._more(session)
                except (_Passing, requests.exceptions.RequestException) as error:
                    trouble = error
                    if not isinstance(error, _Passing):
                        trouble = f"no connection to {remote.host}"
                    failed = 1 if self.length > had else failed + 1
                    if failed >= tries:
                        raise DownloadError(
                            f"{remote.name} stopped after {megabytes(self.length)} of "
                            f"{megabytes(remote.bytes)}: {trouble}. Run this again and it goes on "
                            "from there."
                        ) from error
                    pause(min(2.0 ** (failed - 1), 30.0))

    def check(self) -> None:
        """Compare the checksum; throw the file away and raise DownloadError where it differs."""
        self.file.seek(0)
        if hashlib.file_digest(self.file, "sha256").hexdigest() != self.remote.sha256:
            self.file.truncate(0)
            self.tag.unlink(missing_ok=True)
            raise self._another_file("other content, by its SHA-256; it was not kept")

    def _more(self, session: requests.Session) -> None:
        """Append what one request brings; raise _Passing where it ends too early."""
        remote, have = self.remote, self.length
        if have > remote.bytes:
            self.file.truncate(have := 0)
        headers = {"Accept-Encoding": "identity"}  # packed bytes could not be resumed or counted
        if have:
            headers["Range"] = f"bytes={have}-"
            if self.tag.is_file():
                headers["If-Range"] = self.tag.read_text(encoding="ascii", errors="ignore")
        patience = (_CONNECT_SECONDS, self.patience_seconds)
        try:
            with session.get(remote.url, headers=headers, stream=True, timeout=patience) as answer:
                if self._begins_anew(answer, have):
                    self.file.truncate(have := 0)
                self._remember_version(answer)
                for block in answer.iter_content(_BLOCK):
                    if have + len(block) > remote.bytes:
                        self.file.truncate(0)
                        raise self._another_file("more bytes than were published")
                    self.file.write(block)
                    have += len(block)
                    self.progress(have, remote.bytes)
        finally:
            self.file.flush()
        if have < remote.bytes:
            raise _Passing(f"{remote.host} ended too early")

    def _begins_anew(self, answer: requests.Response, have: int) -> bool:
        """Tell from its head whether an answer starts at byte 0. Raise where it is useless."""
        remote, status = self.remote, answer.status_code
        if status in _GONE:
            raise DownloadError(
                f"{remote.host} does not give {remote.name} (HTTP {status}): the address may have "
                'changed, so update the workbook, or go on with the "bundled" clips.'
            )
        if status == 416:  # it has fewer bytes than are here already
            raise self._another_file("fewer bytes than were published")
        if status not in (200, 206):
            raise _Passing(f"{remote.host} has trouble (HTTP {status})")
        start, total = 0, answer.headers.get("Content-Length", "")
        if status == 206:
            where, _, total = answer.headers.get("Content-Range", "").rpartition("/")
            begin = where.removeprefix("bytes ").split("-")[0]
            start = int(begin) if begin.isdigit() else -1
        if start not in (0, have):
            raise _Passing(f"{remote.host} sent another part than was asked for")
        if total.isdigit() and int(total) != remote.bytes:
            raise self._another_file(f"{int(total):,} bytes where {remote.bytes:,} were published")
        return start == 0

    def _remember_version(self, answer: requests.Response) -> None:
        """Keep the server's mark of this version of the file, where it gives a strong one."""
        mark = answer.headers.get("ETag", "")
        if not mark or mark.startswith("W/"):
            mark = answer.headers.get("Last-Modified", "")
        if mark:
            self.tag.write_text(mark, encoding="ascii", errors="ignore")

    def _make_sure_of_room(self) -> None:
        folder, missing = self.tag.parent, self.remote.bytes - self.length
        free = shutil.disk_usage(folder).free
        if missing > free:
            raise DownloadError(
                f"{self.remote.name} needs {megabytes(missing)} more and the disk with {folder} "
                f"has {megabytes(free)}: make room, or name another folder in WORKBOOK_CACHE."
            )

    def _another_file(self, difference: str) -> DownloadError:
        return DownloadError(
            f"{self.remote.host} has another {self.remote.name} than the one that was published: "
            f'{difference}. Try again later, or go on with the "bundled" clips.'
        )


def megabytes(count: int) -> str:
    """Return a number of bytes as text, in MB of 1,000,000 bytes."""
    return f"{count / 1e6:,.1f} MB"


def no_room(error: OSError, folder: Path) -> DownloadError:
    """Return what to say when nothing can be written to `folder`."""
    if error.errno == errno.ENOSPC:
        todo = "make room, then run this again; what has arrived stays."
        return DownloadError(f"The disk with {folder} is full: {todo}")
    trouble = f"({error.strerror or error}): name another folder in WORKBOOK_CACHE."
    return DownloadError(f"Nothing can be written to {folder} {trouble}")


@contextmanager
def bar(words: str, quiet: bool = False) -> Iterator[Progress]:
    """Draw a bar named `words` on stderr, unless `quiet`; give the function that moves it."""
    if quiet:
        yield lambda done, total: None
        return
    # in a log every step of a bar is a line: there it moves seldom
    seconds = 0.2 if sys.stderr.isatty() or "ipykernel" in sys.modules else 5.0
    with tqdm(desc=words, unit="B", unit_scale=True, mininterval=seconds) as drawn:

        def progress(done: int, total: int) -> None:
            drawn.total, drawn.initial = total, drawn.initial or done  # what was here is no speed
            drawn.update(done - drawn.n)

        yield progress


@contextmanager
def _alone(path: Path) -> Iterator[BinaryIO]:
    """Open `path` for reading and appending, made where it is missing, for this process only.

    The operating system lets the lock go when the file is closed or the process dies, so nothing
    has to be cleaned up. Raises DownloadError where another process holds it.
    """
    while True:
        with path.open("a+b") as file:
            try:
                system.lock(file)
            except OSError as error:
                raise DownloadError(
                    f"Another notebook or program is downloading {path.stem} already: "
                    "wait until it is done, then run this again."
                ) from error
            if _is_still(file, path):
                yield file
                return


def _is_still(file: BinaryIO, path: Path) -> bool:
    """Tell whether `path` is the file that was opened: another process may have renamed it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
