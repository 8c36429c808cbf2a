"""TensorFlow Lite Micro's own interpreter, run from Python on the bytes that a device would get.

The package tflite-micro exists for Linux on x86-64 only; elsewhere `available()` is False.
"""

from __future__ import annotations

import numpy as np

from course_lib import session
from course_lib.formats.tflite_file import unpack
from course_lib.micro import guard
from course_lib.micro.guard import GENEROUS_BYTES, MicroError
from course_lib.tflite.interpreter import dequantize, described, quantize


class Interpreter:
    """One model in one arena of `arena_bytes`, ready to run.

    It is set up in a process of its own first, since an arena that cannot even hold the
    interpreter, and some models, end the process they are in. Raises MicroError where the package
    is missing, the arena is too small, or the model needs what TensorFlow Lite Micro lacks.
    """

    def __init__(self, model_bytes: bytes, arena_bytes: int = GENEROUS_BYTES) -> None:
        guard.need(model_bytes)
        graph = (unpack(model_bytes).subgraphs or [None])[0]
        ends = () if graph is None else tuple(len(e) for e in (graph.inputs, graph.outputs))
        if ends != (1, 1):
            raise MicroError(
                "Only models with one input and one output are run here, and this one has "
                f"{' and '.join(map(str, ends)) or 'no graph'}."
            )
        from tflite_micro import runtime

        try:
            guard.vouch(model_bytes, arena_bytes)
            with session.quiet():
                self.raw = runtime.Interpreter.from_bytes(
                    bytes(model_bytes), arena_size=arena_bytes
                )
        except (RuntimeError, ValueError, TypeError) as error:
            said = str(error) if isinstance(error, MicroError) else "it is not supported"
            raise MicroError(
                f"TensorFlow Lite Micro cannot run this model in {arena_bytes:,} bytes: {said}."
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
        rows = np.asarray(features, np.float32)
        if not rows.size or rows.size % max(1, int(np.prod(self.input.shape))):
            raise MicroError(
                f"This model takes {list(self.input.shape)} at a time, not {list(rows.shape)}."
            )
        rows = rows.reshape(-1, *self.input.shape)
        stored = quantize(rows, self.input)
        with session.quiet():
            return np.concatenate([self._fresh(row) for row in stored])

    def run(self, features: np.ndarray) -> np.ndarray:
        """Return float32 answers, (n, classes), for float32 `features`, (n, ...)."""
        return dequantize(self.run_stored(features), self.output)

    def _fresh(self, value: np.ndarray) -> np.ndarray:
        """Run once with no state left by the clip before: streaming models keep some."""
        self.raw.reset()
        return self._answer(value)

    def _answer(self, value: np.ndarray) -> np.ndarray:
        """Run once. Silence is for whoever calls this: once for many runs."""
        self.raw.set_input(value, 0)
        self.raw.invoke()
        return self.raw.get_output(0)
