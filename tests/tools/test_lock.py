"""The versions for a lab that must not change: all that is needed, each within its range."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import environment, lock


def _package(folder: Path, name: str, version: str, *requires: str) -> None:
    """Write what pip leaves of an installed package."""
    place = folder / f"{name}-{version}.dist-info"
    place.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {each}" for each in requires]
    (place / "METADATA").write_text("\n".join(lines) + "\n")


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Five packages, one of them needed by an extra alone, in a circle, on another system."""
    _package(
        tmp_path, "top_one", "1.0", "middle[fast]>=2; python_version > '3'", "Gone; os_name=='x'"
    )
    _package(
        tmp_path, "middle", "2.5", "under", "quick>=1; extra == 'fast'", "slow; extra == 'slow'"
    )
    _package(tmp_path, "under", "3.0", "top-one")
    _package(tmp_path, "quick", "4.1")
    _package(tmp_path, "beside", "5.0")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])


def test_all_that_is_needed_is_found_and_nothing_else(packages):
    assert lock.closure(["Top.One>=1"]) == {
        "middle": "2.5", "quick": "4.1", "top-one": "1.0", "under": "3.0",
    }  # fmt: skip
    assert lock.closure(["middle"]) == {
        "middle": "2.5",
        "under": "3.0",
        "top-one": "1.0",
        "quick": "4.1",
    }
    assert lock.closure(["quick", "absent; os_name == 'x'"]) == {"quick": "4.1"}
    with pytest.raises(metadata.PackageNotFoundError, match="absent"):
        lock.closure(["absent"])


def test_the_lock_holds_all_that_the_lessons_need_within_its_range():
    pins = lock.pins()
    needed = environment.environment("lab").requirements
    for line in needed:
        wanted = Requirement(line)
        version = pins[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(version, prereleases=True), line
    assert set(lock.closure(needed)) <= set(pins)


def test_the_lock_is_written_as_it_is_read(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lock, "OUT", tmp_path / "requirements.lock")
    assert lock.main() == 0
    pins = lock.pins(lock.OUT)
    assert pins["numpy"] == metadata.version("numpy")
    assert f"{len(pins)} packages" in capsys.readouterr().out
