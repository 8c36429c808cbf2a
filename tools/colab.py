"""Run every notebook with Colab's versions, from an empty folder, after its own set-up cell.

The set-up cell is the first lesson's, as it stands there; only the repository's address is
replaced by this clone. What it installs is checked: its own additions, no other version changed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools import clean_copy, environment, nbval  # noqa: E402

_CLAIMS = ("-p", "course_lib.instructor.authoring.plugin")  # what prose claims holds there, too
_BASELINE = Path(sys.prefix) / "workbook-baseline.json"


def main(arguments: Sequence[str]) -> int:
    """Set up as Colab would, check the versions, run the notebooks, some of them in a browser.

    Return pytest's exit code.
    """
    if not _BASELINE.exists():
        _BASELINE.write_text(json.dumps(_versions()), encoding="utf-8")
    baseline = json.loads(_BASELINE.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="workbook-colab-") as folder:
        paths = clean_copy.notebooks(Path(folder))
        _run_setup_cell(paths[0], Path(folder))
        if complaint := changed(baseline, _versions(), _additions()):
            print(complaint, file=sys.stderr)
            return 1
        print(f"The set-up cell changed none of {len(baseline)} versions.", flush=True)
        options = [*nbval.AT_A_TIME, "2", "-W", "ignore::DeprecationWarning", *_CLAIMS, *arguments]
        run = nbval.run(Path(folder), paths, *options, environ=environment.THREADS)
    return run.returncode or _in_the_front_end()


def _in_the_front_end() -> int:
    """Open lessons in Colab's front end, the classic Notebook; return pytest's exit code."""
    tests = ROOT / "tests" / "colab"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return subprocess.run([*command, f"--confcutdir={tests}", tests], cwd=ROOT).returncode


def changed(before: dict[str, str], after: dict[str, str], additions: set[str]) -> str:
    """Return what is wrong with the versions after set-up, "" where nothing is."""
    for name, version in before.items():
        if after.get(name) != version:
            return f"The set-up cell changed {name} from {version} to {after.get(name)}."
    if extra := set(after) - set(before) - additions:
        return f"The set-up cell also installed {', '.join(sorted(extra))}."
    if missing := additions - set(after):
        return f"The set-up cell did not install {', '.join(sorted(missing))}."
    return ""


def _versions() -> dict[str, str]:
    """Return name and version of every installed distribution, read afresh."""
    code = (
        "import json; from importlib.metadata import distributions; "
        "print(json.dumps({d.name.lower().replace('_', '-'): d.version for d in distributions()}))"
    )
    run = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True)
    return json.loads(run.stdout)


def _additions() -> set[str]:
    """Return the names of what the set-up cell is meant to add."""
    names = [re.split("[<>=]", requirement)[0] for requirement in environment.colab_adds()]
    return {name.strip().lower().replace("_", "-") for name in [*names, "course_lib"]}


def _run_setup_cell(notebook: Path, folder: Path) -> None:
    """Run a notebook's set-up cell in an empty folder, with this clone as the repository."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = "".join(next(cell for cell in cells if cell["id"] == "setup")["source"])
    source = clean_copy.source_tree(folder / "repository")
    address = f"git+{environment.repository()}"
    if address not in code:
        raise ValueError(f"{notebook.name} installs from another address than pyproject.toml says.")
    empty = folder / "empty"
    empty.mkdir()
    pip = [sys.executable, "-m", "pip"]
    try:
        metadata.distribution("course_lib")
        subprocess.run([*pip, "uninstall", "-q", "-y", "course_lib"], check=True)
    except metadata.PackageNotFoundError:
        pass  # the first run here
    code = code.replace(address, source.as_uri())
    environ = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}
    subprocess.run([sys.executable, "-c", code], cwd=empty, env=environ, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
