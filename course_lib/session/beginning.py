"""A quiet, reproducible start, the same in Colab, in a clone and in an installed copy."""

from __future__ import annotations

import logging
import os
import random
import sys
import warnings
from types import ModuleType

from course_lib.session.streams import quiet
from course_lib.session.system import keep_freed_memory

SEED = 7
ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",  # no C++ log lines; what still slips through, quiet() catches
    "CUDA_VISIBLE_DEVICES": "-1",  # every figure of the lessons is measured on a CPU
    "KERAS_BACKEND": "tensorflow",
}


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
    """Set what TensorFlow looks at when it is imported, here and in processes to come."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    keep_freed_memory()


def _seed() -> None:
    """Seed the generators of Python and NumPy."""
    import numpy

    random.seed(SEED)
    numpy.random.seed(SEED)


def _enable_widgets_in_colab() -> None:
    """Let Colab render widgets that are not part of ipywidgets."""
    from google.colab import output

    output.enable_custom_widget_manager()
