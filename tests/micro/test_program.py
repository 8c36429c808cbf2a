"""The C++ program around a model, run against stand-ins, and the methods of its operators."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from one_operation import Input
from one_operation import model as one

from course_lib import micro, quantize, session, tflite
from course_lib.formats.tflite_file import pack, schema, unpack
from course_lib.micro import __main__ as command
from course_lib.micro import program
from course_lib.micro.device import pcm
from course_lib.micro.interpreter import MicroError
from course_lib.sound import dataset

compiled = pytest.mark.skipif(not shutil.which("g++"), reason="there is no C++ compiler (g++)")
FLAGS = ("-std=c++17", "-Wall", "-Wextra", "-Werror", "-Istubs", "-I.")
HEADER = """
  TfLiteStatus AddPadV2() {
    return AddBuiltin(BuiltinOperator_PADV2, Register_PADV2(), ParsePadV2);
  }
  TfLiteStatus AddDecode() {
    const TFLMRegistration& registration = tflite::Register_DECODE();
    return AddCustom("TFLM_DECODE", &registration);
  }
"""


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


def stubs() -> dict[str, str]:
    """Headers, by path, that let the program be compiled without TensorFlow Lite Micro."""
    place = Path(__file__).parent / "stubs"
    files = {path.relative_to(place).as_posix(): path.read_text() for path in place.rglob("*.h")}
    known = [f"  TfLiteStatus {name}() {{ return Add(); }}" for name in program.methods().values()]
    resolver = "tensorflow/lite/micro/micro_mutable_op_resolver.h"
    comment = "// the methods, one for each operator"
    assert comment in files[resolver]
    files[resolver] = files[resolver].replace(comment, "\n".join(known))
    return files


def call(folder: Path, *command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


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
    with pytest.raises(MicroError, match="no operator called CUSTOM"):
        micro.resolver(["CONV_2D", "CUSTOM"])


# The program


@compiled
def test_it_compiles_against_its_stubs_and_runs(model: bytes, arena: int, tmp_path: Path) -> None:
    files = micro.cpp_program(model, arena)
    folder = written(tmp_path, ("", files), ("stubs", stubs()))
    sources = ["main.cpp", "spotter.cpp", "model_data.cpp"]
    tables = ["log_mel.c", "log_mel_tables.c"]
    parts = [name.replace(".c", ".o") for name in tables]
    for source in tables:
        done = call(folder, "gcc", "-std=c11", *FLAGS[1:4], "-c", source)
        assert done.returncode == 0, done.stderr
    done = call(folder, "g++", *FLAGS, *sources, *parts, "-lm", "-o", "spotter")
    assert done.returncode == 0, done.stderr
    sound = pcm(dataset.bundled("test").waves[:1])
    (folder / "clip.raw").write_bytes(sound.tobytes())
    ran = call(folder, "./spotter", "clip.raw")
    assert ran.returncode == 0 and re.fullmatch(r"clip.raw: \w+, \d+ of 256\n", ran.stdout)
    assert call(folder, "./spotter").returncode == 2
    assert "cannot be read" in call(folder, "./spotter", "nothing.raw").stderr


@compiled
def test_the_sketch_compiles_too(model: bytes, arena: int, tmp_path: Path) -> None:
    folder = written(tmp_path, ("", micro.cpp_program(model, arena)), ("stubs", stubs()))
    flags = [*FLAGS, "-x", "c++", "-fsyntax-only", "spotter.ino"]
    done = call(folder, "g++", *flags)
    assert done.returncode == 0, done.stderr


@compiled
def test_one_operator_too_many_is_noticed(model: bytes, arena: int, tmp_path: Path) -> None:
    """The stand-in refuses as the original does: at run time, when there is no room."""
    files = dict(micro.cpp_program(model, arena))
    count = len(micro.operators(model))
    files["model_settings.h"] = files["model_settings.h"].replace(f"<{count}>", f"<{count - 1}>")
    folder = written(tmp_path, ("", files), ("stubs", stubs()))
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
    assert '= {\n    "a\\"b", "\\\\", "c", "d"};' in settings


def test_the_arena_has_room_and_keeps_its_alignment(model: bytes) -> None:
    settings = micro.cpp_program(model, 12_345)["model_settings.h"]
    (room,) = re.findall(r"kArenaBytes = (\d+);", settings)
    assert int(room) % 16 == 0 and int(room) > 12_345


def test_other_models_are_refused_by_what_they_are() -> None:
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    made = one("SOFTMAX", [Input((1, 4), 0.1)], Input((1, 4), 1 / 256, -128), options, 2)
    with pytest.raises(ValueError, match=r"takes \[1, 4\] INT8"):
        micro.cpp_program(made, 20_000)
    two = one("ADD", [Input((1, 4), 0.1)] * 2, Input((1, 4), 0.2), schema.AddOptionsT(), 2)
    with pytest.raises(ValueError, match="has 2 and 1"):
        micro.cpp_program(two, 20_000)


def test_custom_operators_and_every_subgraph_count(model: bytes) -> None:
    tree = unpack(model)
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = b"SignalRfft"
    graph, operator = schema.SubGraphT(), schema.OperatorT()
    operator.opcodeIndex, graph.operators = len(tree.operatorCodes), [operator]
    tree.operatorCodes.append(code)
    tree.subgraphs.append(graph)
    kinds = micro.operators(pack(tree))
    assert kinds == (*micro.operators(model), "SignalRfft")
    assert "operators.AddRfft()" in micro.resolver(kinds)


def test_a_header_is_read_and_kept(tmp_path: Path, capsys) -> None:
    (tmp_path / "r.h").write_text(HEADER, encoding="utf-8")
    arguments = ["operators", str(tmp_path / "r.h"), "--version", "1", "--folder", str(tmp_path)]
    assert command.main(arguments) == 0
    kept = json.loads((tmp_path / "operators.json").read_text(encoding="utf-8"))
    assert kept["methods"] == {"PADV2": "AddPadV2", "TFLM_DECODE": "AddDecode"}
    (tmp_path / "r.h").write_text("int main;", encoding="utf-8")
    assert command.main(arguments) == 4 and "adds no operators" in capsys.readouterr().err


def test_every_builtin_operator_is_one_of_the_schema() -> None:
    known = {kind for kind in program.methods() if hasattr(schema.BuiltinOperator, kind)}
    assert len(known) >= 100
    rest = {kind for kind in program.methods() if kind not in known}
    assert all(kind.startswith(("Signal", "TFL", "CIRCULAR")) for kind in rest)
    for kind, method in program.methods().items():
        assert f"operators.{method}()" in micro.resolver([kind])
        if kind in known:
            assert method.removeprefix("Add").lower() == kind.replace("_", "").lower()


@pytest.mark.skipif(not micro.available(), reason="tflite-micro is not installed")
def test_the_installed_package_registers_the_same() -> None:
    place = Path(importlib.util.find_spec("tflite_micro").submodule_search_locations[0])
    binary = (place / "python" / "tflite_micro" / "_runtime.so").read_bytes()
    registered = {name.decode() for name in re.findall(rb"\d+Register_([A-Z0-9_]+)Ev", binary)}
    kinds = {kind for kind in registered if hasattr(schema.BuiltinOperator, kind)}
    assert kinds == {kind for kind in program.methods() if hasattr(schema.BuiltinOperator, kind)}
    assert session.data_path("micro", "operators.json").is_file()
