"""Prose that cannot drift: what a sentence claims is evaluated where it stands.

In a source, `holds: EXPRESSION` lines of a markdown cell are its claims, and `given: NUMBERS` lines
its definitions; no reader sees either. `verify` runs in a lesson's kernel; `missing` finds numbers
that nothing stands behind.
"""

import ast
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from nbformat import NotebookNode

_LINE = re.compile(r"^(holds|given): +(\S.*)$", re.MULTILINE)
_UNSAID = re.compile(
    r"```.*?```|`[^`]*`|\[[^\]]*\]\([^)]*\.ipynb\)|\]\([^)]*\)|<[^>]*>|https?://\S+", re.DOTALL
)
_NUMBER = re.compile(r"(?<![\w.,])[-−]?\d+(?:[.,]\d+)*(?![\w]*\d)")
# Shares and ratios are claims even where their digits happen to be printed somewhere.
_CLAIM = re.compile(
    r"\b(?:twice|thrice|a (?:half|third|quarter|fourth|fifth|sixth|eighth|tenth|hundredth)"
    r"|half (?:of|as|the)|\w+ times (?:as|more|less|fewer|larger|smaller|faster|slower|longer)"
    r"|[\d.,]+ ?%)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\b(?:lessons?|exercises?|predictions?|python|tensorflow|keras) \d+(?:\.\d+)*"
    r"(?:(?:, | and | to | or )\d+(?:\.\d+)*)*",
    re.IGNORECASE,
)


def parted(text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Part a cell's text into what readers see, its claims, and its definitions."""
    found = _LINE.findall(text)
    shown = re.sub(r"\n{3,}", "\n\n", _LINE.sub("", text)).strip("\n")
    claims = tuple(what for kind, what in found if kind == "holds")
    return shown, claims, tuple(what for kind, what in found if kind == "given")


def verify(sentence: str, claims: Iterable[str], names: dict[str, Any]) -> None:
    """Evaluate each claim with the `names` of a kernel.

    Raises AssertionError with the sentence, the claim and the values in it where one is false or
    fails.
    """
    for claim in claims:
        try:
            if eval(claim, names):  # the source's own line, never a student's
                continue
            problem = "is false"
        except Exception as error:
            problem = f"fails ({type(error).__name__}: {error})"
        told = "; ".join(_values(claim, names))
        raise AssertionError(f"{' '.join(sentence.split())[:300]}\n  {claim} {problem}: {told}")


def call(cell: Mapping[str, Any]) -> str:
    """Return code that verifies the claims of a markdown cell in its kernel, "" for none."""
    claims = cell["metadata"].get("holds", ())
    if cell["cell_type"] != "markdown" or not claims:
        return ""
    text = json.dumps("".join(cell["source"]))
    module = f"__import__({__name__!r}, fromlist=['verify'])"
    return f"{module}.verify({text}, {list(claims)!r}, globals())"


def missing(notebook: NotebookNode) -> list[str]:
    """Return a sentence for each number in prose that no cell prints, asserts or defines.

    `notebook` is an executed reference edition. What code says counts as a definition; ratios and
    shares have to be asserted or given in their own cell.
    """
    printed = set()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            printed |= _numbers(cell.source)
            if "check" not in cell.metadata:  # its praise is prose, too
                printed |= _numbers(" ".join(map(_text, cell.outputs)))
    complaints = []
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        behind = " ".join((*cell.metadata.get("holds", ()), *cell.metadata.get("given", ())))
        prose = _NAMED.sub("", _UNSAID.sub(" ", cell.source))
        if cell is notebook.cells[0]:
            prose = re.sub(r"\d+ minutes", "", prose)  # which are computed
        backed = _numbers(behind)
        lacking = sorted(_numbers(prose) - printed - backed)
        if not behind:
            lacking += [" ".join(each.split()) for each in _CLAIM.findall(prose)]
        if lacking:
            complaints.append(f"{cell.id}: nothing stands behind {', '.join(lacking)}.")
    return complaints


def _values(claim: str, names: dict[str, Any]) -> Iterable[str]:
    """Yield the parts of a claim that are compared or joined, and what they are."""
    try:
        tree = ast.parse(claim, mode="eval").body
    except SyntaxError:
        return
    parts = [tree]
    while parts:
        node = parts.pop(0)
        if isinstance(node, ast.BoolOp):
            parts += node.values
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            parts.append(node.operand)
        elif isinstance(node, ast.Compare):
            parts += [node.left, *node.comparators]
        elif not isinstance(node, ast.Constant):
            code = ast.unparse(node)
            try:
                yield f"{code} = {eval(code, names)!r}"[:200]
            except Exception as error:
                yield f"{code}: {type(error).__name__}"


def _numbers(text: str) -> set[str]:
    """Return the numbers in a text as plain digits: "14,240" and "14_240" are "14240"."""
    text = re.sub(r"(?<=\d)[_,](?=\d{3}(?!\d))", "", text)
    return {each.lstrip("-−").rstrip(".,") for each in _NUMBER.findall(text)}


def _text(output: Mapping[str, Any]) -> str:
    """Return what an output shows as text, its pictures' labels included."""
    data = output.get("data", {})
    shown = [output.get("text", ""), output.get("evalue", "")]
    shown += [data.get(kind, "") for kind in ("text/plain", "text/html", "text/markdown")]
    whole = " ".join("".join(each) for each in shown)
    return re.sub(r"src=\"data:[^\"]*\"|<style.*?</style>|<[^>]*>", " ", whole, flags=re.DOTALL)
