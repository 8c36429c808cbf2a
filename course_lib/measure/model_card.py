"""Measure a finished folder of models and write its card: no figure in it is typed by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment

from course_lib import session, tflite
from course_lib.graph import freezing
from course_lib.measure.measurement import Report, agreement, mcnemar, report, wilson
from course_lib.sound import dataset, features

COMMANDS = ("down", "go", "left", "off", "on", "right", "stop", "up")
_FORMS = ("float", "int8")
_TEMPLATE = Path(__file__).with_suffix(".md")


def measured(
    folder: Path, recipe: dict[str, Any], real: str | Path | None = None
) -> dict[str, Any]:
    """Return every figure of the models in `folder` as plain data for JSON.

    "held_out" is the bundled speech of the validation and test voices; "real" is the folder of
    recordings `real`, or None.
    """
    held = dataset.joined(dataset.bundled("validation"), dataset.bundled("test"))
    sounds = {"held_out": held, "real": dataset.recordings(real).clips if real else None}
    answers = {
        "float": freezing.load(folder / "spotter.pb").run,
        "int8": lambda rows: tflite.run((folder / "spotter_int8.tflite").read_bytes(), rows),
    }
    figures: dict[str, Any] = {"recipe": recipe, "bytes": _sizes(folder)}
    for name, clips in sounds.items():
        figures[name] = None if clips is None else _figures(clips, answers)
    return figures


def write(folder: Path, figures: dict[str, Any]) -> None:
    """Write measured.json and, made from it, README.md into `folder`."""
    session.write_atomically(folder / "measured.json", json.dumps(figures, indent=1) + "\n")
    session.write_atomically(folder / "README.md", _card(figures))


def _sizes(folder: Path) -> dict[str, int]:
    files = sorted(folder.glob("spotter*"))
    sizes = {path.name: path.stat().st_size for path in files}
    checkpoints = sorted((folder / "checkpoints").glob("ckpt-*"))
    return {**sizes, "checkpoints": sum(path.stat().st_size for path in checkpoints)}


def _figures(clips: dataset.Clips, answers: dict[str, Callable]) -> dict[str, Any]:
    """Measure both forms on the same clips."""
    sound = features.of(clips)
    reports = {form: report(form, answers[form], (sound, clips.labels)) for form in _FORMS}
    change = mcnemar(reports["float"], reports["int8"])
    own = np.isin(np.array(clips.words, object), dataset.LABELS)
    return {
        "clips": len(clips),
        "voices": len(set(clips.voices)),
        "agreement": _rounded(agreement(reports["float"], reports["int8"])),
        "lost": change.lost,
        "gained": change.gained,
        "p_value": _rounded(change.p_value),
        **{form: _of_form(clips, reports[form], own) for form in _FORMS},
    }


def _of_form(clips: dataset.Clips, measured: Report, own: np.ndarray) -> dict[str, Any]:
    """Return the figures of one form: over everything, over the four labels, by word, by engine."""
    words, engines = np.array(clips.words, object), np.array(clips.engines, object)
    return {
        "all": _share(measured.right),
        "labels": _share(measured.right[own]),
        "commands": _share(measured.right[np.isin(words, COMMANDS)]),
        "recalls": {
            label: _share(measured.right[measured.labels == place])
            for place, label in enumerate(dataset.LABELS)
        },
        "confusion": measured.confusion.tolist(),
        "words": {word: _share(measured.right[words == word]) for word in sorted(set(clips.words))},
        "engines": {
            engine: _share(measured.right[engines == engine])
            for engine in sorted(set(clips.engines))
        },
    }


def _share(right: np.ndarray) -> dict[str, Any] | None:
    """Return how many of some clips were right, as counts, a share and its 95 % interval."""
    if not len(right):
        return None
    correct, n = int(right.sum()), len(right)
    share, low, high = map(_rounded, (correct / n, *wilson(correct, n)))
    return {"correct": correct, "n": n, "share": share, "low": low, "high": high}


def _rounded(number: float) -> float:
    return round(float(number), 4)


def _card(figures: dict[str, Any]) -> str:
    """Return the card: its words stand in model_card.md, a template of Jinja's."""
    template = Environment(keep_trailing_newline=True).from_string(_TEMPLATE.read_text("utf-8"))
    return template.render(figures, labels=dataset.LABELS, hardest=_hardest)


def _hardest(figures: dict[str, Any]) -> str:
    """Return the words that int8 missed most, of those with at least five clips."""
    words = figures["int8"]["words"].items()
    missed = [(of["share"], word) for word, of in words if of["n"] >= 5 and of["share"] < 1]
    return ", ".join(f"{word} {share:.0%}" for share, word in sorted(missed)[:8])
