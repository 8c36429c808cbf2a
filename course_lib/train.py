"""From the bundled clips to everything in data/models, in one run: the shipped spotter."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import session, spotter, tflite
from course_lib.formats.checkpoint.keras_files import make_portable
from course_lib.graph import freezing
from course_lib.measure import model_card
from course_lib.sound import augment, dataset, features

CLIPS = 120_000
MOMENTS = (0.0, 0.004, 0.012, 0.032, 0.08, 0.16, 0.3, 0.5, 0.75, 1.0)  # shares of the training
_CALIBRATION = 400

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Moment:
    """What was measured when a checkpoint was written: `accuracy` is on the validation voices."""

    step: int
    epoch: float
    seconds: float
    loss: float | None
    accuracy: float


def make(
    out_folder: str | Path,
    seed: int = 0,
    progress: Progress | None = None,
    count: int = CLIPS,
    epochs: int = spotter.EPOCHS,
    real: str | Path | None = None,
) -> dict[str, Any]:
    """Train the spotter on `count` varied clips; write models, checkpoints, figures and the card.

    `progress(stage, done, total)` is called often. `real` is a folder of recordings to measure
    with, laid out like Speech Commands; nothing is learnt from it. The folder appears whole or
    not at all; what the old one held is replaced. Returns what measured.json holds.
    """
    started, out = time.perf_counter(), Path(out_folder).resolve()
    report = progress or (lambda stage, done, total: None)
    base, held = dataset.bundled("train"), dataset.bundled("validation")
    varied, labels = augment.training_set(
        base, count, seed, lambda done, total: report("varying clips", done, total)
    )
    model = spotter.build(seed=seed)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as name:
        folder = Path(name) / out.name
        saver = snapshots(
            folder / "checkpoints",
            epochs,
            count // spotter.BATCH,
            (features.of(held), held.labels),
            report,
        )
        spotter.train(
            model,
            varied,
            labels,
            epochs,
            seed=seed,
            callbacks=[saver],
            **spotter.SHIPPED,
        )
        report("converting", 0, 1)
        _write_models(model, varied[:_CALIBRATION], folder)
        session.write_atomically(
            folder / "history.json",
            json.dumps([asdict(moment) for moment in saver.moments], indent=1) + "\n",
        )
        _write_timeline(varied[:_CALIBRATION], folder, report)
        report("measuring", 0, 1)
        recipe = {
            "seed": seed,
            "clips": count,
            "epochs": epochs,
            "seconds": round(time.perf_counter() - started),
        }
        measured = model_card.measured(folder, recipe, real)
        model_card.write(folder, measured)
        _write_checksums(folder)
        _swap(folder, out)
    return measured


def snapshots(
    folder: Path,
    epochs: int,
    steps_an_epoch: int,
    held: tuple[np.ndarray, np.ndarray],
    report: Progress,
) -> Any:
    """Return a Keras callback that writes a checkpoint, optimizer included, at the `MOMENTS`.

    The last holds the model as the training leaves it, averaged where it is. Each is measured on
    `held` (features and labels); the list of them is the callback's `moments`.
    """
    tf = session.import_tensorflow()
    steps = epochs * steps_an_epoch
    due = {round(share * steps) for share in MOMENTS}

    class Snapshots(tf.keras.callbacks.Callback):
        def on_train_begin(self, logs: dict | None = None) -> None:
            self.step, self.started, self.moments = 0, time.perf_counter(), []
            self.loss: float | None = None
            self.model.optimizer.build(self.model.trainable_variables)
            saved = tf.train.Checkpoint(model=self.model, optimizer=self.model.optimizer)
            self.manager = tf.train.CheckpointManager(saved, str(folder), max_to_keep=None)
            self.save()

        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            self.step += 1
            if self.step % 10 == 0 or self.step == steps:
                report("training", self.step, steps)
            self.loss = round(float((logs or {})["loss"]), 4)
            if self.step in due and self.step < steps:
                self.save()

        def on_train_end(self, logs: dict | None = None) -> None:
            self.save()

        def save(self) -> None:
            self.manager.save(checkpoint_number=self.step)
            right = spotter.predict(self.model, held[0]).argmax(axis=1) == held[1]
            seconds = round(time.perf_counter() - self.started, 1)
            self.moments.append(
                Moment(
                    self.step,
                    round(self.step / steps_an_epoch, 3),
                    seconds,
                    self.loss,
                    round(float(right.mean()), 4),
                )
            )

    return Snapshots()


def _write_models(model: Any, calibration: np.ndarray, folder: Path) -> None:
    """Write the four forms of the model: Keras, frozen, float32 and int8."""
    with session.quiet():
        model.save(folder / "spotter.keras")
    make_portable(folder / "spotter.keras")
    frozen = freezing.frozen(model)
    frozen.save(folder / "spotter.pb")
    for variant in ("float32", "int8"):
        data = tflite.convert(frozen, variant, calibration)
        session.write_atomically(
            folder / f"spotter_{variant}.tflite", tflite.strip(data, keep_names=True)
        )


def _write_timeline(calibration: np.ndarray, folder: Path, report: Progress) -> None:
    """Ask every checkpoint about the test clips, as float and as int8, for the time slider."""
    from course_lib.experiments.training_runs import timeline

    clips = dataset.bundled("test")
    asked = timeline.measure(
        folder / "checkpoints",
        features.of(clips),
        clips.labels,
        clips.words,
        int8=calibration,
        progress=lambda done, total: report("asking the checkpoints", done, total),
    )
    asked.save(folder / "timeline.npz")


def _write_checksums(folder: Path) -> None:
    """Write SHA256SUMS over every other file, in the form that `sha256sum -c` reads."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"
        for path in files
    ]
    session.write_atomically(folder / "SHA256SUMS", "".join(lines))


def _swap(new: Path, old: Path) -> None:
    """Put the finished folder in the place of the old one; where that fails, the old one stays."""
    aside = new.with_name("replaced")
    if old.exists():
        old.rename(aside)
    try:
        new.rename(old)
    except OSError:
        aside.rename(old)
        raise
    shutil.rmtree(aside, ignore_errors=True)
