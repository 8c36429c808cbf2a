"""The two programs that are compiled down to machine code, and the process that compiles them.

XLA writes its dump only when it is told to before TensorFlow is imported, hence a process of its
own: `python -m course_lib.graph.compiler.programs FOLDER`.
"""

from __future__ import annotations

import os
import sys

FEATURES, CLASSES = 28, 4  # of the layer: as many as the spotter's last one has


def seven_lines(var1, var2, var3):
    """Return the result of the program of lesson 01, for its three constants."""
    temp1 = var1 + var2
    temp2 = var1 - var2
    temp3 = temp2 + var3
    return temp1 / temp3


def one_layer(features, kernel, bias):
    """Return relu(features x kernel + bias): one dense layer."""
    import tensorflow

    return tensorflow.nn.relu(tensorflow.linalg.matvec(kernel, features, True) + bias)


def main(folder: str) -> None:
    """Compile both programs with XLA's dump written into `folder`."""
    flags = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = f"{flags} --xla_dump_to={folder}".strip()
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    import tensorflow

    numbers = [tensorflow.constant(value) for value in (6.0, 2.0, 4.0)]
    tensorflow.function(seven_lines, jit_compile=True)(*numbers)
    arrays = [tensorflow.zeros(size) for size in (FEATURES, (FEATURES, CLASSES), CLASSES)]
    tensorflow.function(one_layer, jit_compile=True)(*arrays)


if __name__ == "__main__":
    main(sys.argv[1])
