"""Three small C programs that look up one weight: what does each file format ask of its reader?

They are compiled where there is a compiler; otherwise figures measured elsewhere are returned.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = [
    "LIBRARIES",
    "READERS",
    "SHIPPED",
    "SHIPPED_ON",
    "Found",
    "NoCompilerError",
    "Reader",
    "code_sizes",
    "compiled",
    "source",
]

READERS = ("flatbuffer", "protobuf_scan", "protobuf_decode")
"""A FlatBuffer followed; a protobuf walked over; a protobuf turned into objects first."""

SHIPPED = {"flatbuffer": 312, "protobuf_scan": 624, "protobuf_decode": 1446}
"""Bytes of machine code and constants of each reader, where none can be compiled."""
SHIPPED_ON = "gcc 12.2 -Os, x86-64, 2026-11-23"

LIBRARIES = {
    "FlatBuffers": 960,
    "FlatBuffers, verified": 3600,
    "nanopb": 14_552,
    "protobuf-lite": 1_085_656,
}
"""Bytes that each library adds to a program that only reads the file; measured by
benchmarks/flatbuffer.py with Debian 12's FlatBuffers 2.0.8, nanopb 0.4.7, protobuf 3.21.12."""

_FOLDER = Path(__file__).parent
_OPTIONS = ("-Os", "-fPIC", "-fno-asynchronous-unwind-tables", "-w")


class NoCompilerError(OSError):
    """Say that there is no C compiler here, or that it failed."""


@dataclass(frozen=True)
class Found:
    """What one look-up gave and cost: median `seconds`, and the memory asked for in one run."""

    weights: bytes
    seconds: float
    allocations: int
    allocated_bytes: int
    copied: bool


@dataclass(frozen=True)
class Reader:
    """Hold a compiled reader and the bytes of its machine code, without its allocator's."""

    name: str
    code_bytes: int
    library: Any

    def find(self, file: bytes, tensor: str, runs: int = 200) -> Found:
        """Look up a tensor `runs` times; raise `LookupError` where it is not found.

        The file is trusted, as these readers check nothing.
        """
        look_up, length = self.library.first_weight, ctypes.c_uint32()
        look_up.restype = ctypes.c_void_p
        memory = ctypes.create_string_buffer(file, len(file))
        start = ctypes.addressof(memory)
        arguments = (memory, ctypes.c_uint32(len(file)), tensor.encode(), ctypes.byref(length))
        seconds = []
        for _ in range(runs):
            self.library.forget()
            begin = time.perf_counter()
            place = look_up(*arguments)
            seconds.append(time.perf_counter() - begin)
            if not place:
                raise LookupError(f"There is no tensor {tensor!r} in these {len(file)} bytes.")
        counts = [
            ctypes.c_uint32.in_dll(self.library, name).value
            for name in ("allocations", "allocated_bytes")
        ]
        weights = ctypes.string_at(place, length.value)
        self.library.forget()
        return Found(
            weights,
            sorted(seconds)[runs // 2],
            *counts,
            copied=not start <= place < start + len(file),
        )


def source(name: str) -> str:
    """Return the C source of a reader."""
    return (_FOLDER / f"{name}.c").read_text(encoding="utf-8")


def code_sizes() -> tuple[dict[str, int], str]:
    """Return the bytes of machine code of each reader, and where they were compiled."""
    try:
        return {name: compiled(name).code_bytes for name in READERS}, "compiled here"
    except NoCompilerError:
        return dict(SHIPPED), SHIPPED_ON


@cache
def compiled(name: str) -> Reader:
    """Compile a reader, once in a session; takes about 0.1 s.

    Raises NoCompilerError where there is no C compiler, or none that works.
    """
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    sizer = shutil.which("size")
    if compiler is None or sizer is None:
        raise NoCompilerError("There is no C compiler here (cc and size): install gcc or clang.")
    with tempfile.TemporaryDirectory() as folder:
        objects = [Path(folder, f"{part}.o") for part in (name, "count")]
        for each in objects:
            _call(compiler, *_OPTIONS, "-c", str(_FOLDER / f"{each.stem}.c"), "-o", str(each))
        library = Path(folder, f"{name}.so")
        _call(compiler, "-shared", *map(str, objects), "-o", str(library))
        header, numbers = (line.split() for line in _call(sizer, str(objects[0])).splitlines()[:2])
        column = next(index for index, word in enumerate(header) if word in ("text", "__TEXT"))
        return Reader(name, int(numbers[column]), ctypes.CDLL(str(library)))


def _call(*command: str) -> str:
    """Run a tool and return what it prints."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoCompilerError(f"The tool {command[0]} failed: {error}.") from error
    return done.stdout
