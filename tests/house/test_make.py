"""The commands of the Makefile, and what continuous integration calls."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import yaml

import workbook
from tools import commands, environment, site

ROOT = Path(__file__).resolve().parents[2]


def test_make_help_names_every_command() -> None:
    run = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True)
    named = set(re.findall(r"make ([a-z-]+) ", run.stdout))
    assert {
        "lab",
        "test",
        "test-colab",
        "notebooks",
        "site",
        "slides",
        "model",
        "bench",
        "lock",
        "lint",
        "help",
    } <= named
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.M)
    assert phony and set(phony[1].split()) == named


def test_make_says_where_there_is_no_python() -> None:
    run = subprocess.run(
        ["make", "lab", "PYTHON=no-such-python"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode != 0
    assert "no-such-python is not installed: install Python 3.11" in run.stderr


def test_continuous_integration_runs_both_suites() -> None:
    text = (ROOT / ".ci" / "run").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "set -euo pipefail" in text and "make test " in text and "make test-colab" in text


def test_make_model_replaces_the_shipped_one() -> None:
    """As README and CONTRIBUTING say; the command alone writes beside the caller."""
    (training,) = commands.COMMANDS["model"].programs
    assert training[:-1] == ("-m", "course_lib", "train", "--out", "data/models")


def test_the_workflow_publishes_what_make_site_writes() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "site.yml").read_text())
    steps = workflow["jobs"]["site"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == ["make site"]
    assert [step["with"]["path"] for step in steps if "upload" in step.get("uses", "")] == [
        site.OUT.relative_to(ROOT).as_posix()
    ]


def test_the_workflow_tries_every_system_and_every_python() -> None:
    """For whoever publishes the repository; each runs what `make test` runs, without make."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text())
    job = workflow["jobs"]["test"]
    tried = job["strategy"]["matrix"]
    assert {name.split("-")[0] for name in tried["os"]} == {"ubuntu", "macos", "windows"}
    assert tried["python"] == [f"3.{minor}" for minor in range(11, 14)]
    assert {workbook.OLDEST, workbook.NEWEST} == {(3, 11), (3, 13)}
    ran = [step["run"] for step in job["steps"] if "run" in step]
    assert "python workbook.py test -x" in ran


def test_containers_use_the_same_entry_and_the_same_lists() -> None:
    """They are not built here, where nothing can build them: see docs/hub.md."""
    container = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    python, entry, command, *_ = json.loads(container.split("\nCMD ")[1])
    assert (python, entry) == ("python", workbook.__file__.rpartition("/")[2])
    assert command in commands.COMMANDS
    editor = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    for text in (container, editor["postCreateCommand"]):
        assert "from tools import environment" in text and "environment.main('lab')" in text
    assert f"{environment.environment('lab').folder.name}/bin/python" in json.dumps(editor)
    binder = (ROOT / ".binder" / "postBuild").read_text(encoding="utf-8")
    assert "install --no-cache-dir -r requirements.txt" in binder
    assert os.access(ROOT / ".binder" / "postBuild", os.X_OK)
    for version in re.findall(r"python[:-](3\.\d+)", container + json.dumps(editor)):
        assert workbook.OLDEST <= tuple(map(int, version.split("."))) <= workbook.NEWEST
