"""The sandbox's own program: take limits, drop rights, run a notebook under nbval, report.

    python -m course_lib.instructor.grading.inside.program JOB.json

The job names the notebook, the requests and the limits; see course_lib.instructor.grading.sandbox.
Where a cell says so, the kernel is asked for an answer's values. One line of JSON for each cell
and each answer goes to a pipe; what is in the pipe stays proved, however the submission ends.
The kernel is forked from here before pytest is loaded and anything of the job is kept: what it
has in memory then is what a kernel imports anyway.
"""

import gc
import json
import os
import re
import resource
import secrets
import shutil
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from queue import Empty
from types import SimpleNamespace

from course_lib.instructor.grading.inside.clock import Clock
from course_lib.instructor.grading.inside.forked import Forked

_NOT_NEEDED = "cacheprovider debugging doctest faulthandler junitxml logging pastebin stepwise"
_NOT_NEEDED += " threadexception unittest unraisableexception"  # plugins of pytest
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LARGEST_REPLY_BYTES = 16_000_000  # twice as many as `values.read` takes: quotes are escaped
_CONNECT_MS = 20  # between two attempts to reach a kernel that begins
_SLICE_SECONDS = 0.25  # between two looks at the clock
_START_SECONDS = 600  # on the wall; what the watch outside allows is less
_INTERRUPT_SECONDS = 3.0  # a kernel that is busy in C code hears it late
_LARGEST_OUTPUT = 5_000_000
_MODULE = "__import__('course_lib.instructor.grading.inside.asking', fromlist=['ask'])"
_PREPARE = f"{_MODULE}.bound_output({_LARGEST_OUTPUT})"


def main(job_path: str) -> int:
    """Run the job in the file `job_path`; return pytest's exit code."""
    pipe = int(os.environ.pop("WORKBOOK_PIPE"))
    os.set_inheritable(pipe, False)  # no cell may write events of its own
    _be_bounded(job_path)
    gc.disable()  # while so much is imported, of which nothing goes away
    import ipykernel  # noqa: F401  # with all that both sides of its sockets need

    gc.freeze()
    kernel = Forked() if sys.platform == "linux" else None
    job = json.loads(Path(job_path).read_text(encoding="utf-8"))
    notebook = Path(job["folder"], job["name"])
    shutil.copyfile(job["notebook"], notebook)
    os.write(pipe, b'{"kind": "begin"}\n')
    os.chdir(job["folder"])
    return _validate(notebook, job, pipe, kernel)


