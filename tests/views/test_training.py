"""A training as it came, and as it comes: its curves, its bar, how it is stopped."""

import signal
import threading
import weakref

import numpy as np
import pytest

from course_lib import spotter
from course_lib.views import training
from course_lib.views.style import Picture

PNG = b"\x89PNG\r\n\x1a\n"


def is_picture(made, *words) -> bool:
    told = all(word in made.alt for word in words)
    return isinstance(made, Picture) and made.png.startswith(PNG) and told


def test_pictures_of_training():
    curve = training.Curve([(0.1, 2.0), (1.0, 0.5)], [(1.0, 0.8)])
    assert is_picture(training.curves(curve, "mine", 5), "mine")
    assert is_picture(training.curves(training.Curve()), "loss")


def toy(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, count)
    return rng.normal(0, 1, (count, 49, 40)).astype(np.float32) + labels[:, None, None], labels


def test_a_live_training_moves_its_bar_and_its_curves():
    live = training.LiveTraining(toy(64), epochs=2)
    assert "drawn, live" in live.still()  # not the curves of another training
    live.varying(1_000, 4_000)
    assert live.bar.value == 0.25 and "1,000 of 4,000" in live.status.value
    assert "s left" in live.status.value and "interrupt" not in live.status.value
    curve = live.train(spotter.build(), *toy(1_280))
    assert [epoch for epoch, _ in curve.accuracies] == [1, 2]
    assert len(curve.losses) == 4 and live.bar.value == 1.0
    assert "<img" in live.view.value and "done after" in live.status.value
    assert not live.stopped


def test_a_bar_is_full_when_it_is_done_whatever_the_number_of_batches():
    live = training.LiveTraining(toy(64), epochs=1)
    curve = live.train(spotter.build(), *toy(768))
    assert len(curve.losses) == 1 and live.bar.value == 1.0


class Scripted:
    """A training that goes as written: the accuracy of each epoch, then how it ends."""

    def __init__(self, accuracies, ending=None):
        self.accuracies, self.ending = accuracies, ending

    def __call__(self, model, features, labels, epochs, validation, callbacks):
        (callback,) = callbacks
        callback.set_model(model)
        for epoch, accuracy in enumerate(self.accuracies):
            model.set_weights([np.full_like(weight, epoch) for weight in model.get_weights()])
            callback.on_epoch_end(epoch, {"val_accuracy": accuracy})
        if self.ending:
            raise self.ending


@pytest.mark.parametrize(
    ("accuracies", "ending", "kept", "told"),
    [
        ((0.2, 0.9, 0.5), KeyboardInterrupt(), 1, "stopped after"),
        ((0.2, 0.9, 0.5), None, 1, "the weights of epoch 2 are kept, 90.0% right"),
        ((0.9, 0.2, 0.9), None, 2, "epoch 3"),
    ],
    ids=["interrupted", "ran to its end", "of equals the later"],
)
def test_the_best_epoch_is_kept(monkeypatch, accuracies, ending, kept, told):
    live = training.LiveTraining(toy(64), epochs=5)
    model, sound, labels = spotter.build(), *toy(640)
    monkeypatch.setattr(spotter, "train", Scripted(accuracies, ending))
    curve = live.train(model, sound, labels)
    assert tuple(accuracy for _, accuracy in curve.accuracies) == accuracies
    assert all((weight == kept).all() for weight in model.get_weights())
    assert told in live.status.value


def test_an_interruption_before_the_first_epoch_is_told_as_what_it_is(monkeypatch):
    live = training.LiveTraining(toy(64), epochs=5)
    model, sound, labels = spotter.build(), *toy(640)
    before = model.get_weights()
    monkeypatch.setattr(spotter, "train", Scripted((), KeyboardInterrupt()))
    live.train(model, sound, labels)
    assert "before the first epoch was over" in live.status.value
    assert all(map(np.array_equal, before, model.get_weights()))


def _interrupt_a_weak_reference():
    """Let the signal fall where Python drops every exception: a weak reference's callback."""
    thing = threading.Event()
    watched = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT))
    del thing
    assert watched() is None


@pytest.mark.parametrize(
    "send", [lambda: signal.raise_signal(signal.SIGINT), _interrupt_a_weak_reference]
)
def test_an_interrupted_training_ends_at_once_and_keeps_its_best(send):
    """The signal that a notebook sends, in the middle of the third epoch."""
    usual = signal.getsignal(signal.SIGINT)
    live = training.LiveTraining(toy(64), epochs=50)
    draw_at_once = live._draw

    def interrupt(at_once=False):
        if not at_once and len(live.curve.losses) == 5:
            assert "To stop early, interrupt the cell" in live.status.value
            send()
        draw_at_once(at_once)

    live._draw = interrupt
    model = spotter.build()
    curve = live.train(model, *toy(1_280))
    assert signal.getsignal(signal.SIGINT) is usual
    assert [epoch for epoch, _ in curve.accuracies] == [1, 2] and len(curve.losses) == 5
    assert "stopped after" in live.status.value
    best = max(curve.accuracies, key=lambda pair: (pair[1], pair[0]))
    assert f"epoch {best[0]:.3g} are kept" in live.status.value
    sound, labels = live.held
    right = spotter.predict(model, sound).argmax(axis=1) == labels
    assert right.mean() == pytest.approx(best[1], abs=1e-6)
