"""Fetch one large file by HTTP: resumed where it stopped, and checked before it gets its name.

What has arrived lies in `<name>.part`; beside it, `<name>.part.tag` keeps the server's mark of
that very version, so that two versions are never joined. Range requests and If-Range: RFC 9110,
sections 13.1.5 and 14.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from course_lib.sound.download.errors import DownloadError, Passing, megabytes, no_room
from course_lib.sound.download.lock import alone

if TYPE_CHECKING:
    import requests

Progress = Callable[[int, int], None]
_BLOCK = 1 << 16  # what may be lost when a connection breaks
_CONNECT_SECONDS = 10.0
_GONE = (401, 403, 404, 410)


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
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if target.is_file() and target.stat().st_size == remote.bytes:
            return target
        with alone(folder / f"{remote.name}.part") as part:
            if not (target.is_file() and target.stat().st_size == remote.bytes):
                _fill(remote, part, progress, tries, patience_seconds, pause)
                _check(remote, part)
                Path(part.name).replace(target)
            _tag(part).unlink(missing_ok=True)
    except OSError as error:
        raise no_room(error, folder) from error
    return target


def _fill(
    remote: Remote,
    part: BinaryIO,
    progress: Progress | None,
    tries: int,
    patience_seconds: float,
    pause: Callable[[float], None],
) -> None:
    """Ask for what is missing until nothing is."""
    import requests

    _make_sure_of_room(remote, part)
    failed = 0
    with requests.Session() as session:
        while (had := _length(part)) != remote.bytes:
            try:
                _more(remote, part, progress, session, patience_seconds)
            except Passing as trouble:
                failed = 1 if _length(part) > had else failed + 1
                if failed >= tries:
                    raise DownloadError(_gave_up(remote, part, trouble)) from trouble
                pause(min(2.0 ** (failed - 1), 30.0))


def _more(
    remote: Remote,
    part: BinaryIO,
    progress: Progress | None,
    session: requests.Session,
    patience_seconds: float,
) -> None:
    """Append what one request brings; raise Passing where it ends too early."""
    import requests

    have = _length(part)
    if have > remote.bytes:
        part.truncate(have := 0)
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if _tag(part).is_file():
            headers["If-Range"] = _tag(part).read_text(encoding="ascii", errors="ignore")
    patience = (_CONNECT_SECONDS, patience_seconds)
    try:
        with session.get(remote.url, headers=headers, stream=True, timeout=patience) as answer:
            if _begins_anew(remote, answer, have):
                part.truncate(have := 0)
            _remember_version(answer, part)
            for block in answer.iter_content(_BLOCK):
                if have + len(block) > remote.bytes:
                    part.truncate(0)
                    raise DownloadError(_another_file(remote, "more bytes than were published"))
                part.write(block)
                have += len(block)
                if progress is not None:
                    progress(have, remote.bytes)
    except requests.exceptions.RequestException as error:
        raise Passing(f"no connection to {remote.host}") from error
    finally:
        part.flush()
    if have < remote.bytes:
        raise Passing(f"{remote.host} ended too early")


def _begins_anew(remote: Remote, answer: requests.Response, have: int) -> bool:
    """Judge the head of an answer: tell whether it starts at byte 0. Raise where it is useless."""
    status = answer.status_code
    if status in _GONE:
        raise DownloadError(
            f"{remote.host} does not give {remote.name} (HTTP {status}): the address may have "
            'changed, so update the workbook, or go on with the "bundled" clips.'
        )
    if status == 416:  # it has fewer bytes than are here already
        raise DownloadError(_another_file(remote, "fewer bytes than were published"))
    if status not in (200, 206):
        raise Passing(f"{remote.host} has trouble (HTTP {status})")
    start, total = 0, answer.headers.get("Content-Length", "")
    if status == 206:
        where, _, total = answer.headers.get("Content-Range", "").rpartition("/")
        begin = where.removeprefix("bytes ").split("-")[0]
        start = int(begin) if begin.isdigit() else -1
    if start not in (0, have):
        raise Passing(f"{remote.host} sent another part than was asked for")
    if total.isdigit() and int(total) != remote.bytes:
        raise DownloadError(
            _another_file(remote, f"{int(total):,} bytes where {remote.bytes:,} were published")
        )
    return start == 0


def _remember_version(answer: requests.Response, part: BinaryIO) -> None:
    """Keep the server's mark of this version of the file, where it gives a strong one."""
    mark = answer.headers.get("ETag", "")
    if not mark or mark.startswith("W/"):
        mark = answer.headers.get("Last-Modified", "")
    if mark:
        _tag(part).write_text(mark, encoding="ascii", errors="ignore")


def _check(remote: Remote, part: BinaryIO) -> None:
    """Compare the checksum; throw the file away and raise DownloadError where it differs."""
    part.seek(0)
    if hashlib.file_digest(part, "sha256").hexdigest() != remote.sha256:
        part.truncate(0)
        _tag(part).unlink(missing_ok=True)
        raise DownloadError(_another_file(remote, "other content, by its SHA-256; it was not kept"))


def _make_sure_of_room(remote: Remote, part: BinaryIO) -> None:
    missing, free = (
        remote.bytes - _length(part),
        shutil.disk_usage(Path(part.name).parent).free,
    )
    if missing > free:
        raise DownloadError(
            f"{remote.name} needs {megabytes(missing)} more and the disk with "
            f"{Path(part.name).parent} has {megabytes(free)}: make room, or name another folder "
            "in WORKBOOK_CACHE."
        )


def _another_file(remote: Remote, told: str) -> str:
    return (
        f"{remote.host} has another {remote.name} than the one that was published: {told}. "
        'Try again later, or go on with the "bundled" clips.'
    )


def _gave_up(remote: Remote, part: BinaryIO, trouble: Passing) -> str:
    return (
        f"{remote.name} stopped after {megabytes(_length(part))} of {megabytes(remote.bytes)}: "
        f"{trouble}. Run this again and it goes on from there."
    )


def _length(part: BinaryIO) -> int:
    return part.seek(0, 2)


def _tag(part: BinaryIO) -> Path:
    return Path(f"{part.name}.tag")
