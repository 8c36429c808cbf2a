"""A document's picture is the one that a tagged cell shows."""

from __future__ import annotations

import base64
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course_lib.instructor.authoring import pictures

PNG = b"\x89PNG\r\n\x1a\n and the rest"


def _notebook(data: dict, tag: str = "picture-dashboard") -> str:
    output = new_output("display_data", data=data)
    cell = new_code_cell("show()", outputs=[output], metadata={"tags": [tag]})
    return nbformat.writes(new_notebook(cells=[cell]))


def test_the_picture_of_a_tagged_cell_is_written(tmp_path: Path) -> None:
    text = _notebook({"image/png": base64.b64encode(PNG).decode(), "text/plain": "<picture>"})
    pictures.write(text, tmp_path)
    assert (tmp_path / "dashboard.png").read_bytes() == PNG


def test_other_cells_give_no_picture(tmp_path: Path) -> None:
    text = _notebook({"image/png": base64.b64encode(PNG).decode()}, tag="nbval-ignore-output")
    pictures.write(text, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_tagged_cell_without_a_picture_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="picture-dashboard shows no picture"):
        list(pictures.pictures(_notebook({"text/plain": "7"})))
