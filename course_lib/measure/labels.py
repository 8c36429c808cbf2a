"""What a model's classes are called: by itself, by a file inside of it, or by one beside it."""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from course_lib.sound.dataset import LABELS, SILENCE, UNKNOWN, folders

TAKEN = "nothing names them: taken to be the workbook's four"
_MOST_BYTES = 1 << 20  # of a file with labels


def numbered(classes: int) -> tuple[str, ...]:
    """Return the four labels for four classes, and numbers for any other count."""
    return LABELS if classes == len(LABELS) else tuple(map(str, range(classes)))


def named(path: Path, classes: int, model: Any = None) -> tuple[tuple[str, ...], str]:
    """Return the names of a saved model's classes, and where they come from.

    Looked at are, in this order, `labels` and `class_names` of the opened Keras `model`; text files
    inside: what TensorFlow Lite's metadata calls associated files, the assets of a SavedModel;
    beside it <model>_labels.txt, labels.txt, another with "label" in its name (conv_labels.txt),
    and the report.json of lesson 09. A file counts where it has a line for each class.
    """
    sources = [
        (getattr(model, name, None), f"the model's {name}") for name in ("labels", "class_names")
    ]
    content = path.read_bytes() if path.is_file() else b""
    sources.append((inside(content, classes), "a file inside of the model"))
    sources += [(_lines(file.read_bytes()[:_MOST_BYTES]), file.name) for file in _beside(path)]
    for names, source in sources:
        if isinstance(names, list | tuple) and _fit(tuple(map(str, names)), classes):
            return tuple(map(str, names)), source
    return numbered(classes), TAKEN if classes == len(LABELS) else "numbered: nothing names them"


def inside(model_bytes: bytes, classes: int) -> tuple[str, ...]:
    """Return the names in a text file that is packed into a model's file, () where there are none.

    TensorFlow Lite's metadata appends such files as a zip; a .keras file is one.
    """
    with suppress(zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError):  # most are none
        with zipfile.ZipFile(io.BytesIO(model_bytes)) as archive:
            files = [each for each in archive.infolist() if each.filename.endswith(".txt")]
            for each in sorted(files, key=lambda each: "label" not in each.filename.lower()):
                if each.file_size < _MOST_BYTES and _fit(_lines(archive.read(each)), classes):
                    return _lines(archive.read(each))
    return ()


def class_of(word: str, names: Sequence[str]) -> int | None:
    """Return the class of a spoken word: its own, else that of unknown words, None without one."""
    words = [folders.word_of(name) for name in names]
    fallback = LABELS[UNKNOWN] if word != LABELS[SILENCE] else word
    return next((words.index(each) for each in (word, fallback) if each in words), None)


def _beside(path: Path) -> Iterator[Path]:
    """Yield files that may hold labels; of several that only look so, none."""
    for folder in ([path, path / "assets"] if path.is_dir() else []) + [path.resolve().parent]:
        exact = [folder / name for name in (f"{path.stem}_labels.txt", "labels.txt")]
        others = [each for each in folder.glob("*.txt") if "label" in each.name.lower()]
        others = [each for each in others if each not in exact]
        files = exact + (others if len(others) == 1 else []) + [folder / "report.json"]
        yield from filter(Path.is_file, files)


def _lines(text: bytes) -> tuple[str, ...]:
    """Return the labels in a text, one a line or of a report; numbers before them are taken off."""
    if text.startswith(b"{"):
        with suppress(ValueError, KeyError, TypeError):
            return tuple(map(str, json.loads(text)["labels"]))
    lines = [each.strip() for each in text.decode("utf-8-sig", "replace").splitlines()]
    lines = [each for each in lines if each]
    found = [re.fullmatch(r"(\d+)[\s:,]+(\S.*)", line) for line in lines]
    if all(found) and [int(each[1]) for each in found] == list(range(len(found))):
        lines = [each[2] for each in found]
    return tuple(lines)


def _fit(names: Sequence[str], classes: int) -> bool:
    return 0 < classes == len(names) == len(set(names))
