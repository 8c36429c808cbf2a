"""A training to watch: a bar, the time left, and two curves that grow."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from course_lib import session, spotter
from course_lib.draw import training as draw

__all__ = ["Live", "live"]

_PAUSE_SECONDS = 1.5  # between two drawings: each takes a little of the time that it shows


class Live:
    """Show how clips are varied and how a model is trained, in one widget.

    `held` are the features and labels of clips to measure with after each epoch.
    """

    def __init__(self, held: tuple[np.ndarray, np.ndarray], epochs: int) -> None:
        self.held, self.epochs, self.curve = held, epochs, draw.Curve()
        self._view: Any = None
        self._bar: Any = None
        self._status: Any = None
        self._started = self._drawn = time.monotonic()
        self._stage = ""

    def show(self) -> Live:
        """Display the widget; its twin is the curve of the shipped model."""
        import ipywidgets

        from course_lib.widgets import shell

        self._bar = ipywidgets.FloatProgress(
            0.0, min=0.0, max=1.0, layout=ipywidgets.Layout(width="100%", max_width="640px")
        )
        self._status, self._view = shell.html(shell.note("waiting")), shell.html()
        twin = draw.of_snapshots(spotter.history())
        shell.show(shell.column(self._status, self._bar, self._view), twin, "a training, live")
        return self

    def varying(self, done: int, total: int) -> None:
        """Move the bar; this is the `progress` of `augment.training_set`."""
        self._progress("varying clips", done, total)

    def train(
        self, model: Any, features: np.ndarray, labels: np.ndarray, **options: Any
    ) -> draw.Curve:
        """Train `model` like `spotter.train` while the curves grow; return them.

        Interrupt the cell to stop: the weights of the best epoch so far are kept.
        """
        callback = self._callback(len(features) // options.get("batch", spotter.BATCH))
        try:
            spotter.train(
                model,
                features,
                labels,
                self.epochs,
                validation=self.held,
                callbacks=[callback],
                **options,
            )
        except KeyboardInterrupt:
            if callback.best is not None:
                model.set_weights(callback.best)
            self._say("stopped: the best epoch so far is kept")
        self._draw(at_once=True)
        return self.curve

    def _callback(self, steps: int) -> Any:
        """Return a Keras callback that feeds the curves and remembers the best weights."""
        keras = session.import_tensorflow().keras
        owner = self

        class Watch(keras.callbacks.Callback):
            best, best_accuracy, done = None, -1.0, 0

            def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
                self.done += 1
                if self.done % 5 == 0:
                    owner.curve.losses.append((self.done / steps, float(logs["loss"])))
                    owner._progress("training", self.done, steps * owner.epochs)
                    owner._draw()

            def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
                accuracy = float(logs["val_accuracy"])
                owner.curve.accuracies.append((epoch + 1, accuracy))
                if accuracy > self.best_accuracy:
                    self.best, self.best_accuracy = self.model.get_weights(), accuracy

        return Watch()

    def _progress(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self._stage, self._started = stage, time.monotonic()
        left = (time.monotonic() - self._started) * (total - done) / max(1, done)
        if self._bar is not None:
            self._bar.value = done / total
        self._say(f"{stage}: {done:,} of {total:,}, about {left:.0f} s left")

    def _say(self, text: str) -> None:
        if self._status is not None:
            self._status.value = f"<div>{text}</div>"

    def _draw(self, at_once: bool = False) -> None:
        """Draw the curves anew, but not more often than every second or so."""
        if self._view is None or not (at_once or time.monotonic() > self._drawn + _PAUSE_SECONDS):
            return
        self._view.value = draw.curves(self.curve, epochs=self.epochs).html()
        self._drawn = time.monotonic()


def live(held: tuple[np.ndarray, np.ndarray], epochs: int) -> Live:
    """Return a training to watch; `.show()` it before the work begins."""
    return Live(held, epochs)