class Grading:
    """Follow one notebook; `requests` maps exercise ids to {"expression", "file"}."""

    def __init__(self, requests: dict, replies: Path, pipe: int, seconds: float) -> None:
        self.requests, self.replies, self.pipe, self.seconds = requests, replies, pipe, seconds
        self.dead, self.prepared = False, False
        self.found: set[str] = set()  # the exercises whose values were given

    def pytest_runtest_call(self, item):
        """Run a cell under nbval, report how it went, then ask for the answer that is due."""
        import pytest

        metadata, cell = item.cell.metadata, item.cell.get("id", "")
        kernel, skipped = item.parent.kernel, "nbval-skip" in metadata.get("tags", ())
        own = metadata.get("own") and not skipped
        if not self.prepared:
            self.prepared = True
            prepare = kernel.kc.execute("", user_expressions={"prepare": _PREPARE})
            self._answered(kernel, prepare, 60.0)
        if not skipped:
            theirs = own or "exercise" in metadata
            self._send(kind="running", whose="student" if theirs else "course")
        if own:  # said before, for it may end everything
            self._send(kind="own cell", cell=cell)
        outcome = yield
        problem = outcome.excinfo[1] if outcome.excinfo else None
        identifier, asked = metadata.get("exercise"), metadata.get("ask")
        if not isinstance(problem, pytest.skip.Exception):
            if item.parent.timed_out:
                self._send(kind="late", starved=kernel.starved)
            why = "" if problem is None else _reason(problem)
            why = why and "the kernel ended" if kernel.code is not None else why
            self._revive(item)
            if identifier is not None:
                self._send(kind="cell", exercise=identifier, why=why)
            elif own:
                if not self.dead:
                    self._send(kind="own cell", cell=cell, why=why)
            elif why:
                self._send(kind="course cell", cell=cell, why=why)
        if asked and not (self.dead or metadata["spare"] and asked in self.found):
            identifier = asked
            self._ask(item, asked, metadata["expression"])
        if self.dead:  # a code below 0 is the signal that ended it
            self._send(kind="stopped", exercise=identifier or "", code=kernel.code)
            pytest.exit("the kernel is gone", returncode=3)

    def _revive(self, item) -> None:
        """Let the cells after one that timed out run, if the kernel could be interrupted."""
        kernel = item.parent.kernel
        self.dead = not kernel.is_alive()
        if item.parent.timed_out and not self.dead:
            item.parent.timed_out = False
            self.dead = not self._alive(kernel)

    def _ask(self, item, identifier: str, expression: str) -> None:
        """Execute the request for one answer, by its own `expression` or the course's; reply."""
        request, kernel = self.requests[identifier], item.parent.kernel
        reply = str(self.replies / secrets.token_hex(8))  # a name that no answer can foresee
        answer = f"lambda: ({expression or request['expression']})"
        code = f"{_MODULE}.ask({answer}, {request['file']!r}, {reply!r})"
        self._send(kind="running", whose="student")
        waiting = self._execute(kernel, code)
        if not self._answered(kernel, waiting, self.seconds):
            for _ in range(2):  # ends the call that takes too long; a second one, if that is caught
                kernel.interrupt()
                if self._answered(kernel, waiting, _INTERRUPT_SECONDS):
                    break
        try:
            with open(reply, encoding="utf-8") as file:
                content = _texts(json.loads(file.read(_LARGEST_REPLY_BYTES)))
            self._send(kind="answer", exercise=identifier, reply=content)
            if isinstance(content, dict) and content.get("state") == "values":
                self.found.add(identifier)
        except (OSError, ValueError, RecursionError):
            self._send(kind="silent", exercise=identifier)
        self.dead = not self._alive(kernel)

    def _alive(self, kernel) -> bool:
        """Return whether the kernel still executes what it is sent."""
        if not kernel.is_alive():
            return False
        return self._answered(kernel, self._execute(kernel, "None"), _INTERRUPT_SECONDS)

    @staticmethod
    def _execute(kernel, code: str) -> str:
        """Send `code` to the kernel, unseen by its history; return the request's id."""
        return kernel.kc.execute(
            code, silent=True, store_history=False, allow_stdin=False, stop_on_error=False
        )

    def _answered(self, kernel, request: str, seconds: float) -> bool:
        """Return whether the reply to a request comes within `seconds` from a live kernel."""
        try:
            kernel.await_reply(request, timeout=seconds)
        except Empty:
            if kernel.starved:
                self._send(kind="late", starved=True)
            return False
        return True

    def _send(self, **event) -> None:
        os.write(self.pipe, (json.dumps(event) + "\n").encode("ascii", "backslashreplace"))


def _texts(reply: dict) -> dict[str, str]:
    """Return what of a reply is text: lists of lists would be far larger where they are read."""
    if not isinstance(reply, dict):
        raise ValueError("A reply is an object.")
    return {key: value for key, value in reply.items() if isinstance(value, str)}


