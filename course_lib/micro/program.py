"""A complete C++ program around a model: a sketch for an Arduino, a program for the desktop.

It needs TensorFlow Lite Micro. What is generated is little: the array, the operators, the labels.
Each operator's method of `MicroMutableOpResolver` is read from the resolver's own header and kept
in data/micro/operators.json: `python -m course_lib.micro operators HEADER --version WHICH`.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from course_lib import quantize, session
from course_lib.formats.tflite_file import name_of, number_of, schema, unpack
from course_lib.micro.arrays import c_array, feature_tables
from course_lib.micro.interpreter import MicroError
from course_lib.micro.plain_c.generation import FOLDER as PLAIN_C
from course_lib.sound import features
from course_lib.sound.dataset import LABELS

_FOLDER = Path(__file__).parent / "cpp"
_PROGRAM = ("spotter.h", "spotter.cpp", "spotter.ino", "main.cpp")
_FIRST_WORD = 2  # the labels before it are silence and unknown
_THRESHOLD = 205  # of 256: four fifths
_SPARE_BYTES = 256  # another version or chip may need a little more
_METHOD = re.compile(
    r"TfLiteStatus (Add\w+)\([^{;]*\{[^}]*?"
    r'return Add(?:Builtin\(\s*BuiltinOperator_(\w+)|Custom\(\s*"(\w+)")'
)


def operators(model_bytes: bytes) -> tuple[str, ...]:
    """Return the kinds of operation in all subgraphs, each once, in the order of first use.

    A custom operator is called by the name that the file gives it. Raises ModelError for bytes
    that are no model.
    """
    tree = unpack(model_bytes)
    used = (each.opcodeIndex for graph in tree.subgraphs or () for each in graph.operators or ())
    return tuple(dict.fromkeys(_kind(tree.operatorCodes[index]) for index in used))


def resolver(kinds: Sequence[str]) -> str:
    """Return the C++ that makes a resolver with exactly these operators.

    Raises MicroError for a kind that TensorFlow Lite Micro has no method for.
    """
    known = methods()
    if unknown := [kind for kind in kinds if kind not in known]:
        raise MicroError(f"TensorFlow Lite Micro has no operator called {unknown[0][:60]}.")
    calls = " ||\n      ".join(f"operators.{known[kind]}() != kTfLiteOk" for kind in kinds)
    return (
        f"using Operators = tflite::MicroMutableOpResolver<{len(kinds)}>;\n\n"
        "inline TfLiteStatus AddOperators(Operators& operators) {\n"
        f"  if ({calls}) {{\n"
        "    return kTfLiteError;\n  }\n  return kTfLiteOk;\n}\n"
    )


def cpp_program(
    model_bytes: bytes, arena_bytes: int, labels: Sequence[str] = LABELS
) -> Mapping[str, str]:
    """Return the sources by file name: `spotter.ino` for the board, `main.cpp` for the desktop.

    `arena_bytes` is what the model needs, such as `micro.smallest_arena` finds (a device with
    32-bit addresses needs less); some room is added. Raises ValueError where the labels are not
    as many as the model's answers.
    """
    plan = quantize.read(model_bytes)
    ends = len(plan.inputs), len(plan.outputs)
    if ends != (1, 1):
        raise ValueError(
            "The program is made for models with one input and one output, and this one has "
            f"{ends[0]} and {ends[1]}."
        )
    heard, answer = (plan.values[index] for index in (*plan.inputs, *plan.outputs))
    bands = features.FRAMES * features.BANDS
    if math.prod(heard.shape) != bands or {heard.dtype, answer.dtype} != {np.dtype(np.int8)}:
        raise ValueError(
            f"The program hears {bands} int8 features and answers in int8, and this model takes "
            f"{list(heard.shape)} {heard.kind} and answers {answer.kind}."
        )
    classes = plan.values[plan.outputs[0]].shape[-1]
    if classes != len(labels):
        raise ValueError(f"The model gives {classes} shares, and there are {len(labels)} labels.")
    texts = [label.replace("\\", "\\\\").replace('"', '\\"') for label in labels]
    values = {
        "bytes": len(model_bytes),
        "arena": -(-(arena_bytes + _SPARE_BYTES) // 16) * 16,
        "count": len(labels),
        "first": min(_FIRST_WORD, len(labels) - 1),
        "threshold": _THRESHOLD,
        "labels": ", ".join(f'"{text}"' for text in texts),
        "resolver": resolver(operators(model_bytes)),
    }
    files = {name: _source(_FOLDER / name) for name in _PROGRAM}
    files |= {name: _source(PLAIN_C / name) for name in ("log_mel.h", "log_mel.c")}
    files["log_mel_tables.c"] = feature_tables()
    files["model_data.h"] = Template(_source(_FOLDER / "model_data.h")).substitute(values)
    files["model_data.cpp"] = '#include "model_data.h"\n\n' + c_array(model_bytes, "model_data")
    files["model_settings.h"] = Template(_source(_FOLDER / "model_settings.h")).substitute(values)
    return files


def _source(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _kind(code: Any) -> str:
    if number_of(code) == schema.BuiltinOperator.CUSTOM:
        return (code.customCode or b"CUSTOM").decode("utf-8", "replace")
    return name_of(schema.BuiltinOperator, number_of(code))


@lru_cache(maxsize=1)
def methods() -> Mapping[str, str]:
    """Return the method of every kind of operator, and of custom operators by their name."""
    kept = json.loads(session.data_path("micro", "operators.json").read_text(encoding="utf-8"))
    return kept["methods"]


def read_header(text: str) -> dict[str, str]:
    """Return what `methods` does, of the text of a micro_mutable_op_resolver.h.

    Raises ValueError where the text has no such methods.
    """
    found = {kind or custom: method for method, kind, custom in _METHOD.findall(text)}
    if not found:
        raise ValueError("This is no micro_mutable_op_resolver.h: it adds no operators.")
    return found


def write_methods(header: Path, version: str, folder: Path | None = None) -> Path:
    """Keep the methods of a header, sorted, with the version that it is of; return the file.

    Raises OSError for a header that cannot be read, ValueError for another file.
    """
    found = read_header(header.read_text(encoding="utf-8"))
    kept = {
        "version": version,
        "command": "python -m course_lib.micro operators micro_mutable_op_resolver.h --version ...",
        "methods": dict(sorted(found.items())),
    }
    folder = session.data_path("micro") if folder is None else folder
    session.write_atomically(folder / "operators.json", json.dumps(kept, indent=1) + "\n")
    methods.cache_clear()
    return folder / "operators.json"
