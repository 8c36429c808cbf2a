"""Take the solutions out of an exercise, and leave what a student starts from."""

from __future__ import annotations

import ast
import textwrap

from course_lib.instructor.authoring.source import BEGIN, END


def without_markers(text: str) -> str:
    """Return `text` with its solutions and without the lines that mark them."""
    return "\n".join(line for line in text.splitlines() if line.strip() not in (BEGIN, END))


def without_solutions(text: str, needed: str = "") -> str:
    """Return `text` with every marked solution replaced by what a student starts from.

    Inside a function that is `...`. At the top level, each name that the solution binds and that
    occurs in `needed` (the source of the check cell) stays bound: `name = ...`, or a signature
    with `...` as its body.
    """
    kept: list[str] = []
    solution: list[str] | None = None
    for line in text.splitlines():
        if line.strip() == BEGIN:
            solution = []
        elif line.strip() == END:
            kept.extend(_stub(solution or [], needed))
            solution = None
        elif solution is None:
            kept.append(line)
        else:
            solution.append(line)
    return "\n".join(kept)


def _stub(solution: list[str], needed: str) -> list[str]:
    """Return the lines that stand in for the lines of one solution."""
    first = next((line for line in solution if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    wanted = {node.id for node in ast.walk(_parsed(needed)) if isinstance(node, ast.Name)}
    lines: list[str] = []
    for statement in _parsed("\n".join(solution)).body if not indent else []:
        lines.extend(_bound(statement, wanted))
    return list(dict.fromkeys(lines)) or [f"{indent}..."]


def _bound(statement: ast.stmt, wanted: set[str]) -> list[str]:
    """Return lines that bind the wanted names of one top-level statement to `...`."""
    if isinstance(statement, ast.FunctionDef) and statement.name in wanted:
        return [f"def {statement.name}({ast.unparse(statement.args)}):", "    ..."]
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    names = [
        node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)
    ]
    return [f"{name} = ..." for name in names if name in wanted]


def _parsed(code: str) -> ast.Module:
    """Parse `code`, less its indentation and the lines that only IPython understands."""
    lines = [line for line in code.splitlines() if not line.lstrip().startswith(("%", "!"))]
    return ast.parse(textwrap.dedent("\n".join(lines)))
