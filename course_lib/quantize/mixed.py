"""Keep some layers in floats and quantize the rest: is any layer to blame for the noise?"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_lib import session
from course_lib.quantize.model import read
from course_lib.tflite.conversion import converter


@dataclass(frozen=True)
class Calibrated:
    """A float .tflite that knows the range of each of its tensors: one run of the clips' worth."""

    model_bytes: bytes

    def quantized(self, keep: Sequence[str] = ()) -> bytes:
        """Return an int8 .tflite in which the layers labelled `keep` still compute in floats.

        Around each of them the converter puts a DEQUANTIZE and a QUANTIZE. This uses the function
        behind TensorFlow's QuantizationDebugger, so that calibrating again is not needed.
        """
        tf = session.import_tensorflow()
        convert = importlib.import_module("tensorflow.lite.python.convert")
        plan = read(self.model_bytes)
        names = {plan.values[plan.named(label).outputs[0]].name for label in keep}
        with session.quiet():
            return bytes(
                convert.mlir_quantize(
                    self.model_bytes,
                    disable_per_channel=True,
                    fully_quantize=True,
                    denylisted_nodes=names,
                    input_data_type=tf.int8,
                    output_data_type=tf.int8,
                )
            )


def calibrate(model: Any, representative: np.ndarray) -> Calibrated:
    """Run `representative` features (n, ...) through a Keras or a frozen model, noting ranges."""
    maker = converter(model, "int8", representative)
    maker._experimental_calibrate_only = True
    with session.quiet():
        return Calibrated(bytes(maker.convert()))
