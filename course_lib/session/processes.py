"""Processes of our own: the one place that starts a Python beside this one."""

import contextlib
import importlib.util
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Self

from course_lib.session.beginning import ENVIRONMENT
from course_lib.session.files import PACKAGE
from course_lib.session.system import limit_memory

_NUMBER = struct.Struct("<Q")
_GOOD, _ERROR = b"answer", b"error"
_START_SECONDS = 60.0  # for a cold disk: importing an interpreter takes a second or two


def start(
    *arguments: str,
    more: dict[str, str] | None = None,
    around: Sequence[str] = (),
    alone: bool = False,
    piped: bool = False,
    **options: Any,
) -> subprocess.Popen:
    """Start this Python with `arguments`, such as "-m", "course_lib.measure"; return its handle.

    It finds course_lib wherever this one did, or, `alone`, nothing but what is installed; it sees
    no GPU, and logs nothing from C++. `more` are further variables of its environment, `around` is
    a command that runs it, such as a sandbox. `piped` makes its three streams pipes of text;
    `options` go to `subprocess.Popen`, where `env` is an environment that takes nothing from here.
    """
    isolated = ["-I"] if alone else []  # neither the current folder nor PYTHONPATH is looked at
    if piped:
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        options = {**pipes, "encoding": None if alone else "utf-8", "text": True, **options}
    options.setdefault("env", environment(more))
    return subprocess.Popen([*around, sys.executable, *isolated, *arguments], **options)


def run(*arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """Start this Python with `arguments`, wait for its end, and return what it printed as text.

    Raises subprocess.TimeoutExpired where it takes more than `seconds`; it is ended then.
    """
    command = [sys.executable, *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=seconds,
        env=environment(),
    )


def node() -> str | None:
    """Return the path of Node, the JavaScript runtime: the machine's, or Playwright's own."""
    program = shutil.which("node")
    playwright = importlib.util.find_spec("playwright")
    if program is None and playwright is not None and playwright.origin is not None:
        bundled = Path(playwright.origin).parent / "driver" / "node"
        program = str(bundled) if bundled.is_file() else None
    return program


def environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment, quiet, with course_lib on its path, and with `more`.

    A Python that is started with it prints UTF-8, as Windows would not.
    """
    path = os.pathsep.join(filter(None, (str(PACKAGE.parent), os.environ.get("PYTHONPATH"))))
    ours = {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
    return {**os.environ, **ENVIRONMENT, **ours, **(more or {})}


class Died(Exception):
    """Say that a service's process ended, or had to be ended, before it answered.

    `log` is what it printed after the question, `code` its exit code (below 0 the signal that
    ended it), `late` whether its time was up, `ready` whether it had begun to take questions.
    """

    def __init__(self, log: str, code: int | None, late: bool, ready: bool) -> None:
        super().__init__("The process ended without an answer.")
        self.log, self.code, self.late, self.ready = log, code, late, ready


class Refused(ValueError):
    """Carry the words of an error that a service answered with; its process lives on."""


class Service:
    """A process that answers one question after another, and is started anew after it died.

    `prepare`, such as "course_lib.tflite.guard:prepare", names a function that is called once
    in the process and returns the one that answers: bytes for each part of a question, and bytes
    for the answer. What C++ prints there goes to a log. An answer may take `seconds`, the process
    `memory_bytes` where the system knows such a limit.
    """

    def __init__(self, prepare: str, seconds: float, memory_bytes: int | None = None) -> None:
        self.prepare, self.seconds, self.memory_bytes = prepare, seconds, memory_bytes
        self.process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """Return the service itself; its process starts with the first question."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.end()

    def ask(self, *question: bytes) -> bytes:
        """Return the answer to a question. Raises Refused for an error, Died where none comes."""
        if self.process is None:
            self._start()
        return self._answer(question, self.seconds)

    def end(self) -> int | None:
        """End the process, if there is one; return its exit code."""
        process, self.process = self.process, None
        if process is None:
            return None
        with contextlib.suppress(OSError):  # it has died already: what is unwritten is of no use
            process.stdin.close()
        try:
            code = process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        process.stdout.close()
        self._log.close()
        return code

    def _start(self) -> None:
        self._log = tempfile.TemporaryFile()
        program = "import sys; from course_lib.session import processes; processes.serve(sys.argv)"
        arguments = "-c", program, self.prepare, str(self.memory_bytes or 0)
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self._log}
        self.process = start(*arguments, more={"OMP_NUM_THREADS": "1"}, **pipes)
        self._answer((), _START_SECONDS)  # it says that it is ready: from now on, time counts

    def _answer(self, question: tuple[bytes, ...], seconds: float) -> bytes:
        """Send a question where there is one, and wait for the answer."""
        process, late = self.process, threading.Event()
        begin = os.fstat(self._log.fileno()).st_size
        clock = threading.Timer(seconds, lambda: (late.set(), process.kill()))
        clock.start()
        try:
            if question:
                _send(process.stdin, *question)
            kind, content = _receive(process.stdout)
        except (EOFError, OSError, ValueError, MemoryError, OverflowError) as error:
            with open(os.dup(self._log.fileno()), "rb") as log:  # `end` closes the other one
                code = self.end()
                log.seek(begin)
                said = log.read().decode("utf-8", "replace")
            raise Died(said, code, late.is_set(), bool(question)) from error
        finally:
            clock.cancel()
        if kind == _ERROR:
            raise Refused(content.decode("utf-8", "replace"))
        return content


def serve(arguments: Sequence[str]) -> None:
    """Answer questions until the other side hangs up: the work of a service's process.

    `arguments` are a program's name, the function that prepares, and the limit of memory or 0.
    """
    _, prepare, memory_bytes = arguments
    limit_memory(int(memory_bytes))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anybody prints is for the log: stdout is for answers
    module, _, name = prepare.partition(":")
    answer = getattr(importlib.import_module(module), name)()
    _send(answers, _GOOD, b"")
    while True:
        try:
            question = _receive(sys.stdin.buffer)
        except EOFError:
            return
        try:
            reply = _GOOD, answer(*question)
        except (ValueError, RuntimeError, TypeError, MemoryError, OverflowError) as error:
            reply = _ERROR, (str(error).strip() or type(error).__name__).encode()
        _send(answers, *reply)


def _send(pipe: IO[bytes], *parts: bytes) -> None:
    """Write a message: how many parts, and each with its length before it."""
    pipe.write(_NUMBER.pack(len(parts)))
    for part in parts:
        pipe.write(_NUMBER.pack(len(part)))
        pipe.write(part)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> list[bytes]:
    """Read a message. Raises EOFError where the other side has gone."""

    def exactly(size: int) -> bytes:
        content = pipe.read(size)
        if len(content) < size:
            raise EOFError
        return content

    def number() -> int:
        return _NUMBER.unpack(exactly(_NUMBER.size))[0]

    return [exactly(number()) for _ in range(number())]
