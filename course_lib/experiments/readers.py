"""Three small C programs that look up one weight, to see what each file format asks of a reader.

They lie in `first_weight/` and are compiled where there is a compiler; otherwise figures measured
elsewhere are returned, from `data/readers`, which `python -m benchmarks.flatbuffer` writes.
"""

import ctypes
import json
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from course_lib import session

# A FlatBuffer followed; a protobuf walked over; a protobuf turned into objects first.
READERS = ("flatbuffer", "protobuf_scan", "protobuf_decode")
RECORD = ("readers", "code.json")  # the figures measured elsewhere, below the bundled data

_FOLDER = Path(__file__).with_name("first_weight")
_OPTIONS = ("-Os", "-fPIC", "-fno-asynchronous-unwind-tables", "-w")  # small, as for a chip


class NoCompilerError(OSError):
    """There is no C compiler here, or it failed."""


@dataclass(frozen=True)
class LookUp:
    """What one look-up gave and cost: median `seconds`, and the memory asked for in one run."""

    weights: bytes
    seconds: float
    allocations: int
    allocated_bytes: int
    copied: bool


@dataclass(frozen=True)
class Reader:
    """A compiled reader and the bytes of its machine code, without its allocator's."""

    code_bytes: int
    library: Any

    def find(self, file: bytes, tensor: str, runs: int = 200) -> LookUp:
        """Look up a tensor `runs` times; raises LookupError where it is not there.

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
        weights = ctypes.string_at(place, length.value)  # before `forget` frees them
        self.library.forget()
        copied = not start <= place < start + len(file)
        return LookUp(weights, sorted(seconds)[runs // 2], *counts, copied)


def code_sizes() -> tuple[dict[str, int], str]:
    """Return the bytes of machine code of each reader, and where they were compiled."""
    try:
        return {name: compiled(name).code_bytes for name in READERS}, "compiled here"
    except NoCompilerError:
        return recorded()["readers"], recorded()["compiled_with"]


@cache
def recorded() -> dict[str, Any]:
    """Return bytes of machine code measured elsewhere: of `readers`, and of whole `libraries`.

    Those are what a library adds to a program that only reads the file; `compiled_with` is a text.
    """
    return json.loads(session.data_path(*RECORD).read_text(encoding="utf-8"))


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
        return Reader(int(numbers[column]), ctypes.CDLL(str(library)))


def _call(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoCompilerError(f"The tool {command[0]} failed: {error}.") from error
    return done.stdout
