"""Every command of every document is run: here, or by what `ELSEWHERE` names."""

from __future__ import annotations

import ast
import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from benchmarks.__main__ import SECTIONS
from course_lib import cli
from course_lib.session import data_path
from tools import clean_copy
from tools.commands import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    *ROOT.glob("*.md"),
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("data/*/README.md")),
    ROOT / "benchmarks" / "RESULTS.md",
)
PROGRAMS = (ROOT / "workbook.py", *ROOT.glob("tools/*.py"), *ROOT.glob("benchmarks/*.py"))
BEGINS = r"make|python3?|pip|pytest|docker|apt|apt-get|dask|npm|rm"
COMMAND = re.compile(rf"(?:[A-Z_]+=\S+ )*(?:sudo )?(?:\S*/)?(?:{BEGINS}) \S")
GRADING = "tests/house/test_docs.py::test_every_command_runs"
REPORTS = "tests/project/test_bundles.py::test_the_command_line_checks_many_reports"
ELSEWHERE = {
    "make COMMAND": "tests/tools/test_workbook.py::test_make_and_the_entry_know_the_same_commands",
    "make bench": "tests/tools/test_bench.py::test_a_section_runs_and_stands_on_the_page",
    "make help": "tests/house/test_make.py::test_make_help_names_every_command",
    "make lab": "tests/tools/test_lab.py::test_lab_opens_the_first_lesson_and_asks_nobody",
    "make lint": "tests/house/test_repository.py::test_ruff_finds_nothing",
    "make lock": "tests/tools/test_lock.py::test_the_lock_is_written_as_it_is_read",
    "make model": "tests/test_spotter.py::test_one_run_makes_the_whole_folder",
    "make notebooks": "tests/instructor/authoring/test_building.py::"
    "test_building_executes_is_byte_stable_and_checked",
    "make site": "tests/tools/test_site.py::test_every_lesson_and_document_has_its_page",
    "make slides": "tests/tools/test_slides.py::test_nothing_is_cut_off_or_too_small",
    "make test": ".ci/run::make test ",
    "make test-colab": ".ci/run::make test-colab ",
    "pip install -c requirements.lock": "tests/tools/test_lock.py::"
    "test_the_lock_holds_all_that_the_lessons_need_within_its_range",
    "pip install nanopb": "benchmarks/RESULTS.md::<!-- flatbuffer -->",
    "pytest --nbval": "tests/test_notebooks.py::test_runs_under_strict_nbval",
    "python -m benchmarks": "tests/tools/test_bench.py::test_a_section_runs_and_stands_on_the_page",
    "python -m benchmarks hub": "benchmarks/RESULTS.md::<!-- hub -->",
    "python -m benchmarks.peers": "benchmarks/RESULTS.md::<!-- grading -->",
    "python -m course_lib check-report": REPORTS,
    "python -m course_lib grade": GRADING,
    "python -m course_lib grade --scheduler": "tests/instructor/grading/test_campaign.py::"
    "test_a_lost_worker_loses_nothing",
    "python -m course_lib grade --accept-weak-sandbox": "tests/instructor/grading/"
    "test_campaign.py::test_the_weak_sandbox_must_be_accepted",
    "python -m course_lib marks": GRADING,
    "python -m course_lib export": GRADING,
    "python -m course_lib train": "tests/test_spotter.py::test_one_run_makes_the_whole_folder",
    "python -m course_lib.experiments.alone": "tests/experiments/test_alone.py::"
    "test_netron_draws_what_has_a_graph",
    "python -m course_lib.graph.compiler": "tests/graph/test_compiler.py::"
    "test_this_machine_compiles_or_says_why",
    "python -m course_lib.micro operators": "tests/micro/test_program.py::"
    "test_a_header_is_read_and_kept",
    "python -m course_lib.micro record": "tests/micro/test_record.py::"
    "test_recording_is_one_command",
    "python -m tools.engine": "tests/micro/test_wasm.py::"
    "test_the_recorded_engine_is_what_its_source_gives",
    "python -m tools.flipbook": "tests/tools/test_flipbook.py::test_a_packed_book",
    "python -m tools.site": "tests/tools/test_site.py::test_no_link_is_broken",
    "python data/recipe/make_speech.py": "tests/house/test_speech_data.py::"
    "test_a_missing_engine_is_told_in_one_sentence",
    "apt": "tools/programs.py::bubblewrap",
    "apt-get": "tests/house/test_speech_data.py::test_a_missing_engine_is_told_in_one_sentence",
    "dask": "tests/instructor/grading/test_campaign.py::test_a_lost_worker_loses_nothing",
    "docker": "tests/house/test_make.py::test_containers_use_the_same_entry_and_the_same_lists",
    "npm": "benchmarks/RESULTS.md::<!-- hub -->",
    "rm": GRADING,
}
HERE = (  # beginnings of what the tests below run, pytest's and pip's apart
    *(f"python -m course_lib {name}" for name in ("convert", "evaluate", "page", "sketch")),
    "python -m course_lib ask-board",
    *(f"python -m benchmarks.{name}" for name in ("flatbuffer", "fuzz_tflite", "grading")),
    *(f"python -m benchmarks.{name}" for name in ("recipes", "spotter")),
    *("python -m tools.slides", "python -m tools.todays_tools"),
    *("python -m venv", "python workbook.py"),
)


