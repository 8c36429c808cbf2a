"""A checkpoint after every epoch, and the way back to any of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from course_lib import session
from course_lib.experiments.training_runs import timeline
from course_lib.views.training import Curve

_MOST = 50  # checkpoints that are kept: those of a longer training go, the oldest first


def every_epoch(model: Any, folder: str | Path) -> Any:
    """Return a Keras callback that saves `model` as `ckpt-1`, `ckpt-2` … in `folder`."""
    tf, state = session.import_tensorflow(), None

    def save(epoch: int, logs: dict | None = None) -> None:
        nonlocal state
        if state is None:
            made = tf.train.Checkpoint(model=model)
            state = tf.train.CheckpointManager(made, str(folder), max_to_keep=_MOST)
        state.save(checkpoint_number=epoch + 1)

    return tf.keras.callbacks.LambdaCallback(on_epoch_end=save)


def best_epoch(curve: Curve) -> int:
    """Return the epoch, from 1 on, that did best on the clips held back; the last one of equals.

    Raises ValueError where no epoch was finished.
    """
    if not curve.accuracies:
        raise ValueError("No epoch of this training was finished: train once more.")
    shares = [share for _, share in curve.accuracies]
    return len(shares) - shares[::-1].index(max(shares))


def restore(model: Any, folder: str | Path, epoch: int) -> Path:
    """Give `model` the weights of an epoch; return the checkpoint's prefix.

    Raises FileNotFoundError that lists the epochs there are.
    """
    prefix = Path(folder, f"ckpt-{epoch}")
    if not prefix.with_name(f"{prefix.name}.index").is_file():
        numbers = sorted(int(path.stem.split("-")[1]) for path in Path(folder).glob("ckpt-*.index"))
        there = ", ".join(map(str, numbers)) or "none"
        raise FileNotFoundError(f"There is no checkpoint of epoch {epoch}; there are: {there}.")
    timeline.restored(prefix, model)
    return prefix
