"""What is tracked, and its style."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from collections import namedtuple
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
Usage = namedtuple("Usage", "total used free")


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


TESTS = sorted((ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_test_draws_from_a_generator_that_others_draw_from(path: Path) -> None:
    """What a test draws would depend on which tests ran before it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    shared = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr == "default_rng"
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    functions = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    drawn = {name.id for f in functions for name in ast.walk(f) if isinstance(name, ast.Name)}
    assert not shared & drawn
