"""Make a virtual environment and install into it, once; afterwards only look at a stamp."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tools import programs

__all__ = [
    "THREADS",
    "Environment",
    "Failure",
    "colab_adds",
    "environment",
    "main",
    "prepare",
    "repository",
]

ROOT = Path(__file__).resolve().parents[1]
THREADS = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # no advice from the debugger of a kernel
}
_STAMP = "workbook-stamp.txt"
_NEEDED_BYTES = 4_000_000_000  # measured: 3.1 GB, and what is unpacked on the way
_GET_PIP = "https://bootstrap.pypa.io/get-pip.py"  # it brings a pip of its own along
_NETWORK = re.compile(
    "NewConnectionError|ConnectionError|ConnectTimeout|ReadTimeout|Max retries exceeded"
    "|name resolution|Network is unreachable|ProxyError|Could not fetch URL|SSLError"
)


class Failure(Exception):
    """Set-up cannot go on; the message is the one sentence that the user sees."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment: where it is, what it holds, and whether it may hold nothing else."""

    folder: Path
    requirements: tuple[str, ...]
    exact: bool = False

    @property
    def python(self) -> Path:
        """The environment's own Python."""
        inside = "Scripts/python.exe" if os.name == "nt" else "bin/python"
        return self.folder / inside


def main(name: str) -> int:
    """Prepare the environment `name`; print a sentence and return 1 where that fails."""
    try:
        prepare(environment(name))
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; the next run goes on from here.", file=sys.stderr)
        return 130
    return 0


def environment(name: str) -> Environment:
    """Return the environment "lab", "test" (the same folder, more packages) or "colab"."""
    if name == "colab":
        pins = _lines(ROOT / "tests" / "colab" / "pins.txt")
        return Environment(ROOT / ".venv-colab", tuple(pins), exact=True)
    needed = _lines(ROOT / "requirements.txt")
    if name == "test":
        needed += _pyproject()["project"]["optional-dependencies"]["test"]
    return Environment(ROOT / ".venv", tuple(needed))


def colab_adds() -> tuple[str, ...]:
    """Return what the set-up cell adds to Colab, besides course_lib itself."""
    return tuple(_pyproject()["tool"]["workbook"]["colab_adds"])


def repository() -> str:
    """Return the address of the repository."""
    return _pyproject()["project"]["urls"]["Repository"]


def prepare(wanted: Environment) -> None:
    """Make `wanted` unless its stamp says that it is there; raise Failure with a sentence."""
    stamp = wanted.folder / _STAMP
    mark = _mark(wanted)
    if mark in _stamped(stamp) and _works(wanted.python):
        return
    _check_disk(wanted.folder)
    began = time.monotonic()
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"Setting up {wanted.folder.name} with Python {version}: once, a few minutes.")
    if wanted.exact or not _works(wanted.python):
        _create(wanted)
    _install(wanted)
    marks = _stamped(stamp) | {mark} | _contained(wanted)
    stamp.write_text("\n".join(sorted(marks)) + "\n", encoding="utf-8")
    print(f"Set up in {time.monotonic() - began:.0f} s.")


