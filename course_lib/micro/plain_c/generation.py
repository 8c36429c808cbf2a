"""A .tflite file as a plain C program: no interpreter, no malloc, its weights read in place."""

from dataclasses import dataclass
from pathlib import Path
from string import Template

import numpy as np

from course_lib import quantize
from course_lib.micro.arrays import c_array, c_float, feature_tables
from course_lib.micro.plain_c.layers import (
    Call,
    Emitter,
    Place,
    Table,
    Unsupported,
    demand,
    lay_out,
)
from course_lib.quantize import Plan
from course_lib.quantize.execution import RUNTIMES
from course_lib.quantize.support import check_order
from course_lib.sound import features
from course_lib.tflite import xray

FOLDER = Path(__file__).parent / "c"
"""The C that is the same for every model, and the frame of what is not: `model.c`."""


_GROUPED = FOLDER / "grouped_conv2d.c"  # for those models only that need it
_DENSE = "FULLY_CONNECTED"
_MOST_LAYERS = 64  # in model.h


@dataclass(frozen=True)
class Layer:
    """One layer by its numbers: multiply-accumulates, bytes of flash and of memory.

    `flash_bytes` are its weights, biases and multipliers, `memory_bytes` what comes in and goes
    out.
    """

    label: str
    kind: str
    macs: int
    flash_bytes: int
    memory_bytes: int


@dataclass(frozen=True, eq=False)
class Program:
    """C sources by file name, and the plan that they follow.

    `model_bytes`, `tables`, `calls` and `ends`, where the input and the output lie, are what
    `model.c` says, as data. `memory_bytes` is the block that all tensors share; `takes_sound` says
    whether the program can compute the features itself, as the input has their shape.
    """

    files: dict[str, str]
    plan: Plan
    layers: tuple[Layer, ...]
    model_bytes: bytes
    tables: tuple[Table, ...]
    calls: tuple[Call, ...]
    ends: tuple[Place, Place]
    memory_bytes: int
    takes_sound: bool

    @property
    def output_bytes(self) -> int:
        """The bytes of one answer."""
        return int(np.prod(self.plan.values[self.plan.outputs[0]].shape))


def generate(model_bytes: bytes, runtime: str = "litert") -> Program:
    """Return an int8 model as C; equal in every byte to the kernels of `runtime`.

    Raises ValueError (Unsupported) for a model that needs more than the layers here.
    """
    if runtime not in RUNTIMES:
        raise ValueError(f"There is no runtime {runtime!r}: choose one of {', '.join(RUNTIMES)}.")
    plan = quantize.read(model_bytes)
    ends = len(plan.inputs), len(plan.outputs)
    if ends != (1, 1) or not plan.operations:
        raise Unsupported(
            "Plain C is made for models with one input and one output, and this one has "
            f"{ends[0]} and {ends[1]}, with {len(plan.operations)} operations between them."
        )
    check_order(plan)
    for operation in plan.operations:
        demand(plan, operation)
    layout = lay_out(plan)
    writer = Emitter(plan, layout, _offsets(model_bytes, plan), runtime)
    for index in (*plan.inputs, *plan.outputs):
        writer.value(index)
    for operation in plan.operations:
        writer.emit(operation)
    files = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.iterdir())}
    if _GROUPED.stem not in {call.function for call in writer.calls}:
        del files[_GROUPED.name]
    if len(writer.calls) > _MOST_LAYERS:  # counted one by one, in a table of that size
        files["model.h"] = files["model.h"].replace(
            f"AT_MOST = {_MOST_LAYERS}", f"AT_MOST = {len(writer.calls)}"
        )
    files["model.c"] = _model_c(files["model.c"], model_bytes, writer)
    files["log_mel_tables.c"] = feature_tables()
    fed = int(np.prod(plan.values[plan.inputs[0]].shape))
    return Program(
        files=files,
        plan=plan,
        layers=tuple(_layer(writer, place) for place in range(len(plan.operations))),
        model_bytes=model_bytes,
        tables=tuple(writer.tables),
        calls=tuple(writer.calls),
        ends=(writer.place(plan.inputs[0], 1), writer.place(plan.outputs[0], 1)),
        memory_bytes=layout.bytes,
        takes_sound=fed == features.FRAMES * features.BANDS,
    )


def _offsets(model_bytes: bytes, plan: Plan) -> dict[int, int]:
    """Return where each stored tensor begins in the file, by its index."""
    offsets = {}
    for tensor in xray.Xray(model_bytes).tensors:
        if tensor.path.startswith("subgraphs[0].tensors["):
            index = int(tensor.path.rpartition("[")[2].rstrip("]"))
            stored = plan.values[index].stored
            if stored is not None and tensor.span.end - tensor.span.start == stored.nbytes:
                offsets[index] = tensor.span.start
    return offsets


def _layer(writer: Emitter, place: int) -> Layer:
    """Return the numbers of one layer."""
    plan, operation = writer.plan, writer.plan.operations[place]
    indices = (*operation.inputs, operation.outputs[0])
    values = [plan.values[index] for index in indices if index >= 0]
    stored = sum(value.stored.nbytes for value in values if value.stored is not None)
    moving = sum(int(np.prod(value.shape)) for value in values if value.stored is None)
    flash, macs = stored + writer.table_bytes.get(place, 0), _macs(plan, operation)
    return Layer(plan.label(operation), operation.kind, macs, flash, moving)


def _macs(plan: Plan, operation) -> int:
    """Return the multiply-accumulates of a layer, as if no filter hung over an edge."""
    weights = plan.weights(operation)
    out = plan.values[operation.outputs[0]].shape
    if operation.kind == "CONV_2D":
        return int(np.prod(out[:3])) * weights.stored.size
    if operation.kind == "DEPTHWISE_CONV_2D":
        return int(np.prod(out)) * int(np.prod(weights.shape[1:3]))
    return int(np.prod(out[:-1])) * weights.stored.size if operation.kind == _DENSE else 0


def _model_c(template: str, model_bytes: bytes, writer: Emitter) -> str:
    """Return the source that is this model's own."""
    plan, layout = writer.plan, writer.layout
    first, last = plan.values[plan.inputs[0]], plan.values[plan.outputs[0]]
    steps = (
        f"    {call.c}\n    if (after)\n        after({step});"
        for step, call in enumerate(writer.calls)
    )
    return Template(template).substitute(
        file=c_array(model_bytes, "model_file"),
        memory=layout.bytes,
        tables="".join(table.c for table in writer.tables),
        layers=len(writer.calls),
        input_bytes=int(np.prod(first.shape)),
        output_bytes=int(np.prod(last.shape)),
        scale=c_float(first.grid.scale),
        zero_point=int(first.grid.zero_point),
        input=layout.blocks[first.index].start,
        output=layout.blocks[last.index].start,
        steps="\n".join(steps),
    )
