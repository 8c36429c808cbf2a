"""The house itself: set-up, Makefile, package, requirements, style."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections import namedtuple
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tools import bootstrap, clean_copy, colab, environment, lab, pip_wheel, programs
from tools.environment import Environment, Failure

ROOT = Path(__file__).resolve().parents[2]
FACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
Usage = namedtuple("Usage", "total used free")


# Python


def test_bootstrap_can_be_read_by_old_pythons() -> None:
    """It is the file that tells them that they are too old."""
    text = (ROOT / "tools" / "bootstrap.py").read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 4))
    assert 'f"' not in text and "annotations" not in text


def test_an_unsuitable_python_hands_on_or_refuses_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 2, "final", 0))
    monkeypatch.setattr(bootstrap, "find_python", lambda oldest: None)
    assert bootstrap.main(["lab"]) == 1
    said = capsys.readouterr().err
    assert "needs Python 3.11, 3.12, 3.13" in said and "3.9" in said and said.count("\n") == 1
    monkeypatch.setattr(bootstrap, "find_python", lambda oldest: "python3.12")
    monkeypatch.setattr(bootstrap.subprocess, "call", lambda command: command)
    assert bootstrap.main(["lab"])[0] == "python3.12"


def test_pythons_are_found_and_asked_for_their_version(tmp_path: Path) -> None:
    assert bootstrap.version(sys.executable) == sys.version_info[:2]
    assert bootstrap.version(str(tmp_path / "none")) is None
    broken = tmp_path / "python3.12"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    assert bootstrap.version(str(broken)) is None


def test_the_same_pythons_are_named_everywhere() -> None:
    assert FACTS["project"]["requires-python"] == ">=3.11,<3.14"
    assert (bootstrap.OLDEST, bootstrap.NEWEST) == ((3, 11), (3, 13))


# The virtual environment


def test_a_stamped_environment_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Set-up happens once, and again when what is needed has changed."""
    wanted = Environment(tmp_path / "venv", ("one>=1",))
    done: list[str] = []
    monkeypatch.setattr(environment, "_works", lambda python: bool(done))
    monkeypatch.setattr(environment, "_create", lambda folder: folder.mkdir())
    monkeypatch.setattr(environment, "_check_disk", lambda folder: None)
    monkeypatch.setattr(environment, "_install", lambda wanted: done.append("installed"))
    environment.prepare(wanted)
    environment.prepare(wanted)
    assert done == ["installed"]
    environment.prepare(Environment(wanted.folder, ("one>=2",)))
    assert done == ["installed"] * 2


def test_a_full_disk_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda path: Usage(10, 9, 10**9))
    with pytest.raises(Failure, match="has 1.0 GB free .* make room"):
        environment._check_disk(tmp_path / "venv")


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        ("WARNING: Retrying after NewConnectionError(...)", "cannot be reached"),
        ("ERROR: No matching distribution found for x", "No matching distribution"),
        ("", "it gave no reason"),
    ],
)
def test_failures_of_pip_become_one_sentence(output: str, said: str) -> None:
    failure = str(environment._failure(output, "install the packages"))
    assert said in failure and "\n" not in failure


def test_a_failing_set_up_ends_with_its_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(wanted: Environment) -> None:
        raise Failure("Make room.")

    monkeypatch.setattr(environment, "prepare", fail)
    assert environment.main("lab") == 1
    assert capsys.readouterr().err == "Make room.\n"


# The programs that only tests need


def test_missing_programs_are_installed_or_their_tests_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WORKBOOK_CHROMIUM", raising=False)
    here = {"chromium": "/usr/bin/chromium", "qemu-system-arm": "/usr/bin/qemu-system-arm"}
    monkeypatch.setattr(programs.shutil, "which", here.get)
    assert programs.missing() == ["bubblewrap", "gcc-arm-none-eabi", "libnewlib-arm-none-eabi"]
    assert programs.main() == 0 and "microcontroller are skipped" in capsys.readouterr().out
    here["arm-none-eabi-gcc"] = "/usr/bin/arm-none-eabi-gcc"
    monkeypatch.setattr(programs, "_newlib", lambda: "/usr/lib/libm.a")
    assert programs.missing() == ["bubblewrap"]
    assert programs.main() == 0 and "grading in a sandbox are skipped" in capsys.readouterr().out
    ran: list[list[str]] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess:
        ran.append(command)
        return subprocess.CompletedProcess(command, len(ran) - 1, "", "E: no space\n")

    here["apt-get"] = "/usr/bin/apt-get"
    monkeypatch.setattr(programs.os, "geteuid", lambda: 0)
    monkeypatch.setattr(programs.subprocess, "run", run)
    assert programs.main() == 0 and ran[1][-1] == "bubblewrap"
    assert "skipped (E: no space)" in capsys.readouterr().out
    here["bwrap"] = "/usr/bin/bwrap"
    assert programs.missing() == [] and programs.main() == 0 and len(ran) == 2


