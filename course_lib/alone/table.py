"""Write a model in five forms, try each in fresh processes, and put the outcomes in a table."""

from __future__ import annotations

import html
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import freeze, session

__all__ = ["Abilities", "Ability", "measure", "write"]

_FILES = {
    "checkpoint": "checkpoint/*",
    "Keras file": "model.keras",
    "SavedModel": "saved_model/**/*",
    "frozen graph": "frozen.pb",
    "TFLite": "model.tflite",
}
_SECONDS = 240


@dataclass(frozen=True)
class Ability:
    """Hold what one form of a model weighs and can do; None where it could not be tried here.

    ``complete``: answers rightly in a process without the model's code. ``without_python``: the C
    library runs it. ``litert``: LiteRT runs it. ``learns``: one step down the gradient, with the
    code where it is needed, lowers the loss.
    """

    name: str
    bytes: int
    complete: bool
    without_python: bool | None
    litert: bool
    learns: bool


@dataclass(frozen=True)
class Abilities:
    """Hold the table, by name; shows itself as HTML and as text."""

    rows: tuple[Ability, ...]

    def __iter__(self) -> Iterator[Ability]:
        """Yield the rows."""
        return iter(self.rows)

    def __getitem__(self, name: str) -> Ability:
        """Return the row with this name; raise ``KeyError``."""
        return {row.name: row for row in self.rows}[name]

    def __repr__(self) -> str:
        """Return the abilities as lines that are the same in every run: no bytes."""
        return "\n".join(
            f"{row.name}: " + (", ".join(_abilities(row)) or "none of it") for row in self.rows
        )

    def _repr_html_(self) -> str:
        heads = (
            "",
            "kB, to the nearest ten",
            "answers without its code",
            "runs without Python",
            "runs in LiteRT",
            "can learn on",
        )
        lines = "".join(
            f"<tr><th style='text-align:left'>{html.escape(row.name)}</th>"
            f"<td>{round(row.bytes / 1000, -1):.0f}</td>"
            + "".join(
                f"<td style='text-align:center'>{_sign(value)}</td>"
                for value in (row.complete, row.without_python, row.litert, row.learns)
            )
            + "</tr>"
            for row in self.rows
        )
        head = "".join(f"<th>{each}</th>" for each in heads)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def write(model: Any, folder: str | Path, features: np.ndarray, labels: np.ndarray) -> Path:
    """Write a Keras model in all five forms to ``folder``, and what to try them with.

    ``features`` are (n, 49, 40) float32, ``labels`` (n,). Returns the folder.
    """
    from course_lib import spotter, tflite

    tf, folder = session.import_tensorflow(), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with session.quiet():
        tf.train.Checkpoint(model=model).write(str(folder / "checkpoint" / "model"))
        model.save(folder / "model.keras")
        model.export(folder / "saved_model", verbose=False)
    frozen = freeze.frozen(model)
    frozen.save(folder / "frozen.pb")
    session.write_atomically(folder / "model.tflite", tflite.convert(frozen, "float32"))
    rows = np.asarray(features, np.float32)[..., np.newaxis]
    np.save(folder / "features.npy", rows)
    np.save(folder / "labels.npy", np.asarray(labels))
    np.save(folder / "answers.npy", spotter.predict(model, rows[..., 0]))
    return folder


def measure(folder: str | Path) -> Abilities:
    """Try what ``write`` wrote, in two processes at the same time: Python's, and the C library's.

    Raise ``RuntimeError`` with what a process printed where it ends without an answer.
    """
    folder = Path(folder).resolve()
    here = Path(__file__).parent
    started = [
        _start(here / "with_python.py", str(folder)),
        _start(here / "with_c.py", str(folder), *_ends(folder / "saved_model")),
    ]
    with_code = _learns_with_code(folder)
    by_python, by_c = (_result(each)["found"] for each in started)
    rows = []
    for name, pattern in _FILES.items():
        size = sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())
        found = by_python[name]
        learns = found["learns"] or (name == "checkpoint" and with_code)
        rows.append(Ability(name, size, found["answers"], by_c[name], found["LiteRT"], learns))
    return Abilities(tuple(rows))


def _start(script: Path, *arguments: str) -> subprocess.Popen:
    """Start a script in an isolated Python: no folder of ours, no variables, is on its path."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    return subprocess.Popen(
        [sys.executable, "-I", str(script), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **quiet},
    )


def _result(process: subprocess.Popen) -> dict:
    """Return the JSON in the last line that a process printed."""
    try:
        out, err = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise RuntimeError(f"A trial took over {_SECONDS} seconds: is the machine busy?") from None
    if process.returncode:
        raise RuntimeError(f"A trial ended with {process.returncode}: {err[-800:]}")
    return json.loads(out.strip().splitlines()[-1])


def _ends(saved_model: Path) -> tuple[str, str]:
    """Return the names of the input and the output of a SavedModel's default signature."""
    session.import_tensorflow()
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    parsed = SavedModel.FromString((saved_model / "saved_model.pb").read_bytes())
    signature = parsed.meta_graphs[0].signature_def["serving_default"]
    (given,), (wanted,) = signature.inputs.values(), signature.outputs.values()
    return given.name, wanted.name


def _learns_with_code(folder: Path) -> bool:
    """Restore the checkpoint into a model built by our code, and take one step."""
    from course_lib import spotter
    from course_lib.alone import with_python
    from course_lib.checkpoint.timeline import restored

    tf = session.import_tensorflow()
    model = restored(folder / "checkpoint" / "model", spotter.build())
    features, labels = (np.load(folder / f"{name}.npy") for name in ("features", "labels"))
    return with_python.learns(tf, model, model.trainable_variables, features, labels)


def _abilities(row: Ability) -> Iterator[str]:
    """Yield the words of what a form can do."""
    words = {"answers without its code": row.complete, "runs without Python": row.without_python,
             "runs in LiteRT": row.litert, "can learn on": row.learns}  # fmt: skip
    yield from (word for word, able in words.items() if able)


def _sign(value: bool | None) -> str:
    return "not tried here" if value is None else "yes" if value else "–"
