"""Walk through folders and zips, and account for every file in them.

Nothing is ever unpacked to disk: zips are read in memory, entry by entry, within bounds, so that no
path in them can lead anywhere. Links, in folders and in zips, are not followed.
"""

import io
import lzma
import os
import re
import stat
import struct
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

from course_lib.instructor.grading.platforms import ATTEMPT
from course_lib.instructor.grading.submission import LARGEST_BYTES

REPORT = "report.json"  # of lesson 09: checked and told, worth no points
METADATA = "submission_metadata.yml"  # Gradescope's: who handed in which folder
_NOTEBOOKS = (".ipynb", ".ipynb.txt", ".ipynb.json")  # the last two by mail programs and browsers
_UNREAD = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".rar", ".gz", ".xz", ".zst")
_SYSTEM = {".git", ".ipynb_checkpoints", "__macosx", "thumbs.db", "desktop.ini"}
_MOST_ENTRIES = 20_000
_MOST_BYTES = 4 << 30  # entries are read one by one: this bounds time, not memory
_DEEPEST_ZIP = 3  # an export, a student's zip in it, and one packed by mistake
_LONGEST_NAME = 240  # characters of a part of a path: no system allows more
HIDDEN = "It is hidden: a system's or an editor's own."
_A_LINK = "The file is a link to another one, or no plain file: hand in a copy."
_ONLY_THAT = "hand in the notebook only."
# All that zipfile and its decompressors raise for bytes that are no zip, or only partly one.
_DAMAGED = (BadZipFile, zlib.error, lzma.LZMAError, struct.error, OSError, EOFError)
_DAMAGED += (ValueError, RuntimeError, OverflowError)


@dataclass(frozen=True)
class Found:
    """One file that came in: where it lay, what kind it is, its bytes or why there are none.

    `origin` is shown; `place` says whose it may be: the parts of its path, without those inside a
    student's own zip, whose names say nothing. `kind` is "notebook", "report", "roll" (a platform's
    list of who handed in what) or "" for all else; `problem` says why it cannot be graded, `why`
    that it is no submission. Texts hold printable characters only.
    """

    origin: str
    place: tuple[str, ...]
    kind: str = ""
    data: bytes = b""
    problem: str = ""
    why: str = ""


@dataclass
class _Budget:
    """What the zips of one source may still cost: entries and unpacked bytes."""

    entries: int = _MOST_ENTRIES
    bytes: int = _MOST_BYTES


@dataclass(frozen=True)
class _Around:
    """What is around a zip's entries: names shown before theirs, and whose it is, if known."""

    origin: str
    place: tuple[str, ...]
    inside: bool  # a student's own zip
    budget: _Budget
    depth: int = 1


def walk(source: Path, export: bool) -> Iterator[Found]:
    """Yield every file in a notebook, folder or zip, in order of names; places leave out `source`.

    `export` says that a zip holds what several students handed in, as a folder does; else it is one
    student's own.
    """
    name = printable(source.name)
    if source.is_dir():
        yield from _folder(source)
    elif _kind(name) == "zip":
        yield from _zip(source, _Around(name, () if export else (name,), not export, _Budget()))
    else:
        yield _file(source, name, (name,))


def is_zip(path: Path) -> bool:
    """Tell whether a path is a file that is named like a zip."""
    return _kind(printable(path.name)) == "zip" and path.is_file()


def entries(path: Path) -> list[tuple[str, ...]]:
    """Return the places of a zip's files that could be submissions; none for a damaged zip."""
    try:
        with ZipFile(path) as archive:
            places = [_place(each) for each in archive.infolist()[:_MOST_ENTRIES] if _plain(each)]
    except _DAMAGED:
        return []
    return [each for each in places if _kind(each[-1]) and not _of_a_system(each)]


