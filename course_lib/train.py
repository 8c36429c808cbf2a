"""From the bundled clips to everything in data/models, in one run: the shipped spotter."""

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import session, spotter, tflite
from course_lib.experiments import timeline
from course_lib.formats.checkpoint.keras_files import make_portable
from course_lib.graph import freezing
from course_lib.measure import model_card
from course_lib.sound import augmentation, dataset, features

CLIPS = 120_000
MOMENTS = (0.0, 0.004, 0.012, 0.032, 0.08, 0.16, 0.3, 0.5, 0.75, 1.0)  # shares of the training
_CALIBRATION = 400  # clips that show the int8 converter what numbers to expect

Progress = Callable[[str, int, int], None]


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
    if real is not None:
        dataset.recordings(real)  # what is wrong with it is said now, not after the training
    report = progress or (lambda stage, done, total: None)
    base, held = dataset.bundled("train"), dataset.bundled("validation")
    varied, labels = augmentation.training_set(base, count, seed, partial(report, "varying clips"))
    model = spotter.build(seed=seed)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="workbook-training-") as name:
        folder = Path(name) / out.name
        saver = _snapshots(folder / "checkpoints", held, report)
        training = {"seed": seed, "callbacks": [saver], **spotter.SHIPPED}
        spotter.train(model, varied, labels, epochs, **training)
        report("converting", 0, 1)
        _write_models(model, varied[:_CALIBRATION], folder)
        moments = json.dumps(saver.moments, indent=1) + "\n"
        session.write_atomically(folder / "history.json", moments)
        _write_timeline(varied[:_CALIBRATION], folder, report)
        report("measuring", 0, 1)
        seconds = round(time.perf_counter() - started)
        recipe = {"seed": seed, "clips": count, "epochs": epochs, "seconds": seconds}
        measured = model_card.measured(folder, recipe, real)
        model_card.write(folder, measured)
        _write_checksums(folder)
        _swap(folder, out)
    return measured


def _snapshots(folder: Path, held: dataset.Clips, report: Progress) -> Any:
    """Return a Keras callback that writes a checkpoint, optimizer included, at the `MOMENTS`.

    The last holds the model as the training leaves it, averaged where it is. Its `moments` say
    step, epoch, seconds, loss and accuracy (on `held`) at each.
    """
    tf = session.import_tensorflow()

    class Snapshots(tf.keras.callbacks.Callback):
        def on_train_begin(self, logs: dict | None = None) -> None:
            self.steps = self.params["epochs"] * self.params["steps"]
            self.due = {round(share * self.steps) for share in MOMENTS}
            self.step, self.started, self.moments, self.loss = 0, time.perf_counter(), [], None
            self.model.optimizer.build(self.model.trainable_variables)
            saved = tf.train.Checkpoint(model=self.model, optimizer=self.model.optimizer)
            self.manager = tf.train.CheckpointManager(saved, str(folder), max_to_keep=None)
            self.save()

        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            self.step += 1
            if self.step % 10 == 0 or self.step == self.steps:
                report("training", self.step, self.steps)
            self.loss = round(float((logs or {})["loss"]), 4)
            if self.step in self.due and self.step < self.steps:
                self.save()

        def on_train_end(self, logs: dict | None = None) -> None:
            self.save()

        def save(self) -> None:
            self.manager.save(checkpoint_number=self.step)
            right = spotter.predict(self.model, features.of(held)).argmax(axis=1) == held.labels
            epoch = round(self.step / self.params["steps"], 3)
            seconds = round(time.perf_counter() - self.started, 1)
            moment = {"step": self.step, "epoch": epoch, "seconds": seconds, "loss": self.loss}
            self.moments.append(moment | {"accuracy": round(float(right.mean()), 4)})

    return Snapshots()


def _write_models(model: Any, calibration: np.ndarray, folder: Path) -> None:
    """Write the four forms of the model: Keras, frozen, float32 and int8."""
    with session.quiet():
        model.save(folder / "spotter.keras")
    make_portable(folder / "spotter.keras")
    frozen = freezing.frozen(model)
    frozen.save(folder / "spotter.pb")
    for variant in ("float32", "int8"):
        data = tflite.strip(tflite.convert(frozen, variant, calibration), keep_names=True)
        session.write_atomically(folder / f"spotter_{variant}.tflite", data)


def _write_timeline(calibration: np.ndarray, folder: Path, report: Progress) -> None:
    """Ask every checkpoint about the test clips, as float and as int8, for the time slider."""
    clips = dataset.bundled("test")
    asked = (folder / "checkpoints", features.of(clips), clips.labels, clips.words)
    asking = partial(report, "asking the checkpoints")
    answers = timeline.measure(*asked, int8=calibration, progress=asking)
    answers.save(folder / "timeline.npz")


def _write_checksums(folder: Path) -> None:
    """Write SHA256SUMS over every other file, in the form that `sha256sum -c` reads."""
    lines = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    session.write_atomically(folder / "SHA256SUMS", "".join(lines))


def _swap(new: Path, old: Path) -> None:
    """Put the finished folder in the old one's place; where that fails or stops, that stays."""
    with tempfile.TemporaryDirectory(prefix=f".{old.name}.", dir=old.parent) as name:
        ready, aside = Path(name, "new"), Path(name, "replaced")
        shutil.copytree(new, ready)
        try:
            if old.exists():
                old.rename(aside)
            ready.rename(old)
        except BaseException:  # an interrupt, too: what lies aside is about to be removed
            if aside.exists() and not old.exists():
                aside.rename(old)
            raise
