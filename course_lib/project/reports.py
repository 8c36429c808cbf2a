"""The report of one's own spotter, from what was measured in this run: plain data, and a page.

The page is HTML that needs nothing else: `report.html`, filled, with its pictures inside.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from course_lib import micro, tflite
from course_lib.experiments.ledger import Claim, Ledger
from course_lib.measure import Report
from course_lib.project.training import HeadStart
from course_lib.project.words import Words
from course_lib.sound.dataset import SPLITS
from course_lib.views.style import Picture

_FORMAT, _VERSION = "keyword-spotter-report", 1
_TEMPLATE = Path(__file__).with_name("report.html")


@dataclass(frozen=True, repr=False)
class MicroRun:
    """A model in TensorFlow Lite Micro: its arena, and for how many clips it says what LiteRT says.

    `grown_bytes` is what it asked for beyond the arena while it ran.
    """

    arena_bytes: int
    grown_bytes: int
    same_words: int
    n: int

    def __repr__(self) -> str:
        return (
            f"{self.arena_bytes:,} bytes of arena, {self.grown_bytes} more while it runs; the same "
            f"word as LiteRT for {self.same_words} of {self.n} clips"
        )


def on_micro(int8_model: bytes, features: np.ndarray) -> MicroRun | None:
    """Run a model on `features` (n, 49, 40), about 2 s; None where tflite-micro is missing."""
    if not micro.available():
        return None
    run = micro.arena_of(int8_model)
    here, there = tflite.run(int8_model, features), micro.run(int8_model, features)
    same = int((here.argmax(axis=1) == there.argmax(axis=1)).sum())
    return MicroRun(run.smallest_bytes, run.grown_bytes, same, len(features))


def report(
    words: Words,
    models: Sequence[Report],
    chosen: str,
    begun: HeadStart,
    run: MicroRun | None,
    ledger: Ledger,
    files: Mapping[str, bytes],
) -> dict[str, Any]:
    """Return the report that `report.schema.json` describes.

    `models` are measured on the words' test clips, `chosen` is the name of one of them; `files` are
    the bytes to hand in, by name.
    Raises ValueError where no model has the chosen name.
    """
    names = [model.name for model in models]
    if chosen not in names:
        raise ValueError(f"No model is called {chosen!r}: choose one of {', '.join(names)}.")
    clips: dict[str, Any] = {split: list(words.counts(split)) for split in SPLITS}
    clips["own"] = sum(getattr(words, split).engines.count("recording") for split in SPLITS)
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "words": list(words.chosen),
        "labels": list(words.labels),
        "clips": clips,
        "training": dict(vars(begun)),
        "models": [_model(model) for model in models],
        "chosen": chosen,
        "micro": None if run is None else dict(vars(run)),
        "claims": [claim.as_dict() for claim in ledger],
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in sorted(files.items())
        },
    }


def _model(measured: Report) -> dict[str, Any]:
    low, high = measured.interval
    return {
        "name": measured.name,
        "bytes": measured.bytes,
        "weight_bytes": measured.weight_bytes,
        "right": measured.correct,
        "n": measured.n,
        "share": measured.accuracy,
        "low": low,
        "high": high,
        "confusion": measured.confusion.tolist(),
    }


def page(made: Mapping[str, Any], pictures: Sequence[Picture] = ()) -> str:
    """Return the HTML of a report and some pictures; it loads nothing from anywhere."""
    words = ", ".join(f"“{word}”" for word in made["words"])
    chosen = next(each for each in made["models"] if each["name"] == made["chosen"])
    claims = Ledger(tuple(map(Claim.from_dict, made["claims"])))
    return Template(_TEMPLATE.read_text("utf-8")).substitute(
        words=html.escape(words),
        summary=html.escape(_summary(made, chosen)),
        models=_models(made),
        pictures="".join(f"<figure>{picture.html()}</figure>" for picture in pictures),
        clips=_clips(made),
        claims=claims.html(),
        files=_files(made),
    )


def _summary(made: Mapping[str, Any], chosen: Mapping[str, Any]) -> str:
    training, run = made["training"], made["micro"]
    summary = (
        f"{chosen['bytes']:,} bytes ({chosen['name']}) are right about {chosen['right']} of "
        f"{chosen['n']} clips that they were not trained on: {chosen['share']:.0%}, and the true "
        f"share is somewhere from {chosen['low']:.0%} to {chosen['high']:.0%}. On the clips for "
        f"choosing, {training['after']} of {training['epochs']} epochs led to "
        f"{training['from_checkpoint']:.0%} from a checkpoint, and to "
        f"{training['from_nothing']:.0%} from nothing."
    )
    if run is None:
        return f"{summary} TensorFlow Lite Micro was not installed where this ran."
    return (
        f"{summary} TensorFlow Lite Micro runs it in an arena of {run['arena_bytes']:,} bytes and "
        f"says the same word as LiteRT for {run['same_words']} of {run['n']} clips."
    )


def _models(made: Mapping[str, Any]) -> str:
    first = made["models"][0]["bytes"]
    rows = [
        (
            each["name"],
            f"{each['bytes']:,}" if each["bytes"] else "–",
            f"{first / each['bytes']:.2f} ×" if first and each["bytes"] else "–",
            f"{each['weight_bytes']:,}" if each["weight_bytes"] else "–",
            f"{each['share']:.1%}",
            f"{each['low']:.0%} to {each['high']:.0%}",
        )
        for each in made["models"]
    ]
    places = [each["name"] for each in made["models"]]
    heads = ("model", "bytes", "smaller", "of weights", "right", "95 % interval")
    return _table(heads, rows, places.index(made["chosen"]))


def _clips(made: Mapping[str, Any]) -> str:
    splits = ("train", "validation", "test")
    rows = [
        (label, *(f"{made['clips'][split][place]:,}" for split in splits))
        for place, label in enumerate(made["labels"])
    ]
    own = f"<p>{made['clips']['own']} of the clips are own recordings.</p>"
    return _table(("label", *splits), rows) + own


def _files(made: Mapping[str, Any]) -> str:
    rows = [(name, f"{file['bytes']:,}", file["sha256"]) for name, file in made["files"].items()]
    return _table(("file", "bytes", "SHA-256"), rows, last="code")


def _table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], marked: int = -1, last: str = "number"
) -> str:
    """Return a table: a row's name, and numbers; `last` is the class of the last column."""
    kinds = ["name", *["number"] * (len(heads) - 2), last]
    top = "".join(
        f"<th scope='col' class='{kind}'>{html.escape(head)}</th>"
        for head, kind in zip(heads, kinds, strict=True)
    )
    lines = ""
    for place, (name, *cells) in enumerate(rows):
        lines += f"<tr{' class=chosen' if place == marked else ''}>"
        lines += f"<th scope='row'>{html.escape(name)}</th>"
        for cell, kind in zip(cells, kinds[1:], strict=True):
            lines += f"<td class='{kind}'>{html.escape(cell)}</td>"
        lines += "</tr>"
    return f"<table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"
