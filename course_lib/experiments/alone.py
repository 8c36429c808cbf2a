"""What each file of a model can do by itself: tried in processes without our code, and in Netron.

Where there is no Node to run Netron's readers in, what they draw is read from `data/netron`, which
`python -m course_lib.experiments.alone` writes.
"""

import html
import importlib.util
import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import session, spotter, tflite
from course_lib.experiments import outside, timeline
from course_lib.experiments.same_weights import bytes_of, write_forms
from course_lib.session import internals, processes

# The file of each form that is given to a viewer.
VIEWED = {**outside.FILES, "SavedModel": "saved_model/saved_model.pb"}
_DRAWN = ("netron", "drawn.json")
_VIEWER = Path(__file__).with_name("with_netron.mjs")
_SECONDS, _VIEWER_SECONDS = 240, 60  # importing TensorFlow on a busy machine takes long
# The columns after the bytes, in words, and the attribute that each shows.
_COLUMNS = {
    "answers without its code": "complete",
    "can learn on": "learns",
    "runs in TensorFlow’s Python": "tensorflow",
    "runs in TensorFlow’s C++": "cpp",
    "runs in LiteRT": "litert",
    "is a graph in Netron": "netron",
}


@dataclass(frozen=True)
class Ability:
    """Hold what one form of a model weighs and can do; None where it could not be tried here.

    `complete`: answers rightly, within 1e-5, in a process without the model's code. `learns`:
    one step down the gradient, with the code where it is needed, lowers the loss. `tensorflow`:
    TensorFlow's Python gets the right answers from it, again with the code where it is needed.
    `cpp`: TensorFlow's C++ library does. `litert`: LiteRT does. `netron`: the viewer draws
    nodes that are joined, and not weights alone.
    """

    name: str
    bytes: int
    complete: bool
    learns: bool
    tensorflow: bool
    cpp: bool | None
    litert: bool
    netron: bool | None


@dataclass(frozen=True)
class Abilities:
    """Hold the table, by name; shows itself as HTML and as text.

    `viewed` says how it is known what Netron draws.
    """

    rows: tuple[Ability, ...]
    viewed: str = ""

    def __iter__(self) -> Iterator[Ability]:
        return iter(self.rows)

    def __repr__(self) -> str:
        """Return the abilities as lines that are the same in every run: no bytes."""
        lines = []
        for row in self.rows:
            words = [words for words, attribute in _COLUMNS.items() if getattr(row, attribute)]
            lines.append(f"{row.name}: {', '.join(words) or 'none of it'}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        heads = "".join(
            f"<th style='text-align:center;white-space:normal;max-width:8em'>{head}</th>"
            for head in ("", "kB, to the nearest ten", *_COLUMNS)
        )
        signs = {None: "not tried here", True: "yes", False: "–"}
        lines = ""
        for row in self.rows:
            cells = "".join(
                f"<td style='text-align:center'>{signs[getattr(row, attribute)]}</td>"
                for attribute in _COLUMNS.values()
            )
            lines += (
                f"<tr><th style='text-align:left'>{html.escape(row.name)}</th>"
                f"<td>{round(row.bytes / 1000, -1):.0f}</td>{cells}</tr>"
            )
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"


def write(model: Any, folder: str | Path, features: np.ndarray, labels: np.ndarray) -> Path:
    """Write a Keras model in all five forms to `folder`, and what to try them with.

    `features` are (n, 49, 40) float32, `labels` (n,). Returns the folder.
    """
    folder = Path(folder)
    frozen = write_forms(model, folder)
    session.write_atomically(folder / outside.FILES["TFLite"], tflite.convert(frozen, "float32"))
    rows = np.asarray(features, np.float32)[..., np.newaxis]
    np.save(folder / "features.npy", rows)
    np.save(folder / "labels.npy", np.asarray(labels))
    np.save(folder / "answers.npy", spotter.predict(model, rows[..., 0]))
    return folder


