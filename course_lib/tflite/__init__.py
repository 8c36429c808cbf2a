"""TensorFlow Lite: convert a model to each variant, run the bytes, drop what no interpreter needs.

A model is plain `bytes` everywhere: what lies in the file is what is passed around.
"""

from course_lib.tflite.compact import compact
from course_lib.tflite.convert import VARIANTS, convert
from course_lib.tflite.guard import Guard, run_guarded
from course_lib.tflite.run import (
    Interpreter,
    ModelError,
    Operation,
    Tensor,
    load,
    operations,
    run,
    tensors,
)
from course_lib.tflite.strip import strip

__all__ = [
    "VARIANTS",
    "Guard",
    "Interpreter",
    "ModelError",
    "Operation",
    "Tensor",
    "compact",
    "convert",
    "load",
    "operations",
    "run",
    "run_guarded",
    "strip",
    "tensors",
]
