"""A complete C++ program around a model: a sketch for an Arduino, a program for the desktop.

It needs TensorFlow Lite Micro. What is generated is little: the array, the operators, the labels.
Source of the operators' names: tensorflow/lite/micro/micro_mutable_op_resolver.h.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from course_lib import quantize
from course_lib.micro.arrays import c_array, feature_tables
from course_lib.micro.interpreter import MicroError
from course_lib.micro.plain_c.generation import FOLDER as PLAIN_C
from course_lib.sound.dataset import LABELS

_FOLDER = Path(__file__).parent / "cpp"
_PROGRAM = ("spotter.h", "spotter.cpp", "spotter.ino", "main.cpp")
_FIRST_WORD = 2  # the labels before it are silence and unknown
_THRESHOLD = 205  # of 256: four fifths
_SPARE_BYTES = 256  # another version or chip may need a little more
_IRREGULAR = {"PADV2": "PadV2", "RELU6": "Relu6"}  # the others follow `_camel`
_KNOWN = """
    ABS ADD ARG_MAX AVERAGE_POOL_2D CAST CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEQUANTIZE
    EXPAND_DIMS FULLY_CONNECTED HARD_SWISH L2_NORMALIZATION LEAKY_RELU LOGISTIC MAX_POOL_2D MAXIMUM
    MEAN MINIMUM MUL NEG PACK PAD PADV2 PRELU QUANTIZE RELU RELU6 RESHAPE SHAPE SOFTMAX SPLIT
    SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH TRANSPOSE TRANSPOSE_CONV UNPACK
""".split()


def operators(model_bytes: bytes) -> tuple[str, ...]:
    """Return the kinds of operation that a model uses, each once, in the order of first use."""
    return tuple(dict.fromkeys(each.kind for each in quantize.read(model_bytes).operations))


def resolver(kinds: Sequence[str]) -> str:
    """Return the C++ that makes a resolver with exactly these operators.

    Raises MicroError for a kind that TensorFlow Lite Micro has no method for.
    """
    if unknown := [kind for kind in kinds if kind not in _KNOWN]:
        raise MicroError(f"TensorFlow Lite Micro has no operator called {unknown[0]}.")
    calls = " ||\n      ".join(f"operators.Add{_camel(kind)}() != kTfLiteOk" for kind in kinds)
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


def _camel(kind: str) -> str:
    """Return how a kind is spelled in a method's name: DepthwiseConv2D for DEPTHWISE_CONV_2D."""
    parts = kind.split("_")
    return _IRREGULAR.get(kind) or "".join(
        part if part[0].isdigit() else part.capitalize() for part in parts
    )
