"""Which files does Netron draw as a graph? Tried with Netron's own readers, in Node.

Where there is no Node, the outcome of an earlier trial is read from `data/netron`; it is written
by `python -m course_lib.experiments.alone`.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from course_lib import session

_KEPT = ("netron", "drawn.json")
_SCRIPT = Path(__file__).with_name("with_netron.mjs")
_SECONDS = 60


@dataclass(frozen=True)
class Drawn:
    """Hold which forms Netron draws as a graph, and `how` that is known, in a sentence."""

    forms: dict[str, bool]
    how: str

    def __repr__(self) -> str:
        """Say how it is known."""
        return self.how


def node() -> str | None:
    """Return the path of Node, the JavaScript runtime: the machine's, or Playwright's own."""
    found = shutil.which("node")
    spec = importlib.util.find_spec("playwright")
    if found is None and spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "driver" / "node"
        found = str(bundled) if bundled.is_file() else None
    return found


def drawn(folder: Path, files: dict[str, str]) -> Drawn:
    """Ask Netron about `files`, names of forms with their paths below `folder`."""
    program, viewer = node(), _netron_folder()
    if program is not None and viewer is not None:
        try:
            found = _asked(program, viewer, folder, files)
            return Drawn(found, "Netron's own readers opened these files, in Node.")
        except (OSError, subprocess.SubprocessError, ValueError):
            pass  # an old Node that does not know modules, or one that may not run
    kept = json.loads(session.data_path(*_KEPT).read_text(encoding="utf-8"))
    return Drawn(
        {name: kept["drawn"][name] for name in files},
        "There is no Node here: what Netron draws was found out where the course was made.",
    )


def keep(folder: Path, files: dict[str, str]) -> None:
    """Write what Netron draws of these files to where `drawn` looks without Node."""
    found = _asked(node() or "node", _netron_folder(), folder, files)
    text = json.dumps({"netron": version("netron"), "drawn": found}, indent=1)
    session.write_atomically(session.data_path(*_KEPT), f"{text}\n".encode())


def _netron_folder() -> Path | None:
    spec = importlib.util.find_spec("netron")
    return None if spec is None else Path(spec.origin).parent


def _asked(program: str, viewer: Path, folder: Path, files: dict[str, str]) -> dict[str, bool]:
    """Return, for each form, whether Netron finds nodes in its file that are joined."""
    paths = {name: str(Path(folder, file)) for name, file in files.items()}
    done = subprocess.run(
        [program, str(_SCRIPT), str(viewer), *paths.values()],
        capture_output=True, text=True, timeout=_SECONDS, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    return {name: told[path]["joined"] > 0 for name, path in paths.items()}
