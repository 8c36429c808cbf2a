"""XLA: the compiler whose own graph language, HLO, is read here into the `Graph` of the course."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from course_lib.graph.data import Graph, Node
from course_lib.session import import_tensorflow, quiet

STAGES = ("hlo", "optimized_hlo")
_COMPUTATION = re.compile(r"^(ENTRY\s+)?%?([\w.\-]+)\s*\(.*\{\s*$")
_INSTRUCTION = re.compile(r"^\s*(ROOT\s+)?%?([\w.\-]+) = (\([^)]*\)|\S+) ([\w\-]+)\((.*?)\)(,.*)?$")
_CALLS = re.compile(r"calls=%?([\w.\-]+)")
_WORDS = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "maximum": "Maximum",
    "minimum": "Minimum",
    "negate": "Neg",
    "power": "Pow",
    "constant": "Const",
    "parameter": "Placeholder",
    "reshape": "Identity",
    "copy": "Identity",
    "tuple": "Identity",
    "get-tuple-element": "Identity",
    "bitcast": "Identity",
}


def hlo(function: Callable, *arguments: Any, stage: str = "hlo") -> str:
    """Return the HLO text of `function` for these tensors, before or after XLA's optimisation.

    `stage` is "hlo" or "optimized_hlo". What varies between machines (file names, numbers in the
    names of modules) is taken out.
    """
    if stage not in STAGES:
        raise ValueError(f"There is no stage {stage}: choose one of {', '.join(STAGES)}.")
    tensorflow = import_tensorflow()
    with quiet():
        compiled = tensorflow.function(function, jit_compile=True)
        text = compiled.experimental_get_compiler_ir(*arguments)(stage=stage)
    text = re.sub(r", (metadata|parameter_replication|frontend_attributes)=\{[^}]*\}", "", text)
    return re.sub(r"a_inference_(\w+?)_\d+__[\w.]*", r"\1", text).strip()


def from_hlo(text: str) -> Graph:
    """Return the graph of an HLO module; operations that were fused into one are shown singly.

    Operations get the names of the course (add is Add, parameter is Placeholder); those that only
    pass a value on (reshape, copy, tuple) are Identity. ValueError: there is no ENTRY in the text.
    """
    bodies, entry = _computations(text)
    if entry is None:
        raise ValueError("This text has no ENTRY computation: pass what `hlo` returns.")
    nodes: list[Node] = []
    root = _lay_out(bodies, entry, {}, "", nodes)
    return Graph.sorted(nodes, (root,))


def _computations(text: str) -> tuple[dict[str, list[tuple]], str | None]:
    """Return the instructions of each computation by its name, and the name of the entry."""
    bodies: dict[str, list[tuple]] = {}
    entry = current = None
    for line in text.splitlines():
        if opened := _COMPUTATION.match(line):
            current = opened[2]
            bodies[current] = []
            entry = current if opened[1] else entry
        elif current and (found := _INSTRUCTION.match(line)):
            bodies[current].append(found.groups())
    return bodies, entry


def _lay_out(bodies: dict, name: str, given: dict[int, str], prefix: str, nodes: list[Node]) -> str:
    """Add the nodes of a computation; `given` are the nodes that stand for its parameters."""
    known: dict[str, str] = {}
    root = ""
    for is_root, result, kind, word, inside, rest in bodies[name]:
        reads = tuple(known[operand] for operand in _operands(inside) if operand in known)
        called = _CALLS.search(rest or "")
        if word == "parameter" and int(inside) in given:
            known[result] = given[int(inside)]
        elif word == "fusion" and called:
            known[result] = _lay_out(bodies, called[1], dict(enumerate(reads)), f"{result}/", nodes)
        else:
            node = _node(prefix + result, word, inside, kind)
            nodes.append(
                node if node.operation in ("Const", "Placeholder") else replace(node, inputs=reads)
            )
            known[result] = node.name
        if is_root or not root:
            root = known[result]
    return root


def _node(name: str, word: str, inside: str, kind: str) -> Node:
    value = None
    if word == "constant":
        try:
            value = float(inside)
        except ValueError:
            value = None  # an array: {1, 2, ...}
    shape = re.search(r"\[([\d,]*)\]", kind)
    sizes = tuple(int(n) for n in shape[1].split(",") if n) if shape else None
    return Node(name, _WORDS.get(word, word), (), value, kind.partition("[")[0], sizes)


def _operands(inside: str) -> list[str]:
    marked = re.findall(r"%([\w.\-]+)", inside)
    return marked or [part.split()[-1] for part in inside.split(",") if part.strip()]
