"""Measure a saved model on a folder of sound files, and say what could not be used.

A folder holds `<label>/<clip>.wav` (or .flac, .ogg, .mp3). The folders yes, no, _unknown_ and
_silence_ are labels; every other folder is a word that the model should call unknown. A file that
is missing, empty, cut short, no sound or at another rate than 16 kHz is skipped, named and counted:
resampling it would measure the resampler too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_lib import measure
from course_lib.measure import saved
from course_lib.sound import audio, dataset


@dataclass(frozen=True)
class Skipped:
    """A file that was not measured, relative to the folder, and one sentence that says why."""

    file: str
    reason: str


@dataclass(frozen=True)
class Words:
    """What became of the clips of one other word: how many there are, how many called unknown."""

    word: str
    n: int
    unknown: int

    @property
    def share(self) -> float:
        """Return the share called unknown."""
        return self.unknown / self.n


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model's report on a folder, with the four labels' folders and the other words apart."""

    model: str
    folder: str
    report: measure.Report
    words: tuple[str, ...]
    skipped: tuple[Skipped, ...]

    @property
    def four(self) -> tuple[int, int]:
        """Return (correct, n) over the folders of the four labels alone."""
        own = np.array([word in dataset.LABELS for word in self.words])
        return int(self.report.right[own].sum()), int(own.sum())

    @property
    def others(self) -> tuple[Words, ...]:
        """Return what became of each other word, in alphabetical order."""
        names = np.array(self.words, object)
        rows = []
        for word in sorted(set(self.words) - set(dataset.LABELS)):
            right = self.report.right[names == word]
            rows.append(Words(word, len(right), int(right.sum())))
        return tuple(rows)

    def as_dict(self) -> dict:
        """Return everything as plain values, ready for JSON; shares are None where n is 0."""
        report, others = self.report, self.others
        return {
            "model": self.model,
            "bytes": report.bytes,
            "folder": self.folder,
            **_share(report.correct, report.n),
            "recall": {
                label: _number(value)
                for label, value in zip(dataset.LABELS, report.recalls, strict=True)
            },
            "confusion": {"labels": list(dataset.LABELS), "counts": report.confusion.tolist()},
            "real4": _share(*self.four),
            "other_words": {
                **_share(
                    sum(each.unknown for each in others),
                    sum(each.n for each in others),
                    "called_unknown",
                ),
                "words": {
                    each.word: {"n": each.n, "called_unknown": each.share} for each in others
                },
            },
            "skipped": {
                "count": len(self.skipped),
                "files": [{"file": each.file, "reason": each.reason} for each in self.skipped],
            },
        }


def evaluate(
    model: str | Path, folder: str | Path, progress: Callable[[Iterable], Iterable] = iter
) -> Evaluation:
    """Measure the saved `model` on every usable clip below `folder`; see the module's head.

    `progress` wraps the list of files, as tqdm does. Raises saved.ModelFileError for a model that
    cannot be opened and audio.AudioError for a folder with nothing to measure.
    """
    model, folder = Path(model), Path(folder)
    runnable = saved.predictor(model)
    clips, skipped = read_folder(folder, progress)
    try:
        report = measure.report(model.name, runnable, clips)
    except ValueError as error:
        raise saved.ModelFileError(f"{model} does not fit the features: {error}") from error
    classes = report.probabilities.shape[1]
    if classes != len(dataset.LABELS):
        raise saved.ModelFileError(
            f"{model} gives {classes} values a clip, and {len(dataset.LABELS)} labels are needed."
        )
    if not np.isfinite(report.probabilities).all():
        raise saved.ModelFileError(
            f"{model} answers with values that are no numbers: train or convert it again."
        )
    report = measure.Report(
        report.name,
        _bytes_of(model),
        report.weight_bytes,
        report.labels,
        report.probabilities,
        report.kinds,
    )
    return Evaluation(str(model), str(folder), report, clips.words, skipped)


def read_folder(
    folder: Path, progress: Callable[[Iterable], Iterable] = iter
) -> tuple[dataset.Clips, tuple[Skipped, ...]]:
    """Read every clip below `folder`, and name the files that cannot be used, in order of names."""
    if not folder.is_dir():
        raise audio.AudioError(f"There is no folder {folder}: give one that holds <label>/<clip>.")
    waves, names, skipped = [], [], []
    for file in progress(_files(folder)):
        name = file.relative_to(folder)
        if reason := _unusable(file, name):
            skipped.append(Skipped(name.as_posix(), reason))
            continue
        try:
            waves.append(audio.fit(audio.read(file)))
            names.append(name)
        except (audio.AudioError, OSError) as error:
            skipped.append(Skipped(name.as_posix(), str(error)))
    if not waves:
        raise audio.AudioError(
            f"{folder} holds no clip that can be measured, {len(skipped)} files "
            "were skipped: it needs <label>/<clip>.wav at 16 kHz."
            + (f" The first: {skipped[0].reason}" if skipped else "")
        )
    words = tuple(name.parts[0] for name in names)
    labels = np.array([dataset.label_of(word) for word in words], np.int64)
    clips = dataset.Clips(
        np.stack(waves),
        labels,
        words,
        tuple(name.stem.split("_")[0] for name in names),
        ("recording",) * len(names),
        tuple(name.as_posix() for name in names),
    )
    return clips, tuple(skipped)


def _files(folder: Path) -> list[Path]:
    """Return the files that should be clips: all in subfolders, and sounds that lie outside one."""
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() or path.is_symlink() and not path.is_dir()
    ]
    return [
        path
        for path in found
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and (path.parent != folder or path.suffix.lower() in dataset.SUFFIXES)
    ]


def _unusable(file: Path, name: Path) -> str:
    """Return why a file is not even read, or nothing."""
    if len(name.parts) != 2:
        return f"{file.name} does not lie directly in a label's folder: put it into one."
    if file.suffix.lower() not in dataset.SUFFIXES:
        return f"{file.name} is none of {', '.join(dataset.SUFFIXES)}: convert or remove it."
    rate_hz = _rate_hz(file)
    if rate_hz not in (None, audio.SAMPLE_RATE_HZ):
        return (
            f"{file.name} has a sample rate of {rate_hz} Hz, and {audio.SAMPLE_RATE_HZ} Hz "
            "is needed: resample it first."
        )
    return ""


def _rate_hz(file: Path) -> int | None:
    """Return the rate that a sound file names, None where it cannot be read as sound."""
    import soundfile

    try:
        return int(soundfile.info(str(file)).samplerate)
    except (OSError, RuntimeError):
        return None  # audio.read says what is wrong with it


def _bytes_of(model: Path) -> int:
    """Return the size of a file, or of all files in a SavedModel folder."""
    if model.is_dir():
        return sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
    return model.stat().st_size


def _share(correct: int, n: int, name: str = "accuracy") -> dict:
    """Return a share with its counts and Wilson's 95 % interval."""
    if n == 0:
        return {"n": 0, "correct": 0, name: None, "interval": None}
    return {
        "n": n,
        "correct": correct,
        name: correct / n,
        "interval": list(measure.wilson(correct, n)),
    }


def _number(value: float) -> float | None:
    """Return a float, None for nan: JSON has no such number."""
    return None if np.isnan(value) else float(value)
