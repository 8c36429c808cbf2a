"""What a model costs: the bytes of its file by kind, the memory to run it in, the time it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from course_lib import micro
from course_lib.formats import tflite_file
from course_lib.formats.tflite_file import schema

KINDS = ("weights", "scales", "names", "structure")


def bytes_by_kind(model: bytes) -> dict[str, int]:
    """Return how many bytes of a .tflite file are weights, scales, names and structure.

    weights are the elements of constant tensors; scales the quantization tables (scale, zero point,
    minimum, maximum); names every string and the metadata; structure the rest: tables, offsets,
    padding. They sum to the file's size. Raises ValueError for bytes that are no .tflite file.
    """
    tree = tflite_file.unpack(model)
    scales = _scale_bytes(schema.Model.GetRootAs(bytes(model), 0))
    tensors = [tensor for graph in tree.subgraphs or [] for tensor in graph.tensors or []]
    buffers = tree.buffers or []
    constant = {tensor.buffer for tensor in tensors} & set(range(len(buffers)))
    weights = sum(_buffer_bytes(buffers[index]) for index in constant)
    notes = sum(map(_buffer_bytes, buffers)) - weights  # what no tensor points to is metadata
    names = notes + sum(5 + len(text) for text in _strings(tree, tensors))
    structure = len(model) - weights - scales - names
    return dict(zip(KINDS, (weights, scales, names, structure), strict=True))


def arena_bytes(model: bytes) -> int:
    """Return the smallest arena, within 16 bytes, that the interpreter accepts for `model`.

    0 where tflite-micro is not installed (it exists for Linux on x86-64 only) or does not run the
    model, as with float16 weights. Raises ValueError for bytes that are no .tflite file.
    """
    tflite_file.check(model)
    return micro.smallest_arena(model) if micro.available() else 0


def latencies(runs: Sequence[Callable[[], object]], rounds: int = 30) -> np.ndarray:
    """Return the median seconds of each function in `runs`, called in turn `rounds` times.

    Taking turns in one process spreads whatever else the machine does evenly over all of them;
    the median forgets the rounds in which it did something else. One more round warms up.
    """
    seconds = np.empty((rounds + 1, len(runs)))
    for turn in range(rounds + 1):
        for column, run in enumerate(runs):
            start = time.perf_counter()
            run()
            seconds[turn, column] = time.perf_counter() - start
    return np.median(seconds[1:], axis=0)


def _buffer_bytes(buffer) -> int:
    return buffer.size or (0 if buffer.data is None else len(buffer.data))


def _scale_bytes(root: schema.Model) -> int:
    """Count the vectors of all quantization tables; one that several tensors share counts once."""
    sizes = {}
    for graph in map(root.Subgraphs, range(root.SubgraphsLength())):
        for tensor in map(graph.Tensors, range(graph.TensorsLength())):
            if grid := tensor.Quantization():
                readers = grid.ScaleAsNumpy, grid.ZeroPointAsNumpy, grid.MinAsNumpy, grid.MaxAsNumpy
                for values in (read() for read in readers):
                    if isinstance(values, np.ndarray):  # a missing vector reads as 0
                        sizes[values.ctypes.data] = 4 + values.nbytes  # 4: its length field
    return sum(sizes.values())


def _strings(tree: schema.ModelT, tensors: list[schema.TensorT]) -> Iterator[bytes]:
    """Yield every string of the file; each costs its length field and a closing zero as well."""
    signatures = tree.signatureDefs or []
    maps = [pair for each in signatures for pair in (*(each.inputs or ()), *(each.outputs or ()))]
    named = [*tensors, *(tree.subgraphs or []), *(tree.metadata or []), *maps]
    texts = [
        tree.description,
        *(thing.name for thing in named),
        *(signature.signatureKey for signature in signatures),
        *(code.customCode for code in tree.operatorCodes or []),
    ]
    return (text for text in texts if text)
