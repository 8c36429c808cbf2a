"""The model in a page: one engine for all models, and a model laid out as the bytes it runs.

The engine is `micro.plain_c`'s layers and features, compiled to WebAssembly once: `engine.wasm`,
which `python -m tools.engine` makes from `engine/c`. It is the same for every model, so a student's
own needs no compiler. `link` does with a model what a linker does with model.c: first the head that
`engine.h` describes, then the .tflite file, the tables of the layers, the steps, and a list of all
places that hold a pointer. The types are read from the C headers and laid out as a compiler for
wasm32 does: little-endian, pointers of four bytes, every field aligned.
"""

import ctypes
import re
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from course_lib.micro.plain_c import Program
from course_lib.micro.plain_c.generation import FOLDER as PLAIN_C
from course_lib.micro.plain_c.layers import Call, Place

FOLDER = Path(__file__).parent / "engine" / "c"
PROGRAM = FOLDER.with_name("engine.wasm")
_HOST = FOLDER.with_name("host.mjs")
_ALIGNMENT = 16
_PLACES = 3  # of a step in engine.h: what a layer reads, or two, and what it writes


class _Pointer(ctypes.c_uint32):
    """An address in the memory of the engine; 0 points to nothing."""


_NUMBERS = {
    "int8_t": ctypes.c_int8,
    "uint8_t": ctypes.c_uint8,
    "int16_t": ctypes.c_int16,
    "int32_t": ctypes.c_int32,
    "uint32_t": ctypes.c_uint32,
    "float": ctypes.c_float,
}


def engine() -> bytes:
    """Return the recorded program; it imports nothing, and its exports stand in engine.c."""
    return PROGRAM.read_bytes()


def link(program: Program) -> bytes:
    """Return a program's model as the engine reads it; it ends at a multiple of 16 bytes."""
    size = len(_laid_out(program, 0, 1))
    return _laid_out(program, size, size)  # the memory that all tensors share lies behind it


def run(program: Program, clips: np.ndarray, node: str) -> np.ndarray:
    """Run the engine in `node`, the path of Node, on clips: a row of a structured array for each.

    `clips` are int8 inputs, (n, …), or int16 sound, (n, 16000), at 16 kHz. `stored` are the int8
    numbers that the model answers; to sound, `features` (49, 40) float32 are what it heard. Raises
    subprocess.CalledProcessError where Node is too old for it.
    """
    sound = clips.dtype == np.int16
    row = [("stored", np.int8, program.output_bytes)]
    row += [("features", "<f4", (49, 40))] if sound else []
    with tempfile.TemporaryDirectory() as name:
        image, asked, told = (Path(name, each) for each in ("model", "clips", "answers"))
        image.write_bytes(link(program))
        clips.tofile(asked)
        command = [node, _HOST, PROGRAM, image, "sound" if sound else "input", asked, told]
        subprocess.run(command, check=True, capture_output=True)
        return np.fromfile(told, row)


@cache
def types() -> dict[str, type[ctypes.Structure]]:
    """Return the structs of layers.h and engine.h by their names."""
    known: dict[str, type] = dict(_NUMBERS)
    for path in (PLAIN_C / "layers.h", FOLDER / "engine.h"):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for body, name in re.findall(r"typedef struct \{(.*?)\} (\w+);", text, re.DOTALL):
            members = {"_fields_": list(_fields(body, known))}
            known[name] = type(name, (ctypes.LittleEndianStructure,), members)
    return {name: kind for name, kind in known.items() if name not in _NUMBERS}


@cache
def functions() -> tuple[str, ...]:
    """Return the functions of layers.h; the engine knows each by its place here."""
    text = (PLAIN_C / "layers.h").read_text(encoding="utf-8")
    return tuple(re.findall(r"^void (\w+)\(", text, re.MULTILINE))