def printable(name: str) -> str:
    """Return a name in normal form C with every character visible; different names stay different.

    Bytes that are no UTF-8 are read as Latin-1, controls and direction marks become their numbers.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        name = os.fsencode(name).decode("latin-1") if _escaped(name) else ascii(name)
    name = unicodedata.normalize("NFC", name)
    shown = "".join(each if each.isprintable() else _visible(each) for each in name).strip()
    if len(shown) <= _LONGEST_NAME:
        return shown or "_"
    end = _LONGEST_NAME // 4  # the ending tells the kind
    return f"{shown[:end]}…{zlib.crc32(shown.encode()):08x}…{shown[-end:]}"


def in_order(name: str) -> list:
    """Order names as people do: version 10 after version 9, and none before -1."""
    stem = re.sub(r"\.(ipynb(\.txt|\.json)?|zip)$", "", name, flags=re.IGNORECASE)
    parts = re.split(r"([0-9]+)", stem)
    numbers = [each.lstrip("0") for each in parts]  # compared by length first: int() has a limit
    return [
        (len(number), number) if place % 2 else part.casefold()
        for place, (part, number) in enumerate(zip(parts, numbers, strict=True))
    ]


def _escaped(name: str) -> bool:
    return all(not 0xD800 <= ord(each) < 0xE000 or 0xDC80 <= ord(each) < 0xDD00 for each in name)


def _visible(character: str) -> str:
    return " " if unicodedata.category(character) == "Zs" else f"\\u{ord(character):04x}"


def _kind(name: str) -> str:
    """Return "notebook", "zip", "report" or "roll" for what is read, else nothing."""
    lower = name.casefold()
    if lower in (REPORT, METADATA):
        return "report" if lower == REPORT else "roll"
    if re.search(rf"{ATTEMPT.pattern}\.txt$", lower):
        return "roll"  # Blackboard's
    return "notebook" if lower.endswith(_NOTEBOOKS) else "zip" if lower.endswith(".zip") else ""


def _of_a_system(place: tuple[str, ...]) -> bool:
    return any(part.casefold() in _SYSTEM or part.startswith(".") for part in place)


def _other(origin: str, place: tuple[str, ...]) -> Found:
    """Return what is said of a file that is not read."""
    lower = origin.casefold()
    if _of_a_system(place):
        return Found(origin, place, why=HIDDEN)
    if ending := next((each for each in _UNREAD if lower.endswith(each)), ""):
        problem = f"An archive of the kind {ending} is not read: unpack it, or hand in a .zip."
        return Found(origin, place, problem=problem)
    return Found(origin, place, why="It is no notebook (.ipynb) and no .zip.")


def _folder(folder: Path) -> Iterator[Found]:
    """Yield the files below a folder, and those in zips there; links are left out."""
    errors: list[OSError] = []
    for here, folders, names in os.walk(folder, followlinks=False, onerror=errors.append):
        folders.sort(key=in_order)
        links = [name for name in folders if Path(here, name).is_symlink()]
        pruned = [name for name in folders if name.casefold() in _SYSTEM and name not in links]
        folders[:] = [name for name in folders if name not in pruned]
        for name in sorted([*names, *links, *pruned], key=in_order):
            path = Path(here, name)
            place = tuple(map(printable, path.relative_to(folder).parts))
            origin, kind = "/".join(place), _kind(place[-1])
            if name in pruned or not kind or _of_a_system(place):
                yield _other(origin, place)
            elif path.is_symlink() or not path.is_file():
                yield Found(origin, place, kind, problem=_A_LINK)
            elif kind == "zip":
                yield from _zip(path, _Around(origin, place, True, _Budget()))
            else:
                yield _file(path, origin, place)
    for error in errors:
        place = tuple(map(printable, Path(error.filename).relative_to(folder).parts))
        yield Found("/".join(place) or ".", place, problem="The folder may not be read.")


def _file(path: Path, origin: str, place: tuple[str, ...]) -> Found:
    kind = _kind(place[-1])
    if not kind:
        return _other(origin, place)
    try:
        size = path.stat().st_size
        if size <= LARGEST_BYTES:
            return Found(origin, place, kind, path.read_bytes())
    except OSError as error:
        problem = f"The file cannot be read: {error.strerror}."
        return Found(origin, place, kind, problem=problem)
    allowed = f"{LARGEST_BYTES >> 20} are allowed: clear the outputs."
    return Found(origin, place, kind, problem=f"The file has {size >> 20:,} MB and {allowed}")


def _zip(file: Path | io.BytesIO, around: _Around) -> Iterator[Found]:
    """Yield the files in a zip and in zips within it."""
    place, budget = around.place or (around.origin,), around.budget
    empty = True
    try:
        with ZipFile(file) as archive:
            for entry in sorted(archive.infolist(), key=lambda each: in_order(each.filename)):
                budget.entries -= 1
                if budget.entries < 0:
                    problem = f"The zip has more than {_MOST_ENTRIES:,} entries: {_ONLY_THAT}"
                    yield Found(around.origin, place, "zip", problem=problem)
                    return
                for found in _entry(archive, entry, around):
                    empty = False
                    yield found
    except _DAMAGED:
        problem = "The zip is damaged: pack it again."
        yield Found(around.origin, place, "zip", problem=problem)
        return
    if empty:
        yield Found(around.origin, place, "zip", problem="The zip is empty: pack it again.")


def _entry(archive: ZipFile, entry: ZipInfo, around: _Around) -> Iterator[Found]:
    """Yield the file that an entry is, or those in the zip that it is."""
    if entry.filename.endswith("/"):
        return
    inner = _place(entry)
    origin = "/".join((around.origin, *inner))
    place = around.place if around.inside else (*around.place, *inner)
    kind = _kind(inner[-1])
    if not kind or _of_a_system(inner):
        found = _other(origin, inner)
        yield Found(origin, place, problem=found.problem, why=found.why)
    elif not _plain(entry):
        yield Found(origin, place, kind, problem=_A_LINK)
    else:
        data, problem = _unpacked(archive, entry, around.budget, kind)
        if kind != "zip" or problem:
            yield Found(origin, place, kind, data, problem)
        elif around.depth < _DEEPEST_ZIP:
            deeper = _Around(origin, place, True, around.budget, around.depth + 1)
            yield from _zip(io.BytesIO(data), deeper)
        else:
            problem = f"There are zips in zips in zips: {_ONLY_THAT}"
            yield Found(origin, place, kind, problem=problem)


def _plain(entry: ZipInfo) -> bool:
    """Tell whether an entry is a file, neither a folder nor a link."""
    link = stat.S_ISLNK(entry.external_attr >> 16)  # the upper half is Unix's mode
    return not link and not entry.filename.endswith("/")


def _place(entry: ZipInfo) -> tuple[str, ...]:
    """Return an entry's parts without what could lead out of the zip; they are only labels."""
    name = entry.filename
    if not entry.flag_bits & 0x800:  # the bit that says UTF-8: many write that without saying so
        try:
            name = name.encode("cp437").decode()
        except UnicodeError:
            name = entry.filename
    parts = [part for part in re.split(r"[\\/]", name) if not part.endswith(":")]
    return tuple(printable(part) for part in parts if part not in ("", ".", "..")) or ("_",)


def _unpacked(archive: ZipFile, entry: ZipInfo, budget: _Budget, kind: str) -> tuple[bytes, str]:
    """Return an entry's bytes and no problem, or nothing and a sentence."""
    largest = LARGEST_BYTES * (8 if kind == "zip" else 1)
    if entry.flag_bits & 1:  # the bit that says encrypted
        return b"", "The zip has a password: pack it without one."
    try:
        with archive.open(entry) as file:
            data = file.read(largest + 1)
    except _DAMAGED:  # this entry alone: another student's may be whole
        return b"", "The file is damaged inside its zip: pack it again."
    budget.bytes -= len(data)
    if len(data) > largest or budget.bytes < 0:
        return b"", f"The file unpacks to more than {largest >> 20} MB: {_ONLY_THAT}"
    return data, ""