def commands(text: str) -> list[str]:
    """Return the commands of a text: lines that stand apart, and spans that begin like one."""
    fenced = "\n".join(re.findall(r"^```(?!text)\w*\n(.*?)^```", text, re.M | re.S))  # no output
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    apart = re.findall(r"^ {4}(\S.*)$", text, re.M) + fenced.splitlines()
    deeper = [line for line in re.findall(r"^ {5,}(\S.*)$", text, re.M) if COMMAND.match(line)]
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]
    found = apart + deeper + [span for span in spans if COMMAND.match(span)]
    lines = [re.split(r" {2,}", line)[0] for line in found if not line.startswith("https://")]
    return [_plain(part) for line in lines for part in line.split(" && ")]


def _plain(command: str) -> str:
    """Return a command without what differs from place to place."""
    command = re.sub(r"^(?:[A-Z_]+=\S+ )*(?:sudo )?", "", command)
    command = re.sub(r"^(?:\S*/)?(python|pip)3?\b", r"\1", command)
    command = re.sub(r"^python -m (?=(?:pip|pytest)\b)", "", command)
    return re.sub(r"^python workbook\.py (?=\S)", "make ", command)


def runner(command: str) -> str:
    """Return what runs a command, "" where it is one of these tests; AssertionError if nobody."""
    if command.startswith("pytest tests/"):
        missing = [path for path in command.split()[1:] if not (ROOT / path).exists()]
        assert not missing, f"{command}: there is no {missing[0]}"
        return ""
    if command.startswith("pytest"):
        return (
            ELSEWHERE["pytest --nbval"] if "--nbval" in command else "tests/seeds.py::WORKBOOK_LONG"
        )
    words = set(command.split())
    fitting = [
        name
        for name in (*ELSEWHERE, *HERE)
        if f"{command} ".startswith(f"{re.sub(' --.*', '', name)} ")
        and set(re.findall(r" (--\S+)", name)) <= words
    ]
    if command.startswith("pip install") and not fitting:
        assert set(_installed(command)) <= _installable(), f"{command}: nothing of that name"
        return ""
    assert fitting, f"nobody runs: {command}"
    if asked := re.fullmatch(r'make bench ARGS="?([a-z ]+)"?', command):
        assert set(asked[1].split()) <= set(SECTIONS), command
    return ELSEWHERE.get(max(fitting, key=len), "")


def _installed(command: str) -> list[str]:
    """Return what pip is asked for: names, files, and this project's extras in brackets."""
    words = [word for word in shlex.split(command)[2:] if not word.startswith("-")]
    return [re.sub(r"^\.(?=\[)", "", word) for word in words if word != "."]


def _installable() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    names = {re.split(r"[<>=~ ;\[]", line)[0] for lines in extras.values() for line in lines}
    files = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("requirements.txt")}
    return names | {f"[{name}]" for name in extras} | files


def _all() -> dict[str, str]:
    """Return each command with the document that has it."""
    texts = {path: path.read_text(encoding="utf-8") for path in DOCUMENTS}
    for path in PROGRAMS:
        texts[path] = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return {
        command: path.relative_to(ROOT).as_posix()
        for path, text in texts.items()
        for command in commands(text)
    }


