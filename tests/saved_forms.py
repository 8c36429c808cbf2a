"""One Keras model in each form in which people save it."""

from __future__ import annotations

from pathlib import Path

from course_lib import session, tflite
from course_lib.graph import freezing


def save(model, path: Path, form: str) -> Path:
    """Save `model` at `path`: "keras", "h5", "folder" (a SavedModel), "pb", "tflite"; return it."""
    with session.quiet():
        if form in ("keras", "h5"):
            model.save(path)
        elif form == "folder":
            model.export(path)
        elif form == "pb":
            freezing.frozen(model).save(path)
        else:
            path.write_bytes(tflite.convert(model))
    return path
