"""The engine of a page against the integer layers and LiteRT's kernels, run by Node."""

from __future__ import annotations

import ctypes
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import one_layer
import pytest
from playwright._impl._driver import compute_driver_executable

from course_lib import quantize, tflite
from course_lib.micro import plain_c, wasm
from course_lib.sound import dataset, features
from tools import engine

NODE = compute_driver_executable()[0]  # that comes with Playwright


def test_the_recorded_engine_is_what_its_source_gives() -> None:
    assert engine.compiled() == wasm.engine()
    assert len(wasm.engine()) < 20_000


def test_the_engine_asks_its_page_for_nothing() -> None:
    ask = "const m = new WebAssembly.Module(require('fs').readFileSync(process.argv[1])); "
    ask += "console.log(JSON.stringify(WebAssembly.Module.imports(m)))"
    told = subprocess.run(
        [NODE, "-e", ask, wasm.PROGRAM], capture_output=True, text=True, check=True
    )
    assert json.loads(told.stdout) == []


def test_engine_and_image_number_the_layers_alike() -> None:
    cases = re.findall(r"case (\d+): (\w+)\(", (wasm.FOLDER / "engine.c").read_text())
    assert cases == [(str(place), name) for place, name in enumerate(wasm.functions())]


def test_the_compiler_lays_every_struct_out_as_we_do(tmp_path: Path) -> None:
    """One assertion of C for the size of each type, and for where each member lies."""
    lines = ["#include <stddef.h>", '#include "engine.h"']
    for name, kind in wasm.types().items():
        facts = {f"sizeof({name})": ctypes.sizeof(kind)}
        for member, _ in kind._fields_:
            facts[f"offsetof({name}, {member})"] = getattr(kind, member).offset
        lines += [f'_Static_assert({said} == {n}, "{said}");' for said, n in facts.items()]
    assert len(lines) > 90
    (tmp_path / "facts.c").write_text("\n".join(lines))
    headers = [f"-I{wasm.FOLDER}", f"-I{wasm.PLAIN_C}"]
    command = [sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-freestanding", *headers]
    subprocess.run([*command, "-c", "facts.c", "-o", "facts.o"], cwd=tmp_path, check=True)


def test_a_thousand_clips_give_the_bytes_of_the_integer_layers() -> None:
    clips = dataset.joined(*(dataset.bundled(split) for split in dataset.SPLITS))[:1000]
    assert len(clips) == 1000
    sound = np.clip(np.rint(clips.waves * 32768), -32768, 32767).astype(np.int16)
    model_bytes = tflite.load("spotter_int8")
    answers = wasm.run(plain_c.generate(model_bytes), sound, NODE)
    theirs = quantize.run_integer(model_bytes, answers["features"])
    assert np.array_equal(answers["stored"], theirs.output)
    expected = features.log_mel(sound / np.float32(32768))
    assert abs(answers["features"] - expected).max() < 1e-3  # a step of int8 is 0.04
    kernel = quantize.run_integer(model_bytes, expected).output
    assert (answers["stored"].argmax(1) == kernel.argmax(1)).mean() >= 0.999


@pytest.mark.parametrize("name", one_layer.OPERATIONS)
def test_each_operation_equals_its_kernel(name: str) -> None:
    made, rows, theirs = one_layer.case(name)
    answers = wasm.run(plain_c.generate(made), rows, NODE)["stored"]
    assert np.array_equal(answers, theirs)


def test_an_image_moves_as_a_whole() -> None:
    """Every pointer is in the list, so no address of Python's own is left in it."""
    program = plain_c.generate(tflite.load("spotter_int8"))
    content = wasm.link(program)
    kind = wasm.types()["Image"]
    head = kind.from_buffer_copy(content)
    assert head.bytes == len(content) and len(content) % 16 == 0
    start, count = head.where.value, head.pointers
    where = np.frombuffer(content, "<u4", count, start)
    assert len(set(where.tolist())) == count and start + 4 * count <= len(content)
    targets = [int.from_bytes(content[at : at + 4], "little") for at in where]
    assert all(0 < target < len(content) + program.memory_bytes for target in targets)
    assert content.count(program.model_bytes) == 1
