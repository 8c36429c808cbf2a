"""Today's tools beside ours: LiteRT's quantizer, Model Explorer, a way from PyTorch to .tflite.

None of them is required: `made` asks the quantizer where it is installed, and everywhere else
returns the file that it made on the day of the recording, which lies in data/tools.
"""

import importlib.util
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from course_lib import quantize, session, tflite
from course_lib.formats import tflite_file
from course_lib.formats.tflite_file import schema
from course_lib.micro.record import digest

PACKAGE = "litert_quantizer"
HERE = "made here, just now"
COMMAND = "python -m tools.todays_tools"
SOURCE = "spotter_float32"  # the shipped model that every recipe starts from
_SIGNATURE = "serving_default"
_CLIPS = 400  # as many as `tflite.convert` takes
_FAINT, _STRONG = "#D7301F", "#F7FCF5"  # the layer with the fewest decibels, and with the most


@dataclass(frozen=True)
class Recipe:
    """What the quantizer is told: bits of `weights`, and of what flows (0: that stays in floats).

    Tensors of fewer than `smallest` weights stay in floats; layers in `four` get weights of four
    bits, found by `search`. With `mixed`, the clips of the calibration are shuffled first.
    """

    told: str
    flow: int = 0
    per_channel: bool = True
    smallest: int = 0
    four: tuple[str, ...] = ()
    search: str = "min_max_uniform_quantize"
    mixed: bool = False


_TWO = ("merge", "follow_3")  # the layers that lesson 27 would pack first
RECIPES: Mapping[str, Recipe] = {
    "dynamic": Recipe("int8 weights, computed in floats"),
    "legacy": Recipe("the same, but small tensors stay floats", smallest=1024),
    "int8": Recipe("int8, one scale a tensor, clips in order", flow=8, per_channel=False),
    "int8_mixed": Recipe("the same, clips shuffled", flow=8, per_channel=False, mixed=True),
    "four": Recipe("two layers in four bits", flow=8, four=_TWO, mixed=True),
    "four_octav": Recipe("the same, scales sought", 8, four=_TWO, search="OCTAV", mixed=True),
}
"""Our recipes of lessons 07 and 27, as LiteRT's quantizer is told them."""


def available() -> bool:
    """Say whether LiteRT's quantizer is installed."""
    return importlib.util.find_spec(PACKAGE) is not None


@lru_cache(maxsize=1)
def load() -> dict[str, Any]:
    """Return what was recorded. Raises FileNotFoundError that says how to make it."""
    path = session.data_path("tools", "todays_tools.json")
    if not path.is_file():
        raise FileNotFoundError(f"Nothing is recorded of these tools: make it with `{COMMAND}`.")
    return json.loads(path.read_text(encoding="utf-8"))


def date_line() -> str:
    """Return a sentence part that says when and with what the files were recorded."""
    return f"recorded on {load()['date']} with {', '.join(load()['tools'])}"


def recorded(name: str) -> bytes:
    """Return a recorded .tflite file. Raises LookupError that lists them, ValueError for another's.

    A file belongs to the recording where its hash stands in it.
    """
    files = load()["files"]
    if name not in files:
        raise LookupError(f"There is no recorded file {name!r}, only {', '.join(files)}.")
    data = session.data_path("tools", f"{name}.tflite").read_bytes()
    if digest(data) != files[name]:
        raise ValueError(f"data/tools/{name}.tflite was changed: make it with `{COMMAND}`.")
    return data


def made(name: str, clips: np.ndarray) -> tuple[bytes, str]:
    """Return the .tflite file that the quantizer makes after a recipe, and where that happened.

    `clips` (n, 49, 40) are features for the calibration. Without the package it is the recorded
    file.
    """
    if available():
        return quantized(name, clips), HERE
    return recorded(name), date_line()


def quantized(name: str, clips: np.ndarray) -> bytes:
    """Have LiteRT's quantizer make a file after a recipe from the shipped float model.

    Takes ten seconds where ranges have to be found. Raises ImportError where it is not installed.
    """
    from litert_quantizer import qtyping, quantizer

    recipe, operations = RECIPES[name], qtyping.TFLOperationName
    model = with_signature(tflite.load(SOURCE))
    maker = quantizer.Quantizer(bytearray(model))
    sizes = qtyping.QuantGranularity
    shared = sizes.CHANNELWISE if recipe.per_channel else sizes.TENSORWISE
    if recipe.flow:
        maker.add_static_config(".*", operations.ALL_SUPPORTED, recipe.flow, 8, shared)
    else:
        maker.load_quantization_recipe([_dynamic(recipe.smallest)])
    if recipe.four:
        layers = "|".join(recipe.four)
        maker.add_static_config(
            layers, operations.CONV_2D, recipe.flow, 4, algorithm_key=recipe.search
        )
    found = None
    with session.quiet():
        if maker.need_calibration:
            first = quantize.read(model)
            name_of = first.values[first.inputs[0]].name
            rows = calibration(clips, recipe.mixed)
            samples = [{name_of: row.reshape(1, *row.shape, 1)} for row in rows]
            found = maker.calibrate({_SIGNATURE: samples}, num_threads=1)
        return bytes(maker.quantize(found).quantized_model)


