"""Train your own spotter: from nothing or from a checkpoint, and with a way back to every epoch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_lib import session, spotter
from course_lib.experiments import timeline
from course_lib.views.training import Curve

_MOST = 50  # checkpoints that are kept: those of a longer training go, the oldest first


@dataclass(frozen=True, repr=False)
class HeadStart:
    """The shares right on the validation clips after so many of the epochs, from two beginnings."""

    epochs: int
    after: int
    from_nothing: float
    from_checkpoint: float

    def __repr__(self) -> str:
        return (
            f"after {self.after} of {self.epochs} epochs: {self.from_nothing:.0%} right from "
            f"nothing, {self.from_checkpoint:.0%} from a checkpoint"
        )

    @property
    def points(self) -> float:
        """How far the checkpoint is ahead, -1 to 1."""
        return self.from_checkpoint - self.from_nothing


def head_start(slow: Curve, quick: Curve, after: int) -> HeadStart:
    """Compare two trainings, from nothing and from a checkpoint, after so many epochs.

    Raises ValueError where one of them was stopped before that.
    """
    finished = min(len(slow.accuracies), len(quick.accuracies))
    if not 1 <= after <= finished:
        raise ValueError(
            f"Both trainings have finished {finished} epochs: compare them after 1 to {finished}."
        )
    ends = (curve.accuracies[after - 1][1] for curve in (slow, quick))
    return HeadStart(len(quick.accuracies), after, *map(float, ends))


def from_nothing(classes: int, seed: int = 0) -> Any:
    """Return the untrained network with `classes` answers."""
    return spotter.build(seed=seed, classes=classes)


def from_checkpoint(classes: int, seed: int = 0) -> Any:
    """Return the network with the shipped model's weights in every layer but the last.

    The last layer is new: it has `classes` answers, and the shipped one's mean other words.
    """
    model, trained = from_nothing(classes, seed), spotter.load()
    for layer in model.layers[:-1]:
        layer.set_weights(trained.get_layer(layer.name).get_weights())
    return model


def every_epoch(model: Any, folder: str | Path) -> Any:
    """Return a Keras callback that saves `model` as `ckpt-1`, `ckpt-2` … in `folder`."""
    tf, state = session.import_tensorflow(), None

    def save(epoch: int, logs: dict | None = None) -> None:
        nonlocal state
        if state is None:
            checkpoint = tf.train.Checkpoint(model=model)
            state = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=_MOST)
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
