"""Checkpoints: what is saved while a model trains, opened down to the byte.

`contents(path)` opens a TF2 checkpoint, a TF1 Saver triple, a SavedModel's variables, a
`.weights.h5` or a `.keras` file, without TensorFlow and without the code of the model.
"""

from course_lib.formats.checkpoint.bundle import contents, latest
from course_lib.formats.checkpoint.tensors import Contents
