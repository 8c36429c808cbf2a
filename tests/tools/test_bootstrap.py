"""What starts the set-up: any Python finds a suitable one, or says which is missing."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections import namedtuple
from pathlib import Path

import pytest

from tools import bootstrap

ROOT = Path(__file__).resolve().parents[2]
FACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
Usage = namedtuple("Usage", "total used free")


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
