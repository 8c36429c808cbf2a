"""What compilers make of a graph: Grappler's, XLA's, and the machine code at the end.

The copies of machine code in data/compiler were written by `python -m course_lib.graph.compiler`.
With a folder as its argument, that command compiles the two programs and leaves XLA's dump there:
XLA writes one only when it is told to before TensorFlow is imported, hence a process of its own.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from course_lib import session
from course_lib.graph.data import Graph, Node
from course_lib.graph.trace import from_graph_def
from course_lib.session import internals, processes

PROGRAMS = ("seven_lines", "one_layer")
STAGES = ("hlo", "optimized_hlo")
_KINDS = (*STAGES, "ir", "assembly")
_FEATURES, _CLASSES = 28, 4  # of the layer: as many as the spotter's last one has
_PATIENCE_SECONDS = 90  # most of it for importing TensorFlow on a slow machine
_HLO_ARITHMETIC = re.compile(r" = \S+ (add|subtract|multiply|divide|dot|maximum)\(")
_ARITHMETIC = {
    "hlo": _HLO_ARITHMETIC,
    "optimized_hlo": _HLO_ARITHMETIC,
    "ir": re.compile(r"= (?:\w+ )*?(f(?:add|sub|mul|div|cmp)|select)\b|@llvm\.(fma|maxnum)"),
    # x86-64 first, then ARM
    "assembly": re.compile(
        r"^\s*[0-9a-f]+:\s+(v?(?:add|sub|mul|div|max|min)[sp][sd]|v?fn?m(?:add|sub)\w*"
        r"|f(?:add|sub|mul|div|madd|maxnm|max))\b"
    ),
}
_COMPUTATION = re.compile(r"^(ENTRY\s+)?%?([\w.\-]+)\s*\(.*\{\s*$")
_INSTRUCTION = re.compile(r"^\s*(ROOT\s+)?%?([\w.\-]+) = (\([^)]*\)|\S+) ([\w\-]+)\((.*?)\)(,.*)?$")
_CALLS = re.compile(r"calls=%?([\w.\-]+)")
_COPIES = ("reshape", "copy", "tuple", "get-tuple-element", "bitcast")
_WORDS = {  # HLO's operations in the words of the course
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "maximum": "Maximum",
    "minimum": "Minimum", "negate": "Neg", "power": "Pow", "constant": "Const",
    "parameter": "Placeholder", **dict.fromkeys(_COPIES, "Identity"),
}  # fmt: skip


def seven_lines(var1, var2, var3):
    """Return the result of the program of lesson 01, for its three constants."""
    temp1 = var1 + var2
    temp2 = var1 - var2
    temp3 = temp2 + var3
    return temp1 / temp3


def one_layer(features, kernel, bias):
    """Return relu(features x kernel + bias): one dense layer."""
    import tensorflow

    return tensorflow.nn.relu(tensorflow.linalg.matvec(kernel, features, True) + bias)


def grappler(function: Callable, *arguments: Any) -> Graph:
    """Return the graph of `function` for these arguments after Grappler's usual passes.

    Grappler is the optimiser that TensorFlow runs over every graph before it executes it: it folds
    what is constant, shares what is computed twice, and drops what no result needs.
    """
    tensorflow = session.import_tensorflow()
    with session.quiet():
        graph = tensorflow.function(function).get_concrete_function(*arguments).graph
    outputs = tuple(tensor.op.name for tensor in graph.outputs)
    return from_graph_def(internals.optimized(graph, outputs, twice=True), outputs)


def hlo(function: Callable, *arguments: Any, stage: str = "hlo") -> str:
    """Return the HLO text of `function` for these tensors, before or after XLA's optimisation.

    `stage` is "hlo" or "optimized_hlo". What varies between machines (file names, numbers in the
    names of modules) is taken out.
    """
    if stage not in STAGES:
        raise ValueError(f"There is no stage {stage}: choose one of {', '.join(STAGES)}.")
    tensorflow = session.import_tensorflow()
    with session.quiet():
        jitted = tensorflow.function(function, jit_compile=True)
        return _tidy(jitted.experimental_get_compiler_ir(*arguments)(stage=stage))


def from_hlo(text: str) -> Graph:
    """Return the graph of an HLO module; operations that were fused into one are shown singly.

    Operations get the names of the course (`_WORDS`). ValueError: there is no ENTRY in the text.
    """
    bodies, entry = _computations(text)
    if entry is None:
        raise ValueError("This text has no ENTRY computation: pass what `hlo` returns.")
    nodes: list[Node] = []
    return Graph.sorted(nodes, (_lay_out(bodies, entry, {}, "", nodes),))


def _tidy(text: str) -> str:
    """Return HLO without what describes the machine and the Python that it came from."""
    text = re.sub(r", (metadata|parameter_replication|frontend_attributes)=\{[^}]*\}", "", text)
    return re.sub(r"a_inference_(\w+?)_\d+__[\w.]*", r"\1", text).strip()


def _computations(text: str) -> tuple[dict[str, list[tuple]], str | None]:
    """Return the instructions of each computation by its name, and the name of the entry."""
    bodies: dict[str, list[tuple]] = {}
    entry = current = None
    for line in text.splitlines():
        if opened := _COMPUTATION.match(line):
            current = opened[2]
            bodies[current] = []
            entry = current if opened[1] else entry
        elif current and (instruction := _INSTRUCTION.match(line)):
            bodies[current].append(instruction.groups())
    return bodies, entry


def _lay_out(bodies: dict, name: str, fed: dict[int, str], prefix: str, nodes: list[Node]) -> str:
    """Add the nodes of a computation; `fed` are the nodes that stand for its parameters."""
    known, root = {}, ""
    for is_root, result, kind, word, inside, rest in bodies[name]:
        reads = tuple(known[operand] for operand in _operands(inside) if operand in known)
        called = _CALLS.search(rest or "")
        if word == "parameter" and int(inside) in fed:
            known[result] = fed[int(inside)]
        elif word == "fusion" and called:
            known[result] = _lay_out(bodies, called[1], dict(enumerate(reads)), f"{result}/", nodes)
        else:
            node = _node(prefix + result, word, inside, kind)
            nodes.append(replace(node, inputs=reads) if node.computes else node)
            known[result] = node.name
        if is_root or not root:
            root = known[result]
    return root


def _node(name: str, word: str, inside: str, kind: str) -> Node:
    value = None
    if word == "constant":
        with suppress(ValueError):  # an array: {1, 2, ...}
            value = float(inside)
    shape = re.search(r"\[([\d,]*)\]", kind)
    sizes = tuple(int(n) for n in shape[1].split(",") if n) if shape else None
    return Node(name, _WORDS.get(word, word), (), value, kind.partition("[")[0], sizes)


def _operands(inside: str) -> list[str]:
    # XLA writes "%name" or, in newer releases, "type name"
    marked = re.findall(r"%([\w.\-]+)", inside)
    return marked or [part.split()[-1] for part in inside.split(",") if part.strip()]


@dataclass(frozen=True)
class Compiled:
    """One program in three languages, from the graph down: `hlo`, `ir`, `assembly`.

    HLO is there twice: as XLA read it from the graph, and as XLA rewrote it (`optimized_hlo`).
    `made_here` tells whether this machine compiled it; if not, `reason` says in a sentence why the
    shipped copy stands there, which was made on x86-64.
    """

    name: str
    hlo: str
    optimized_hlo: str
    ir: str
    assembly: str
    made_here: bool
    reason: str = ""

    def arithmetic(self, kind: str = "assembly") -> tuple[str, ...]:
        """Return the names of the instructions that calculate, in order: no loads, no jumps."""
        return tuple(name for _, name in arithmetic(getattr(self, kind), kind))


def arithmetic(text: str, kind: str) -> list[tuple[int, str]]:
    """Return (line number, instruction) for every line of `text` that calculates with floats.

    `kind` is "hlo", "optimized_hlo", "ir" or "assembly"; the first line is 0.
    """
    matches = enumerate(map(_ARITHMETIC[kind].search, text.splitlines()))
    return [(line, next(filter(None, match.groups()))) for line, match in matches if match]


def compiled(name: str) -> Compiled:
    """Return a program ("seven_lines" or "one_layer") in all its forms, down to machine code.

    Where this machine cannot compile or disassemble, the shipped copy is returned, and says so.
    """
    if name not in PROGRAMS:
        raise ValueError(f"There is no program {name}: choose one of {', '.join(PROGRAMS)}.")
    try:
        return _compile_all()[name]
    except OSError as error:
        return shipped(name, str(error))


def shipped(name: str, reason: str) -> Compiled:
    """Return the copy of a program's forms that comes with the course; `reason` says why."""
    folder = session.data_path("compiler")
    texts = [(folder / f"{name}.{kind}.txt").read_text(encoding="utf-8") for kind in _KINDS]
    return Compiled(name, *texts, made_here=False, reason=reason)


