"""Measure a finished folder of models and write its card: no figure in it is typed by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import session, tflite
from course_lib.graph import freezing
from course_lib.measure.measurement import Report, agreement, mcnemar, report, wilson
from course_lib.sound import dataset, features

COMMANDS = ("down", "go", "left", "off", "on", "right", "stop", "up")
_FORMS = ("float", "int8")


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
    recipe, sizes, held, real = (figures[key] for key in ("recipe", "bytes", "held_out", "real"))
    rows = "\n".join(f"| {name} | {size:,} |" for name, size in sizes.items())
    parts = [_HEAD.format(**recipe, sizes=rows)]
    parts += ["## On voices that it was not trained on\n", _table(held)]
    parts += ["## On recordings of people\n"]
    parts += [_REAL.format(**real), _table(real)] if real else ["Not measured in this run.\n"]
    return "\n".join([*parts, _LIMITS])


def _table(figures: dict[str, Any]) -> str:
    """Return a section of the card: both forms side by side, the confusions, the hardest words."""
    lines = [
        f"{figures['clips']:,} clips, {figures['voices']:,} voices. The int8 file names "
        f"{figures['agreement']:.1%} of them as the float model does; it lost "
        f"{figures['lost']} right answers and gained {figures['gained']} "
        f"(p = {figures['p_value']:.2f}).\n",
        "| right | float | int8 | int8, 95 % interval | clips |",
        "|---|---|---|---|---|",
    ]
    both = [figures[form] for form in _FORMS]
    chosen = {
        "everything": [form["all"] for form in both],
        "the four labels": [form["labels"] for form in both],
        "command words called unknown": [form["commands"] for form in both],
    }
    for kind in ("recalls", "engines"):
        for name in figures["int8"][kind]:
            chosen[f"`{name}`"] = [form[kind][name] for form in both]
    lines += [_row(name, *pair) for name, pair in chosen.items() if all(pair)]
    return "\n".join([*lines, "", _confusion(figures["int8"]["confusion"]), _hardest(figures), ""])


def _row(name: str, first: dict[str, Any], second: dict[str, Any]) -> str:
    return (
        f"| {name} | {first['share']:.1%} | {second['share']:.1%} | "
        f"{second['low']:.1%} to {second['high']:.1%} | {second['n']:,} |"
    )


def _confusion(table: list[list[int]]) -> str:
    head = "".join(f" {label} |" for label in dataset.LABELS)
    rows = "\n".join(
        f"| {label} |" + "".join(f" {count} |" for count in counts)
        for label, counts in zip(dataset.LABELS, table, strict=True)
    )
    return f"| said, heard by int8 as |{head}\n|{'---|' * (len(table) + 1)}\n{rows}\n"


def _hardest(figures: dict[str, Any]) -> str:
    words = [
        (share["share"], word)
        for word, share in figures["int8"]["words"].items()
        if share["n"] >= 5 and share["share"] < 1  # fewer than five clips say little
    ]
    named = ", ".join(f"{word} {share:.0%}" for share, word in sorted(words)[:8])
    return f"The hardest words for int8: {named or 'none was missed'}.\n"


_HEAD = """# The shipped keyword spotter

It hears "yes" and "no" in a second of sound and tells them from other words and from silence. It
is here to be taken apart in the lessons. Every figure below was measured by the program that made
the folder.

- **Data**: the bundled synthetic speech (../speech, with the licence of every voice); no
  recording of a person. Silence is noise from a formula.
- **Recipe**: {clips:,} varied clips, {epochs} epochs, the mean of the weights over the last eighth
  of the steps, seed {seed}, {seconds} s in all on the machine that made it:
  `python -m course_lib train`.
- **Input**: log-mel features, 49 x 40 (`course_lib/sound/features.py`).
- **Output**: the probabilities of `_silence_`, `_unknown_`, `yes`, `no`.

| file | bytes |
|---|---|
{sizes}
"""

_REAL = """{clips:,} one-second clips of {voices:,} people, in the layout of Speech Commands v0.02
(Pete Warden, Google, CC BY 4.0). No weight was learnt from them and none is in the project, but the
recipe's ranges of noise and its shares of words were chosen while looking at their figures: expect
a little less on other people. "The four labels" are yes, no, `_unknown_` and `_silence_`; every
other word counts as unknown.
"""

_LIMITS = """## Limits

- English words, said one at a time, a second long. It was not made to decide anything that matters.
- Real accents, children and far-away microphones are only as well covered as synthesis can cover
  them.
- "know" sounds like "no": it is heard as one.

Licence: that of the project (LICENSE); the voices' own licences are in ../speech/README.md.
"""