def _lines(path: Path) -> list[str]:
    """Return the requirements in a file, without comments."""
    lines = (line.split(" #")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _pyproject() -> dict:
    """Return the contents of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _mark(wanted: Environment) -> str:
    """Return a line that changes with what has to be installed."""
    return hashlib.sha256("\n".join(wanted.requirements).encode()).hexdigest()


def _contained(wanted: Environment) -> set[str]:
    """Return the marks of what is there as well once `wanted` is: "test" holds all of "lab"."""
    lab = environment("lab")
    holds = lab.folder == wanted.folder and set(lab.requirements) <= set(wanted.requirements)
    return {_mark(lab)} if holds else set()


def _stamped(stamp: Path) -> set[str]:
    """Return the marks of what is installed already."""
    return set(stamp.read_text(encoding="utf-8").split()) if stamp.exists() else set()


def _works(python: Path) -> bool:
    """Tell whether an environment's Python runs, has pip and is of a version that will do."""
    code = "import sys, pip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))"
    try:
        return subprocess.run([python, "-c", code], capture_output=True).returncode == 0
    except OSError:
        return False


def _check_disk(folder: Path) -> None:
    """Raise Failure where the disk cannot hold the environment."""
    free = shutil.disk_usage(folder.parent).free
    if not folder.exists() and free < _NEEDED_BYTES:
        raise Failure(
            f"{folder.parent} has {free / 1e9:.1f} GB free and set-up needs about "
            f"{_NEEDED_BYTES / 1e9:.0f} GB: make room, or clone to another disk."
        )


def _create(wanted: Environment) -> None:
    """Make an empty environment with pip in it, also where Debian's Python lacks ensurepip."""
    if not _has_ensurepip() and programs.may_install():
        programs.install(["python3-venv"])  # Debian keeps ensurepip in a package of its own
    bare = [] if _has_ensurepip() else ["--without-pip"]
    make = ["-m", "venv", "--clear", *bare, str(wanted.folder)]
    _call(make, f"make a virtual environment in {wanted.folder}")
    if bare:
        _add_pip(wanted.python)


def _add_pip(python: Path) -> None:
    """Put pip into a bare environment, with the pip of this Python or with PyPA's own installer.

    Both follow pip's settings, such as PIP_INDEX_URL. Raises Failure with a sentence.
    """
    what = "put pip into the virtual environment"
    if importlib.util.find_spec("pip"):
        return _call(["-m", "pip", "--python", str(python), "install", "pip"], what)
    try:
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder, "get-pip.py")
            with urllib.request.urlopen(_GET_PIP, timeout=60) as answer:
                script.write_bytes(answer.read())
            _call([str(script)], what, python)
    except OSError as error:
        raise Failure(
            f"This Python has neither ensurepip nor pip, and {_GET_PIP} could not be fetched "
            f"({error}): install them, on Debian and Ubuntu with `apt-get install python3-venv`."
        ) from error


def _call(arguments: list[str], what: str, python: str | Path = sys.executable) -> None:
    """Run a Python with `arguments`; raise Failure with a sentence on `what` where that fails."""
    done = subprocess.run([python, *arguments], capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise _failure(done.stdout + done.stderr, what)


def _has_ensurepip() -> bool:
    """Tell whether this Python can put pip into an environment by itself."""
    probe = [sys.executable, "-c", "import ensurepip, sys; sys.exit(not ensurepip.version())"]
    return subprocess.run(probe, capture_output=True).returncode == 0


def _install(wanted: Environment) -> None:
    """Run the environment's pip, showing one line of progress; raise Failure with a sentence."""
    command = [wanted.python, "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--retries", "2", "--progress-bar", "off", *wanted.requirements]
    environ = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}
    log: list[str] = []
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environ,
    ) as running:
        for line in running.stdout or ():
            log.append(line)
            if sys.stdout.isatty() and line.startswith(("Collecting", "Installing")):
                print(f"\r\033[K  {line.strip()[:70]}", end="", flush=True)
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    (wanted.folder / "workbook-setup.log").write_text("".join(log), encoding="utf-8")
    if running.returncode:
        raise _failure("".join(log), f"install the packages ({wanted.folder.name})")


def _failure(output: str, what: str) -> Failure:
    """Return the sentence for a set-up step that failed with this output."""
    if "No space left on device" in output:
        return Failure(f"Could not {what}: the disk is full. Make room and run it again.")
    if _NETWORK.search(output):
        return Failure(
            f"Could not {what}: the package index cannot be reached. Connect to the network, or "
            "set PIP_INDEX_URL to a mirror, and run it again."
        )
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if re.match("ERROR|error|Error", line)] or lines[-1:]
    said = errors[0].strip() if errors else "it gave no reason"
    return Failure(f"Could not {what}: {said}")
