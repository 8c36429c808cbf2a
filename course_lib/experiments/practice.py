"""A small training run that can be killed and taken up again, to see what a checkpoint must hold.

Everything that decides the next step is in the checkpoint: the weights, the optimizer, the step
(from which the order of the data follows) and the dice of dropout. Such a run can be recorded
(`record`), or trained in a process of its own and killed (`start_doomed`).
"""

import html
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from course_lib import session, spotter
from course_lib.experiments.timeline import HISTORY
from course_lib.session import processes

_BATCH = 32
_SAVE_EVERY = 10
_RATE = 1e-2
_DATA = "clips.npz"


def small_model() -> Any:
    """Return a keyword model of about a thousand weights, with dropout, for quick experiments."""
    keras = session.import_tensorflow().keras
    keras.utils.set_random_seed(session.SEED)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((49, 40, 1), name="features"),
            layers.AveragePooling2D((2, 2), name="smooth"),
            layers.Conv2D(8, (8, 5), strides=(4, 3), activation="relu", name="listen"),
            layers.Flatten(name="flat"),
            layers.Dropout(0.3, seed=session.SEED, name="forget"),
            layers.Dense(4, name="decide"),
        ],
        name="small",
    )


class Run:
    """A model in training, and the `tf.train.Checkpoint` that saves all of its state.

    `state` is the checkpoint, `manager` writes it every ten steps and keeps the newest ones.
    The batches are those of `features` (n, 49, 40) and `labels` (n,), shuffled by epoch.
    """

    def __init__(
        self, folder: str | Path, features: np.ndarray, labels: np.ndarray, keep: int = 3
    ) -> None:
        """Build model and optimizer, always with the same first weights."""
        self.tf = tf = session.import_tensorflow()
        self.features, self.labels = features, labels
        self.model = small_model()
        self.optimizer = tf.keras.optimizers.Adam(_RATE)
        self.optimizer.build(self.model.trainable_variables)
        self.step = tf.Variable(0, dtype=tf.int64)
        self.trail: dict[int, np.ndarray] = {}
        self.saving_seconds = 0.0
        dice = self.model.get_layer("forget").seed_generator.state  # Keras saves them not by itself
        self.parts = {
            "model": self.model, "optimizer": self.optimizer, "step": self.step, "dice": dice,
        }  # fmt: skip
        self.state = tf.train.Checkpoint(**self.parts)
        self.manager = tf.train.CheckpointManager(self.state, str(folder), max_to_keep=keep)
        self._update = tf.function(self._update_once)

    def train(self, until: int) -> dict[int, float]:
        """Train up to step `until` and return the loss of every step.

        `trail[step]` keeps all weights after that step, to compare runs by.
        """
        losses = {}
        with session.quiet():
            while int(self.step) < until:
                chosen = self._batch(int(self.step))
                loss = self._update(self.features[chosen][..., np.newaxis], self.labels[chosen])
                number = int(self.step.assign_add(1))
                losses[number] = float(loss)
                self.trail[number] = self.weights()
                if number % _SAVE_EVERY == 0:
                    started = time.perf_counter()
                    self.manager.save(checkpoint_number=number)
                    self.saving_seconds += time.perf_counter() - started
        return losses

    def restore(self, prefix: str | Path, leave_out: tuple[str, ...] = ()) -> Self:
        """Take up the state of a checkpoint and return self.

        `leave_out` names parts that stay as they are: "optimizer", "dice" or "step".
        """
        wanted = {name: part for name, part in self.parts.items() if name not in leave_out}
        with session.quiet():
            self.tf.train.Checkpoint(**wanted).read(str(prefix)).expect_partial()
        return self

    def weights(self) -> np.ndarray:
        """Return all weights of the model, one after the other, as float32."""
        return np.concatenate([np.ravel(each) for each in self.model.get_weights()])

    def _batch(self, step: int) -> np.ndarray:
        """Return the places of a step's clips: a new order in every epoch, from the step alone."""
        an_epoch = len(self.features) // _BATCH
        epoch, place = divmod(step, an_epoch)
        order = np.random.default_rng([session.SEED, epoch]).permutation(len(self.features))
        return order[place * _BATCH : (place + 1) * _BATCH]

    def _update_once(self, features: Any, labels: Any) -> Any:
        tf = self.tf
        with tf.GradientTape() as tape:
            logits = self.model(features, training=True)
            loss = tf.keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
            loss = tf.reduce_mean(loss)
        weights = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        return loss


@dataclass(frozen=True)
class Moment:
    """Hold what was measured at one checkpoint.

    `seconds` of training and saving since the start, `loss` the mean of the batches since the
    checkpoint before, `accuracy` on clips that are not trained on, 0 to 1; `kept` is False
    where the manager has deleted the checkpoint since.
    """

    step: int
    seconds: float
    loss: float
    accuracy: float
    kept: bool = True


