"""Run models that nobody vouches for where a crash, a hang or a flood of memory does no harm.

A damaged or hostile .tflite file can crash LiteRT, and with it the kernel. So it is run in a
process of its own, with limits on memory and time.
"""

from __future__ import annotations

import io
import os
import signal
import struct
import subprocess
import sys
import threading
from typing import IO

import numpy as np

from course_lib.tflite.run import ModelError

_MEMORY_BYTES = 1 << 30
_SECONDS = 10.0
_HEAD = struct.Struct("<?Q")


def run_guarded(
    model_bytes: bytes,
    features: np.ndarray,
    seconds: float = _SECONDS,
    memory_bytes: int = _MEMORY_BYTES,
) -> np.ndarray:
    """Return what `tflite.run` returns, computed in a process of its own.

    Raises ModelError also where LiteRT crashes, takes more than `seconds` or more than
    `memory_bytes`. Starting the process takes about 0.3 s: for many models use `Guard`.
    """
    with Guard(seconds, memory_bytes) as guard:
        return guard.run(model_bytes, features)


class Guard:
    """Keep a process that runs one model after another, and start a new one when it dies."""

    def __init__(self, seconds: float = _SECONDS, memory_bytes: int = _MEMORY_BYTES) -> None:
        self.seconds, self.memory_bytes = seconds, memory_bytes
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Guard:
        """Return the guard itself; the process starts with the first model."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._end()

    def run(self, model_bytes: bytes, features: np.ndarray) -> np.ndarray:
        """Return float32 answers; see `run_guarded`."""
        try:
            process = self.process or self._start()
        except EOFError as error:
            raise ModelError("No process can be started to run this model safely.") from error
        late = threading.Event()
        clock = threading.Timer(self.seconds, lambda: (late.set(), process.kill()))
        clock.start()
        try:
            _send(process.stdin, True, bytes(model_bytes))
            _send(process.stdin, True, _packed(np.asarray(features, np.float32)))
            good, content = _receive(process.stdout)
        except (EOFError, OSError) as error:
            raise ModelError(self._obituary(late.is_set())) from error
        finally:
            clock.cancel()
        if not good:
            raise ModelError(content.decode("utf-8", "replace"))
        return _unpacked(content)

    def _start(self) -> subprocess.Popen[bytes]:
        """Start the process that runs the models."""
        package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        process = subprocess.Popen(
            [sys.executable, "-m", "course_lib.tflite.guard", str(self.memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        )
        self.process = process
        _receive(process.stdout)  # it says that it is ready: from now on, time counts
        return process

    def _obituary(self, late: bool) -> str:
        """Say of what the process died, and forget it."""
        code = self._end()
        if late:
            return f"LiteRT did not finish with this model within {self.seconds:g} seconds."
        if code is not None and code < 0:
            return f"LiteRT crashed on this model ({signal.Signals(-code).name})."
        return "LiteRT gave up on this model: it is damaged, or needs more memory than it may have."

    def _end(self) -> int | None:
        """End the process, if there is one, and return its exit code."""
        process, self.process = self.process, None
        if process is None:
            return None
        try:
            process.stdin.close()
        except OSError:
            pass  # it has died already, and what was still to be written is of no use
        try:
            code = process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        process.stdout.close()
        return code


def serve(source: IO[bytes], target: IO[bytes]) -> None:
    """Run the models that come in until the other side hangs up; this is the child's work."""
    from ai_edge_litert import interpreter  # noqa: F401  (loaded before the clock starts)

    from course_lib.tflite.run import run

    _send(target, True, b"ready")
    while True:
        try:
            model_bytes, features = _receive(source)[1], _unpacked(_receive(source)[1])
        except EOFError:
            return
        try:
            good, content = True, _packed(run(model_bytes, features))
        except (ValueError, RuntimeError, MemoryError, OverflowError) as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            good, content = False, lines[0].encode()
        _send(target, good, content)


def _main() -> None:
    """Limit the memory of this process, keep stdout for answers, and serve."""
    try:
        import resource

        limit = int(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        pass  # a system without such limits: time is still limited by the other side
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    serve(sys.stdin.buffer, answers)


def _send(pipe: IO[bytes], good: bool, content: bytes) -> None:
    """Write one message: whether it is good news, its length, its bytes."""
    pipe.write(_HEAD.pack(good, len(content)) + content)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> tuple[bool, bytes]:
    """Read one message; raise `EOFError` where the other side has gone."""
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise EOFError
    good, length = _HEAD.unpack(head)
    content = pipe.read(length)
    if len(content) < length:
        raise EOFError
    return good, content


def _packed(array: np.ndarray) -> bytes:
    """Return an array as the bytes of an .npy file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _unpacked(content: bytes) -> np.ndarray:
    """Return the array in the bytes of an .npy file; objects are refused."""
    return np.load(io.BytesIO(content), allow_pickle=False)


if __name__ == "__main__":
    _main()
