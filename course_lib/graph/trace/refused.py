"""What a straight-line program cannot hold, each with what to write instead."""

from __future__ import annotations

import ast

REFUSED: dict[type, str] = {
    ast.For: "a loop; a graph has no way back, so write the steps one below the other",
    ast.While: "a loop; a graph has no way back, so write the steps one below the other",
    ast.If: "a choice (if); a graph runs every operation, so use max, min or relu",
    ast.IfExp: "a choice (if); a graph runs every operation, so use max, min or relu",
    ast.Import: "an import; sqrt, exp, max and others are known without one",
    ast.ImportFrom: "an import; sqrt, exp, max and others are known without one",
    ast.FunctionDef: "a function inside the program; write its steps out",
    ast.Lambda: "a function inside the program; write its steps out",
    ast.ClassDef: "a class; only numbers can flow through this graph",
    ast.Compare: "a comparison; only numbers can flow through this graph",
    ast.BoolOp: "and/or; only numbers can flow through this graph",
    ast.List: "a list; only single numbers can flow through this graph",
    ast.Tuple: "several values at once; give each a line of its own",
    ast.Dict: "a dictionary; only single numbers can flow through this graph",
    ast.Subscript: "an index; only single numbers can flow through this graph",
    ast.Attribute: "a dot; write a plain name such as sqrt instead of math.sqrt",
    ast.Return: "a return outside of a function; end with a line such as result = a + b",
}


class TraceError(ValueError):
    """A program that cannot become a graph. The message names the line; `line` is its number."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"Line {line}: {problem}.")
        self.line = line
