"""FlatBuffer against protobuf: the same weights in both, and what it costs to read them."""

from __future__ import annotations

import ctypes
import gc
import time
import tracemalloc
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from course_lib import session
from course_lib.formats import tflite_file
from course_lib.formats.tflite_file import schema


@dataclass(frozen=True)
class Cost:
    """Hold what a call cost: median `seconds`; bytes that it left allocated.

    `heap_bytes` is what C code asked of the system's allocator, None where it cannot be told;
    `python_bytes` is the peak of Python's own objects while it ran.
    """

    seconds: float
    python_bytes: int
    heap_bytes: int | None

    @property
    def bytes(self) -> int:
        """Return all bytes allocated, as far as they are known."""
        return self.python_bytes + (self.heap_bytes or 0)


def weight_flatbuffer(file: bytes, number: int) -> tuple[np.ndarray, Any]:
    """Return buffer `number` of a .tflite file, (n,) float32, and the root table.

    The array is a view of the file: nothing is copied.
    """
    model = schema.Model.GetRootAs(file)
    return model.Buffers(number).DataAsNumpy().view(np.float32), model


def weight_protobuf(file: bytes, number: int) -> tuple[np.ndarray, Any]:
    """Return the constant of node `number` of a frozen graph, (n,) float32, and the message.

    All of the message is parsed into objects first.
    """
    graph = _graph_def()().FromString(file)
    content = graph.node[number].attr["value"].tensor.tensor_content
    return np.frombuffer(content, np.float32), graph


def every_weight_flatbuffer(file: bytes) -> float:
    """Return the sum of every float32 weight of a .tflite file, read where it lies."""
    model = schema.Model.GetRootAs(file)
    graph, total = model.Subgraphs(0), 0.0
    for index in range(graph.TensorsLength()):
        tensor = graph.Tensors(index)
        buffer = model.Buffers(tensor.Buffer())
        if tensor.Type() == 0 and buffer.DataLength():
            total += float(buffer.DataAsNumpy().view(np.float32).sum())
    return total


def every_weight_protobuf(file: bytes) -> float:
    """Return the sum of every float32 constant of a frozen graph, all of which is parsed first."""
    total = 0.0
    for node in _graph_def()().FromString(file).node:
        if node.op == "Const" and node.attr["value"].tensor.dtype == 1:
            content = node.attr["value"].tensor.tensor_content
            total += float(np.frombuffer(content, np.float32).sum())
    return total


def cost(call: Callable[[], Any], runs: int = 15) -> Cost:
    """Return what `call()` costs: the median time of several runs, and one run's memory.

    Its result is kept while memory is counted, so that what reading has built is seen.
    """
    call()  # imports and caches are not what is measured
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    tracemalloc.start()
    try:
        call()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return Cost(sorted(seconds)[runs // 2], peak, _heap_kept(call))


def zipped(file: bytes) -> int:
    """Return the bytes that zlib's best effort leaves of a file."""
    return len(zlib.compress(file, 9))


def pair(tensors: Mapping[str, np.ndarray]) -> tuple[bytes, bytes]:
    """Return the same named float32 arrays as a .tflite file and as a frozen graph.

    Neither computes anything: they are for comparing the two ways to store and to find weights.
    """
    return _as_flatbuffer(tensors), _as_protobuf(tensors)


def _as_flatbuffer(tensors: Mapping[str, np.ndarray]) -> bytes:
    """Return a .tflite file with one tensor and one buffer for each array, and no operation."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, graph.tensors = 3, [graph], []
    model.buffers = [schema.BufferT()]
    for name, values in tensors.items():
        tensor = schema.TensorT()
        tensor.name, tensor.shape = name, list(values.shape)
        tensor.buffer = len(model.buffers)
        graph.tensors.append(tensor)
        model.buffers.append(schema.BufferT(data=np.asarray(values, "<f4").tobytes()))
    return tflite_file.pack(model, tflite_file.ALIGNMENT)


def _as_protobuf(tensors: Mapping[str, np.ndarray]) -> bytes:
    """Return a GraphDef with one Const node for each array."""
    graph = _graph_def()()
    for name, values in tensors.items():
        node = graph.node.add(name=name, op="Const")
        node.attr["dtype"].type = 1
        content = node.attr["value"].tensor
        content.dtype, content.tensor_content = 1, np.asarray(values, "<f4").tobytes()
        for size in values.shape:
            content.tensor_shape.dim.add(size=size)
    return graph.SerializeToString(deterministic=True)


@cache
def _graph_def() -> Any:
    """Return TensorFlow's message type for graphs."""
    return session.import_tensorflow().compat.v1.GraphDef


def _heap_kept(call: Callable[[], Any], runs: int = 3) -> int | None:
    """Return the C heap's growth while the call's result is kept, the least of several runs."""
    grown = []
    gc.collect()
    for _ in range(runs):
        before = _heap_in_use()
        kept = call()
        after = _heap_in_use()
        del kept
        if before is None or after is None:
            return None
        grown.append(max(0, after - before))
    return min(grown)


def _heap_in_use() -> int | None:
    """Return the bytes in use of the C library's heap, None where glibc cannot be asked."""
    try:
        ask = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError, TypeError):
        return None
    ask.restype = _MallInfo
    told = ask()
    return told.uordblks + told.hblkhd


class _MallInfo(ctypes.Structure):
    """What glibc's mallinfo2 returns; in use are uordblks and, mapped one by one, hblkhd."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]
