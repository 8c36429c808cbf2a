"""A training: loss and accuracy as they came, and as they come."""

import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course_lib import session, spotter
from course_lib.views import shell, style
from course_lib.views.style import PALETTE, Picture

_LINES = (("-", 6.0, "sky"), ("-", 2.5, "ink"), ("--", 2.0, "orange"), (":", 3.0, "red"))
_PAUSE_SECONDS = 2.0  # between two drawings, at least
_PAUSE_TIMES = 20  # what the last one took: drawing is a twentieth of a training, at most
_HOW_TO_STOP = "To stop early, interrupt the cell (■): the best epoch is kept."
_STEPS = 5  # training steps between two points of the curve


@dataclass
class Curve:
    """What a training has shown so far: loss by step, accuracy on held-out clips by step."""

    losses: list[tuple[float, float]] = field(default_factory=list)
    accuracies: list[tuple[float, float]] = field(default_factory=list)


def curves(curve: Curve, title: str = "", epochs: float | None = None) -> Picture:
    """Draw the loss and, beside it, the accuracy of a training against the epoch.

    With `epochs` the axis has its full length from the start, for a plot that grows.
    """
    fig, (left, right) = style.figure(9.5, 3.2, 1, 2)
    left.plot(*_columns(curve.losses), color=PALETTE["red"])
    left.set(title="loss on training clips", xlabel="epoch")
    left.set_ylim(bottom=0)
    right.plot(*_columns(curve.accuracies), "o-", color=PALETTE["blue"])
    right.set(title="right on voices it never hears", xlabel="epoch", ylim=(0, 1.02))
    right.yaxis.set_major_formatter("{x:.0%}")
    for axis in (left, right):
        axis.grid(axis="y")
        if epochs:
            axis.set_xlim(0, epochs)
    if title:
        fig.suptitle(title, x=0.01, ha="left")
    ending = f": {title}" if title else ""
    return style.show(fig, f"loss falls and accuracy rises over the epochs{ending}")


def compared(named: Mapping[str, Curve], title: str = "") -> Picture:
    """Draw the accuracy of several trainings against the epoch in one picture."""
    fig, axis = style.figure(8.0, 3.4)
    for turn, (name, curve) in enumerate(named.items()):
        line = ("o-", "s--", "^:", "D-.")[turn % 4]
        axis.plot(*_columns(curve.accuracies), line, color=style.CYCLE[turn], label=name)
    axis.set(title=title or "right on clips they never hear", xlabel="epoch", ylim=(0, 1.02))
    axis.yaxis.set_major_formatter("{x:.0%}")
    axis.grid(axis="y")
    axis.legend(loc="lower right")
    return style.show(fig, f"accuracy over the epochs, {' and '.join(named)}")


def resumed(
    losses: Mapping[str, Mapping[int, float]],
    distances: Mapping[str, Mapping[int, float]],
    killed_at: int,
) -> Picture:
    """Draw runs by step: their losses, and how far their weights are from the uninterrupted run's.

    `distances` are the largest differences of any weight; a name is drawn alike in both halves.
    """
    fig, axes = style.figure(11, 4.2, columns=2)
    names = list(losses)
    grey = PALETTE["grey"]
    mark = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "va": "top"}
    for ax, curves in zip(axes, (losses, distances), strict=True):
        for name, curve in curves.items():
            dashes, width, colour = _LINES[names.index(name) % len(_LINES)]
            look = {"linewidth": width, "color": PALETTE[colour]}
            ax.plot(list(curve), list(curve.values()), dashes, label=name, **look)
        ax.axvline(killed_at, color=grey, linewidth=1)
        ax.annotate("killed", (killed_at, 1), (4, -2), color=grey, **mark)
        ax.set_xlabel("training step")
    axes[0].set_title("loss of the batch")
    axes[1].set_title("largest difference of a weight")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    verdicts = ", ".join(
        f"{name} {'differs' if max(curve.values()) else 'is the same to the last bit'}"
        for name, curve in distances.items()
    )
    alt = f"A run killed at step {killed_at} beside runs that take it up: {verdicts}"
    return style.show(fig, alt)


