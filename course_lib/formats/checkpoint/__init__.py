"""Checkpoints: what is saved while a model trains, opened down to the byte.

`contents(path)` opens a TF2 checkpoint, a TF1 Saver triple, a SavedModel's variables, a
`.weights.h5` or a `.keras` file, without TensorFlow and without the code of the model.
"""

from __future__ import annotations

from pathlib import Path

from course_lib.formats.checkpoint.bundle import latest
from course_lib.formats.checkpoint.contents import Contents, ObjectNode, Tensor

__all__ = ["Contents", "ObjectNode", "Tensor", "contents", "latest"]


def contents(path: str | Path) -> Contents:
    """Open what `path` names: a prefix such as `train/ckpt-3`, one of its files, or a folder.

    A folder may be a SavedModel or hold checkpoints (then the newest is opened). Raise
    `FileNotFoundError` or `ValueError` with one sentence that says what is wrong.
    """
    from course_lib.formats.checkpoint import bundle, keras_files

    path = Path(path)
    if (path / "variables").is_dir():
        return bundle.read(path / "variables" / "variables")
    if path.is_dir():
        return bundle.read(bundle.latest(path))
    if path.name.endswith(".keras"):
        return keras_files.read_keras(path)
    if path.name.endswith((".h5", ".hdf5")):
        return keras_files.read_h5(path)
    return bundle.read(path.with_name(_prefix(path.name)))


def _prefix(name: str) -> str:
    """Return the name of a checkpoint without the endings of its files."""
    for ending in (".index", ".meta"):
        name = name.removesuffix(ending)
    return name.split(".data-")[0]
