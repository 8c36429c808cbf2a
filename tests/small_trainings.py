"""Small trainings and their checkpoints, for the tests that need some."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from course_lib import session, spotter


def random_clips(count: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Return features (count, 49, 40) float32 and labels (count,) of no sound in particular."""
    rng = np.random.default_rng(2)
    return rng.normal(size=(count, 49, 40)).astype("float32"), rng.integers(0, 4, count)


def two_checkpoints(folder: Path) -> Path:
    """Write checkpoints of two spotters that differ, without training; return their folder."""
    tf = session.import_tensorflow()
    for step in (5, 40):
        state = tf.train.Checkpoint(model=spotter.build(seed=step))
        tf.train.CheckpointManager(state, str(folder), None).save(checkpoint_number=step)
    (folder / "history.json").write_text('[{"step": 40, "loss": 0.5, "seconds": 2.0}]')
    return folder
