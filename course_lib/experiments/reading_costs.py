"""FlatBuffer against protobuf: the same weights in both, and what it costs to read them.

Costs are time, memory, and what of a file mapped into memory had to be loaded.
"""

import gc
import mmap
import time
import tracemalloc
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from course_lib.formats import tflite_file
from course_lib.formats.tflite_file import schema
from course_lib.session import internals, system

_message = cache(internals.message)  # to look it up costs more than to read a small file


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
    graph = _message("GraphDef").FromString(file)
    content = graph.node[number].attr["value"].tensor.tensor_content
    return np.frombuffer(content, np.float32), graph


def every_weight_flatbuffer(file: bytes) -> float:
    """Return the sum of every float32 weight of a .tflite file, read where it lies."""
    model = schema.Model.GetRootAs(file)
    graph, total = model.Subgraphs(0), 0.0
    for index in range(graph.TensorsLength()):
        tensor = graph.Tensors(index)
        buffer = model.Buffers(tensor.Buffer())
        if tensor.Type() == 0 and buffer.DataLength():  # FLOAT32 is the schema's number 0
            total += float(buffer.DataAsNumpy().view(np.float32).sum())
    return total


def every_weight_protobuf(file: bytes) -> float:
    """Return the sum of every float32 constant of a frozen graph, all of which is parsed first."""
    nodes = _message("GraphDef").FromString(file).node
    constants = (node.attr["value"].tensor for node in nodes if node.op == "Const")
    weights = (each.tensor_content for each in constants if each.dtype == 1)  # DT_FLOAT
    return sum(float(np.frombuffer(each, np.float32).sum()) for each in weights)


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
    model.buffers = [schema.BufferT()]  # number 0 is for tensors without values
    for name, values in tensors.items():
        tensor = schema.TensorT()
        tensor.name, tensor.shape = name, list(values.shape)
        tensor.buffer = len(model.buffers)
        graph.tensors.append(tensor)
        model.buffers.append(schema.BufferT(data=np.asarray(values, "<f4").tobytes()))
    return tflite_file.pack(model, tflite_file.ALIGNMENT)


def _as_protobuf(tensors: Mapping[str, np.ndarray]) -> bytes:
    graph = _message("GraphDef")()
    for name, values in tensors.items():
        node = graph.node.add(name=name, op="Const")
        node.attr["dtype"].type = 1  # DT_FLOAT, as in the content below
        content = node.attr["value"].tensor
        content.dtype, content.tensor_content = 1, np.asarray(values, "<f4").tobytes()
        for size in values.shape:
            content.tensor_shape.dim.add(size=size)
    return graph.SerializeToString(deterministic=True)


class Mapped:
    """A file mapped read-only: its bytes come from the disk only when somebody looks at them.

    `view` can be used like its bytes, `loaded_bytes` tells what it cost. Raises ValueError for an
    empty file, which cannot be mapped.
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        if not path.stat().st_size:
            raise ValueError(f"{path.name} is empty: there is nothing to map.")
        with path.open("rb") as file:
            self.view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __len__(self) -> int:
        return len(self.view)

    @property
    def loaded_bytes(self) -> int | None:
        """Bytes of the mapping that this process has in memory, None where the system won't tell.

        A multiple of the page size. The system loads neighbours of what was asked for as well, more
        of them the newer it is.
        """
        return system.resident_bytes(np.frombuffer(self.view, np.uint8).ctypes.data)


def _heap_kept(call: Callable[[], Any], runs: int = 3) -> int | None:
    """Return the C heap's growth while the call's result is kept, the least of several runs."""
    grown = []
    gc.collect()  # what is freed while it is measured would hide growth
    for _ in range(runs):
        before = system.heap_in_use()
        kept = call()
        after = system.heap_in_use()
        del kept
        if before is None or after is None:
            return None
        grown.append(max(0, after - before))
    return min(grown)
