"""A quiet, reproducible start, the same in Colab, in a clone and in an installed copy.

`quiet` is a block: what libraries print in it, from Python and from C++, does not reach the page.
"""

import contextlib
import io
import logging
import os
import random
import sys
import tempfile
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import TextIO

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
    import numpy

    random.seed(SEED)
    numpy.random.seed(SEED)
    if in_colab():
        from google.colab import output

        output.enable_custom_widget_manager()  # for widgets that are not part of ipywidgets
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


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Swallow what is printed inside, also by C++ code straight to file descriptors 1 and 2.

    Where an exception leaves the block, what was swallowed is added to it as a note.
    """
    with tempfile.TemporaryFile() as swallowed, contextlib.ExitStack() as stack:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()  # what it still holds, before its descriptor changes
        streams = [_Diverted(swallowed.fileno(), stream) for stream in (sys.stdout, sys.stderr)]
        for descriptor in (1, 2):
            stack.callback(_restore, descriptor, os.dup(descriptor))
            os.dup2(swallowed.fileno(), descriptor)
        stack.callback(logging.disable, logging.root.manager.disable)
        logging.disable(logging.WARNING)  # handlers keep a stream of their own
        stack.enter_context(contextlib.redirect_stdout(streams[0]))
        stack.enter_context(contextlib.redirect_stderr(streams[1]))
        try:
            yield
        except Exception as error:
            swallowed.seek(0)
            text = swallowed.read().decode("utf-8", "replace").strip()
            if text:
                error.add_note(f"Printed before this error:\n{text[-4000:]}")
            raise
        finally:
            for stream in streams:
                stream.descriptor = None


class _Diverted(io.TextIOBase):
    """A text stream that writes to a file descriptor, and to the stream it stands for afterwards.

    Loggers made inside a quiet block keep a reference to it, so it has to outlive the block.
    """

    def __init__(self, descriptor: int, original: TextIO) -> None:
        self.descriptor: int | None = descriptor
        self.original = original

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.descriptor is None:
            return self.original.write(text)
        os.write(self.descriptor, text.encode("utf-8", "replace"))
        return len(text)

    def flush(self) -> None:
        if self.descriptor is None:
            self.original.flush()


def _restore(descriptor: int, saved: int) -> None:
    """Point `descriptor` back at what it was, and let go of the copy."""
    os.dup2(saved, descriptor)
    os.close(saved)