# pip without ensurepip


def test_the_newest_released_pip_is_taken() -> None:
    names = [
        "x/pip-9.0.3-py2.py3-none-any.whl",
        "x/pip-24.0-py3-none-any.whl#sha256=ab",
        "x/pip-24.10.1-py3-none-any.whl",
        "x/pip-25.0b1-py3-none-any.whl",
        "x/pipx-26.0-py3-none-any.whl",
    ]
    assert pip_wheel.newest(names) == names[2]
    assert pip_wheel.newest([]) is None


def test_pips_own_settings_are_followed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\nindex-url = https://mirror/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    assert pip_wheel.setting("index-url") == "https://mirror/simple"
    monkeypatch.setenv("PIP_INDEX_URL", "https://other/simple")
    assert pip_wheel.setting("index-url") == "https://other/simple"


def test_pip_is_downloaded_from_an_index_and_its_hash_is_checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "simple" / "pip"
    page.mkdir(parents=True)
    (page / "pip-24.0-py3-none-any.whl").write_bytes(b"wheel")
    index = page / "index.html"
    index.write_text('<a href="pip-24.0-py3-none-any.whl">pip</a>')
    pages = {page.as_uri() + "/": index.read_bytes}
    fetch = pip_wheel._get
    monkeypatch.setattr(
        pip_wheel, "_get", lambda address: pages.get(address, lambda: fetch(address))()
    )
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "simple").as_uri())
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    target = tmp_path / "target"
    target.mkdir()
    assert pip_wheel._download(target).read_bytes() == b"wheel"
    index.write_text('<a href="pip-24.0-py3-none-any.whl#sha256=00">pip</a>')
    with pytest.raises(OSError, match="damaged"):
        pip_wheel._download(target)


# make lab, make test


def test_make_help_names_every_command() -> None:
    run = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True)
    named = set(re.findall(r"make ([a-z-]+) ", run.stdout))
    assert {"lab", "test", "test-colab", "notebooks", "model", "lint", "help"} <= named
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.M)
    assert phony and set(phony[1].split()) == named