def measure(folder: str | Path) -> Abilities:
    """Try what `write` wrote; Python's trials and the C++ library's run at the same time.

    Raises RuntimeError with what a process printed where it ends without an answer.
    """
    folder = Path(folder).resolve()
    ways = (("python", str(folder)), ("c", str(folder), *_ends(folder / "saved_model")))
    started = [processes.start(outside.__file__, *way, alone=True, piped=True) for way in ways]
    answers, learns = _with_code(folder)
    forms, how = drawn(folder, VIEWED)
    by_python, by_c = map(_tried, started)
    rows = []
    for name, size in bytes_of(folder).items():
        tried, restored = by_python[name], name == "checkpoint"
        rows.append(
            Ability(
                name,
                size,
                complete=tried["answers"] or tried["LiteRT"],
                learns=tried["learns"] or (restored and learns),
                tensorflow=tried["answers"] or (restored and answers),
                cpp=by_c[name],
                litert=tried["LiteRT"],
                netron=forms[name],
            )
        )
    return Abilities(tuple(rows), how)


def _tried(process: subprocess.Popen) -> dict[str, Any]:
    """Return what a process tried, from the JSON in the last line that it printed."""
    try:
        out, err = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise RuntimeError(f"A trial took over {_SECONDS} seconds: is the machine busy?") from None
    if process.returncode:
        raise RuntimeError(f"A trial ended with {process.returncode}: {err[-800:]}")
    return json.loads(out.strip().splitlines()[-1])["tried"]  # TensorFlow prints before it


def _ends(saved_model: Path) -> tuple[str, str]:
    """Return the names of the input and the output of a SavedModel's default signature."""
    data = (saved_model / "saved_model.pb").read_bytes()
    parsed = internals.message("SavedModel").FromString(data)
    signature = parsed.meta_graphs[0].signature_def["serving_default"]
    (fed,), (wanted,) = signature.inputs.values(), signature.outputs.values()
    return fed.name, wanted.name


def _with_code(folder: Path) -> tuple[bool, bool]:
    """Tell whether the checkpoint, in a model built by our code, answers, and can take a step."""
    tf = session.import_tensorflow()
    model = timeline.restored(folder / "checkpoint" / "model", spotter.build())
    features, labels, expected = (
        np.load(folder / f"{name}.npy") for name in ("features", "labels", "answers")
    )
    right = outside.right(model(tf.constant(features)), expected)
    return right, outside.learns(tf, model, model.trainable_variables, features, labels)


def drawn(folder: Path, files: dict[str, str]) -> tuple[dict[str, bool], str]:
    """Return which `files`, paths below `folder`, Netron draws as a graph, and how that is known.

    `files` and what is returned go by the names of the forms.
    """
    program, why = processes.node(), "There is no Node here"
    if program is not None and importlib.util.find_spec("netron") is not None:
        try:
            forms = _ask_netron(program, folder, files)
            return forms, "Netron's own readers opened these files, in Node."
        except (OSError, subprocess.SubprocessError, ValueError):
            why = "Node cannot run Netron here"  # too old to know modules, or forbidden
    kept = json.loads(session.data_path(*_DRAWN).read_text(encoding="utf-8"))
    how = "what Netron draws was found out where the course was made."
    return {name: kept["drawn"][name] for name in files}, f"{why}: {how}"


def _ask_netron(program: str, folder: Path, files: dict[str, str]) -> dict[str, bool]:
    """Return, for each form, whether Netron finds nodes in its file that are joined."""
    netron = Path(importlib.util.find_spec("netron").origin).parent
    paths = {name: str(Path(folder, file)) for name, file in files.items()}
    done = subprocess.run(
        [program, str(_VIEWER), str(netron), *paths.values()],
        capture_output=True, text=True, timeout=_VIEWER_SECONDS, check=True,
    )  # fmt: skip
    graphs = json.loads(done.stdout)
    return {name: graphs[path]["joined"] > 0 for name, path in paths.items()}


def _record() -> None:
    """Find out again which forms of the shipped model Netron draws, and keep it in `data`."""
    with tempfile.TemporaryDirectory() as folder:
        write(spotter.load(), folder, np.zeros((1, 49, 40), np.float32), np.zeros(1, np.int64))
        forms = _ask_netron(processes.node() or "node", Path(folder), VIEWED)
    text = json.dumps({"netron": version("netron"), "drawn": forms}, indent=1)
    session.write_atomically(session.data_path(*_DRAWN), f"{text}\n")


if __name__ == "__main__":
    _record()
