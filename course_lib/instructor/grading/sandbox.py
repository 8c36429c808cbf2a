"""Run a submission apart from everything else, within bounds, and read what it reports.

With bubblewrap: no network, the system and the course read-only, a writable folder of bounded size
in memory, its own process numbers, an empty environment. Without it: an own session and folder, an
empty environment and limits only, which keep neither network nor the user's files out of reach.
"""

import json
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from course_lib.instructor.grading import blame, cgroups, seccomp, turns, visible
from course_lib.instructor.grading.results import Request
from course_lib.instructor.grading.watch import Limits, Watch, count_threads, kill_marked
from course_lib.session import data_path, processes

_WORK, _COURSE, _JOB, _REPLIES = "/home/student", "/sandbox/course", "/sandbox/job", "/replies"
_WRITABLE = (_WORK, _REPLIES, "/tmp", "/dev/shm")
_PROGRAM = "course_lib.instructor.grading.inside.program"
_SMALL = 64 << 20  # bytes of each other place where a sandbox may write
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # nbval alone, which the program names
    "MPLBACKEND": "agg",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",  # points do not depend on a graphics card
    "JUPYTER_PLATFORM_DIRS": "1",  # else every kernel warns of a change to come
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # the debugger's warning is of no use here
}
Requests = dict[str, Request]


class SandboxError(RuntimeError):
    """The machine, not the submission, is to blame for the end of a run."""


@dataclass(frozen=True)
class Run:
    """What came out: the events of the pipe, what stopped it (empty: nothing), its seconds."""

    events: tuple[dict, ...]
    ended: str
    seconds: float
    kind: str


@lru_cache(maxsize=1)
def bubblewrap_works() -> bool:
    """Try bubblewrap for real: it may be there and still be forbidden."""
    if shutil.which("bwrap") is None:
        return False
    places = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    command = ["bwrap", *_apart(), *places, "true"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def best_kind() -> str:
    """Return the safest kind of sandbox that works here."""
    return "bubblewrap" if bubblewrap_works() else "limits"


def run(
    notebook: bytes, name: str, asked: Requests, view: Path, limits: Limits, kind: str = ""
) -> Run:
    """Run one assembled `notebook` under nbval and return what it reported.

    `asked` are requests by exercise ids; `view` is the folder that `course.make_view`
    filled. Raises SandboxError where the machine, not the submission, ended it: then what it
    earns is not known; and turns.Stopped where grading is interrupted.
    """
    kind = kind or best_kind()
    inside = kind == "bubblewrap"
    with ExitStack() as stack:
        stack.enter_context(turns.turn(limits.alone))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="grading-")))
        work, job = (_WORK, _JOB) if inside else (str(folder / "work"), str(folder))
        replies = _REPLIES if inside else str(folder / "replies")
        if not inside:
            Path(work).mkdir()
            Path(replies).mkdir()
        # Inside a sandbox made by root, an ordinary user that is nobody on this machine.
        user = stack.enter_context(turns.user_id()) if inside and os.geteuid() == 0 else None
        content = {
            "notebook": f"{job}/notebook.ipynb",
            "name": name,
            "folder": work,
            "replies": replies,
            "requests": {
                identifier: {"expression": each.expression, "file": f"{job}/{identifier}.json"}
                for identifier, each in asked.items()
            },
            "user": user,
            "limits": _resource_limits(limits, user),
            "cell_seconds": limits.cell_seconds,
            "call_seconds": limits.call_seconds,
        }
        texts = {f"{identifier}.json": each.arguments for identifier, each in asked.items()}
        owner = f"{user or os.getuid()}:{user or os.getgid()}"
        texts["passwd"] = f"student:x:{owner}::{work}:/bin/sh\n"
        texts["job.json"], texts["notebook.ipynb"] = json.dumps(content), notebook.decode()
        for file, text in texts.items():
            (folder / file).write_text(text, encoding="utf-8")
        for path in (folder, *folder.iterdir()):  # the sandbox's user is another one
            path.chmod(0o755 if path.is_dir() else 0o644)
        environment = _environment(work, view, inside)
        if not inside:
            return _follow([], f"{job}/job.json", environment, limits, asked)
        stored = limits.disk_bytes + (len(_WRITABLE) - 1) * _SMALL
        bounds = limits.memory_bytes + stored, limits.threads + limits.processes
        group = stack.enter_context(cgroups.group(*bounds))
        around = [*cgroups.entering(group), *_bubblewrap(folder, view, limits)]
        passed = []
        if refused := seccomp.filter_file():
            passed.append(stack.enter_context(refused).fileno())
            around += ["--seccomp", str(passed[0])]
        return _follow(around, f"{job}/job.json", environment, limits, asked, passed, group)


def _resource_limits(limits: Limits, user: int | None) -> dict[str, int]:
    """Return what each process may use, under the names of the resource module."""
    running = 0 if user is not None else count_threads()
    return {
        "CPU": limits.cpu_seconds * (os.cpu_count() or 1),  # of all its threads
        "DATA": 2 * limits.memory_bytes,  # reserved memory; what is used is watched from outside
        "FSIZE": limits.disk_bytes,
        "NOFILE": limits.open_files,
        "CORE": 0,
        "NPROC": limits.threads + running,
    }


