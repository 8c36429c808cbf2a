"""The report of one's own spotter, from what was measured in this run: plain data, and a page.

The page is `report.html`, a template of Jinja's, filled; it needs nothing else, pictures included.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment

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
    here, there = tflite.run(int8_model, features), micro.Interpreter(int8_model).run(features)
    same = int((here.argmax(axis=1) == there.argmax(axis=1)).sum())
    return MicroRun(run.smallest_bytes, run.grown_bytes, same, len(features))


def report(
    words: Words,
    models: Sequence[Report],
    chosen: str,
    begun: HeadStart,
    run: MicroRun | None,
    files: Mapping[str, bytes],
    claims: Iterable[Claim] = (),
) -> dict[str, Any]:
    """Return the report that `report.schema.json` describes.

    `models` are measured on the words' test clips, `chosen` is the name of one of them; `files` are
    the bytes to hand in, by name; `claims` were tested in the same run.
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
        "claims": [claim.as_dict() for claim in claims],
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


def page(report: Mapping[str, Any], pictures: Sequence[Picture] = ()) -> str:
    """Return the HTML of a report and some pictures; it loads nothing from anywhere."""
    template = Environment(autoescape=True).from_string(_TEMPLATE.read_text("utf-8"))
    return template.render(
        report=report,
        words=", ".join(f"“{word}”" for word in report["words"]),
        chosen=next(each for each in report["models"] if each["name"] == report["chosen"]),
        pictures=[picture.html() for picture in pictures],
        clips=[*zip(report["labels"], *(report["clips"][split] for split in SPLITS), strict=True)],
        claims=Ledger(tuple(map(Claim.from_dict, report["claims"]))).html(),
    )
