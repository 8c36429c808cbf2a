"""A quiet, reproducible start, the same in Colab, in a clone and in an installed copy."""

from __future__ import annotations

import ctypes
import logging
import os
import random
import sys
import warnings
from types import ModuleType

from course_lib.session.streams import quiet

SEED = 7
ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",  # no C++ log lines; what still slips through, quiet() catches
    "CUDA_VISIBLE_DEVICES": "-1",  # every figure of the lessons is measured on a CPU
    "KERAS_BACKEND": "tensorflow",
}
# glibc hands every freed block above 128 kB back to the system and asks for a new one at the next
# step: 8 million page faults in three epochs of lesson 03, 94 s where 35 s are enough. It keeps
# them with these settings of mallopt(3): the number of a parameter, what the environment of
# processes to come calls it, and its value in bytes.
_KEPT_BYTES = (
    (-3, "MALLOC_MMAP_THRESHOLD_", 2**30),
    (-1, "MALLOC_TRIM_THRESHOLD_", 2**31 - 1),
    (-2, "MALLOC_TOP_PAD_", 2**26),  # less, and a thread gives back whole heaps of 64 MB
)


def start(lesson: str) -> None:
    """Make this session quiet and repeatable, and print one line that is always the same.

    Call it before TensorFlow is imported. `lesson` is a lesson's number such as "01".
    """
    _prepare()
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", category=FutureWarning)
    _seed()
    if in_colab():
        _enable_widgets_in_colab()
    print(f"Lesson {lesson} is ready.")


def in_colab() -> bool:
    """Tell whether this process is a Colab kernel."""
    return "google.colab" in sys.modules or "COLAB_RELEASE_TAG" in os.environ


def import_tensorflow() -> ModuleType:
    """Import TensorFlow without a line of output, for the CPU, seeded the first time; return it."""
    first_time = "tensorflow" not in sys.modules
    if first_time:
        _prepare()
    with quiet():
        import tensorflow as tf

        if first_time:
            tf.get_logger().setLevel("ERROR")
            logging.getLogger("absl").setLevel(logging.ERROR)  # the converter's advice
            tf.config.set_visible_devices([], "GPU")
            tf.keras.utils.set_random_seed(SEED)
    return tf


def _prepare() -> None:
    """Set what TensorFlow and the processes to come look at, and let freed memory be used again."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if sys.platform != "linux":
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's alone
    for option, name, value in _KEPT_BYTES if set_option else ():
        os.environ.setdefault(name, str(value))
        set_option(option, value)


def _seed() -> None:
    """Seed the generators of Python and NumPy."""
    import numpy

    random.seed(SEED)
    numpy.random.seed(SEED)


def _enable_widgets_in_colab() -> None:
    """Let Colab render widgets that are not part of ipywidgets."""
    from google.colab import output

    output.enable_custom_widget_manager()
