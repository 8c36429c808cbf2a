"""TensorFlow Lite Micro's own interpreter, run from Python on the bytes that a device would get.

The package tflite-micro exists for Linux on x86-64 only; elsewhere `available()` is False.
"""

from __future__ import annotations

import importlib.util

import numpy as np

from course_lib import session
from course_lib.formats.tflite_file import check
from course_lib.tflite.interpreter import dequantize, described, quantize

PACKAGE = "tflite_micro"
GENEROUS_BYTES = 1 << 21  # an arena for whoever does not care how large it is


class MicroError(ValueError):
    """Say in one sentence why TensorFlow Lite Micro cannot run something."""


def available() -> bool:
    """Tell whether the interpreter of TensorFlow Lite Micro is installed here."""
    return importlib.util.find_spec(PACKAGE) is not None


def need(model_bytes: bytes) -> None:
    """Raise MicroError where the package is missing, ModelError for bytes that are no model."""
    if not available():
        raise MicroError(
            "tflite-micro is not installed: it exists for Linux on x86-64 only. Run this in "
            "Colab, or read the recorded run."
        )
    check(model_bytes)


class Interpreter:
    """One model in one arena of `arena_bytes`, ready to run.

    Raises MicroError where the package is missing, the arena is too small, or the model needs what
    TensorFlow Lite Micro lacks. An arena that cannot even hold the interpreter itself (some hundred
    bytes) would end this process: ask `micro.smallest_arena` first.
    """

    def __init__(self, model_bytes: bytes, arena_bytes: int = GENEROUS_BYTES) -> None:
        need(model_bytes)
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
        self.input = described(self.raw.get_input_details(0))
        self.output = described(self.raw.get_output_details(0))

    def step(self, value: np.ndarray) -> np.ndarray:
        """Run once on `value`, already of the input's type and shape; return the raw output."""
        try:
            with session.quiet():
                return self._answer(np.ascontiguousarray(value))
        except (RuntimeError, ValueError) as error:
            raise MicroError(
                f"This model does not take {value.dtype} of shape {list(value.shape)}, or stops "
                "while it runs."
            ) from error

    def run_stored(self, features: np.ndarray) -> np.ndarray:
        """Return the stored integers, (n, classes), for float32 `features`, (n, ...)."""
        rows = np.asarray(features, np.float32).reshape(-1, *self.input.shape)
        stored = quantize(rows, self.input)
        answers = []
        with session.quiet():
            for row in stored:
                self.raw.reset()  # no state is carried from one clip to the next
                answers.append(self._answer(row))
        return np.concatenate(answers)

    def run(self, features: np.ndarray) -> np.ndarray:
        """Return float32 answers, (n, classes), for float32 `features`, (n, ...)."""
        return dequantize(self.run_stored(features), self.output)

    def _answer(self, value: np.ndarray) -> np.ndarray:
        """Run once. Silence is for whoever calls this: once for many runs."""
        self.raw.set_input(value, 0)
        self.raw.invoke()
        return self.raw.get_output(0)


def run(model_bytes: bytes, features: np.ndarray) -> np.ndarray:
    """Return what TensorFlow Lite Micro answers: float32, (n, classes). Raises MicroError."""
    return Interpreter(model_bytes).run(features)
