"""The package: what it requires, and what an installed copy carries."""

from __future__ import annotations

import ast
import contextlib
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections import namedtuple
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from seeds import TURN

from tools import clean_copy, environment

ROOT = Path(__file__).resolve().parents[2]
FACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
Usage = namedtuple("Usage", "total used free")


def test_every_import_is_required() -> None:
    """What course_lib imports at all stands in requirements.txt, or is an author's or a test's."""
    extras = FACTS["project"]["optional-dependencies"].values()
    listed = [*environment.environment("lab").requirements, *(line for e in extras for line in e)]
    required = {_canonical(line) for line in listed}
    here = {path.stem for path in (ROOT / "course_lib").iterdir()} | {"course_lib", "google"}
    missing = {}
    distributions = packages_distributions()
    for path in sorted((ROOT / "course_lib").rglob("*.py")):
        for name in _imported(path) - here - set(sys.stdlib_module_names):
            owners = {_canonical(owner) for owner in distributions.get(name, [name])}
            if not owners & required:
                missing[name] = path.name
    optional = {"IPython", "PIL", "traitlets", "cycler"}  # come with others, or are tried
    assert set(missing) <= optional, missing


def test_requirements_are_ranges() -> None:
    for line in environment.environment("lab").requirements:
        daily = re.fullmatch(r"tflite-micro>=0\.dev\d+,<0\.dev\d+; platform_.+", line)
        assert daily or re.fullmatch(r"[A-Za-z0-9_.-]+>=[\d.]+,<[\d.]+", line), line


def test_what_is_installed_is_what_the_ranges_allow() -> None:
    """The tests run in `make test`'s own environment: a range that holds nothing shows here."""
    listed = [*environment.environment("test").requirements, *environment.colab_adds()]
    wrong = {}
    for each in map(Requirement, listed):
        with contextlib.suppress(PackageNotFoundError):  # another system's, or Colab's alone
            if not each.specifier.contains(there := version(each.name), prereleases=True):
                wrong[each.name] = there
    assert not wrong, wrong
    assert not Requirement("tflite-micro<0.dev20261101").specifier.contains("0.dev20261023182759")


def _wheels(system: str, python: str, lines: list[str]) -> str:
    """Ask the index for wheels of `lines`, none downloaded; return what pip complains about."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--ignore-installed"]
    command += ["--dry-run", "--only-binary=:all:", "--target", "nowhere", "--platform", system]
    run = subprocess.run(
        [*command, "--python-version", python, *lines], capture_output=True, text=True
    )
    return run.stderr if run.returncode else ""


@pytest.mark.slow
@pytest.mark.skipif(not TURN, reason="WORKBOOK_LONG=1 asks the package index")
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("system", ["win_amd64", "macosx_12_0_arm64"])
def test_every_requirement_has_a_wheel_elsewhere(system: str, python: str) -> None:
    """What stands behind a marker is for Linux alone: tflite-micro, whose recorded run is shown."""
    listed = [Requirement(line) for line in environment.environment("lab").requirements]
    if _wheels(system, python, ["click"]):
        pytest.skip("no package index can be reached")
    assert not _wheels(system, python, [str(each) for each in listed if not each.marker])
    (other,) = [f"{each.name}{each.specifier}" for each in listed if each.marker]
    assert "No matching distribution found for tflite-micro" in _wheels(system, python, [other])


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, installed alone into an empty folder."""
    folder = tmp_path_factory.mktemp("wheel")
    source = clean_copy.source_tree(folder / "source")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(source)]
    subprocess.run(build, check=True, capture_output=True, cwd=folder)
    (wheel,) = folder.glob("course_lib-*.whl")
    target = folder / "installed"
    subprocess.run(
        [*pip, "install", "--no-deps", "--target", str(target), str(wheel)],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.startswith(("tests", "tools"))]
    return target


@pytest.mark.slow
def test_an_installed_copy_carries_its_data(installed: Path, tmp_path: Path) -> None:
    code = (
        "from course_lib import session, tflite; from course_lib.sound import dataset;"
        "print(session.data_path('models'));"
        "print(len(tflite.load('spotter_int8')), len(dataset.bundled('test')) > 50)"
    )
    run = _isolated(code, installed, tmp_path)
    folder, measured = run.stdout.splitlines()
    assert Path(folder) == installed / "course_lib" / "_data" / "models"
    size = (ROOT / "data" / "models" / "spotter_int8.tflite").stat().st_size
    assert measured == f"{size} True"


@pytest.mark.slow
def test_everything_in_the_package_and_in_data_is_in_the_wheel(installed: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "course_lib", "data"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    places = [re.sub("^data/", "course_lib/_data/", name) for name in tracked]
    missing = [place for place in places if not (installed / place).is_file()]
    assert len(places) > 2_000 and not missing, missing[:5]


def _isolated(code: str, installed: Path, folder: Path) -> subprocess.CompletedProcess:
    """Run code where only the installed copy can be found."""
    environ = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )


def _canonical(requirement: str) -> str:
    """Return the name of a requirement or a distribution as the index spells it."""
    return re.split(r"[<>=!~ ;\[]", requirement)[0].lower().replace("_", "-").replace(".", "-")


def _imported(path: Path) -> set[str]:
    """Return the first parts of all that a module imports, at its top and inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names
