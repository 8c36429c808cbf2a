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
from course_lib import session
from course_lib.instructor.grading.watch import Watch, kill_marked

KINDS = ("bubblewrap", "limits")
_WORK, _COURSE, _JOB, _REPLIES = "/home/student", "/sandbox/course", "/sandbox/job", "/replies"
_SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/localtime",
    "/etc/fonts",
)
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "MPLBACKEND": "agg",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "JUPYTER_PLATFORM_DIRS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}


class SandboxError(RuntimeError):
    """The sandbox itself could not be started: no submission is to blame, and none gets points."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Memory counts all its processes; disk is memory, too."""

    wall_seconds: float = 300.0
    cell_seconds: float = 60.0
    call_seconds: float = 10.0
    cpu_seconds: int = 300
    memory_bytes: int = 4 << 30
    disk_bytes: int = 256 << 20
    output_bytes: int = 64 << 20
    processes: int = 64
    threads: int = 500
    open_files: int = 1024


@dataclass(frozen=True)
class Run:
    """What came out: the events of the pipe, how it ended, and the end of what it printed."""

    events: tuple[dict, ...]
    ended: str
    printed: str
    seconds: float
    kind: str


@lru_cache(maxsize=1)
def bubblewrap_works() -> bool:
    """Try bubblewrap for real: it may be there and still be forbidden."""
    if shutil.which("bwrap") is None:
        return False
    command = [
        "bwrap",
        *_apart(),
        "--ro-bind",
        "/",
        "/",
        "--dev",
        "/dev",
        "--proc",
        "/proc",
        "true",
    ]
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def best_kind() -> str:
    """Return the safest kind of sandbox that works here."""
    return "bubblewrap" if bubblewrap_works() else "limits"


def run(
    notebook: bytes, name: str, requests: dict, view: Path, limits: Limits, kind: str = ""
) -> Run:
    """Run one assembled `notebook` under nbval and return what it reported.

    `requests` maps exercise ids to {"expression", "arguments"}, the latter as text of
    `inside.values`; `view` is the folder that `course.make_view` filled. Raises SandboxError where
    not even the first line of the sandbox's own program ran.
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
        user = 60_000 + os.getpid() % 5_000 if inside and os.geteuid() == 0 else None
        _write_job(folder, notebook, name, requests, limits, (work, job, replies, user))
        command = [
            sys.executable,
            "-m",
            "course_lib.instructor.grading.inside.run",
            f"{job}/job.json",
        ]
        if inside:
            command = [*_bubblewrap(folder, view, limits, user), *command]
        return _follow(command, _environment(work, view, inside), limits, kind, Path(work))


def _write_job(
    folder: Path, notebook: bytes, name: str, requests: dict, limits: Limits, places: tuple
) -> None:
    """Write what the sandbox's program reads: the notebook, the arguments and job.json."""
    work, job, replies, user = places
    (folder / "notebook.ipynb").write_bytes(notebook)
    asked = {}
    for number, (identifier, request) in enumerate(requests.items()):
        (folder / f"arguments-{number}.json").write_text(request["arguments"], encoding="utf-8")
        asked[identifier] = {
            "expression": request["expression"],
            "file": f"{job}/arguments-{number}.json",
        }
    (folder / "passwd").write_text(
        f"student:x:{user or os.getuid()}:{user or os.getgid()}::{work}:/bin/sh\n", encoding="utf-8"
    )
    (folder / "job.json").write_text(
        json.dumps(
            {
                "notebook": f"{job}/notebook.ipynb",
                "name": name,
                "folder": work,
                "replies": replies,
                "requests": asked,
                "user": user,
                "limits": _resource_limits(limits, user),
                "cell_seconds": limits.cell_seconds,
                "call_seconds": limits.call_seconds,
            }
        ),
        encoding="utf-8",
    )
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _resource_limits(limits: Limits, user: int | None) -> dict[str, int]:
    """Return what each process may use, under the names of the resource module."""
    running = 0 if user is not None else _threads_of_this_user()
    return {
        "CPU": limits.cpu_seconds,
        "DATA": 2 * limits.memory_bytes,
        "FSIZE": limits.disk_bytes,
        "NOFILE": limits.open_files,
        "CORE": 0,
        "NPROC": limits.threads + running,
    }


