"""Take the documents' pictures out of the executed lessons, so that they show what a cell made."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import nbformat

from course_lib.session import write_atomically

TAG = "picture-"  # the tag picture-dashboard on a cell names the file docs/dashboard.png


def pictures(text: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and PNG of each tagged cell in a notebook's `text`.

    Raises ValueError where a tagged cell shows no picture.
    """
    for cell in nbformat.reads(text, as_version=nbformat.NO_CONVERT).cells:
        for tag in cell.metadata.get("tags", ()):
            if tag.startswith(TAG):
                yield tag.removeprefix(TAG), _png(cell, tag)


def write(text: str, folder: Path) -> None:
    """Write the pictures of a notebook's `text` to `folder`, as <name>.png."""
    for name, png in pictures(text):
        write_atomically(folder / f"{name}.png", png)


def _png(cell: nbformat.NotebookNode, tag: str) -> bytes:
    """Return the first picture that a cell shows."""
    for output in cell.get("outputs", ()):
        encoded = output.get("data", {}).get("image/png")
        if encoded:
            return base64.b64decode(encoded)
    raise ValueError(f"The cell tagged {tag} shows no picture: move the tag, or show one.")
