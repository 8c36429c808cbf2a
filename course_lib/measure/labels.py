"""What a model's classes are called: by itself, by a file inside of it, or by one beside it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from course_lib.sound.dataset import LABELS, SILENCE, UNKNOWN, walk

_ATTRIBUTES = ("labels", "class_names", "classes")
_MOST_BYTES = 1 << 20  # of a file with labels
_ZIPS = (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, RuntimeError, NotImplementedError)
TAKEN = "nothing names them: taken to be the workbook's four"


def numbered(classes: int) -> tuple[str, ...]:
    """Return the four labels for four classes, and numbers for any other count."""
    return LABELS if classes == len(LABELS) else tuple(map(str, range(classes)))


def named(path: Path, classes: int, model: Any = None) -> tuple[tuple[str, ...], str]:
    """Return the names of a saved model's classes, and where they come from.

    Looked at are, in this order, attributes of the opened Keras `model`; text files inside: what
    TensorFlow Lite's metadata calls associated files, the assets of a SavedModel; files beside it:
    <model>_labels.txt, labels.txt, another with "label" in its name (such as conv_labels.txt), and
    the report.json of lesson 09. A file counts where it has a line for each class.
    """
    for name in _ATTRIBUTES:
        values = getattr(model, name, None)
        if isinstance(values, list | tuple) and _fit(names := tuple(map(str, values)), classes):
            return names, f"the model's {name}"
    content = path.read_bytes() if path.is_file() else b""
    if names := inside(content, classes):
        return names, "a file inside of the model"
    for file in _beside(path):
        text = file.read_bytes()[:_MOST_BYTES]
        names = _reported(text) if file.suffix == ".json" else _lines(text)
        if _fit(names, classes):
            return names, file.name
    return numbered(classes), TAKEN if classes == len(LABELS) else "numbered: nothing names them"


def inside(model_bytes: bytes, classes: int) -> tuple[str, ...]:
    """Return the names in a text file that is packed into a model's file, () where there are none.

    TensorFlow Lite's metadata appends such files as a zip; a .keras file is one.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(model_bytes)) as archive:
            files = [each for each in archive.infolist() if each.filename.endswith(".txt")]
            for each in sorted(files, key=lambda each: "label" not in each.filename.lower()):
                if each.file_size < _MOST_BYTES and _fit(_lines(archive.read(each)), classes):
                    return _lines(archive.read(each))
    except _ZIPS:
        pass  # most models are no zip
    return ()


def class_of(word: str, names: Sequence[str]) -> int | None:
    """Return the class of a spoken word: its own, else that of unknown words, None without one."""
    words = [walk.word_of(name) for name in names]
    unknown = words.index(LABELS[UNKNOWN]) if LABELS[UNKNOWN] in words else None
    if word in words:
        return words.index(word)
    return None if word == LABELS[SILENCE] else unknown


def _beside(path: Path) -> Iterator[Path]:
    """Yield files that may hold labels; of several that only look so, none."""
    stem = path.name.removesuffix(path.suffix)
    folders = [path, path / "assets"] if path.is_dir() else []
    for folder in (*folders, path.resolve().parent):
        exact = [folder / name for name in (f"{stem}_labels.txt", f"{stem}.txt", "labels.txt")]
        near = [each for each in folder.glob("*.txt") if "label" in each.name.lower()]
        others = [each for each in near if each not in exact]
        others = others if len(others) == 1 else []
        yield from (each for each in (*exact, *others, folder / "report.json") if each.is_file())


def _lines(text: bytes) -> tuple[str, ...]:
    """Return the lines of a file of labels; numbers in front, as in "0 yes", are taken off."""
    lines = text.decode("utf-8-sig", "replace").splitlines()
    lines = [line.strip() for line in lines if line.strip()]
    found = [re.match(r"(\d+)[\s:,]+(\S.*)", line) for line in lines]
    if all(found) and [int(each[1]) for each in found] == list(range(len(found))):
        lines = [each[2] for each in found]
    return tuple(lines)


def _reported(text: bytes) -> tuple[str, ...]:
    try:
        return tuple(map(str, json.loads(text)["labels"]))
    except (ValueError, KeyError, TypeError):
        return ()


def _fit(names: Sequence[str], classes: int) -> bool:
    return 0 < classes == len(names) == len(set(names))
