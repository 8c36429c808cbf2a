"""The resolver's methods against the operators that the installed tflite-micro registers."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

from course_lib import micro, session
from course_lib.formats.tflite_file import schema
from course_lib.micro import __main__ as command
from course_lib.micro import methods

HEADER = """
  TfLiteStatus AddPadV2() {
    return AddBuiltin(BuiltinOperator_PADV2, Register_PADV2(), ParsePadV2);
  }
  TfLiteStatus AddDecode() {
    const TFLMRegistration& registration = tflite::Register_DECODE();
    return AddCustom("TFLM_DECODE", &registration);
  }
"""


def test_a_header_is_read_and_kept(tmp_path: Path, capsys) -> None:
    (tmp_path / "r.h").write_text(HEADER, encoding="utf-8")
    arguments = ["operators", str(tmp_path / "r.h"), "--version", "1", "--folder", str(tmp_path)]
    assert command.main(arguments) == 0
    kept = json.loads((tmp_path / "operators.json").read_text(encoding="utf-8"))
    assert kept["methods"] == {"PADV2": "AddPadV2", "TFLM_DECODE": "AddDecode"}
    (tmp_path / "r.h").write_text("int main;", encoding="utf-8")
    assert command.main(arguments) == 4 and "adds no operators" in capsys.readouterr().err


def test_every_builtin_operator_is_one_of_the_schema() -> None:
    known = {kind for kind in methods.load() if hasattr(schema.BuiltinOperator, kind)}
    assert len(known) >= 100
    rest = {kind for kind in methods.load() if kind not in known}
    assert all(kind.startswith(("Signal", "TFL", "CIRCULAR")) for kind in rest)
    for kind, method in methods.load().items():
        assert f"operators.{method}()" in micro.resolver([kind])
        if kind in known:
            assert method.removeprefix("Add").lower() == kind.replace("_", "").lower()


@pytest.mark.skipif(not micro.available(), reason="tflite-micro is not installed")
def test_the_installed_package_registers_the_same() -> None:
    place = Path(importlib.util.find_spec("tflite_micro").submodule_search_locations[0])
    binary = (place / "python" / "tflite_micro" / "_runtime.so").read_bytes()
    registered = {name.decode() for name in re.findall(rb"\d+Register_([A-Z0-9_]+)Ev", binary)}
    kinds = {kind for kind in registered if hasattr(schema.BuiltinOperator, kind)}
    assert kinds == {kind for kind in methods.load() if hasattr(schema.BuiltinOperator, kind)}
    assert session.data_path("micro", "operators.json").is_file()