@dataclass(frozen=True)
class Series:
    """Hold the moments of a run, and the files, by name with their bytes, that are left of it.

    `saving_seconds` is the part of the run's time that went into writing checkpoints.
    """

    moments: tuple[Moment, ...]
    files: dict[str, int]
    saving_seconds: float

    def __iter__(self) -> Iterator[Moment]:
        return iter(self.moments)

    def __repr__(self) -> str:
        """Say what is the same in every run."""
        return f"<{len(self.moments)} checkpoints written, {sum(m.kept for m in self)} kept>"

    @property
    def saving_share(self) -> float:
        """The share of the run's time that went into writing checkpoints, 0 to 1."""
        return self.saving_seconds / self.moments[-1].seconds

    def _repr_html_(self) -> str:
        heads = ("step", "seconds", "loss", "accuracy on new voices", "still there")
        rows = "".join(
            f"<tr><td>{each.step}</td><td>{each.seconds:.1f}</td><td>{each.loss:.2f}</td>"
            f"<td>{each.accuracy:.0%}</td><td>{'yes' if each.kept else 'deleted'}</td></tr>"
            for each in self
        )
        files = (f"{html.escape(name)} {size:,}" for name, size in self.files.items())
        return (
            f"<table><thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead>"
            f"<tbody>{rows}</tbody></table><div>{len(self.files)} files, "
            f"{sum(self.files.values()):,} bytes, {self.saving_share:.0%} of the time: "
            f"{'; '.join(files)}</div>"
        )


def record(run: Run, until: int, held: tuple[np.ndarray, np.ndarray]) -> Series:
    """Train to step `until`, and at every checkpoint ask the model about clips held back.

    `held` are features (n, 49, 40) and labels (n,). What was measured is also written to the
    run's folder as `history.json`. Asking does not count as time of the run.
    """
    moments, spent, folder = [], 0.0, Path(run.manager.directory)
    for step in range(int(run.step) + _SAVE_EVERY, until + 1, _SAVE_EVERY):
        started = time.perf_counter()
        losses = run.train(step)
        spent += time.perf_counter() - started
        right = spotter.predict(run.model, held[0]).argmax(axis=1) == held[1]
        moments.append(Moment(step, spent, float(np.mean([*losses.values()])), float(right.mean())))
    kept = {Path(prefix).name for prefix in run.manager.checkpoints}
    moments = [replace(each, kept=f"ckpt-{each.step}" in kept) for each in moments]
    written = (path for path in folder.iterdir() if path.name != HISTORY)  # ours, if run before
    files = {path.name: path.stat().st_size for path in sorted(written, key=_by_step)}
    session.write_atomically(folder / HISTORY, json.dumps([asdict(each) for each in moments]))
    return Series(tuple(moments), files, run.saving_seconds)


def _by_step(path: Path) -> tuple[int, str]:
    """Return what sorts a folder by step, and not by the letters of its names."""
    digits = path.name.split(".")[0].rpartition("-")[2]
    return (int(digits) if digits.isdigit() else -1), path.name


@dataclass(frozen=True)
class Doomed:
    """A training process that waits, at one step, to be killed."""

    process: subprocess.Popen
    losses: dict[int, float] = field(default_factory=dict)

    def kill(self) -> dict[int, float]:
        """Wait until the step is reached, kill the process (SIGKILL) and return its losses.

        `exit_code` tells afterwards how it ended. Raises RuntimeError with what it printed
        where it stopped by itself. Called again, it returns them again.
        """
        if self.losses:
            return self.losses
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"The training stopped by itself: {self.process.communicate()[1]}")
        self.process.kill()
        self.process.communicate()
        self.losses.update({int(step): loss for step, loss in json.loads(line).items()})
        return self.losses

    @property
    def exit_code(self) -> int | None:
        """How the process ended: -9 says by SIGKILL; None that it still runs."""
        return self.process.poll()


def start_doomed(
    folder: str | Path, features: np.ndarray, labels: np.ndarray, hold_at: int
) -> Doomed:
    """Start to train in a process of its own, which stops at step `hold_at` and waits there.

    It ends by itself when this process does.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / _DATA, features=features, labels=labels)
    process = processes.start("-m", __name__, str(folder), str(hold_at), piped=True)
    return Doomed(process)


def _be_doomed(folder: str, hold_at: str) -> None:
    """Train in this process, report every step in a line, and wait at one step to be killed."""
    with np.load(Path(folder, _DATA)) as data:
        features, labels = data["features"], data["labels"]
    print(json.dumps(Run(folder, features, labels).train(int(hold_at))), flush=True)
    sys.stdin.read()  # until it is killed, or until whoever started it is gone


if __name__ == "__main__":
    _be_doomed(*sys.argv[1:])