def test_make_says_where_there_is_no_python() -> None:
    run = subprocess.run(
        ["make", "lab", "PYTHON=no-such-python"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode != 0
    assert "no-such-python is not installed: install Python 3.11" in run.stderr


def test_lab_opens_the_first_lesson_and_asks_nobody() -> None:
    command = lab.command(ROOT, 8888, "secret")
    assert "--ip=127.0.0.1" in command and "--IdentityProvider.token=secret" in command
    address = lab.address(lab.FIRST, 8888, "secret")
    assert address == "http://127.0.0.1:8888/lab/tree/notebooks/00_start_here.ipynb?token=secret"
    assert (ROOT / lab.FIRST).is_file()
    folder = Path(lab.settings({})["JUPYTER_CONFIG_PATH"])
    overrides = (folder / "labconfig" / "default_setting_overrides.json").read_text()
    assert '"fetchNews": "false"' in overrides


def test_a_taken_port_is_passed_over() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert lab.free_port(port) > port


def test_a_display_is_told_from_none() -> None:
    assert not lab.has_display({}, "linux")
    assert lab.has_display({"WAYLAND_DISPLAY": "wayland-0"}, "linux")
    assert lab.has_display({}, "darwin")
    assert not lab.has_display({"SSH_CONNECTION": "1"}, "darwin")


def test_continuous_integration_runs_both_suites() -> None:
    text = (ROOT / ".ci" / "run").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "set -euo pipefail" in text and "make test " in text and "make test-colab" in text


# Colab


def test_changed_versions_in_colab_are_named() -> None:
    before = {"numpy": "2.1.3"}
    adds = {"netron"}
    assert colab.changed(before, {"numpy": "2.1.3", "netron": "9"}, adds) == ""
    assert "changed numpy from 2.1.3 to 2.2" in colab.changed(before, {"numpy": "2.2"}, adds)
    extra = {"numpy": "2.1.3", "netron": "9", "keras": "3"}
    assert "also installed keras" in colab.changed(before, extra, adds)
    assert "did not install netron" in colab.changed(before, before, adds)


def test_colab_pins_name_what_the_lessons_touch() -> None:
    pins = dict(
        line.split("==") for line in environment.environment("colab").requirements if "==" in line
    )
    assert pins["tensorflow"] == "2.20.0" and pins["ipywidgets"] == "7.7.1"
    assert pins["ipython"] == "7.34.0" and pins["numpy"] == "2.1.3"
    adds = " ".join(environment.colab_adds())
    assert not re.search(r"tensorflow|ipywidgets|numpy", adds)


def test_colab_and_here_have_the_same_tflite_micro() -> None:
    """Bytes are compared with its kernels: another build may round in another way."""
    lines = environment.environment("lab").requirements
    (pinned,) = [line.split(";")[0] for line in lines if line.startswith("tflite-micro")]
    assert pinned in environment.colab_adds()


# The package


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
        exact = re.fullmatch(r"tflite-micro==0\.dev\d+; platform_.+", line)  # pre-releases only
        assert exact or re.fullmatch(r"[A-Za-z0-9_.-]+>=[\d.]+,<[\d.]+", line), line


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


# The set-up cell, in a clone and installed


def _setup_cell() -> str:
    """Return the set-up cell of the first lesson."""
    from course_lib.instructor import authoring
    from course_lib.instructor.authoring.editions import read_project, setup_code

    return setup_code(authoring.lessons()[0], read_project(ROOT))


def test_set_up_cell_finds_a_clone_above_it(tmp_path: Path) -> None:
    folder = tmp_path / "clone" / "notebooks" / "reference"
    folder.mkdir(parents=True)
    (tmp_path / "clone" / "course_lib").symlink_to(ROOT / "course_lib")
    run = subprocess.run(
        [sys.executable, "-I", "-c", _setup_cell()], cwd=folder, capture_output=True, text=True
    )
    assert run.stdout == "Lesson 00 is ready.\n", run.stderr


def test_set_up_cell_installs_where_there_is_no_clone(tmp_path: Path) -> None:
    """It asks pip for the repository and the additions, all without dependencies."""
    spy = "import subprocess, sys\nsubprocess.run = lambda *a, **k: sys.exit(' '.join(a[0]))\n"
    run = subprocess.run(
        [sys.executable, "-I", "-c", spy + _setup_cell()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "pip install -q --no-deps course_lib@git+https://" in run.stderr
    assert FACTS["project"]["urls"]["Repository"] in run.stderr
    assert all(add.split(">")[0] in run.stderr for add in FACTS["tool"]["workbook"]["colab_adds"])


# Style


@pytest.mark.skipif(not shutil.which("git"), reason="git lists the project's files")
def test_nothing_generated_is_tracked_and_nothing_is_huge() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert not [path for path in paths if path.suffix in (".pyc", ".egg-info")]
    large = [path for path in paths if path.is_file() and path.stat().st_size > 3_000_000]
    assert not large, large
    speech = [path for path in paths if "data/speech" in path.as_posix() and path.is_file()]
    assert sum(path.stat().st_size for path in speech) <= 25_000_000


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_finds_nothing(command: list[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout[-3000:]


def test_the_address_of_the_repository_stands_once() -> None:
    """Generated files repeat it; of what is written by hand, only pyproject.toml has it."""
    address = FACTS["project"]["urls"]["Repository"].removeprefix("https://")
    written = [*(ROOT / "course_lib").rglob("*.py"), *(ROOT / "notebooks" / "source").glob("*.py")]
    written += [*(ROOT / "tools").glob("*.py"), ROOT / "Makefile", ROOT / "CONTRIBUTING.md"]
    assert not [path for path in written if address in path.read_text(encoding="utf-8")]


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


def test_what_tests_need_holds_what_lessons_need() -> None:
    lab, test, colab = (environment.environment(name) for name in ("lab", "test", "colab"))
    assert environment._contained(test) == {environment._mark(lab)}
    assert environment._contained(colab) == set()
