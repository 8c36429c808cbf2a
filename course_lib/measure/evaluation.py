"""Measure a saved model on a folder of sound files, and say what could not be used.

A folder holds `<label>/<clip>.wav` (or .flac, .ogg, .mp3). The model's own classes are the labels:
for the spotter yes, no, _unknown_ and _silence_, for another model what `labels.named` finds. Every
other folder is a word that the model should call unknown. What cannot be measured on is named and
counted: see `dataset.measurable`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from course_lib.measure import labels, saved
from course_lib.measure.measurement import Report, guard_for, report, wilson
from course_lib.sound import dataset, features
from course_lib.sound.dataset import folders
from course_lib.sound.dataset.folders import Entry


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model's report on a folder, with the four labels' folders and the other words apart."""

    model: str
    folder: str
    report: Report
    words: tuple[str, ...]
    skipped: tuple[Entry, ...]
    labels_from: str = ""

    @property
    def _own(self) -> list[str]:
        return [folders.word_of(name) for name in self.report.names]

    @property
    def four(self) -> tuple[int, int]:
        """Return (correct, n) over the folders of the model's own labels, our four, alone."""
        labels = set(self._own)
        own = np.array([word in labels for word in self.words])
        return int(self.report.right[own].sum()), int(own.sum())

    @property
    def others(self) -> dict[str, tuple[int, int]]:
        """Return (called unknown, n) of each other word, in alphabetical order."""
        names, right = np.array(self.words, object), self.report.right
        others = sorted(set(self.words) - set(self._own))
        return {word: (int(right[names == word].sum()), self.words.count(word)) for word in others}

    def as_dict(self) -> dict:
        """Return everything as plain values, ready for JSON; shares are None where n is 0."""
        report, others = self.report, self.others
        unknown, n = (sum(counts[place] for counts in others.values()) for place in (0, 1))
        return {
            "model": self.model,
            "bytes": report.bytes,
            "folder": self.folder,
            **_share(report.correct, report.n),
            "recall": {
                label: None if np.isnan(value) else float(value)  # JSON has no nan
                for label, value in zip(report.names, report.recalls, strict=True)
            },
            "labels_from": self.labels_from,
            "confusion": {"labels": list(report.names), "counts": report.confusion.tolist()},
            "real4": _share(*self.four),
            "other_words": {
                **_share(unknown, n, "called_unknown"),
                "words": {
                    word: {"n": n, "called_unknown": unknown / n}
                    for word, (unknown, n) in others.items()
                },
            },
            "skipped": {
                "count": len(self.skipped),
                "files": [{"file": entry.file, "reason": entry.done} for entry in self.skipped],
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
    predictor = saved.predictor(model, None)
    recordings = dataset.measurable(folder, progress)
    clips = recordings.clips
    heard = features.of(clips)
    try:
        if isinstance(predictor, bytes):  # anybody's: LiteRT may crash on it
            with guard_for([predictor], len(clips)) as guard:
                probabilities = guard.run(predictor, heard, reference=True)
        else:
            probabilities = np.asarray(predictor(heard), np.float32)
        if probabilities.ndim != 2 or len(probabilities) != len(clips):
            raise ValueError(f"it answers {len(clips)} clips with shape {probabilities.shape}.")
    except ValueError as error:
        raise saved.ModelFileError(f"{model} does not take 49 x 40 features: {error}") from error
    if not np.isfinite(probabilities).all():
        raise saved.ModelFileError(
            f"{model} answers with values that are no numbers: train or convert it again."
        )
    names, source = labels.named(model, probabilities.shape[1], getattr(predictor, "model", None))
    classes = [labels.class_of(word, names) for word in clips.words]
    known = np.array([each is not None for each in classes])
    if not known.any():
        raise saved.ModelFileError(
            f"{model} gives {len(names)} values a clip ({', '.join(names[:12])}), and no folder of "
            f"{folder} is one of them: name its classes, one a line, in labels.txt beside it."
        )
    own = np.array([each for each in classes if each is not None], np.int64)
    measured = report(model.name, lambda _: probabilities[known], (heard[known], own))
    files = model.rglob("*") if model.is_dir() else [model]
    size = sum(path.stat().st_size for path in files if path.is_file())
    reason = "the model has no class for this word, and none for unknown ones."
    foreign = (
        Entry(clips.files[place], clips.words[place], "", reason, used=False)
        for place in np.flatnonzero(~known)
    )
    return Evaluation(
        str(model),
        str(folder),
        replace(measured, bytes=size, names=names),
        tuple(np.array(clips.words, object)[known]),
        (*recordings.left_out, *foreign),
        source,
    )


def _share(correct: int, n: int, name: str = "accuracy") -> dict:
    """Return a share with its counts and Wilson's 95 % interval."""
    share, interval = (correct / n, list(wilson(correct, n))) if n else (None, None)
    return {"n": n, "correct": correct, name: share, "interval": interval}


def table(result: dict) -> str:
    """Return what `Evaluation.as_dict` gives as text of a few lines, for people."""
    names = result["confusion"]["labels"]
    lines = [f"{result['model']}: {result['bytes']:,} bytes", f"accuracy  {_with_interval(result)}"]
    if result["real4"]["n"] not in (0, result["n"]):
        count = "four" if len(names) == 4 else str(len(names))
        lines.append(f"{count} labels' folders alone  {_with_interval(result['real4'])}")
    recalls = (f"{label} {_rounded(value)}" for label, value in result["recall"].items())
    lines.append("recall    " + "  ".join(recalls))
    lines.append(f"{'true / predicted':>17}" + "".join(f"{label:>11}" for label in names))
    for label, row in zip(names, result["confusion"]["counts"], strict=True):
        lines.append(f"{label:>17}" + "".join(f"{count:>11}" for count in row))
    others = result["other_words"]
    if others["n"]:
        lines.append(f"other words called unknown  {_with_interval(others, 'called_unknown')}")
        shares = (f"{w} {_rounded(each['called_unknown'])}" for w, each in others["words"].items())
        lines.append("  ".join(shares))
    if result["labels_from"]:
        lines.append(f"labels  {', '.join(names)} ({result['labels_from']})")
    lines.append(f"skipped files  {result['skipped']['count']}")
    return "\n".join(lines)


def _with_interval(result: dict, name: str = "accuracy") -> str:
    if result["n"] == 0:
        return "no clips"
    low, high = result["interval"]
    return (
        f"{result[name]:.1%} ({low:.1%} to {high:.1%}), "
        f"{result['correct']:,} of {result['n']:,} clips"
    )


def _rounded(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