def _threads_of_this_user() -> int:
    """Count the threads that the kernel may count against this user already."""
    count = 0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if path.stat().st_uid == os.getuid():
                count += len(os.listdir(path / "task"))
        except OSError:
            continue  # it ended meanwhile
    return count


def _apart() -> list[str]:
    """Return bubblewrap's flags for namespaces of its own; root needs none for users."""
    apart = [
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-uts",
        "--unshare-cgroup-try",
    ]
    if os.geteuid() == 0:
        return [*apart, "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    closed = ["--disable-userns"] if _can_disable_userns() else []
    return [*apart, "--unshare-user", *closed]


@lru_cache(maxsize=1)
def _can_disable_userns() -> bool:
    """Tell whether this bubblewrap (0.8 or later) can forbid further user namespaces."""
    done = subprocess.run(["bwrap", "--help"], capture_output=True, text=True, check=False)
    return "--disable-userns" in done.stdout + done.stderr


def _bubblewrap(folder: Path, view: Path, limits: Limits, user: int | None) -> list[str]:
    """Return the command that surrounds the sandbox's program."""
    command = ["bwrap", *_apart(), "--die-with-parent", "--new-session", "--hostname", "sandbox"]
    command += ["--proc", "/proc", "--dev", "/dev"]
    for place in _parents((*_visible(), _COURSE, _JOB, _WORK)):
        command += ["--perms", "0755", "--dir", place]
    for place, size in (
        (_WORK, limits.disk_bytes),
        (_REPLIES, 64 << 20),
        ("/tmp", 64 << 20),
        ("/dev/shm", 64 << 20),
    ):
        command += ["--perms", "1777", "--size", str(size), "--tmpfs", place]
    for place in _parents(_visible()):  # once more: this Python may lie below a folder above
        command += ["--perms", "0755", "--dir", place]
    for path in _visible():
        command += (
            ["--symlink", os.readlink(path), path]
            if os.path.islink(path) and path in _SYSTEM  # /bin, not an environment that is a link
            else ["--ro-bind", path, path]
        )
    package = Path(course_lib.__file__).resolve().parent
    if any(package.is_relative_to(each) for each in _visible()):
        command += ["--ro-bind", str(view / "course_lib"), str(package)]  # hide the installed one
    command += [
        "--ro-bind",
        str(view),
        _COURSE,
        "--ro-bind",
        str(session.data_path()),
        f"{_COURSE}/data",
        "--ro-bind",
        str(folder),
        _JOB,
        "--ro-bind",
        str(folder / "passwd"),
        "/etc/passwd",
        "--remount-ro",
        "/dev",
        "--remount-ro",
        "/",
        "--chdir",
        _WORK,
    ]
    return command


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
    command: Sequence[str], environment: dict, limits: Limits, kind: str, work: Path
) -> Run:
    """Start the command, watch time, memory, processes and output, and stop it if need be."""
    events_end, events_start = os.pipe()
    printed_end, printed_start = os.pipe()
    started, mark = time.monotonic(), secrets.token_hex(8)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=printed_start,
            stderr=printed_start,
            env={**environment, "WORKBOOK_PIPE": str(events_start), "WORKBOOK_RUN": mark},
            pass_fds=(events_start,),
            start_new_session=True,
            cwd=work if kind == "limits" else "/",
        )
    finally:
        os.close(events_start)
        os.close(printed_start)
    watch = Watch(process, limits, started)
    try:
        events, printed = watch.read(events_end, printed_end)
    finally:
        watch.stop()
        if kind == "limits":
            kill_marked(mark)
        os.close(events_end)
        os.close(printed_end)
    found = _parsed(events)
    if not found or found[0]["kind"] != "begin":
        raise SandboxError(
            "The sandbox could not be started: "
            + " ".join(printed.decode("utf-8", "replace").split())[-300:]
        )
    return Run(
        found[1:],
        watch.ended,
        printed[-4000:].decode("utf-8", "replace"),
        time.monotonic() - started,
        kind,
    )


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
