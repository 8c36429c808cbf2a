"""Run models that nobody vouches for where a crash, a hang or a flood of memory does no harm.

A damaged or hostile .tflite file can crash LiteRT, and with it the kernel. So it is run in a
process of its own, with limits on memory and time.
"""

import hashlib
import io
from collections.abc import Callable

import numpy as np

from course_lib import session
from course_lib.formats.tflite_file import ModelError
from course_lib.session import system
from course_lib.session.processes import Died, Refused, Service
from course_lib.tflite.interpreter import run

_MEMORY_BYTES = 1 << 30
_SECONDS = 10.0  # an honest model of this size takes milliseconds
_believed: set[bytes] = set()  # digests of models that ran in a process of their own


class Guard(Service):
    """Keep a process that runs one model after another, and start a new one when it dies."""

    def __init__(self, seconds: float = _SECONDS, memory_bytes: int = _MEMORY_BYTES) -> None:
        super().__init__("course_lib.tflite.guard:prepare", seconds, memory_bytes)

    def run(self, model_bytes: bytes, features: np.ndarray, reference: bool = False) -> np.ndarray:
        """Return float32 answers; see `run_guarded` and, on `reference`, `Interpreter`."""
        rows = _packed(np.asarray(features, np.float32))
        return _unpacked(self.asked(bytes(model_bytes), rows, b"reference" if reference else b""))

    def asked(self, *question: bytes) -> bytes:
        """Return the answer to a question; raises ModelError where the process says or ends so."""
        try:
            return self.ask(*question)
        except Refused as error:
            raise ModelError(str(error).splitlines()[0]) from error
        except Died as error:
            raise ModelError(self._obituary(error)) from error

    def _obituary(self, death: Died) -> str:
        if not death.ready:
            return "No process can be started to run this model safely."
        if death.late:
            return f"LiteRT did not finish with this model within {self.seconds:g} seconds."
        if crash := system.crash(death.code):
            return f"LiteRT crashed on this model ({crash})."
        return "LiteRT gave up on this model: it is damaged, or needs more memory than it may have."


def run_guarded(model_bytes: bytes, features: np.ndarray, reference: bool = False) -> np.ndarray:
    """Return what `tflite.run` returns, computed in a process of its own.

    Raises ModelError also where LiteRT crashes, or takes more than 10 seconds or a gigabyte.
    Starting the process takes about 0.3 s: for many models use `Guard`.
    """
    with Guard() as guard:
        return guard.run(model_bytes, features, reference)


def vouch(model_bytes: bytes, features: np.ndarray) -> bytes:
    """Return the model, once it has run on `features` in a process of its own.

    A shipped model is believed, and so is one that was tried before. Raises ModelError.
    """
    data = bytes(model_bytes)
    key = hashlib.sha256(data).digest()
    if key not in _believed:
        shipped = session.data_path("models").glob("*.tflite")
        if not any(path.read_bytes() == data for path in shipped):
            run_guarded(data, features)
        _believed.add(key)
    return data


def prepare() -> Callable[[bytes, bytes, bytes], bytes]:
    """Return the function that runs a model on features; this is the process's side."""
    from ai_edge_litert import interpreter  # noqa: F401  (loaded before the clock starts)

    def answer(model_bytes: bytes, features: bytes, kernels: bytes) -> bytes:
        return _packed(run(model_bytes, _unpacked(features), reference=bool(kernels)))

    return answer


def _packed(array: np.ndarray) -> bytes:
    """Return an array as the bytes of an .npy file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _unpacked(content: bytes) -> np.ndarray:
    """Return the array in the bytes of an .npy file; objects are refused."""
    return np.load(io.BytesIO(content), allow_pickle=False)
