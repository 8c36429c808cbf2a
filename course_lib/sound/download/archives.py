"""Unpack a .tar, .tar.gz or .zip into a new folder that appears whole, or not at all.

Only files and folders below that folder are made. An archive with anything else in it (a path
that leads out, a link, a device) is refused: nobody has to trust where it came from.
"""

from __future__ import annotations

import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from course_lib.sound.download.errors import DownloadError, megabytes, no_room
from course_lib.sound.download.http import Progress

_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError)
_EVERY = 200  # files between two reports of progress
_LEFT_OUT = ("__MACOSX",)  # what macOS puts beside the files of a .zip


def unpack(archive: Path, folder: Path, most_bytes: int, progress: Progress | None = None) -> Path:
    """Unpack `archive` into `folder` and return it; where it is there already, do nothing.

    `most_bytes` bounds what may be written. `progress(done, total)` counts bytes of the archive.
    Raises DownloadError for an archive that is damaged, too large or not harmless; `folder` then
    does not exist.
    """
    if folder.is_dir():
        return folder
    try:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as name:
            whole = Path(name) / "whole"
            whole.mkdir()
            _write_all(archive, whole, most_bytes, progress)
            whole.rename(folder)
    except (*_DAMAGED, tarfile.ReadError) as error:
        raise _damaged(archive) from error
    except OSError as error:
        if folder.is_dir():  # another process was faster, and its folder is as whole as ours
            return folder
        twice = (FileExistsError, NotADirectoryError, IsADirectoryError)
        if error.errno is None or isinstance(error, twice):  # gzip's own, or a name given twice
            raise _damaged(archive) from error
        raise no_room(error, folder.parent) from error
    return folder


def _write_all(archive: Path, whole: Path, most_bytes: int, progress: Progress | None) -> None:
    """Write every file of the archive below `whole`."""
    total, left, made = archive.stat().st_size, most_bytes, 0
    with archive.open("rb") as raw:
        for name, size, content in _members(archive, raw):
            path = whole.joinpath(*_inside(archive, name))
            left -= size
            if left < 0:
                raise DownloadError(
                    f"{archive.name} would fill more than {megabytes(most_bytes)}: "
                    "it was not unpacked."
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            with content, path.open("xb") as file:
                shutil.copyfileobj(content, file)
            if path.stat().st_size != size:
                raise EOFError(name)
            made += 1
            if progress is not None and made % _EVERY == 0:
                progress(min(raw.tell(), total), total)
    if progress is not None:
        progress(total, total)


def _members(archive: Path, raw: IO[bytes]) -> Iterator[tuple[str, int, IO[bytes]]]:
    """Yield name, size and content of each file; refuse what is neither file nor folder."""
    read = _zipped if zipfile.is_zipfile(archive) else _tarred
    for name, size, content in read(archive, raw):
        parts = PurePosixPath(name).parts
        if not (set(parts) & set(_LEFT_OUT) or (parts and parts[-1].startswith("._"))):
            yield name, size, content


def _tarred(archive: Path, raw: IO[bytes]) -> Iterator[tuple[str, int, IO[bytes]]]:
    with tarfile.open(fileobj=raw, mode="r:*") as opened:
        for member in opened:
            if member.isdir():
                _inside(archive, member.name)
            elif member.isreg():
                yield member.name, member.size, opened.extractfile(member)
            else:
                kind = "a link" if member.issym() or member.islnk() else "a device"
                raise _refused(archive, kind, member.name)


def _zipped(archive: Path, raw: IO[bytes]) -> Iterator[tuple[str, int, IO[bytes]]]:
    with zipfile.ZipFile(raw) as opened:
        for member in opened.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if member.is_dir():
                _inside(archive, member.filename)
            elif kind in (0, stat.S_IFREG):
                yield member.filename, member.file_size, opened.open(member)
            else:
                name = "a link" if kind == stat.S_IFLNK else "a device"
                raise _refused(archive, name, member.filename)


def _inside(archive: Path, name: str) -> tuple[str, ...]:
    """Return the parts of a path that stays below the folder, on every system; else refuse it."""
    parts = PurePosixPath(name).parts
    leads_out = name.startswith("/") or ".." in parts
    if leads_out or any(set(part) & set("\\:\0") for part in parts):
        raise _refused(archive, "a path that leads out of its folder", name)
    return parts


def _refused(archive: Path, what: str, name: str) -> DownloadError:
    return DownloadError(
        f"{archive.name} holds {what} ({name[:80]!r}): nothing was unpacked, delete that archive."
    )


def _damaged(archive: Path) -> DownloadError:
    return DownloadError(
        f"{archive.name} is damaged or no archive: delete it and download it again."
    )
