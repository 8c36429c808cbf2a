"""TensorFlow Lite Micro's own interpreter, run from Python on the bytes that a device would get.

The package tflite-micro exists for Linux on x86-64 only; elsewhere `available()` is False.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from course_lib import session
from course_lib.tflite.interpreter import Tensor, check, dequantize, quantize

PACKAGE = "tflite_micro"
GENEROUS_BYTES = 1 << 21  # an arena for whoever does not care how large it is


class MicroError(ValueError):
    """Say in one sentence why TensorFlow Lite Micro cannot run something."""


def available() -> bool:
    """Tell whether the interpreter of TensorFlow Lite Micro is installed here."""
    return importlib.util.find_spec(PACKAGE) is not None


class Interpreter:
    """One model in one arena of `arena_bytes`, ready to run.

    Raises MicroError where the package is missing, the arena is too small, or the model needs what
    TensorFlow Lite Micro lacks. An arena that cannot even hold the interpreter itself (some hundred
    bytes) would end this process: try unknown sizes with `micro.fits`.
    """

    def __init__(self, model_bytes: bytes, arena_bytes: int = GENEROUS_BYTES) -> None:
        if not available():
            raise MicroError(
                "tflite-micro is not installed: it exists for Linux on x86-64 only. Run this in "
                "Colab, or read the recorded run."
            )
        check(model_bytes)
        from tflite_micro import runtime

        try:
            with session.quiet():
                self.raw = runtime.Interpreter.from_bytes(
                    bytes(model_bytes), arena_size=arena_bytes
                )
        except (RuntimeError, ValueError, TypeError) as error:
            raise MicroError(
                f"TensorFlow Lite Micro cannot set this model up in {arena_bytes:,} bytes: the "
                "arena is too small, or an operation or a type is not supported."
            ) from error
        self.input = _tensor(self.raw.get_input_details(0))
        self.output = _tensor(self.raw.get_output_details(0))

    def step(self, value: np.ndarray) -> np.ndarray:
        """Run once on `value`, already of the input's type and shape; return the raw output."""
        try:
            with session.quiet():
                self.raw.set_input(np.ascontiguousarray(value), 0)
                self.raw.invoke()
                return self.raw.get_output(0)
        except (RuntimeError, ValueError) as error:
            raise MicroError(
                f"This model does not take {value.dtype} of shape {list(value.shape)}, or stops "
                "while it runs."
            ) from error

    def run_stored(self, features: np.ndarray) -> np.ndarray:
        """Return the stored integers, (n, classes), for float32 `features`, (n, ...)."""
        rows = np.asarray(features, np.float32).reshape(-1, *self.input.shape)
        stored = quantize(rows, self.input)
        with session.quiet():
            return np.concatenate([self._step(row) for row in stored])

    def _step(self, value: np.ndarray) -> np.ndarray:
        """Run once, without a change of file descriptors: those are for whoever calls this."""
        self.raw.set_input(value, 0)
        self.raw.invoke()
        return self.raw.get_output(0)

    def run(self, features: np.ndarray) -> np.ndarray:
        """Return float32 answers, (n, classes), for float32 `features`, (n, ...)."""
        return dequantize(self.run_stored(features), self.output)


def run(model_bytes: bytes, features: np.ndarray) -> np.ndarray:
    """Return what TensorFlow Lite Micro answers: float32, (n, classes). Raises MicroError."""
    return Interpreter(model_bytes).run(features)


def _tensor(detail: dict[str, Any]) -> Tensor:
    """Return a `tflite.Tensor` from what the interpreter says about one of its ends."""
    known = detail["quantization_parameters"]
    return Tensor(
        0,
        "",
        tuple(int(size) for size in detail["shape"]),
        np.dtype(detail["dtype"]),
        tuple(float(scale) for scale in known["scales"]),
        tuple(int(point) for point in known["zero_points"]),
    )