def _apart() -> list[str]:
    """Return bubblewrap's flags for namespaces of its own; root needs none for users."""
    apart = [f"--unshare-{name}" for name in ("ipc", "pid", "net", "uts", "cgroup-try")]
    if os.geteuid() == 0:
        return [*apart, "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    closed = ["--disable-userns"] if _can_disable_userns() else []
    return [*apart, "--unshare-user", *closed]


@lru_cache(maxsize=1)
def _can_disable_userns() -> bool:
    """Tell whether this bubblewrap (0.8 or later) can forbid further user namespaces."""
    done = subprocess.run(["bwrap", "--help"], capture_output=True, text=True, check=False)
    return "--disable-userns" in done.stdout + done.stderr


def _bubblewrap(folder: Path, view: Path, limits: Limits) -> list[str]:
    """Return the command that surrounds the sandbox's program."""
    command = ["bwrap", *_apart(), "--die-with-parent", "--new-session", "--hostname", "sandbox"]
    command += ["--proc", "/proc", "--dev", "/dev"]
    for place in visible.parents((*visible.seen(), _COURSE, _JOB, _WORK)):
        command += ["--perms", "0755", "--dir", place]
    for place in _WRITABLE:
        size = limits.disk_bytes if place == _WORK else _SMALL
        command += ["--perms", "1777", "--size", str(size), "--tmpfs", place]
    # Once more: this Python may lie below one of the folders that were just covered.
    for place in visible.parents(visible.seen()):
        command += ["--perms", "0755", "--dir", place]
    for path in visible.seen():
        # A link of the system's, such as /bin; not an environment that is one.
        linked = os.path.islink(path) and path in visible.SYSTEM
        command += ["--symlink", os.readlink(path)] if linked else ["--ro-bind", path]
        command += [path]
    command += visible.hiding(view)
    command += ["--ro-bind", str(view), _COURSE]
    command += ["--ro-bind", str(data_path()), f"{_COURSE}/data"]
    command += ["--ro-bind", str(folder), _JOB]
    command += ["--ro-bind", str(folder / "passwd"), "/etc/passwd"]
    return [*command, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", _WORK]


def _environment(work: str, view: Path, inside: bool) -> dict[str, str]:
    """Return the whole environment of the sandbox: nothing of the grader's own."""
    course = _COURSE if inside else str(view)
    return {
        **_ENVIRONMENT,
        "HOME": work,
        "TMPDIR": "/tmp" if inside else work,
        "PYTHONPATH": course,
        "IPYTHONDIR": f"{work}/.ipython",
        "JUPYTER_RUNTIME_DIR": f"{work}/.jupyter",
        "WORKBOOK_CACHE": f"{work}/.cache",
        "MPLCONFIGDIR": f"{work}/.matplotlib",
    }


def _follow(
    around: Sequence[str],
    job: str,
    environment: dict[str, str],
    limits: Limits,
    asked: Requests,
    passed: Sequence[int] = (),
    group: Path | None = None,
) -> Run:
    """Start the program, watch time, memory, processes and output, and stop it if need be."""
    events_end, events_start = os.pipe()
    printed_end, printed_start = os.pipe()
    mark, killed = secrets.token_hex(8), blame.out_of_memory_kills()
    try:
        process = processes.start(
            "-m",
            _PROGRAM,
            job,
            around=around,
            env={**environment, "WORKBOOK_PIPE": str(events_start), "WORKBOOK_RUN": mark},
            stdin=subprocess.DEVNULL,
            stdout=printed_start,
            stderr=printed_start,
            pass_fds=(events_start, *passed),
            start_new_session=True,
            cwd="/" if around else environment["HOME"],
        )
    finally:
        os.close(events_start)
        os.close(printed_start)
    watch = Watch(process, limits, _WRITABLE if around else ())
    try:
        events, printed = watch.read(events_end, printed_end)
    finally:
        watch.stop()
        if not around:
            kill_marked(mark)
        os.close(events_end)
        os.close(printed_end)
    if watch.interrupted:
        raise turns.Stopped
    if not watch.ended and cgroups.kills(group):
        watch.ended = f"it took more than {limits.memory_bytes >> 20:,} MB of memory"
    lines, short = _parsed(events), blame.out_of_memory_kills() > killed
    _raise_for_the_machine(lines, printed, watch, asked, short)
    kind = "bubblewrap" if around else "limits"
    return Run(lines[1:], watch.ended, watch.clock.wall(), kind)


def _raise_for_the_machine(
    lines: Sequence[dict], printed: bytes, watch: Watch, asked: Requests, short: bool
) -> None:
    """Raise SandboxError where the machine ended a run, or may have and others ran beside it."""
    if not lines or lines[0]["kind"] != "begin":
        problem = " ".join(printed.decode("utf-8", "replace").split())[-300:]
        raise SandboxError(f"The sandbox could not be started: {problem}")
    starved = watch.clock.is_starved(watch.limits.wall_seconds)
    problem = blame.fault(lines[1:], asked, watch.ended, starved, short)
    if not problem and not watch.limits.alone:
        problem = blame.doubt(lines[1:], asked, watch.ended)
    if problem:
        raise SandboxError(problem)


def _parsed(text: bytes) -> tuple[dict, ...]:
    """Return the events; a line that is none is left out, such as the last one of a forced end."""
    events = []
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict) and isinstance(event.get("kind"), str):
            events.append(event)
    return tuple(events)