@lru_cache(maxsize=1)
def _compile_all() -> Mapping[str, Compiled]:
    """Compile both programs in a process of its own; raise OSError in a sentence where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        command = ("-m", "course_lib.graph.compiler", folder)
        try:
            done = processes.run(*command, seconds=_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise OSError(f"XLA did not answer within {_PATIENCE_SECONDS} seconds.") from None
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:]
            raise OSError(f"XLA could not compile here: {' '.join(last)}")
        return {name: _read(Path(folder), name) for name in PROGRAMS}


def _read(folder: Path, name: str) -> Compiled:
    """Collect what XLA left of one program: its first and last HLO, its IR, its object files."""
    endings = ("before_optimizations.txt", "cpu_after_optimizations.txt", ".ir-with-opt.ll", ".o")
    left = [sorted(folder.glob(f"*inference_{name}_*{ending}")) for ending in endings]
    if not all(left):
        raise OSError("This version of XLA leaves no such dump.")
    before, after = (_tidy(paths[0].read_text("utf-8")) for paths in left[:2])
    ir = "\n".join(_body_of_ir(path.read_text("utf-8")) for path in left[2])
    assembly = "\n".join(map(_disassemble, left[3]))
    return Compiled(name, before, after, ir.strip(), assembly.strip(), made_here=True)


def _disassemble(path: Path) -> str:
    tool = shutil.which("objdump") or shutil.which("llvm-objdump")
    if tool is None:
        raise OSError("There is no objdump here to read machine code with.")
    done = subprocess.run(
        [tool, "-d", "--no-show-raw-insn", str(path)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OSError(f"objdump could not read the object file: {done.stderr.strip()[:100]}")
    lines = done.stdout.splitlines()
    start = next((n for n, line in enumerate(lines) if re.match(r"[0-9a-f]+ <", line)), 0)
    return "\n".join(lines[start:])


def _body_of_ir(text: str) -> str:
    lines = re.sub(r", ![\w.]+ !\d+", "", text).splitlines()
    start = next((n for n, line in enumerate(lines) if line.startswith("define")), 0)
    stop = next((n for n, line in enumerate(lines) if line.startswith("attributes")), len(lines))
    return "\n".join(lines[start:stop])


def _dump(folder: str) -> None:
    """Import TensorFlow and compile both programs, with XLA's dump written into `folder`."""
    flags = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = f"{flags} --xla_dump_to={folder}".strip()
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # the course reads a CPU's code
    import tensorflow

    numbers = [tensorflow.constant(value) for value in (6.0, 2.0, 4.0)]
    tensorflow.function(seven_lines, jit_compile=True)(*numbers)
    arrays = [tensorflow.zeros(size) for size in (_FEATURES, (_FEATURES, _CLASSES), _CLASSES)]
    tensorflow.function(one_layer, jit_compile=True)(*arrays)


def _ship() -> None:
    """Write the copies that come with the course; run it on x86-64 Linux with objdump."""
    for name, result in _compile_all().items():
        for kind in _KINDS:
            path = session.data_path("compiler", f"{name}.{kind}.txt")
            session.write_atomically(path, getattr(result, kind) + "\n")


if __name__ == "__main__":
    _dump(sys.argv[1]) if len(sys.argv) > 1 else _ship()
