"""Where the bytes of a .tflite file go, in four kinds."""

from __future__ import annotations

import numpy as np

from course_lib.formats import tflite_file

KINDS = ("weights", "scales", "names", "structure")


def bytes_by_kind(model: bytes) -> dict[str, int]:
    """Return how many bytes of a .tflite file are weights, scales, names and structure.

    weights are the elements of constant tensors; scales the quantization tables (scale, zero point,
    minimum, maximum); names every string and the metadata; structure the rest: tables, offsets,
    padding. They sum to the file's size. Raises ValueError for bytes that are no .tflite file.
    """
    tree = tflite_file.unpack(model)
    scales = _scale_bytes(tflite_file.schema.Model.GetRootAs(bytes(model), 0))
    tensors = [tensor for graph in tree.subgraphs or [] for tensor in graph.tensors or []]
    buffers = tree.buffers or []
    constant = {tensor.buffer for tensor in tensors} & set(range(len(buffers)))
    weights = sum(_buffer_bytes(buffers[index]) for index in constant)
    notes = sum(
        _buffer_bytes(buffer) for index, buffer in enumerate(buffers) if index not in constant
    )
    names = notes + sum(5 + len(text) for text in _strings(tree, tensors))
    return dict(
        zip(KINDS, (weights, scales, names, len(model) - weights - scales - names), strict=True)
    )


def _buffer_bytes(buffer) -> int:
    return buffer.size or (0 if buffer.data is None else len(buffer.data))


def _scale_bytes(root) -> int:
    """Count the vectors of all quantization tables; one that several tensors share counts once."""
    sizes = {}
    for graph in map(root.Subgraphs, range(root.SubgraphsLength())):
        for tensor in map(graph.Tensors, range(graph.TensorsLength())):
            grid = tensor.Quantization()
            reads = (
                ()
                if grid is None
                else (grid.ScaleAsNumpy, grid.ZeroPointAsNumpy, grid.MinAsNumpy, grid.MaxAsNumpy)
            )
            for values in (read() for read in reads):
                if isinstance(values, np.ndarray):  # a missing vector reads as 0
                    sizes[values.ctypes.data] = 4 + values.nbytes
    return sum(sizes.values())


def _strings(tree, tensors):
    """Yield every string of the file; each costs its length field and a closing zero as well."""
    graphs, signatures = tree.subgraphs or [], tree.signatureDefs or []
    named = [*tensors, *graphs, *(tree.metadata or [])]
    maps = [
        entry
        for signature in signatures
        for entry in [*(signature.inputs or []), *(signature.outputs or [])]
    ]
    found = [
        tree.description,
        *(thing.name for thing in [*named, *maps]),
        *(signature.signatureKey for signature in signatures),
        *(code.customCode for code in tree.operatorCodes or []),
    ]
    return (text for text in found if text)