def calibration(clips: np.ndarray, mixed: bool = False) -> np.ndarray:
    """Return the clips that `tflite.convert` calibrates with, in their order or shuffled."""
    rows = clips[np.linspace(0, len(clips) - 1, min(_CLIPS, len(clips))).astype(int)]
    return rows[np.random.default_rng(47).permutation(len(rows))] if mixed else rows


def with_signature(model_bytes: bytes) -> bytes:
    """Return a model with a signature, which names its ends: the quantizer runs nothing else."""
    tree = tflite_file.unpack(model_bytes)
    graph, signature = tree.subgraphs[0], schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = _SIGNATURE.encode(), 0
    for field, places in (("inputs", graph.inputs), ("outputs", graph.outputs)):
        ends = []
        for place in places:
            end = schema.TensorMapT()
            end.name, end.tensorIndex = graph.tensors[place].name, int(place)
            ends.append(end)
        setattr(signature, field, ends)
    tree.signatureDefs = [signature]
    return tflite_file.pack(tree, tflite_file.ALIGNMENT)


@dataclass(frozen=True)
class Compared:
    """One layer's weights in two files: their kinds, how many, how many numbers or scales differ.

    Floats and scales that agree to a millionth count as equal. Where only one of the files has
    integers, both counts are None.
    """

    label: str
    kinds: tuple[str, str]
    count: int
    integers: int | None
    scales: int | None


def weights_compared(one: bytes, other: bytes) -> tuple[Compared, ...]:
    """Compare the stored weights of two .tflite files, layer by layer.

    Raises ValueError where a layer of `one` is missing in `other` or has another shape there.
    """
    first, second = quantize.read(one), quantize.read(other)
    found = []
    for label in first.kernels:
        a, b = (plan.weights(plan.named(label)) for plan in (first, second))
        if b is None or a.shape != b.shape:
            raise ValueError(f"The weights of {label} are others in the second file.")
        integers = scales = None
        if (a.grid is None) == (b.grid is None):
            integers = _unequal(a.stored, b.stored)
            scales = 0 if a.grid is None else _unequal(a.grid.scale, b.grid.scale)
        found.append(Compared(label, (a.kind, b.kind), a.stored.size, integers, scales))
    return tuple(found)


def _unequal(one: Any, other: Any) -> int:
    """Count the numbers that differ; where there are not as many, the larger number of them.

    Another processor may fold a norm into weights of which the last bits differ: a millionth is
    eight times the precision of float32. Integers that differ are further apart than that.
    """
    one, other = np.atleast_1d(one), np.atleast_1d(other)
    if one.shape != other.shape:
        return max(one.size, other.size)
    return int(np.count_nonzero(~np.isclose(one, other, rtol=1e-6, atol=0)))


def operations(model_bytes: bytes) -> tuple[str, ...]:
    """Return the kinds of a model's operations, in the order in which they run."""
    return tuple(operation.kind for operation in quantize.read(model_bytes).operations)


def difference(one: Iterable[str], other: Iterable[str]) -> tuple[Counter, Counter]:
    """Return what only the first list of operations has, and what only the second, counted."""
    first, second = Counter(one), Counter(other)
    return first - second, second - first


def node_data(model_bytes: bytes, decibels: Mapping[str, float], name: str) -> str:
    """Return a node data file for Model Explorer: a value and a colour for each layer, as JSON.

    `decibels` maps labels to values; the file wants names of output tensors. Layers without noise
    are left out, because JSON knows no infinity. Raises ValueError for an unknown layer.
    """
    plan = quantize.read(model_bytes)
    results = {
        plan.values[plan.named(label).outputs[0]].name: {"value": round(float(value), 2)}
        for label, value in decibels.items()
        if math.isfinite(value)
    }
    colours = [{"stop": 0, "bgColor": _FAINT}, {"stop": 1, "bgColor": _STRONG}]
    graph = {"name": name, "results": results, "gradient": colours}
    return json.dumps(graph, indent=1)


def _dynamic(smallest: int) -> dict[str, Any]:
    """Return the quantizer's own words for: int8 weights, floats flow."""
    weights = {"num_bits": 8, "symmetric": True, "granularity": "CHANNELWISE", "dtype": "INT"}
    words = {
        "weight_tensor_config": weights,
        "compute_precision": "INTEGER",
        "explicit_dequantize": False,
        "skip_checks": False,
        "min_weight_elements": smallest,
    }
    key = "min_max_uniform_quantize"
    return {"regex": ".*", "operation": "*", "algorithm_key": key, "op_config": words}