class LiveTraining(shell.View):
    """How clips are varied and how a model is trained: a bar, the time left, curves that grow.

    There is no button to stop it: a kernel that is busy with a cell hears of one only afterwards.
    What stops any cell stops this one, and nothing of it is lost. `held` are the features and
    labels of clips to measure with after each epoch. The model ends with the weights that did best
    on them, whether its training was stopped or not.
    """

    label = "a training, live"

    def __init__(self, held: tuple[np.ndarray, np.ndarray], epochs: int) -> None:
        self.held, self.epochs, self.curve = held, epochs, Curve()
        self.stopped = False
        self.bar = shell.progress()
        self.status, self.view = shell.html(shell.note("waiting")), shell.html()
        self._began = self._started = time.monotonic()
        self._next = self._began + _PAUSE_SECONDS
        self._stage = ""

    def controls(self) -> Any:
        return shell.column(self.status, self.bar, self.view)

    def still(self) -> str:
        return shell.note("Here a training is drawn, live, while the cell runs.")

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
    ) -> Curve:
        """Train `model` like `spotter.train` while the curves grow; return them.

        Interrupt the cell to stop. The weights of the best epoch are kept. `also` are more Keras
        callbacks.
        """
        watch = self._callback(len(features) // options.get("batch", spotter.BATCH))
        options |= {"validation": self.held, "callbacks": [watch, *also]}
        self.stopped = False
        try:
            with self._hearing_interrupts():
                spotter.train(model, features, labels, self.epochs, **options)
            self.bar.value = 1.0  # the last batches may be fewer than it moves by
        except KeyboardInterrupt:
            self.stopped = True
        if watch.best is not None:
            model.set_weights(watch.best)
        self._say(self._ending(watch))
        self._draw(at_once=True)
        return self.curve

    @contextmanager
    def _hearing_interrupts(self) -> Iterator[None]:
        """Note the first interrupt, for the end of the batch; a second one ends at once, as always.

        Python drops an exception that is raised while a weak reference or a finaliser is cleared,
        and TensorFlow clears many: an interrupt that falls there would be lost.
        """
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may change what an interrupt does
            return

        def note(number: int, frame: Any) -> None:
            signal.signal(signal.SIGINT, before)
            self.stopped = True

        before = signal.signal(signal.SIGINT, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _callback(self, steps: int) -> Any:
        """Return a Keras callback that feeds the curves and remembers the best weights."""
        keras = session.import_tensorflow().keras
        owner = self

        class Watch(keras.callbacks.Callback):
            best, best_accuracy, best_epoch, done = None, -1.0, 0.0, 0
            counted, total = 0, 0.0  # batches of this epoch, and their losses' sum

            def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
                self.counted, self.total = 0, 0.0

            def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
                self.done += 1
                self._end_if_stopped()
                if self.done % _STEPS == 0:
                    total = float(logs["loss"]) * (batch + 1)  # Keras gives the epoch's mean
                    recent = (total - self.total) / (batch + 1 - self.counted)
                    self.counted, self.total = batch + 1, total
                    owner.curve.losses.append((self.done / steps, recent))
                    owner._progress("training", self.done, steps * owner.epochs)
                    owner._draw()

            def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
                self._end_if_stopped()

            def _end_if_stopped(self) -> None:
                if owner.stopped:
                    raise KeyboardInterrupt

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
        self.bar.value = done / total
        text = f"{stage}: {done:,} of {total:,}, about {left:.0f} s left"
        if self.curve.losses:
            text += f", loss {self.curve.losses[-1][1]:.2f}"
        if self.curve.accuracies:
            text += f", {self.curve.accuracies[-1][1]:.0%} right"
        self._say(f"{text}. {_HOW_TO_STOP}" if stage == "training" else text)

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
        # No `note`: a screen reader would speak twice a second.
        self.status.value = f"<div>{text}</div>"

    def _draw(self, at_once: bool = False) -> None:
        """Draw the curves anew, but not more often than every few seconds."""
        begin = time.monotonic()
        if at_once or begin > self._next:
            self.view.value = curves(self.curve, epochs=self.epochs).html()
            end = time.monotonic()
            self._next = end + max(_PAUSE_SECONDS, _PAUSE_TIMES * (end - begin))


def _columns(pairs: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in pairs], [y for _, y in pairs]
