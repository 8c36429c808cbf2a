"""Other tools' files beside ours: the recording is today's model's, and comparing is exact."""

from __future__ import annotations

import importlib.util
import json
import math
import re
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from course_lib import quantize, session, tflite
from course_lib.experiments import todays_tools
from course_lib.formats import tflite_file
from course_lib.sound import dataset, features

with_quantizer = pytest.mark.skipif(
    not todays_tools.available(), reason="litert-quantizer is not installed: pip install .[tools]"
)
with_explorer = pytest.mark.skipif(
    importlib.util.find_spec("model_explorer") is None, reason="Model Explorer is not installed"
)
_HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_SCHEMA = {
    "type": "object",
    "required": ["date", "tools", "model", "files", "torch", "explorer"],
    "additionalProperties": False,
    "properties": {
        "date": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
        "tools": {"type": "array", "items": {"pattern": r"^[a-z-]+ \d+\.\d+"}, "minItems": 4},
        "model": _HASH,
        "files": {"type": "object", "additionalProperties": _HASH},
        "torch": {
            "type": "object",
            "required": ["clips", "largest_difference", "channels_last"],
            "properties": {"largest_difference": {"type": "number", "maximum": 1e-4}},
        },
        "explorer": {"type": "object", "required": ["graph", "names", "found"]},
    },
}


@pytest.fixture(scope="module")
def clips() -> np.ndarray:
    return features.of(dataset.bundled("train"))


def _tensors(model: bytes) -> dict[str, dict]:
    """Return what LiteRT itself says of every tensor that has a name, by name."""
    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    runner = Interpreter(model_content=model, experimental_op_resolver_type=kernels)
    runner.allocate_tensors()
    return {
        each["name"]: each["quantization_parameters"] | {"stored": runner.get_tensor(each["index"])}
        for each in runner.get_tensor_details()
        if each["name"].endswith(("/convolution", "/MatMul"))
    }


def test_the_recording_belongs_to_todays_model_and_its_files_are_whole() -> None:
    kept = todays_tools.load()
    jsonschema.validate(kept, _SCHEMA)
    model = tflite.load(todays_tools.SOURCE)
    assert kept["model"] == todays_tools.digest(model), f"Record it: `{todays_tools.COMMAND}`."
    assert kept["files"].keys() == {*todays_tools.RECIPES, "from_torch"}
    assert kept["explorer"]["found"] == kept["explorer"]["names"] > 0
    folder = session.data_path("tools")
    assert {path.stem for path in folder.glob("*.tflite")} == kept["files"].keys()
    for name in kept["files"]:
        assert tflite_file.unpack(todays_tools.recorded(name)).subgraphs
    assert sum(path.stat().st_size for path in folder.iterdir()) < 200_000
    assert todays_tools.date_line().startswith(f"recorded on {kept['date']} with litert-quantizer")


def test_a_changed_or_missing_file_is_not_taken_for_the_recorded_one(monkeypatch, tmp_path) -> None:
    todays_tools.load()
    monkeypatch.setattr(session, "data_path", lambda *parts: tmp_path.joinpath(parts[-1]))
    (tmp_path / "int8.tflite").write_bytes(b"other bytes")
    with pytest.raises(ValueError, match="todays_tools"):
        todays_tools.recorded("int8")
    with pytest.raises(LookupError, match="only dynamic, legacy"):
        todays_tools.recorded("int7")
    todays_tools.load.cache_clear()
    with pytest.raises(FileNotFoundError, match=re.escape(todays_tools.COMMAND)):
        todays_tools.load()


def test_without_the_package_the_recorded_file_is_shown_and_says_so(monkeypatch, clips) -> None:
    monkeypatch.setattr(todays_tools, "PACKAGE", "no_such_package")
    data, where = todays_tools.made("dynamic", clips)
    assert data == todays_tools.recorded("dynamic") and where == todays_tools.date_line()


@pytest.mark.parametrize("one, other", [("legacy", "dynamic"), ("int8", "int8_mixed")])
def test_weights_are_compared_as_litert_reads_them(one: str, other: str) -> None:
    first, second = todays_tools.recorded(one), todays_tools.recorded(other)
    a, b = _tensors(first), _tensors(second)
    pairs = todays_tools.weights_compared(first, second)
    assert len(pairs) == len(a) == 7
    for pair in pairs:
        (name,) = [each for each in a if each.startswith(f"{pair.label}/")]
        assert pair.count == a[name]["stored"].size
        if a[name]["stored"].dtype != b[name]["stored"].dtype:
            assert pair.integers is None and pair.kinds == ("FLOAT32", "INT8")
        else:
            assert pair.integers == np.sum(a[name]["stored"] != b[name]["stored"])
            assert pair.scales == np.sum(a[name]["scales"] != b[name]["scales"])


def test_one_changed_integer_and_one_changed_scale_are_found() -> None:
    whole = todays_tools.recorded("int8")
    tree = tflite_file.unpack(whole)
    plan = quantize.read(whole)
    tensor = tree.subgraphs[0].tensors[plan.weights(plan.named("merge")).index]
    octets = np.array(tree.buffers[tensor.buffer].data)
    octets[5] ^= 1
    tree.buffers[tensor.buffer].data = octets
    scales = tensor.quantization.scale
    tensor.quantization.scale = np.nextafter(scales, np.float32(1))  # as another processor may
    rounded = todays_tools.weights_compared(whole, tflite_file.pack(tree, tflite_file.ALIGNMENT))
    assert [each.scales for each in rounded] == [0] * len(rounded)
    tensor.quantization.scale = scales * np.float32(1.00001)
    changed = tflite_file.pack(tree, tflite_file.ALIGNMENT)
    found = {each.label: each for each in todays_tools.weights_compared(whole, changed)}
    assert (found["merge"].integers, found["merge"].scales) == (1, 1)
    assert not any(each.integers or each.scales for name, each in found.items() if name != "merge")
    with pytest.raises(ValueError, match="There is no layer|are others"):
        todays_tools.weights_compared(whole, todays_tools.recorded("from_torch"))


