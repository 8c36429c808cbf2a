"""A training run seen through its checkpoints: what the model knew at each of them.

`measure(folder, clips)` restores one snapshot after the other and asks it about the same clips.
Everything that the time slider shows is then at hand, and moving it computes nothing.
"""

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import session, spotter, tflite
from course_lib.formats.checkpoint import contents

HISTORY = "history.json"  # beside the checkpoints, or in the folder above them


@dataclass(frozen=True)
class Snapshot:
    """Hold one checkpoint: the training step, the kernels of the first layer, all the answers.

    `kernels` (rows, columns, 1, channels) and `answers` (clips, 4) are float32, the answers as
    probabilities. `loss` and `int8_right` (clips,) are None where nobody measured them.
    """

    step: int
    kernels: np.ndarray = field(repr=False)
    answers: np.ndarray = field(repr=False)
    loss: float | None = None
    seconds: float | None = None
    int8_right: np.ndarray | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Timeline:
    """Hold the snapshots of a run, in order, and what the clips really were, (clips,) int64."""

    snapshots: tuple[Snapshot, ...]
    labels: np.ndarray = field(repr=False)
    words: tuple[str, ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        """Return the number of snapshots."""
        return len(self.snapshots)

    @property
    def steps(self) -> tuple[int, ...]:
        """The step of each snapshot."""
        return tuple(each.step for each in self.snapshots)

    @property
    def accuracies(self) -> tuple[float, ...]:
        """The share of right answers at each snapshot, 0 to 1."""
        right = (each.answers.argmax(axis=1) == self.labels for each in self.snapshots)
        return tuple(float(each.mean()) for each in right)

    @property
    def int8_accuracies(self) -> tuple[float | None, ...]:
        """The same for the int8 model of each snapshot; None where it was not measured."""
        right = (each.int8_right for each in self.snapshots)
        return tuple(None if each is None else float(each.mean()) for each in right)

    def confusion(self, index: int) -> np.ndarray:
        """Return (classes, classes) counts: rows were said, columns are what a snapshot heard."""
        answers = self.snapshots[index].answers
        counts = np.zeros((answers.shape[1],) * 2, np.int64)
        np.add.at(counts, (self.labels, answers.argmax(axis=1)), 1)
        return counts

    def save(self, path: str | Path) -> None:
        """Write all of it to an `.npz` file."""
        arrays = {"labels": self.labels, "words": np.array(self.words), "steps": self.steps}
        known = [(each.step, each.loss, each.seconds) for each in self.snapshots]
        arrays["known"] = np.array(json.dumps(known))
        for number, each in enumerate(self.snapshots):
            arrays[f"kernels_{number}"] = each.kernels
            arrays[f"answers_{number}"] = each.answers
            if each.int8_right is not None:
                arrays[f"int8_{number}"] = each.int8_right
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        session.write_atomically(path, buffer.getvalue())


def step_of(prefix: str | Path) -> int:
    """Return the step in a checkpoint's name: 104 for `train/ckpt-104`."""
    digits = re.search(r"-(\d+)$", Path(prefix).name)
    if digits is None:
        raise ValueError(f"{Path(prefix).name} ends in no step, such as ckpt-104.")
    return int(digits[1])


def prefixes(folder: str | Path) -> list[Path]:
    """Return the prefixes of all checkpoints of a folder in the order of their steps."""
    checkpoints = [path.with_suffix("") for path in Path(folder).glob("*.index")]
    if not checkpoints:
        raise FileNotFoundError(f"{folder} holds no checkpoint: train first, or name its folder.")
    return sorted(checkpoints, key=step_of)


def restored(prefix: str | Path, model: Any) -> Any:
    """Load a checkpoint's weights into `model`, without the optimizer's state, and return it."""
    tf = session.import_tensorflow()
    with session.quiet():
        status = tf.train.Checkpoint(model=model).read(str(prefix))
        status.expect_partial().assert_existing_objects_matched()  # not a layer left as it was
    return model


def measure(
    folder: str | Path,
    features: np.ndarray,
    labels: np.ndarray,
    words: tuple[str, ...] = (),
    model: Any = None,
    int8: np.ndarray | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Timeline:
    """Restore every checkpoint of `folder` and ask it about `features` (n, 49, 40).

    `model` is the spotter by default. With `int8`, representative features, every snapshot is
    also converted to int8 and asked: about two seconds each. Losses and times are taken from
    `history.json` beside or in the folder, where there is one.
    """
    model = spotter.build() if model is None else model
    checkpoints, known, snapshots = prefixes(folder), _history(Path(folder)), []
    for number, prefix in enumerate(checkpoints):
        step = step_of(prefix)
        answers = spotter.predict(restored(prefix, model), features)
        right = None
        if int8 is not None:
            answers_int8 = tflite.run(tflite.convert(model, "int8", int8), features)
            right = answers_int8.argmax(axis=1) == labels
        kernels = contents(prefix)[f"{spotter.FIRST_LAYER}/kernel"]
        snapshots.append(Snapshot(step, kernels, answers, *known.get(step, (None, None)), right))
        if progress is not None:
            progress(number + 1, len(checkpoints))
    return Timeline(tuple(snapshots), np.asarray(labels), tuple(words))


def load(path: str | Path) -> Timeline:
    """Read what `Timeline.save` wrote."""
    with np.load(path) as file:
        arrays = dict(file)
    snapshots = []
    for number, (step, loss, seconds) in enumerate(json.loads(arrays["known"].item())):
        answers = arrays[f"answers_{number}"]
        right = arrays.get(f"int8_{number}")
        kernels = arrays[f"kernels_{number}"]
        snapshots.append(Snapshot(step, kernels, answers, loss, seconds, right))
    return Timeline(tuple(snapshots), arrays["labels"], tuple(arrays["words"].tolist()))


def shipped() -> Timeline:
    """Return the timeline of the bundled training run, asked about the bundled test clips."""
    return load(session.data_path("models", "timeline.npz"))


def _history(folder: Path) -> dict[int, tuple[float | None, float | None]]:
    """Return (loss, seconds) by step."""
    for path in (folder / HISTORY, folder.parent / HISTORY):
        if path.is_file():
            moments = json.loads(path.read_text(encoding="utf-8"))
            return {each["step"]: (each.get("loss"), each.get("seconds")) for each in moments}
    return {}