@dataclass
class _Image:
    """Bytes that grow, where each part of them begins, and which of them are pointers."""

    starts: dict[str, int]
    content: bytearray = field(default_factory=bytearray)
    pointers: list[int] = field(default_factory=list)

    def add(self, name: str, data: bytes) -> None:
        """Put bytes at the end, at a multiple of 16."""
        self.content += bytes(-len(self.content) % _ALIGNMENT)
        self.starts[name] = len(self.content)
        self.content += data

    def fill(self, name: str, kind: type, numbers: Iterable[int | float | str]) -> None:
        """Put a struct at the end, or in the place that is kept for it; texts are addresses."""
        if name not in self.starts:
            self.add(name, bytes(ctypes.sizeof(kind)))
        start = self.starts[name]
        for (offset, scalar), number in zip(_scalars(kind), numbers, strict=True):
            if issubclass(scalar, _Pointer):
                number = self._address(str(number))
                self.pointers += [start + offset] * (number > 0)
            elif isinstance(number, str):
                number = int(number)
            struct.pack_into(f"<{scalar._type_}", self.content, start + offset, number)

    def _address(self, expression: str) -> int:
        """Return what `layer_0`, `model_file + 128` or `0` stand for, counted from the start."""
        name, _, offset = expression.partition(" + ")
        return int(name) if name.isdigit() else self.starts[name] + int(offset or 0)


def _laid_out(program: Program, size: int, memory: int) -> bytes:
    """Return an image of `size` bytes, with the shared memory at `memory` from its start."""
    kinds, laid = types(), _Image({"memory": memory})
    laid.add("head", bytes(ctypes.sizeof(kinds["Image"])))
    laid.add("model_file", program.model_bytes)
    for table in program.tables:
        if isinstance(table.content, str):
            numbers = re.sub(r"[{}]", "", table.content).split(",")
            laid.fill(table.name, kinds[table.kind], [number.strip() for number in numbers])
        else:
            laid.add(table.name, np.asarray(table.content, table.kind[:-2]).tobytes())
    calls = [call for call in program.calls if call.function]  # a reshape moves nothing
    numbers = [number for call in calls for number in _step(call)]
    laid.fill("steps", kinds["Step"] * len(calls), numbers)
    first, last = (program.plan.values[at[0]] for at in (program.plan.inputs, program.plan.outputs))
    pointers = len(laid.pointers) + 3  # `first`, `input` and `output` are filled in below
    head = [size, program.memory_bytes, pointers, len(calls), 0, "steps"]
    head += [_text(place) for place in program.ends]
    head += [int(np.prod(first.shape)), int(np.prod(last.shape))]
    laid.fill("head", kinds["Image"], [*head, float(first.grid.scale), int(first.grid.zero_point)])
    laid.add("pointers", np.asarray(laid.pointers, "<u4").tobytes())
    where = ctypes.sizeof(ctypes.c_uint32) * 4  # which the engine moves by itself
    struct.pack_into("<I", laid.content, where, laid.starts["pointers"])
    return bytes(laid.content) + bytes(-len(laid.content) % _ALIGNMENT)


def _step(call: Call) -> Iterator[int | str]:
    """Yield the numbers of a Step."""
    yield from (functions().index(call.function), call.times, call.table)
    for place in call.places:
        yield from (_text(place), place.stride)
    yield from [0] * 2 * (_PLACES - len(call.places))


def _text(place: Place) -> str:
    return f"{place.block} + {place.start}"


def _fields(body: str, known: dict[str, type]) -> Iterator[tuple[str, type]]:
    """Yield the members of a struct: `const int8_t *shifts;`, `int16_t above, left;`, `…[4]`."""
    for kind, names in re.findall(r"(?:const )?(\w+) ([^;]+);", body):
        for star, name, count in re.findall(r"(\*?)(\w+)(?:\[(\d+)\])?", names):
            one = _Pointer if star else known[kind]
            yield name, one * int(count) if count else one


def _scalars(kind: type, start: int = 0) -> Iterator[tuple[int, type]]:
    """Yield where each number of a type lies, from its start, and its type."""
    if issubclass(kind, ctypes.Array):
        for place in range(kind._length_):
            yield from _scalars(kind._type_, start + place * ctypes.sizeof(kind._type_))
    elif issubclass(kind, ctypes.Structure):
        for name, one in kind._fields_:
            yield from _scalars(one, start + getattr(kind, name).offset)
    else:
        yield start, kind
