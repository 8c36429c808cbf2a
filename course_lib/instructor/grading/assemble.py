"""Lay answers into a fresh copy of the reference edition; skip what no answer depends on."""

from __future__ import annotations

import ast
import builtins
import json
from collections.abc import Mapping
from dataclasses import dataclass

from course_lib.instructor.grading.course import Reference

_REACHES_EVERYTHING = {
    "globals",
    "locals",
    "vars",
    "eval",
    "exec",
    "get_ipython",
    "dir",
    "__import__",
    "In",
    "Out",
}
_BUILTINS = set(dir(builtins))


def assembled(reference: Reference, answers: Mapping[str, str], everything: bool = False) -> bytes:
    """Return the notebook to run: the reference's cells without outputs, and the given answers.

    A question without an answer, every check cell and, unless `everything`, every cell that no
    answer depends on is tagged `nbval-skip`.
    """
    needed = None if everything else needed_cells(reference, answers)
    cells = []
    for position, cell in enumerate(reference.cells):
        metadata = dict(cell["metadata"])
        source, skip = _text(cell), False
        if cell["cell_type"] == "code":
            if "exercise" in metadata:
                skip = metadata["exercise"] not in answers
                source = answers.get(metadata["exercise"], "...")
            elif "check" in metadata:
                skip = True
            else:
                skip = needed is not None and position not in needed
        cells.append(_fresh(cell, source, metadata, skip))
    notebook = {
        "cells": cells,
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook).encode("utf-8")


def _fresh(cell: dict, source: str, metadata: dict, skip: bool) -> dict:
    """Return a cell without outputs; strict nbval then compares nothing and only runs it."""
    kept = [tag for tag in metadata.get("tags", []) if tag != "nbval-skip"]
    metadata["tags"] = [*kept, "nbval-skip"] if skip else kept
    fresh = {
        "cell_type": cell["cell_type"],
        "id": cell.get("id", ""),
        "metadata": metadata,
        "source": source,
    }
    if cell["cell_type"] == "code":
        fresh |= {"outputs": [], "execution_count": None}
    return fresh


def needed_cells(reference: Reference, answers: Mapping[str, str]) -> set[int]:
    """Return the positions of the reference's own cells that the answers depend on.

    The set-up cell always counts. A cell counts where it binds, or may change in place, a name that
    an answer or a counted cell reads; every earlier one does where an answer can reach all names.
    """
    effects = [_effects(_text(cell)) if _is_own(cell) else None for cell in reference.cells]
    modules = frozenset().union(*(each.imports for each in effects if each))
    needed: set[int] = set()
    wanted: set[str] = set()
    for position in reversed(range(len(reference.cells))):
        cell = reference.cells[position]
        identifier = cell["metadata"].get("exercise")
        if identifier in answers:
            effect = _effects(answers[identifier])
            wanted |= effect.reads
            if effect.unclear:
                wanted.add("*")
        effect = effects[position]
        if effect is None:
            continue
        first = _is_setup(cell)
        changed = effect.writes | effect.changes - modules
        if first or "*" in wanted or changed & wanted or effect.unclear and wanted:
            needed.add(position)
            wanted |= effect.reads
    return needed


@dataclass(frozen=True)
class _Effects:
    """Which names a cell reads, binds, imports, or may change in place by a call or an item.

    `unclear` says that this is not known, as after a magic command or a star import.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    unclear: bool = False


def _effects(code: str) -> _Effects:
    """Return the effects of a cell's code; code that cannot be parsed is unclear."""
    lines = code.splitlines()
    plain = [line for line in lines if not line.lstrip().startswith(("%", "!"))]
    try:
        tree = ast.parse("\n".join(plain))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _Effects(unclear=True)
    reads, writes, imports, changes = set(), set(), set(), set()
    unclear = len(plain) < len(lines)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (reads if isinstance(node.ctx, ast.Load) else writes).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            writes.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [each.asname or each.name.split(".")[0] for each in node.names]
            imports.update(names)
            unclear = unclear or "*" in names
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(
            node.ctx, ast.Load
        ):
            changes.update(_root(node))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            changes.update(_root(node.func))
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            writes.update(node.names)
    return _Effects(
        frozenset(reads - (_BUILTINS - _REACHES_EVERYTHING)),
        frozenset(writes | imports),
        frozenset(imports),
        frozenset(changes),
        unclear or bool(reads & _REACHES_EVERYTHING),
    )


def _root(node: ast.AST) -> set[str]:
    """Return the name at the start of `name.attribute[…]`, if there is one."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _is_own(cell: dict) -> bool:
    """Tell whether a cell is the reference's own code: neither an answer nor a check."""
    return (
        cell["cell_type"] == "code"
        and "exercise" not in cell["metadata"]
        and "check" not in cell["metadata"]
    )


def _is_setup(cell: dict) -> bool:
    return cell.get("id") == "setup" or "cellView" in cell["metadata"]


def _text(cell: dict) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)
