"""Make .tflite models of one int8 operation, on any grids, to compare integer layers with kernels.

The converter chooses scales and zero points itself; a property test wants to choose them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from course_lib.formats.tflite_file import pack, schema

NAMES = ("int8", "int16", "uint8", "int32", "int64", "float32")
TYPE_OF = {name: getattr(schema.TensorType, name.upper()) for name in NAMES}


@dataclass
class Input:
    """A tensor: `data` makes it a constant; `scale` may be an array, one for each slice."""

    shape: tuple
    scale: object = None
    zero_point: int = 0
    data: np.ndarray | None = None
    axis: int = 0
    dtype: str = "int8"


def model(kind: str, inputs: list[Input], output: Input, options=None, version: int = 1) -> bytes:
    """Return the bytes of a model with one operation; `options` is an options object or None."""
    buffers, tensors = [schema.BufferT()], []
    for each in [*inputs, output]:
        tensors.append(_tensor(each, buffers, len(tensors)))
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = list(range(len(inputs))), [len(inputs)]
    if options is not None:
        name = type(options).__name__.removesuffix("T")
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, name)
        operator.builtinOptions = options
    graph = schema.SubGraphT()
    graph.tensors, graph.operators, graph.outputs = tensors, [operator], [len(inputs)]
    graph.inputs = [index for index, each in enumerate(inputs) if each.data is None]
    code = schema.OperatorCodeT()
    number = getattr(schema.BuiltinOperator, kind)
    code.builtinCode, code.version, code.deprecatedBuiltinCode = number, version, min(number, 127)
    tree = schema.ModelT()
    tree.version, tree.operatorCodes, tree.subgraphs, tree.buffers = 3, [code], [graph], buffers
    return pack(tree)


def _tensor(each: Input, buffers: list, number: int):
    tensor = schema.TensorT()
    tensor.shape, tensor.type, tensor.name = list(each.shape), TYPE_OF[each.dtype], f"t{number}"
    if each.data is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(each.data.tobytes(), np.uint8)
        buffers.append(buffer)
        tensor.buffer = len(buffers) - 1
    if each.scale is not None:
        grid = schema.QuantizationParametersT()
        grid.scale = np.ravel(np.asarray(each.scale, np.float32))
        grid.zeroPoint = np.full(len(grid.scale), each.zero_point, np.int64)
        grid.quantizedDimension = each.axis
        tensor.quantization = grid
    return tensor


def small_models() -> dict[str, bytes]:
    """Return two models of one softmax over four numbers: names and grids of different length."""
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    answer = Input((1, 4), 1 / 256, -128)
    return {
        f"step {scale}": model("SOFTMAX", [Input((1, 4), scale, 0)], answer, options, version=2)
        for scale in (0.1, 1.0)
    }
