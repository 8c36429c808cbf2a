"""A clean copy is whole, also where the system refuses links."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools import clean_copy


@pytest.fixture(params=["linked", "refused"])
def links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether links can be made; refused as Windows does it without a developer's rights."""
    if request.param == "refused":

        def refuse(*_: object, **__: object) -> None:
            raise OSError(1314, "A required privilege is not held by the client")

        monkeypatch.setattr(os, "symlink", refuse)
    return request.param == "linked"


def _tree(folder: Path) -> Path:
    """Write the least that a clone is made of."""
    for name in ("course_lib/cli.py", "data/models/a.tflite", "notebooks/00_a.ipynb"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_a_clone_has_its_data(tmp_path: Path, links: bool) -> None:
    root, place = _tree(tmp_path / "root"), tmp_path / "clone"
    (notebook,) = clean_copy.clone(place, root)
    assert notebook == place / "notebooks" / "00_a.ipynb"
    assert (place / "data").is_symlink() == links
    assert (place / "data" / "models" / "a.tflite").read_text() == "data/models/a.tflite"
    clean_copy.link(place / "conftest.py", root / "course_lib" / "cli.py")
    assert (place / "conftest.py").read_text() == "course_lib/cli.py"


def test_what_is_there_is_not_replaced(tmp_path: Path, links: bool) -> None:
    root = _tree(tmp_path / "root")
    (tmp_path / "data").mkdir()
    with pytest.raises(OSError):
        clean_copy.link(tmp_path / "data", root / "data")
    assert not list((tmp_path / "data").iterdir())
