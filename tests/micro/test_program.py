"""The C array and the C++ program around it: compiled, linked and run against stand-ins."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib import micro, quantize, tflite
from course_lib.formats.tflite_file import schema
from course_lib.micro.program import _KNOWN
from course_lib.sound import dataset, features

compiled = pytest.mark.skipif(not shutil.which("g++"), reason="there is no C++ compiler (g++)")
FLAGS = ("-std=c++17", "-Wall", "-Wextra", "-Werror", "-Istubs", "-I.")


@pytest.fixture(scope="module")
def model() -> bytes:
    return tflite.load("spotter_int8")


@pytest.fixture(scope="module")
def arena(model: bytes) -> int:
    return micro.arena_of(model, runs=1).smallest_bytes


def written(folder: Path, *groups: tuple[str, dict]) -> Path:
    for place, files in groups:
        for name, text in files.items():
            path = folder / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return folder


def call(folder: Path, *command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


# The array


@given(st.binary(min_size=1, max_size=300))
def test_an_array_gives_its_bytes_back(data: bytes) -> None:
    source = micro.c_array(data, "some_name")
    assert micro.read_c_array(source, "some_name") == data
    assert f"some_name_bytes = {len(data)};" in source and "aligned(16)" in source


def test_what_is_no_array_is_refused() -> None:
    for data, name, reason in (
        (b"", "a", "no bytes"),
        (b"a", "1a", "no name"),
        (b"a", "", "no name"),
    ):
        with pytest.raises(ValueError, match=reason):
            micro.c_array(data, name)
    with pytest.raises(LookupError, match="no array called other"):
        micro.read_c_array(micro.c_array(b"abc", "model"), "other")


def test_the_array_runs_as_the_file_does(model: bytes) -> None:
    data = micro.read_c_array(micro.c_array(model))
    assert data == model
    if micro.available():
        rows = features.of(dataset.bundled("test"))[:3]
        assert np.array_equal(micro.run(data, rows), micro.run(model, rows))


# The operators


def test_the_resolver_lists_exactly_the_operators_of_the_file(model: bytes) -> None:
    kinds = {operation.kind for operation in quantize.read(model).operations}
    assert set(micro.operators(model)) == kinds
    source = micro.resolver(micro.operators(model))
    assert source.count("operators.Add") == len(kinds)
    assert f"MicroMutableOpResolver<{len(kinds)}>" in source


def test_names_are_spelled_as_the_library_does() -> None:
    source = micro.resolver(["CONV_2D", "DEPTHWISE_CONV_2D", "PADV2", "RELU6", "L2_NORMALIZATION"])
    found = re.findall(r"operators\.(Add\w+)", source)
    wanted = ["AddConv2D", "AddDepthwiseConv2D", "AddPadV2", "AddRelu6", "AddL2Normalization"]
    assert found == wanted
    with pytest.raises(micro.MicroError, match="no operator called CUSTOM"):
        micro.resolver(["CONV_2D", "CUSTOM"])


# The program


@compiled
def test_it_compiles_against_its_stubs_and_runs(model: bytes, arena: int, tmp_path: Path) -> None:
    files = micro.cpp_program(model, arena)
    folder = written(tmp_path, ("", files), ("stubs", micro.stubs()))
    sources = ["main.cpp", "spotter.cpp", "model_data.cpp"]
    tables = ["log_mel.c", "log_mel_tables.c"]
    parts = [name.replace(".c", ".o") for name in tables]
    for source in tables:
        done = call(folder, "gcc", "-std=c11", *FLAGS[1:4], "-c", source)
        assert done.returncode == 0, done.stderr
    done = call(folder, "g++", *FLAGS, *sources, *parts, "-lm", "-o", "spotter")
    assert done.returncode == 0, done.stderr
    sound = micro.pcm(dataset.bundled("test").waves[:1])
    (folder / "clip.raw").write_bytes(sound.tobytes())
    ran = call(folder, "./spotter", "clip.raw")
    assert ran.returncode == 0 and re.fullmatch(r"clip.raw: \w+, \d+ of 256\n", ran.stdout)
    assert call(folder, "./spotter").returncode == 2
    assert "cannot be read" in call(folder, "./spotter", "nothing.raw").stderr


@compiled
def test_the_sketch_compiles_too(model: bytes, arena: int, tmp_path: Path) -> None:
    folder = written(tmp_path, ("", micro.cpp_program(model, arena)), ("stubs", micro.stubs()))
    flags = [*FLAGS, "-x", "c++", "-fsyntax-only", "spotter.ino"]
    done = call(folder, "g++", *flags)
    assert done.returncode == 0, done.stderr


@compiled
def test_one_operator_too_many_is_noticed(model: bytes, arena: int, tmp_path: Path) -> None:
    """The stand-in refuses as the original does: at run time, when there is no room."""
    files = dict(micro.cpp_program(model, arena))
    count = len(micro.operators(model))
    files["model_settings.h"] = files["model_settings.h"].replace(f"<{count}>", f"<{count - 1}>")
    folder = written(tmp_path, ("", files), ("stubs", micro.stubs()))
    sources = [name for name in files if name.endswith((".cpp", ".c"))]
    done = call(folder, "g++", "-Istubs", "-I.", "-x", "c++", *sources, "-o", "spotter")
    assert done.returncode == 0, done.stderr
    assert "could not be set up" in call(folder, "./spotter", "x").stderr


@compiled
def test_the_compiled_array_is_the_file(model: bytes, tmp_path: Path) -> None:
    array = "#include <cstdint>\n#include <cstdio>\n" + micro.c_array(model, "bytes_of_file")
    main = "int main() { fwrite(bytes_of_file, 1, bytes_of_file_bytes, stdout); }\n"
    (tmp_path / "dump.cpp").write_text(array + main, encoding="utf-8")
    assert call(tmp_path, "g++", "-Wall", "-Werror", "dump.cpp", "-o", "dump").returncode == 0
    assert subprocess.run([tmp_path / "dump"], capture_output=True).stdout == model


def test_labels_have_to_fit(model: bytes) -> None:
    with pytest.raises(ValueError, match="2 labels"):
        micro.cpp_program(model, 20_000, ("one", "two"))
    settings = micro.cpp_program(model, 20_000, ('a"b', "\\", "c", "d"))["model_settings.h"]
    assert r'{"a\"b", "\\", "c", "d"}' in settings


def test_the_arena_has_room_and_keeps_its_alignment(model: bytes) -> None:
    settings = micro.cpp_program(model, 12_345)["model_settings.h"]
    (room,) = re.findall(r"kArenaBytes = (\d+);", settings)
    assert int(room) % 16 == 0 and int(room) > 12_345


def test_every_known_operator_is_one_of_the_schema() -> None:
    assert all(hasattr(schema.BuiltinOperator, kind) for kind in _KNOWN)
