"""Unpack a .tar, .tar.gz or .zip into a new folder that appears whole, or not at all.

Only files and folders below that folder are made. An archive with anything else in it (a path
that leads out, a link, a device) is refused: nobody has to trust where it came from.
"""

import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from course_lib.sound.download import DownloadError, Progress, megabytes, no_room

_BROKEN = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError)
_TWICE = (FileExistsError, NotADirectoryError, IsADirectoryError)  # a name that was given twice
_Member = tuple[str, str, int, Callable[[], IO[bytes]]]  # name, kind, bytes, how to open it
_EVERY = 200  # files between two reports of progress
_LEFT_OUT = "__MACOSX"  # what macOS puts beside the files of a .zip


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
    except (*_BROKEN, OSError) as error:
        if isinstance(error, OSError) and folder.is_dir():
            return folder  # another process was faster, and its folder is as whole as ours
        if isinstance(error, (*_BROKEN, *_TWICE)) or error.errno is None:  # gzip's have no number
            problem = f"{archive.name} is damaged or no archive: delete it and download it again."
            raise DownloadError(problem) from error
        raise no_room(error, folder.parent) from error
    return folder


def _write_all(archive: Path, whole: Path, most_bytes: int, progress: Progress | None) -> None:
    total, left, written = archive.stat().st_size, most_bytes, 0
    read = _zipped if zipfile.is_zipfile(archive) else _tarred
    with archive.open("rb") as raw:
        for name, kind, size, opened in read(raw):
            parts = PurePosixPath(name).parts
            # Windows also goes out by \\ and by the name of a drive
            odd = ".." in parts or any(set(part) & set("\\:\0") for part in parts)
            if kind in ("file", "folder") and (odd or name.startswith("/")):
                kind = "a path that leads out of its folder"
            if kind not in ("file", "folder"):
                what = f"{kind} ({name[:80]!r}): nothing was unpacked, delete that archive."
                raise DownloadError(f"{archive.name} holds {what}")
            if kind == "folder" or _LEFT_OUT in parts or name.rpartition("/")[2].startswith("._"):
                continue
            left -= size
            if left < 0:
                raise DownloadError(
                    f"{archive.name} would fill more than {megabytes(most_bytes)}: "
                    "it was not unpacked."
                )
            path = whole.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            with opened() as content, path.open("xb") as file:
                shutil.copyfileobj(content, file)
            if path.stat().st_size != size:
                raise EOFError(name)
            written += 1
            if progress is not None and written % _EVERY == 0:
                progress(min(raw.tell(), total), total)
    if progress is not None:
        progress(total, total)


def _tarred(raw: IO[bytes]) -> Iterator[_Member]:
    with tarfile.open(fileobj=raw, mode="r:*") as opened:
        for member in opened:
            kind = "a link" if member.issym() or member.islnk() else "a device"
            kind = "folder" if member.isdir() else "file" if member.isreg() else kind
            yield member.name, kind, member.size, partial(opened.extractfile, member)


def _zipped(raw: IO[bytes]) -> Iterator[_Member]:
    kinds = {0: "file", stat.S_IFREG: "file", stat.S_IFLNK: "a link"}
    with zipfile.ZipFile(raw) as opened:
        for member in opened.infolist():
            kind = kinds.get(stat.S_IFMT(member.external_attr >> 16), "a device")
            kind = "folder" if member.is_dir() else kind
            yield member.filename, kind, member.file_size, partial(opened.open, member)
