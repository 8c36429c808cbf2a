"""From a program to machine code: HLO, LLVM IR, assembly, made here or read from a copy.

The copies in data/compiler were written by `python -m course_lib.graph.compiler`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from course_lib.session import data_path, processes, write_atomically

PROGRAMS = ("seven_lines", "one_layer")
_KINDS = ("hlo", "optimized_hlo", "ir", "assembly")
_PATIENCE_SECONDS = 90
_ARITHMETIC = {
    "ir": re.compile(r"= (?:\w+ )*?(f(?:add|sub|mul|div|cmp)|select)\b|@llvm\.(fma|maxnum)"),
    "assembly": re.compile(
        r"^\s*[0-9a-f]+:\s+(v?(?:add|sub|mul|div|max|min)[sp][sd]|v?fn?m(?:add|sub)\w*"
        r"|f(?:add|sub|mul|div|madd|maxnm|max))\b"
    ),
    "hlo": re.compile(r" = \S+ (add|subtract|multiply|divide|dot|maximum)\("),
}
_ARITHMETIC["optimized_hlo"] = _ARITHMETIC["hlo"]


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
    found = []
    for line, content in enumerate(text.splitlines()):
        match = _ARITHMETIC[kind].search(content)
        if match:
            found.append((line, next(group for group in match.groups() if group)))
    return found


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
    folder = data_path("compiler")
    texts = [(folder / f"{name}.{kind}.txt").read_text(encoding="utf-8") for kind in _KINDS]
    return Compiled(name, *texts, made_here=False, reason=reason)


@lru_cache(maxsize=1)
def _compile_all() -> Mapping[str, Compiled]:
    """Compile both programs in a process of its own; raise OSError in a sentence where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = processes.run(
                *("-m", "course_lib.graph.compiler.programs", folder), seconds=_PATIENCE_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise OSError(f"XLA did not answer within {_PATIENCE_SECONDS} seconds.") from None
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:]
            raise OSError(f"XLA could not compile here: {' '.join(last)}")
        return {name: _read(Path(folder), name) for name in PROGRAMS}


def _read(folder: Path, name: str) -> Compiled:
    """Collect what XLA left of one program: its first and last HLO, its IR, its object files."""
    files = sorted(path for path in folder.iterdir() if f"inference_{name}_" in path.name)
    ir = [path.read_text() for path in files if path.name.endswith(".ir-with-opt.ll")]
    before = [path for path in files if path.name.endswith("before_optimizations.txt")]
    after = [path for path in files if path.name.endswith("cpu_after_optimizations.txt")]
    objects = [path for path in files if path.suffix == ".o"]
    if not (ir and before and after and objects):
        raise OSError("This version of XLA leaves no such dump.")
    assembly = "\n".join(_disassemble(path) for path in objects)
    graphs = [_tidy(path[0].read_text(), name) for path in (before, after)]
    texts = (*graphs, "\n".join(map(_body_of_ir, ir)).strip(), assembly.strip())
    return Compiled(name, *texts, made_here=True)


def _tidy(hlo: str, name: str) -> str:
    """Return HLO without what describes the machine and the Python that it came from."""
    hlo = re.sub(r", (metadata|parameter_replication|frontend_attributes)=\{[^}]*\}", "", hlo)
    return re.sub(rf"a_inference_{name}_\w[\w.]*", name, hlo).strip()


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
    """Return the functions of an LLVM module, without attributes and metadata."""
    lines = re.sub(r", ![\w.]+ !\d+", "", text).splitlines()
    start = next((n for n, line in enumerate(lines) if line.startswith("define")), 0)
    stop = next((n for n, line in enumerate(lines) if line.startswith("attributes")), len(lines))
    return "\n".join(lines[start:stop])


def ship() -> None:
    """Write the copies that come with the course; run it on x86-64 Linux with objdump."""
    for name, result in _compile_all().items():
        for kind in _KINDS:
            text = getattr(result, kind) + "\n"
            write_atomically(data_path("compiler", f"{name}.{kind}.txt"), text)
