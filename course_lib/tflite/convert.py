"""Convert a trained or a frozen model to each TensorFlow Lite variant."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from course_lib import session
from course_lib.graph import freezing

VARIANTS = (
    "float32",
    "dynamic_range",
    "float16",
    "int16x8",
    "int8",
    "int8_per_channel",
    "int8_float_io",
)
"""What `convert` can make.

`float32` is what the converter makes when nothing is set. `int8` has one scale a tensor and
int8 at both ends; `int8_per_channel` has one scale for each filter; `int8_float_io` is
`int8` with float32 at both ends.
"""

_NEED_CLIPS = ("int16x8", "int8", "int8_per_channel", "int8_float_io")
_CALIBRATION_CLIPS = 400


def convert(
    model: Any, variant: str = "float32", representative: np.ndarray | None = None
) -> bytes:
    """Return the bytes of a .tflite file made from `model`.

    `model` is a Keras model that answers with logits (a softmax is added), a `freezing.Frozen`,
    or a concrete function; batch 1 unless a concrete function says otherwise. `representative`,
    (n, ...) float32 features without the batch axis, gives the ranges of the integer variants;
    at most 400 rows of it are used. Raises ValueError for an unknown variant, and when ranges
    are needed and none can be had.
    """
    made = converter(model, variant, representative)
    with session.quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converter wonders about float ends: they are meant
        return bytes(made.convert())


def converter(
    model: Any, variant: str = "float32", representative: np.ndarray | None = None
) -> Any:
    """Return TensorFlow's own `TFLiteConverter`, set for `variant`; see `convert`."""
    if variant not in VARIANTS:
        raise ValueError(f"There is no variant {variant!r}: choose one of {', '.join(VARIANTS)}.")
    if variant in _NEED_CLIPS and (representative is None or not len(representative)):
        raise ValueError(
            f"The variant {variant} needs representative features to find its ranges: "
            "pass some rows of the training features."
        )
    tf = session.import_tensorflow()
    function = _concrete(model)
    with session.quiet():
        made = tf.lite.TFLiteConverter.from_concrete_functions([function])
    if variant == "float32":
        return made
    made.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "float16":
        made.target_spec.supported_types = [tf.float16]
    if variant in _NEED_CLIPS:
        made.representative_dataset = _clips(representative, function.inputs[0].shape.as_list())
        made.target_spec.supported_ops = [_operations_of(tf, variant)]
    if variant in ("int8", "int8_per_channel"):
        made.inference_input_type = made.inference_output_type = tf.int8
    if variant in ("int8", "int8_float_io"):
        made._experimental_disable_per_channel = True
    return made


def _concrete(model: Any) -> Any:
    """Return the concrete function, without variables, that the converter starts from."""
    if isinstance(model, freezing.Frozen):
        return model.function
    return model if hasattr(model, "structured_outputs") else freezing.concrete(model)


def _operations_of(tf: Any, variant: str) -> Any:
    """Return the set of operations that the converter may use: integer ones only."""
    if variant == "int16x8":
        return tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    return tf.lite.OpsSet.TFLITE_BUILTINS_INT8


def _clips(representative: np.ndarray, shape: list[int | None]) -> Any:
    """Return the generator function that the converter wants: lists of one (1, ...) input each.

    Rows are taken at equal distances, so that a set sorted by word is still well mixed.
    """
    rows = np.asarray(representative, np.float32)
    count = min(len(rows), _CALIBRATION_CLIPS)
    picked = rows[np.linspace(0, len(rows) - 1, count).astype(int)]
    batch = [shape[0] or 1, *shape[1:]]

    def generate() -> Iterator[list[np.ndarray]]:
        for row in picked:
            yield [np.broadcast_to(row.reshape(1, *shape[1:]), batch)]

    return generate
