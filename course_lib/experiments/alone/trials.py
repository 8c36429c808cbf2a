"""Try each form of a model: in fresh processes without our code, with it, and in a viewer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from course_lib import session
from course_lib.experiments.alone.forms import VIEWED, bytes_of
from course_lib.experiments.alone.table import Abilities, Ability
from course_lib.experiments.alone.viewer import drawn
from course_lib.session import internals

_SECONDS = 240


def measure(folder: str | Path) -> Abilities:
    """Try what `forms.write` wrote; Python's trials and the C++ library's run at the same time.

    Raises RuntimeError with what a process printed where it ends without an answer.
    """
    folder = Path(folder).resolve()
    here = Path(__file__).parent
    started = [
        _start(here / "with_python.py", str(folder)),
        _start(here / "with_c.py", str(folder), *_ends(folder / "saved_model")),
    ]
    answers, learns = _with_code(folder)
    seen = drawn(folder, VIEWED)
    by_python, by_c = (_result(each)["found"] for each in started)
    rows = []
    for name, size in bytes_of(folder).items():
        found, restored = by_python[name], name == "checkpoint"
        rows.append(
            Ability(
                name,
                size,
                complete=found["answers"] or found["LiteRT"],
                learns=found["learns"] or (restored and learns),
                tensorflow=found["answers"] or (restored and answers),
                cpp=by_c[name],
                litert=found["LiteRT"],
                netron=seen.forms[name],
            )
        )
    return Abilities(tuple(rows), seen)


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
    data = (saved_model / "saved_model.pb").read_bytes()
    parsed = internals.message("SavedModel").FromString(data)
    signature = parsed.meta_graphs[0].signature_def["serving_default"]
    (given,), (wanted,) = signature.inputs.values(), signature.outputs.values()
    return given.name, wanted.name


def _with_code(folder: Path) -> tuple[bool, bool]:
    """Restore the checkpoint into a model built by our code: does it answer, can it take a step?"""
    from course_lib import spotter
    from course_lib.experiments.alone import with_python
    from course_lib.experiments.training_runs.timeline import restored

    tf = session.import_tensorflow()
    model = restored(folder / "checkpoint" / "model", spotter.build())
    features, labels, expected = (
        np.load(folder / f"{name}.npy") for name in ("features", "labels", "answers")
    )
    answers = with_python.probabilities(model(tf.constant(features)))
    right = bool(np.abs(answers - expected).max() < with_python.TOLERANCE)
    return right, with_python.learns(tf, model, model.trainable_variables, features, labels)
