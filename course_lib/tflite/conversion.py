"""The variants of a model, a row each with all that is said of it, and how each is converted.

Everything that lists variants reads the table. Another variant is another row.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_lib import session
from course_lib.graph import freezing

_CALIBRATION_CLIPS = 400  # ranges hardly grow after that many


@dataclass(frozen=True)
class Variant:
    """What the converter is told for one variant, and how people are told about it.

    `numbers` are "float32" (nothing is rounded), "weights" (int8 weights, computed in floats),
    "float16" (weights in half the bytes), "int8", or "int16x8" (16 bits for what flows).
    """

    name: str
    label: str
    numbers: str
    per_channel: bool = True
    float_ends: bool = True

    @property
    def needs_clips(self) -> bool:
        """Whether ranges have to be found on representative features."""
        return self.numbers in ("int8", "int16x8")


VARIANTS: Mapping[str, Variant] = {
    row.name: row
    for row in (
        Variant("float32", "float32, as the converter makes it", "float32"),
        Variant("dynamic_range", "int8 weights, computed in floats", "weights"),
        Variant("float16", "weights in half the bytes", "float16"),
        Variant("int16x8", "int8 weights, 16 bits for what flows", "int16x8"),
        Variant("int8", "int8, one scale a tensor", "int8", per_channel=False, float_ends=False),
        Variant("int8_per_channel", "int8, one scale a filter", "int8", float_ends=False),
        Variant("int8_float_io", "int8 with float32 at both ends", "int8", per_channel=False),
    )
}
"""Every variant by its name."""


def convert(
    model: Any, variant: str = "float32", representative: np.ndarray | None = None
) -> bytes:
    """Return the bytes of a .tflite file made from `model`, as one of `VARIANTS`.

    `model` is a Keras model (where it answers with logits, a softmax is added), a `freezing.Frozen`
    or a concrete function; batch 1 unless a concrete function says otherwise. `representative`,
    (n, ...) float32 features without the batch axis, gives the ranges of the integer variants; for
    several inputs it is a list of such, one an input; at most 400 rows of it are used. Raises
    ValueError for an unknown variant, and when ranges are needed and none can be had.
    """
    maker = converter(model, variant, representative)
    with session.quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converter wonders about float ends: they are meant
        return bytes(maker.convert())


def converter(
    model: Any, variant: str = "float32", representative: np.ndarray | None = None
) -> Any:
    """Return TensorFlow's own `TFLiteConverter`, set for `variant`; see `convert`."""
    if variant not in VARIANTS:
        raise ValueError(f"There is no variant {variant!r}: choose one of {', '.join(VARIANTS)}.")
    row = VARIANTS[variant]
    if row.needs_clips and (representative is None or not len(representative)):
        raise ValueError(
            f"The variant {variant} needs representative features to find its ranges: "
            "pass some rows of the training features."
        )
    tf = session.import_tensorflow()
    function = _concrete(model)
    with session.quiet():
        maker = tf.lite.TFLiteConverter.from_concrete_functions([function])
    if row.numbers == "float32":
        return maker
    maker.optimizations = [tf.lite.Optimize.DEFAULT]
    if row.numbers == "float16":
        maker.target_spec.supported_types = [tf.float16]
    if row.needs_clips:
        maker.representative_dataset = _clips(representative, function, variant)
        kernels = tf.lite.OpsSet  # integer ones only: what cannot be rounded is then an error
        maker.target_spec.supported_ops = [
            kernels.TFLITE_BUILTINS_INT8
            if row.numbers == "int8"
            else kernels.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ]
    if not row.float_ends:
        maker.inference_input_type = maker.inference_output_type = tf.int8
    if not row.per_channel:
        maker._experimental_disable_per_channel = True  # there is no public switch
    return maker


def _concrete(model: Any) -> Any:
    """Return the concrete function, without variables, that the converter starts from."""
    if isinstance(model, freezing.Frozen):
        return model.function
    return model if hasattr(model, "structured_outputs") else freezing.concrete(model)


def _clips(representative: Any, function: Any, variant: str) -> Callable[[], Iterator]:
    """Return the generator function that the converter wants: lists of one (1, ...) for each input.

    Rows are taken at equal distances, so that a set sorted by word is still well mixed.
    """
    ends = [(each.shape.as_list(), each.dtype.as_numpy_dtype) for each in function.inputs]
    names = ", ".join(each.op.name for each in function.inputs)
    free = " or ".join(row.name for row in VARIANTS.values() if not row.needs_clips)
    otherwise = f"or convert to {free}, which need none."
    sets = [representative] if len(ends) == 1 else representative
    if len(ends) > 1 and (isinstance(sets, np.ndarray) or len(sets) != len(ends)):
        raise ValueError(
            f"The variant {variant} needs example values of every input ({names}): give a list of "
            f"features for each, {otherwise}"
        )
    for rows, (shape, _) in zip(sets, ends, strict=True):
        size = np.shape(rows)[1:]
        if None not in shape[1:] and np.prod(shape[1:]) != np.prod(size):
            raise ValueError(
                f"The model wants {names} of shape {shape[1:]}: features of shape {list(size)} "
                f"cannot show the variant {variant} its ranges; give others, {otherwise}"
            )
    count = min(_CALIBRATION_CLIPS, *map(len, sets))
    parts = []
    for rows, (shape, dtype) in zip(sets, ends, strict=True):
        picked = np.asarray(rows, dtype)[np.linspace(0, len(rows) - 1, count).astype(int)]
        batch = [shape[0] or 1, *shape[1:]]
        parts.append([np.broadcast_to(row.reshape(1, *shape[1:]), batch) for row in picked])

    def generate() -> Iterator[list[np.ndarray]]:
        for values in zip(*parts, strict=True):
            yield list(values)

    return generate
