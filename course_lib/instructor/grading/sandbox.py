"""Run a submission apart from everything else, within bounds, and read what it reports.

With bubblewrap: no network, the system and the course read-only, a writable folder of bounded size
in memory, its own process numbers, an empty environment. Without it: an own session and folder, an
empty environment and limits only, which keep neither network nor the user's files out of reach.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import course_lib
from course_lib.instructor.grading.results import Request
from course_lib.instructor.grading.watch import Limits, Watch, count_threads, kill_marked
from course_lib.session import data_path, processes

_WORK, _COURSE, _JOB, _REPLIES = "/home/student", "/sandbox/course", "/sandbox/job", "/replies"
_PROGRAM = "course_lib.instructor.grading.inside.program"
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
_SYSTEM += ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/etc/fonts")
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
    """The sandbox itself could not be started: no submission is to blame, and none gets points."""


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
    filled. Raises SandboxError where the sandbox's own program did not begin.
    """
    kind = kind or best_kind()
    with tempfile.TemporaryDirectory(prefix="grading-") as place:
        folder = Path(place)
        inside = kind == "bubblewrap"
        work, job = (_WORK, _JOB) if inside else (str(folder / "work"), str(folder))
        replies = _REPLIES if inside else str(folder / "replies")
        if not inside:
            Path(work).mkdir()
            Path(replies).mkdir()
        # Inside a sandbox made by root, an ordinary user that is nobody on this machine.
        user = 60_000 + os.getpid() % 5_000 if inside and os.geteuid() == 0 else None
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
        around = _bubblewrap(folder, view, limits) if inside else []
        environment = _environment(work, view, inside)
        return _follow(around, f"{job}/job.json", environment, limits, "/" if inside else work)


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
    for place in _parents((*_visible(), _COURSE, _JOB, _WORK)):
        command += ["--perms", "0755", "--dir", place]
    for place in (_WORK, _REPLIES, "/tmp", "/dev/shm"):
        size = limits.disk_bytes if place == _WORK else _SMALL
        command += ["--perms", "1777", "--size", str(size), "--tmpfs", place]
    for place in _parents(_visible()):  # once more: this Python may lie below a folder above
        command += ["--perms", "0755", "--dir", place]
    for path in _visible():
        linked = os.path.islink(path) and path in _SYSTEM  # /bin, not an environment that is one
        command += ["--symlink", os.readlink(path)] if linked else ["--ro-bind", path]
        command += [path]
    package = Path(course_lib.__file__).resolve().parent
    if any(package.is_relative_to(each) for each in _visible()):
        command += ["--ro-bind", str(view / "course_lib"), str(package)]  # hide the installed one
    command += ["--ro-bind", str(view), _COURSE]
    command += ["--ro-bind", str(data_path()), f"{_COURSE}/data"]
    command += ["--ro-bind", str(folder), _JOB]
    command += ["--ro-bind", str(folder / "passwd"), "/etc/passwd"]
    return [*command, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", _WORK]


@lru_cache(maxsize=1)
def _visible() -> tuple[str, ...]:
    """Return what of the system a sandbox sees: programs, libraries and this Python."""
    wanted = [path for path in _SYSTEM if os.path.lexists(path)]
    for prefix in dict.fromkeys((os.path.realpath(sys.base_prefix), sys.base_prefix, sys.prefix)):
        if not any(Path(prefix).is_relative_to(path) for path in wanted):
            wanted.append(prefix)
    return tuple(wanted)


def _parents(paths: Sequence[str]) -> list[str]:
    """Return every folder above the paths, outermost first, that is in none of them."""
    above = {str(parent) for path in paths for parent in Path(path).parents} - {"/"}
    return sorted(
        each for each in above if not any(Path(each).is_relative_to(path) for path in paths)
    )


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
    around: Sequence[str], job: str, environment: dict[str, str], limits: Limits, cwd: str
) -> Run:
    """Start the program, watch time, memory, processes and output, and stop it if need be."""
    events_end, events_start = os.pipe()
    printed_end, printed_start = os.pipe()
    started, mark = time.monotonic(), secrets.token_hex(8)
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
            pass_fds=(events_start,),
            start_new_session=True,
            cwd=cwd,
        )
    finally:
        os.close(events_start)
        os.close(printed_start)
    watch = Watch(process, limits)
    try:
        events, printed = watch.read(events_end, printed_end)
    finally:
        watch.stop()
        if not around:
            kill_marked(mark)
        os.close(events_end)
        os.close(printed_end)
    lines = _parsed(events)
    if not lines or lines[0]["kind"] != "begin":
        problem = " ".join(printed.decode("utf-8", "replace").split())[-300:]
        raise SandboxError(f"The sandbox could not be started: {problem}")
    kind = "bubblewrap" if around else "limits"
    return Run(lines[1:], watch.ended, time.monotonic() - started, kind)


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