def _validate(notebook: Path, job: dict, pipe: int, kernel: Forked | None) -> int:
    """Run nbval on the notebook, with the plugin that asks for the answers."""
    # What takes long to load and is of no use here: `trial.assembled` made a good notebook, ...
    valid = SimpleNamespace(ValidationError=ValueError, validate=lambda _: None)
    sys.modules["nbformat.validator"] = valid
    # ... and nobody measures coverage, or reads nbval's log.
    sys.modules["nbval.cover"] = SimpleNamespace(setup_coverage=None, teardown_coverage=None)
    import nbval.kernel
    import pytest
    import zmq
    from jupyter_client.blocking import BlockingKernelClient
    from jupyter_client.provisioning import KernelProvisionerFactory, local_provisioner
    from nbval import plugin

    context = zmq.Context()
    context.reconnect_ivl = _CONNECT_MS
    nbval.kernel.KernelManager = partial(nbval.kernel.KernelManager, context=context)
    nbval.kernel.pformat = str
    BlockingKernelClient.wait_for_ready = _wait_for_ready
    local = EntryPoint("local-provisioner", "jupyter_client.provisioning:LocalProvisioner", "")
    KernelProvisionerFactory._get_all_provisioners = staticmethod(lambda: [local])
    if kernel:
        local_provisioner.launch_kernel = kernel.launch
    _make_patient(plugin.RunningKernel)
    pytest.hookimpl(hookwrapper=True)(Grading.pytest_runtest_call)
    grading = Grading(job["requests"], Path(job["replies"]), pipe, job["call_seconds"])
    options = "-q -s --no-header --tb=no --color=no --assert=plain --nbval --nbval-current-env"
    options += "".join(f" -p no:{name}" for name in _NOT_NEEDED.split())
    places = ["--rootdir", str(notebook.parent), "-c", os.devnull, str(notebook)]
    limits = [f"--nbval-cell-timeout={job['cell_seconds']}"]
    limits += [f"--nbval-kernel-startup-timeout={_START_SECONDS}"]
    gc.freeze()
    gc.enable()
    code = pytest.main([*options.split(), *limits, *places], plugins=[plugin, grading])
    os.write(pipe, b'{"kind": "end"}\n')
    return int(code)


def _be_bounded(job_path: str) -> None:
    """Take a job's limits, named as in the resource module, and be its user; forget the job."""
    job = json.loads(Path(job_path).read_text(encoding="utf-8"))
    for name, value in job["limits"].items():
        kind = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
    if (user := job.get("user")) is not None:  # root made the sandbox: be an ordinary user in it
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


def _make_patient(kernel_class: type) -> None:
    """Let nbval's deadlines follow the kernel's own clock, and end when the kernel is gone."""
    get_message = kernel_class.get_message

    def get_patiently(self, stream, timeout=None):
        clock = None
        while True:
            try:
                return get_message(self, stream, _SLICE_SECONDS)
            except Empty:
                if not self.is_alive():
                    raise
                clock = clock or Clock(self.km.provisioner.pid)
                if timeout is not None and clock.is_over(timeout - _SLICE_SECONDS):
                    raise

    def await_reply(self, msg_id, timeout=None):
        self.starved = False
        process = self.km.provisioner.process if self.is_alive() else None
        clock = Clock(process.pid) if process else None
        while True:
            with suppress(Empty):
                message = get_message(self, "shell", _SLICE_SECONDS)
                if message["parent_header"].get("msg_id") == msg_id:
                    return
            if not self.is_alive():
                self.code = process.poll() if process else self.code
                raise Empty
            if timeout is not None and clock.is_over(timeout):
                self.starved = clock.is_starved(timeout)
                raise Empty

    def stop(self):  # the sandbox ends with its program: nothing else is left to tidy up
        if self.is_alive():
            os.killpg(self.km.provisioner.pid, signal.SIGKILL)
            self.km.provisioner.process.wait()

    kernel_class.code, kernel_class.starved, kernel_class.stop = None, False, stop
    kernel_class.get_message, kernel_class.await_reply = get_patiently, await_reply


def _wait_for_ready(self, timeout: float) -> None:
    """Wait as jupyter_client does, but not until nothing has come for a fifth of a second."""
    late = time.monotonic() + timeout
    while True:
        self.kernel_info()
        with suppress(Empty):
            self.get_shell_msg(timeout=1)
            self.get_iopub_msg(timeout=0.2)
            return
        if not self.parent.is_alive() or time.monotonic() > late:
            raise RuntimeError("The kernel did not start.")


def _reason(problem: BaseException) -> str:
    """Return the last line of the kernel's traceback, or what nbval says."""
    text = getattr(problem, "inner_traceback", None) or str(problem)
    lines = [line for line in _COLOURS.sub("", str(text)).splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else type(problem).__name__


if __name__ == "__main__":
    exit_code = main(sys.argv[1])
    sys.stdout.flush()
    os._exit(exit_code)  # without taking apart what ends with the sandbox
