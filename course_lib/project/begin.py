"""Two ways to begin a training: from nothing, and from what another training has learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from course_lib import spotter
from course_lib.views.training import Curve


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