def test_somebody_runs_every_command() -> None:
    found = _all()
    assert len(found) > 80
    for command in found:
        file, _, said = runner(command).partition("::")
        if file:
            assert said in (ROOT / file).read_text(encoding="utf-8"), (command, file, said)
    used = {
        name
        for name in (*ELSEWHERE, *HERE)
        if any(each.startswith(name.split(" --")[0]) for each in found)
    }
    assert used == {*ELSEWHERE, *HERE}  # none stands there for a command that is gone


@pytest.mark.parametrize(
    "text",
    [
        "    make cake",
        "    frobnicate --now",
        "Try `python -m course_lib bake MODEL` once.",
        "```\npython -m tools.cake\n```",
        "1. then\n\n       make cake\n",
        "`.venv/bin/python -m pytest tests/nowhere`",
        '`pip install -e ".[cake]"`',
        "`make bench ARGS=cake`",
    ],
)
def test_a_command_that_nobody_runs_is_found(text: str) -> None:
    (command,) = commands(text)
    with pytest.raises(AssertionError):
        runner(command)


def test_a_command_is_told_from_what_is_none() -> None:
    text = (
        "Run `make lab`:\n\n    sudo apt install x  # once\n    A=1 python3 -m venv .venv && rm y"
    )
    assert commands(text) == ["apt install x", "python -m venv .venv", "rm y", "make lab"]
    assert commands("`make` and `python` alone\n\n    https://x.example\n\n     deeper prose") == []


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What somebody has who follows the documents, with the files that they name in capitals."""
    folder = tmp_path_factory.mktemp("clone")
    clean_copy.clone(folder)
    shutil.copy(data_path("models", "spotter.keras"), folder / "MODEL.keras")
    shutil.copy(data_path("models", "spotter_int8.tflite"), folder / "MODEL.tflite")
    for word in ("yes", "no"):
        (folder / "CLIPS_DIR" / word).mkdir(parents=True)
        for path in sorted(data_path("speech").rglob(f"{word}/*.flac"))[:3]:
            shutil.copy(path, folder / "CLIPS_DIR" / word)
    return folder


@pytest.mark.slow
def test_what_measures_a_model_runs_as_it_is_written(clone: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(clone)
    ran = set()
    for command in sorted(_all()):
        if not command.startswith("python -m course_lib ") or runner(command):
            continue
        given = shlex.split(command)[3:]
        if len(given) == 1 and given != ["ask-board"]:
            continue  # it is named there, not called
        arguments = ["MODEL.keras" if each == "MODEL" else each for each in given]
        ran.add(arguments[0])
        code, said = cli.main(arguments), capsys.readouterr()
        assert code == (cli.UNUSABLE if arguments == ["ask-board"] else cli.DONE), said.err
        if "--json" in arguments:
            assert json.loads(said.out)["n"] == 6
    assert ran == {"convert", "evaluate", "page", "sketch", "ask-board"}
    assert list(clone.glob("*.html")) and (clone / "spotter" / "spotter.ino").is_file()


@pytest.mark.filterwarnings("ignore:.*found in sys.modules")
def test_the_other_programs_know_the_options_that_are_written(monkeypatch, capsys) -> None:
    asked = set()
    for command in sorted(_all()):
        words = re.sub(r"[][]", " ", command).split()
        if not re.match(r"python -m (benchmarks|tools)\b", command) or runner(command):
            continue
        asked.add(f"python -m {words[2]}")
        monkeypatch.setattr(sys, "argv", [words[2], "--help"])
        with pytest.raises(SystemExit) as end:
            runpy.run_module(words[2], run_name="__main__", alter_sys=True)
        known = re.findall(r"--[a-z]+", capsys.readouterr().out)
        assert not end.value.code and {word for word in words if word[:2] == "--"} <= set(known)
    assert asked == {name for name in HERE if re.match(r"python -m (benchmarks|tools)\b", name)}


def test_the_entry_tells_its_commands_and_python_makes_its_environment(tmp_path: Path) -> None:
    entry = subprocess.run([sys.executable, ROOT / "workbook.py"], capture_output=True, text=True)
    assert all(name in entry.stdout for name in COMMANDS)
    venv = [sys.executable, "-m", "venv", "--without-pip", ".venv"]
    assert subprocess.run(venv, cwd=tmp_path).returncode == 0
