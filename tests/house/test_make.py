"""The commands of the Makefile, and what continuous integration calls."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import yaml

from tools import commands, site

ROOT = Path(__file__).resolve().parents[2]


def test_make_help_names_every_command() -> None:
    run = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True)
    named = set(re.findall(r"make ([a-z-]+) ", run.stdout))
    assert {"lab", "test", "test-colab", "notebooks", "site", "model", "lint", "help"} <= named
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
