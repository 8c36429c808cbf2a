"""TensorFlow Lite Micro in a process of its own, because a wrong arena ends the process it is in.

The parent writes one line of JSON, the child answers with one. What the C++ code prints goes to a
file of which the child sends the new part along.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import threading
from typing import Any

_SECONDS = 30.0


class Died(Exception):
    """Say that the process ended, or had to be ended, before it answered; `log` is what it said."""

    def __init__(self, log: str) -> None:
        super().__init__("The process that runs TensorFlow Lite Micro ended without an answer.")
        self.log = log


class Child:
    """Keep one process for one model; it is started anew after it died."""

    def __init__(self, model_bytes: bytes, seconds: float = _SECONDS) -> None:
        self.model = base64.b64encode(bytes(model_bytes)).decode("ascii")
        self.seconds = seconds
        self.process: subprocess.Popen[str] | None = None
        self.log: Any = None

    def __enter__(self) -> Child:
        """Return the child itself; its process starts with the first question."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.end()

    def ask(self, arena_bytes: int, runs: int = 0) -> dict[str, Any]:
        """Set the model up in an arena and run it; return {"error"} or {"before", "after"}.

        Both are what the recording allocator prints, before and after `runs` runs on zeros. Raise
        Died where the process did not survive it.
        """
        process = self.process or self._start()
        clock = threading.Timer(self.seconds, process.kill)
        clock.start()
        try:
            process.stdin.write(json.dumps({"arena": arena_bytes, "runs": runs}) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            answer = ""
        finally:
            clock.cancel()
        if not answer:
            raise Died(self.end())
        return json.loads(answer)

    def end(self) -> str:
        """End the process, if there is one; return what it has printed."""
        process, self.process = self.process, None
        if process is None:
            return ""
        try:
            process.stdin.close()
        except OSError:
            pass  # it has ended already
        process.kill()
        process.wait()
        process.stdout.close()
        self.log.seek(0)
        said = self.log.read().decode("utf-8", "replace")
        self.log.close()
        return said

    def _start(self) -> subprocess.Popen[str]:
        """Start the process and give it the model."""
        package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from course_lib.micro.child import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env={**os.environ, "PYTHONPATH": path},
            text=True,
        )
        try:
            self.process.stdin.write(self.model + "\n")
            self.process.stdin.flush()
        except OSError:
            pass  # the first question finds out
        return self.process


def serve() -> None:
    """Answer questions until the other side hangs up; this is the child's work."""
    from tflite_micro import runtime

    model = base64.b64decode(sys.stdin.readline())
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        question = json.loads(line)
        answers.write(json.dumps(_answer(runtime, model, **question)) + "\n")
        answers.flush()


def _answer(runtime: Any, model: bytes, arena: int, runs: int) -> dict[str, Any]:
    import numpy as np

    start = os.lseek(2, 0, os.SEEK_END)
    try:
        interpreter = runtime.Interpreter.from_bytes(model, arena_size=arena)
        interpreter.print_allocations()
        detail = interpreter.get_input_details(0)
        zeros = np.zeros(detail["shape"], detail["dtype"])
        middle = os.lseek(2, 0, os.SEEK_END)
        for _ in range(runs):
            interpreter.set_input(zeros, 0)
            interpreter.invoke()
        interpreter.print_allocations()
    except (RuntimeError, ValueError, TypeError):
        return {"error": _printed(start, os.lseek(2, 0, os.SEEK_END))}
    end = os.lseek(2, 0, os.SEEK_END)
    return {"before": _printed(start, middle), "after": _printed(middle, end)}


def _printed(start: int, end: int) -> str:
    """Return what was written to the log between two places."""
    os.lseek(2, start, os.SEEK_SET)
    text = os.read(2, end - start).decode("utf-8", "replace")
    os.lseek(2, 0, os.SEEK_END)
    return text
