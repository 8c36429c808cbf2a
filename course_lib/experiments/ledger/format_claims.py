"""Claims about TensorFlow Lite's format and about quantization: lessons 06, 07, 08 and 16."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

from course_lib import micro, spotter, tflite
from course_lib.experiments import readers
from course_lib.experiments.ledger.claims import Claim, Ledger, Test, claim
from course_lib.formats import tflite_file
from course_lib.measure import bytes_by_kind
from course_lib.tflite import xray

_FOUR = 3.8  # as near to 4 as counts
_MAGNITUDE = 10.0
_COMPRESSES = 0.95  # a file that zlib makes no smaller than that was compressed before
_WEIGHT = f"{spotter.LAST_LAYER}/bias"  # in the frozen graph: the readers look it up

_Costs = dict[str, readers.LookUp] | None  # None where there is no C compiler


def formats(plain: bytes, int8_model: bytes, frozen_graph: bytes) -> Ledger:
    """Test seven claims on one model in three files. Takes about 4 s.

    `plain` is the .tflite file that the converter makes with nothing set, `int8_model` the
    quantized one, `frozen_graph` the GraphDef (of `freezing.frozen`) that both came from.
    """
    costs = _costs(plain, frozen_graph)
    return Ledger(
        (
            _quantized_unasked(plain, int8_model),
            _factor_four(plain, int8_model),
            _second_form(costs),
            _compressed(plain, costs),
            _magnitude(plain, frozen_graph),
            _no_allocation(int8_model, costs),
            _unchangeable(plain),
        )
    )


def _costs(plain: bytes, frozen_graph: bytes) -> _Costs:
    """Return what the compiled readers needed to find one weight; None without a compiler."""
    bias = xray.Xray(plain).layers[-1].bias
    wanted = {"flatbuffer": (plain, bias.name), "protobuf_decode": (frozen_graph, _WEIGHT)}
    try:
        return {name: readers.compiled(name).find(*what) for name, what in wanted.items()}
    except readers.NoCompilerError:
        return None


def _quantized_unasked(plain: bytes, int8_model: bytes) -> Claim:
    kinds = {name: _weight_types(file) for name, file in (("plain", plain), ("int8", int8_model))}
    return claim(
        "06",
        "The converter makes a quantized model",
        Test("unasked", "int8" in kinds["plain"], f"weights are {', '.join(kinds['plain'])}"),
        Test("when it is told to", "int8" in kinds["int8"], f"weights are {kinds['int8'][0]}"),
    )


def _weight_types(file: bytes) -> list[str]:
    """Return the types of the weights of all layers, each once."""
    rays = xray.Xray(file)
    return sorted({str(rays.values(layer.weights).dtype) for layer in rays.layers if layer.weights})


def _factor_four(plain: bytes, int8_model: bytes) -> Claim:
    before, after = bytes_by_kind(plain)["weights"], bytes_by_kind(int8_model)["weights"]
    pairs = {"its weights": (before, after), "the whole file": (len(plain), len(int8_model))}
    tests = (
        Test(name, old / new >= _FOUR, f"{old:,} to {new:,} bytes, {old / new:.2f} times")
        for name, (old, new) in pairs.items()
    )
    return claim("07", "Quantization makes a model four times smaller", *tests)


def _if_compiled(
    what: str, costs: _Costs, reader: str, passes: Callable[[readers.LookUp], bool]
) -> Test:
    """Return a test of what a reader needed; it stays open where none could be compiled."""
    if costs is None:
        return Test(what, None, "no C compiler here")
    return Test(what, passes(costs[reader]), f"{costs[reader].allocations} allocations")


def _second_form(costs: _Costs) -> Claim:
    return claim(
        "16",
        "Protobufs are turned into a second form in memory, FlatBuffers are not",
        _if_compiled("a protobuf is", costs, "protobuf_decode", lambda cost: cost.copied),
        _if_compiled(
            "a FlatBuffer is read where it lies", costs, "flatbuffer", lambda cost: not cost.copied
        ),
    )


def _compressed(plain: bytes, costs: _Costs) -> Claim:
    share = len(zlib.compress(plain, 9)) / len(plain)
    allocates = _if_compiled(
        "allocated object by object", costs, "flatbuffer", lambda cost: cost.allocations > 0
    )
    return claim(
        "16",
        "FlatBuffers are compressed, and allocated object by object",
        Test("compressed", share >= _COMPRESSES, f"zlib makes it {share:.0%} of its size"),
        allocates,
    )


def _magnitude(plain: bytes, frozen_graph: bytes) -> Claim:
    recorded = readers.recorded()
    small, large = (recorded["libraries"][name] for name in ("FlatBuffers", "nanopb"))
    code = f"{large:,} bytes against {small:,}, {recorded['compiled_with']}"
    files = f"{len(frozen_graph):,} bytes against {len(plain):,}"
    return claim(
        "16",
        "FlatBuffers are an order of magnitude smaller than protobufs",
        Test(
            "a library's code to read one, unchecked",
            large / small >= _MAGNITUDE,
            code,
        ),
        Test("the file of one model", len(frozen_graph) / len(plain) >= _MAGNITUDE, files),
    )


def _no_allocation(int8_model: bytes, costs: _Costs) -> Claim:
    beyond = "not while it runs, beyond one fixed arena"
    if micro.available():
        before, after = micro.grows(int8_model, runs=20)
        grown = after.total_bytes - before.total_bytes
        running = Test(beyond, grown == 0, f"{grown} bytes more after 20 clips")
    else:
        running = Test(beyond, None, "tflite-micro is not installed")
    return claim(
        "08",
        "No memory has to be allocated for such a model",
        _if_compiled("not to read it", costs, "flatbuffer", lambda cost: cost.allocations == 0),
        running,
    )


def _unchangeable(plain: bytes) -> Claim:
    """Change one weight where it lies, and make one text longer."""
    rays = xray.Xray(plain)
    weights = rays.layers[-1].bias
    changed = bytearray(plain)
    changed[weights.span.start] ^= 1
    runs = len(tflite.run(bytes(changed), np.zeros((1, 49, 40), np.float32))) == 1
    moved = _moved(plain)
    figure = f"{moved:,} bytes are others when the file is built again"
    return claim(
        "16",
        "A FlatBuffer cannot be changed where it lies",
        Test("not a weight in it", not runs, "one byte changed, and it runs"),
        Test("not a text in it, for a longer one", moved > 0, figure),
    )


def _moved(plain: bytes) -> int:
    """Return how many bytes change when the file is built again with a longer description."""
    built = []
    for text in (b"short", b"a description that is much longer than that"):
        tree = tflite_file.unpack(plain)
        tree.description = text
        built.append(np.frombuffer(tflite_file.pack(tree), np.uint8))
    length = min(map(len, built))
    return int((built[0][:length] != built[1][:length]).sum())