def test_floats_may_differ_in_the_last_bits_and_no_more() -> None:
    whole = todays_tools.recorded("legacy")
    tree, plan = tflite_file.unpack(whole), quantize.read(whole)
    found = plan.weights(plan.named("listen"))
    place = tree.subgraphs[0].tensors[found.index].buffer
    for factor, differ in ((1 + 1e-7, 0), (1.00001, np.count_nonzero(found.stored))):
        tree.buffers[place].data = (found.stored * np.float32(factor)).view(np.uint8).ravel()
        changed = tflite_file.pack(tree, tflite_file.ALIGNMENT)
        pairs = {each.label: each for each in todays_tools.weights_compared(whole, changed)}
        assert pairs["listen"].integers == differ


def test_operations_are_those_that_litert_runs_and_differences_are_counted() -> None:
    for name in ("int8", "from_torch"):
        model = todays_tools.recorded(name)
        kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        runner = Interpreter(model_content=model, experimental_op_resolver_type=kernels)
        kinds = tuple(each["op_name"] for each in runner._get_ops_details())
        assert todays_tools.operations(model) == kinds
    gone, new = todays_tools.difference("ADD ADD MEAN".split(), "ADD PAD PAD".split())
    assert gone == {"ADD": 1, "MEAN": 1} and new == {"PAD": 2}


def test_pytorchs_file_answers_as_ours(clips: np.ndarray) -> None:
    some = clips[::200]
    ours = tflite.run(tflite.load(todays_tools.SOURCE), some)
    theirs = tflite.run(todays_tools.recorded("from_torch"), some)
    np.testing.assert_allclose(theirs, ours, atol=1e-4)


def test_a_signature_changes_no_answer(clips: np.ndarray) -> None:
    plain = tflite.load(todays_tools.SOURCE)
    signed = todays_tools.with_signature(plain)
    assert Interpreter(model_content=signed).get_signature_list() == {
        "serving_default": {"inputs": ["features"], "outputs": ["probabilities"]}
    }
    np.testing.assert_array_equal(tflite.run(signed, clips[:9]), tflite.run(plain, clips[:9]))


def test_calibration_takes_the_converters_clips_in_order_or_shuffled(clips: np.ndarray) -> None:
    ordered, mixed = todays_tools.calibration(clips), todays_tools.calibration(clips, mixed=True)
    assert len(ordered) == 400 and (ordered[0] == clips[0]).all()
    assert (ordered[-1] == clips[-1]).all() and not np.array_equal(ordered, mixed)
    np.testing.assert_array_equal(np.sort(ordered.sum((1, 2))), np.sort(mixed.sum((1, 2))))
    assert len(todays_tools.calibration(clips[:7])) == 7


def test_node_data_names_tensors_and_leaves_out_what_json_cannot_say() -> None:
    model = todays_tools.recorded("int8")
    text = todays_tools.node_data(model, {"merge": 21.456, "add_1": math.inf}, "noise")
    data = json.loads(text, parse_constant=pytest.fail)
    plan = quantize.read(model)
    name = plan.values[plan.named("merge").outputs[0]].name
    assert data["results"] == {name: {"value": 21.46}} and data["name"] == "noise"
    assert [each["stop"] for each in data["gradient"]] == [0, 1]
    with pytest.raises(ValueError, match="There is no layer"):
        todays_tools.node_data(model, {"marge": 1.0}, "noise")


@with_explorer
def test_model_explorer_knows_every_field() -> None:
    from model_explorer.node_data_builder import GraphNodeData

    text = todays_tools.node_data(todays_tools.recorded("int8"), {"merge": 21.5}, "noise")
    assert GraphNodeData(**json.loads(text)).results


@with_quantizer
@pytest.mark.slow
@pytest.mark.parametrize("name", todays_tools.RECIPES)
def test_the_recorded_files_are_those_of_today(name: str, clips: np.ndarray) -> None:
    """Weights to the bit; ranges nearly, because another processor adds in another order."""
    kept, fresh = todays_tools.recorded(name), todays_tools.quantized(name, clips)
    for pair in todays_tools.weights_compared(kept, fresh):
        assert pair.kinds[0] == pair.kinds[1] and pair.integers == pair.scales == 0
    ranges = [quantize.activation_ranges(model) for model in (kept, fresh)]
    assert ranges[0].keys() == ranges[1].keys()
    for label, ends in ranges[0].items():
        np.testing.assert_allclose(ends, ranges[1][label], rtol=0.02, atol=1e-3)


@with_quantizer
def test_recording_is_one_command(monkeypatch, tmp_path: Path, capsys) -> None:
    command = pytest.importorskip("tools.todays_tools")
    monkeypatch.setattr(command, "record", lambda folder: folder)
    assert (
        command.main(["--folder", str(tmp_path)]) == 0 and str(tmp_path) in capsys.readouterr().out
    )
