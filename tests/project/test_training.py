"""Training one's own spotter: two beginnings, and the way back to every epoch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from course_lib import project, spotter
from course_lib.views.training import Curve


def test_a_beginning_keeps_all_but_the_last_layer() -> None:
    made, trained = project.from_checkpoint(5), spotter.load()
    assert made.output_shape == (None, 5)
    for layer in made.layers[:-1]:
        theirs = trained.get_layer(layer.name).get_weights()
        assert all(np.array_equal(a, b) for a, b in zip(layer.get_weights(), theirs, strict=True))
    fresh = project.from_nothing(5)
    assert np.array_equal(made.layers[-1].get_weights()[0], fresh.layers[-1].get_weights()[0])
    assert not np.array_equal(made.layers[1].get_weights()[0], fresh.layers[1].get_weights()[0])


def test_two_beginnings_are_compared_where_both_have_come() -> None:
    slow, quick = Curve(), Curve()
    slow.accuracies = [(1, 0.25), (2, 0.5)]
    quick.accuracies = [(1, 0.5), (2, 0.75), (3, 0.75)]
    start = project.head_start(slow, quick, after=2)
    assert (start.points, start.epochs, start.after) == (0.25, 3, 2)
    assert str(start) == "after 2 of 3 epochs: 50% right from nothing, 75% from a checkpoint"
    for after in (0, 3):
        with pytest.raises(ValueError, match="finished 2 epochs: compare them after 1 to 2"):
            project.head_start(slow, quick, after=after)
    assert project.best_epoch(quick) == 3, "of equals, the one that has seen more"
    with pytest.raises(ValueError, match="No epoch"):
        project.best_epoch(Curve())


def test_every_epoch_can_be_restored(tmp_path: Path) -> None:
    model = project.from_nothing(4)
    keep = project.every_epoch(model, tmp_path)
    left = []
    for epoch in range(3):
        model.set_weights([weight + 1 for weight in model.get_weights()])
        left.append(model.get_weights())
        keep.on_epoch_end(epoch, {})
    for epoch in (2, 1, 3):
        project.restore(model, tmp_path, epoch)
        pairs = zip(model.get_weights(), left[epoch - 1], strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)
    with pytest.raises(FileNotFoundError, match="no checkpoint of epoch 4; there are: 1, 2, 3"):
        project.restore(model, tmp_path, 4)
