"""Read a notebook that anybody may have made: old, damaged, enormous or hostile."""

from __future__ import annotations

import json
from dataclasses import dataclass

LARGEST_BYTES = 48 << 20
_LARGEST_CELL = 200_000


class UnreadableError(ValueError):
    """Say in one sentence why a file is no notebook that can be graded."""


@dataclass(frozen=True)
class Cell:
    """What counts of one cell: its kind ("code" or another), every id it claims, and its text."""

    kind: str
    ids: tuple[str, ...]
    text: str


def cells(data: bytes) -> tuple[Cell, ...]:
    """Return the cells of a notebook of format 3 or 4; raises UnreadableError for anything else.

    Line ends become "\\n"; bytes that are no UTF-8 become replacement characters; what is no cell
    is left out. Nothing is executed, validated or upgraded.
    """
    if len(data) > LARGEST_BYTES:
        raise UnreadableError(
            f"The file has {len(data) >> 20:,} MB and {LARGEST_BYTES >> 20} are "
            "allowed: clear the outputs and hand it in again."
        )
    if not data.strip():
        raise UnreadableError("The file is empty.")
    text = (
        data.decode("utf-8-sig", "replace")
        if data[:2] not in (b"\xff\xfe", b"\xfe\xff")
        else data.decode("utf-16", "replace")
    )
    try:
        tree = json.loads(text, parse_int=lambda _: 0, parse_float=lambda _: 0.0)
    except RecursionError:
        raise UnreadableError("The file is nested too deeply to be a notebook.") from None
    except ValueError as error:
        raise UnreadableError(f"The file is no notebook, or a part of one ({error}).") from None
    return tuple(_cell(each) for each in _raw_cells(tree) if isinstance(each, dict))


def _raw_cells(tree: object) -> list:
    """Return the list of cells of either format."""
    if not isinstance(tree, dict):
        raise UnreadableError("The file is JSON, but no notebook: it has no cells.")
    if isinstance(tree.get("cells"), list):
        return tree["cells"]
    sheets = tree.get("worksheets")
    if not isinstance(sheets, list):
        raise UnreadableError("The file is JSON, but no notebook: it has no cells.")
    return [
        cell
        for sheet in sheets
        if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)
        for cell in sheet["cells"]
    ]


def _cell(raw: dict) -> Cell:
    """Return what counts of a cell of either format."""
    kind = raw.get("cell_type")
    source = raw.get("source", raw.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    text = source if isinstance(source, str) else ""
    text = text.replace("\r\n", "\n").replace("\r", "\n")[:_LARGEST_CELL]
    text = text.encode("utf-8", "replace").decode("utf-8")  # half of a surrogate pair cannot travel
    metadata = raw.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    claimed = (raw.get("id"), metadata.get("id"), _nested(metadata, "nbgrader", "grade_id"))
    return Cell(
        kind if isinstance(kind, str) else "",
        tuple(each for each in claimed if isinstance(each, str)),
        text,
    )


def _nested(tree: dict, *keys: str) -> object:
    """Return a value deeper in a tree of dicts, None where there is none."""
    for key in keys:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(key)
    return tree
