"""The five forms in which a model is kept, and one folder that holds a model in all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from course_lib import session
from course_lib.graph import freezing

# What each form is called, and the files that it is made of.
FORMS = {
    "checkpoint": "checkpoint/*",
    "Keras file": "model.keras",
    "SavedModel": "saved_model/**/*",
    "frozen graph": "frozen.pb",
    "TFLite": "model.tflite",
}
# The file of each form that is given to a viewer.
VIEWED = {
    **FORMS,
    "checkpoint": "checkpoint/model.index",
    "SavedModel": "saved_model/saved_model.pb",
}


def write(model: Any, folder: str | Path, features: np.ndarray, labels: np.ndarray) -> Path:
    """Write a Keras model in all five forms to `folder`, and what to try them with.

    `features` are (n, 49, 40) float32, `labels` (n,). Returns the folder.
    """
    from course_lib import spotter, tflite

    tf, folder = session.import_tensorflow(), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with session.quiet():
        tf.train.Checkpoint(model=model).write(str(folder / "checkpoint" / "model"))
        model.save(folder / "model.keras")
        model.export(folder / "saved_model", verbose=False)
    frozen = freezing.frozen(model)
    frozen.save(folder / "frozen.pb")
    session.write_atomically(folder / "model.tflite", tflite.convert(frozen, "float32"))
    rows = np.asarray(features, np.float32)[..., np.newaxis]
    np.save(folder / "features.npy", rows)
    np.save(folder / "labels.npy", np.asarray(labels))
    np.save(folder / "answers.npy", spotter.predict(model, rows[..., 0]))
    return folder


def bytes_of(folder: Path) -> dict[str, int]:
    """Return the bytes that each form takes in a folder that `write` filled."""
    return {
        name: sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())
        for name, pattern in FORMS.items()
    }
