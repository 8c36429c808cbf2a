"""A training to watch and to stop: a bar, the time left, and two curves that grow.

There is no button to stop it: a kernel that is busy with a cell hears of one only afterwards. What
stops any cell stops this one, and nothing of it is lost.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from course_lib import session, spotter
from course_lib.views import training as draw

_PAUSE_SECONDS = 2.0  # between two drawings: each takes a little of the time that it shows
_HOW_TO_STOP = "To stop early, interrupt the cell (■): the best epoch is kept."
_STEPS = 5  # training steps between two points of the curve


class Live:
    """Show how clips are varied and how a model is trained, in one widget.

    `held` are the features and labels of clips to measure with after each epoch. The model ends
    with the weights that did best on them, whether its training was stopped or not.
    """

    def __init__(self, held: tuple[np.ndarray, np.ndarray], epochs: int) -> None:
        self.held, self.epochs, self.curve = held, epochs, draw.Curve()
        self.stopped = False
        self._view: Any = None
        self._bar: Any = None
        self._status: Any = None
        self._began = self._started = self._drawn = time.monotonic()
        self._stage = ""

    def show(self) -> Live:
        """Display the widget; its twin is the curve of the shipped model."""
        import ipywidgets

        from course_lib.views import shell

        self._bar = ipywidgets.FloatProgress(
            0.0, min=0.0, max=1.0, layout=ipywidgets.Layout(width="420px", max_width="100%")
        )
        self._status, self._view = shell.html(shell.note("waiting")), shell.html()
        twin = draw.of_snapshots(spotter.history())
        shell.show(shell.column(self._status, self._bar, self._view), twin, "a training, live")
        return self

    def varying(self, done: int, total: int) -> None:
        """Move the bar; this is the `progress` of `augmentation.training_set`."""
        self._progress("varying clips", done, total)

    def train(
        self,
        model: Any,
        features: np.ndarray,
        labels: np.ndarray,
        also: Sequence[Any] = (),
        **options: Any,
    ) -> draw.Curve:
        """Train `model` like `spotter.train` while the curves grow; return them.

        Interrupt the cell to stop. The weights of the best epoch are kept. `also` are more Keras
        callbacks.
        """
        callback = self._callback(len(features) // options.get("batch", spotter.BATCH))
        try:
            spotter.train(
                model,
                features,
                labels,
                self.epochs,
                validation=self.held,
                callbacks=[callback, *also],
                **options,
            )
        except KeyboardInterrupt:
            self.stopped = True
        if callback.best is not None:
            model.set_weights(callback.best)
        self._say(self._ending(callback))
        self._draw(at_once=True)
        return self.curve

    def _callback(self, steps: int) -> Any:
        """Return a Keras callback that feeds the curves and remembers the best weights."""
        keras = session.import_tensorflow().keras
        owner = self

        class Watch(keras.callbacks.Callback):
            best, best_accuracy, best_epoch, done = None, -1.0, 0.0, 0

            def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
                self.done += 1
                if self.done % _STEPS == 0:
                    owner.curve.losses.append((self.done / steps, float(logs["loss"])))
                    owner._progress("training", self.done, steps * owner.epochs)
                    owner._draw()

            def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
                accuracy, at = float(logs["val_accuracy"]), self.done / steps or epoch + 1
                owner.curve.accuracies.append((at, accuracy))
                if accuracy >= self.best_accuracy:  # of equals, the one that has seen more
                    self.best, self.best_accuracy = self.model.get_weights(), accuracy
                    self.best_epoch = at

        return Watch()

    def _progress(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage:
            self._stage, self._started = stage, time.monotonic()
        left = (time.monotonic() - self._started) * (total - done) / max(1, done)
        if self._bar is not None:
            self._bar.value = done / total
        told = f"{stage}: {done:,} of {total:,}, about {left:.0f} s left"
        if stage == "training" and self.curve.losses:
            told += f", loss {self.curve.losses[-1][1]:.2f}"
        if self.curve.accuracies:
            told += f", {self.curve.accuracies[-1][1]:.0%} right"
        if stage == "training":
            told += f". {_HOW_TO_STOP}"
        self._say(told)

    def _ending(self, watch: Any) -> str:
        """Return the last line: what was kept, and how long it all took."""
        began = "stopped" if self.stopped else "done"
        if watch.best is None:
            return f"{began} before the first epoch was over: the weights are those of that moment"
        seconds = time.monotonic() - self._began
        return (
            f"{began} after {seconds:.0f} s: the weights of epoch {watch.best_epoch:.3g} are kept, "
            f"{watch.best_accuracy:.1%} right"
        )

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
