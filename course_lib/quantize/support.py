"""What an operation may ask of the integer layers and of the C: all else is refused by name.

A file may hold options, types and shapes that no layer here honours; an answer that ignores one
would be silently wrong. So every option is either on the list of a kind or has to be unset.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from course_lib.formats.tflite_file import schema
from course_lib.quantize.model import Operation, Plan, Value

_ACTIVATIONS = {
    number: name
    for name, number in vars(schema.ActivationFunctionType).items()
    if not name.startswith("_")
}
_HIGHEST_ACTIVATION = 3  # none, ReLU, ReLU -1 to 1, ReLU6: limits; the others are functions
_WALK = {"padding", "strideW", "strideH"}
_DILATED = {"dilationWFactor", "dilationHFactor"}
_MOST_CLASSES = 4095  # a sum of so many exponentials still has 12 integer bits
_LONGEST_NAME = 40


class Unsupported(ValueError):
    """Say which part of a model the layers here do not compute."""


@dataclass(frozen=True, eq=False)
class _Asked:
    """One operation and its tensors, about to be judged."""

    plan: Plan
    operation: Operation

    def refuse(self, why: str) -> NoReturn:
        kind, label = self.operation.kind, _short(self.plan.label(self.operation))
        raise Unsupported(
            f"The {kind} {label} {why}, which is not computed in integers here: "
            "run this model with tflite.run."
        )

    def must(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.refuse(otherwise)

    def option(self, name: str, default: int = 0) -> int:
        return int(self.operation.options.get(name, default))

    @property
    def x(self) -> Value:
        return self.plan.values[self.operation.inputs[0]]

    @property
    def y(self) -> Value:
        return self.plan.values[self.operation.outputs[0]]

    def given(self, place: int) -> Value | None:
        """Return an input, None where it is left out."""
        inputs = self.operation.inputs
        left_out = len(inputs) <= place or inputs[place] < 0
        return None if left_out else self.plan.values[inputs[place]]

    def int8(self, value: Value) -> None:
        """Demand int8 on a single usable grid."""
        grid, name = value.grid, _short(value.name or str(value.index))
        kind = value.kind or value.dtype.name
        self.must(value.dtype == np.int8, f"has {name} as {kind}, not int8")
        self.must(grid is not None, f"has {name} without a scale")
        self.must(np.ndim(grid.scale) == 0, f"has {name} on one grid a channel, no weights")
        self.scaled(value)
        self.must(-128 <= grid.zero_point <= 127, f"has {name} with zero point {grid.zero_point}")

    def scaled(self, value: Value) -> None:
        scales = np.asarray(value.grid.scale, np.float64)
        usable = np.isfinite(scales).all() and (scales > 0).all()
        self.must(usable, f"has {_short(value.name)} with a scale that is no number above 0")

    def whole(self, place: int, what: str) -> np.ndarray:
        """Return a stored tensor of whole numbers, such as axes; demand that it is one."""
        value = self.given(place)
        self.must(value is not None and value.stored is not None, f"computes its {what}")
        self.must(value.dtype.kind == "i", f"gives its {what} as {value.dtype.name}")
        return value.stored

    def weights(self, axis: int, rank: int) -> Value:
        """Return int8 weights, symmetric, with one scale or one for each output; demand them."""
        w = self.given(1)
        self.must(w is not None and w.stored is not None, "computes its weights, or stores none")
        self.must(w.dtype == np.int8, f"has {w.kind or w.dtype.name} weights, not int8")
        self.must(w.grid is not None, "has weights without a scale")
        self.must(len(w.shape) == rank, f"has weights of {len(w.shape)} dimensions, not {rank}")
        self.scaled(w)
        self.must(not np.any(w.grid.zero_point), "has weights with a zero point other than 0")
        if w.grid.axis is not None:
            fits = w.grid.axis == axis and len(w.grid.scale) == w.shape[axis]
            self.must(fits, f"has a scale for each slice of axis {w.grid.axis} of its weights")
        bias = self.given(2)
        if bias is not None:
            kept = bias.stored is not None and bias.dtype == np.int32
            kind = bias.kind or bias.dtype.name
            self.must(kept, f"has a bias that is computed or is {kind}, not int32")
            self.must(bias.stored.size == w.shape[axis], "has a bias for other channels")
        return w

    def shaped(self, expected: tuple[int, ...]) -> None:
        """Demand that the file gives the output the shape that the operation makes."""
        told = f"makes {list(expected)} where the file says {list(self.y.shape)}"
        self.must(tuple(expected) == self.y.shape and min(expected, default=1) > 0, told)

    def walked(self, size: tuple[int, int], channels: int) -> None:
        """Demand the output shape of a filter of (height, width) that walks over the input."""
        self.must(len(self.x.shape) == 4, f"takes {len(self.x.shape)} dimensions, not 4")
        strides = self.option("strideH"), self.option("strideW")
        steps = self.option("dilationHFactor", 1), self.option("dilationWFactor", 1)
        self.must(min(*strides, *steps, *size) > 0, "has a stride, dilation or filter below 1")
        self.must(self.option("padding") in (0, 1), f"has the padding {self.option('padding')}")
        reach = [(length - 1) * step + 1 for length, step in zip(size, steps, strict=True)]
        places = [
            -(-(length - (0 if self.option("padding") == 0 else over - 1)) // stride)
            for length, over, stride in zip(self.x.shape[1:3], reach, strides, strict=True)
        ]
        self.shaped((self.x.shape[0], *places, channels))


def check(plan: Plan, operation: Operation) -> None:
    """Raise Unsupported for an operation that asks for more than its layer honours.

    A kind without a layer passes: whoever looks for the layer names it.
    """
    if operation.kind not in _RULES:
        return
    honoured, needed, most, rule = _RULES[operation.kind]
    asked = _Asked(plan, operation)
    if operation.kind not in ("RESHAPE", "MEAN", "PAD", "SOFTMAX", "QUANTIZE", "DEQUANTIZE"):
        honoured = honoured | {"fusedActivationFunction"}
    for name, value in operation.options.items():
        unset = name in honoured or value is None or (np.ndim(value) == 0 and not value)
        asked.must(unset, f"has the option {name} ({str(value)[:20]})")
    if lacking := needed - operation.options.keys():
        asked.refuse(f"lacks the option {min(lacking)}")
    activation = asked.option("fusedActivationFunction")
    name = _ACTIVATIONS.get(activation, activation)
    asked.must(0 <= activation <= _HIGHEST_ACTIVATION, f"fuses the activation {name}")
    count = sum(index >= 0 for index in operation.inputs)
    asked.must(0 < count <= most and operation.inputs[0] >= 0, f"has {count} inputs")
    asked.must(len(operation.outputs) == 1, f"has {len(operation.outputs)} outputs")
    asked.must(asked.x.stored is None or operation.kind == "ADD", "works on a constant")
    if operation.kind not in ("RESHAPE", "QUANTIZE", "DEQUANTIZE"):
        asked.int8(asked.x)
        asked.int8(asked.y)
    rule(asked)


def check_order(plan: Plan) -> None:
    """Raise Unsupported where an operation or an output needs what nothing has computed."""
    known = set(plan.inputs) | {value.index for value in plan.values if value.stored is not None}
    for operation in plan.operations:
        for index in operation.inputs:
            if index >= 0 and index not in known:
                value = plan.values[index]
                _Asked(plan, operation).refuse(
                    f"reads {_short(value.name or str(index))} ({value.kind or value.dtype.name}), "
                    "a state or a stored form"
                )
        known.update(operation.outputs)
    if missing := [index for index in plan.outputs if index not in known]:
        raise Unsupported(f"Nothing computes the model's output {missing[0]}: the file is damaged.")


def _short(name: str) -> str:
    """Return a name of a foreign file as it can stand in a sentence."""
    text = ascii(name)
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 4]}...'"


def _conv2d(asked: _Asked) -> None:
    w = asked.weights(axis=0, rank=4)
    asked.walked(w.shape[1:3], w.shape[0])
    groups, rest = divmod(asked.x.shape[3], w.shape[3])
    fits = rest == 0 and w.shape[0] % groups == 0
    asked.must(fits, f"has filters of {w.shape[3]} channels over {asked.x.shape[3]}")


def _depthwise_conv2d(asked: _Asked) -> None:
    w = asked.weights(axis=3, rank=4)
    asked.walked(w.shape[1:3], w.shape[3])
    told = asked.option("depthMultiplier")
    fits = w.shape[0] == 1 and w.shape[3] == asked.x.shape[3] * told
    asked.must(fits, f"has the depth multiplier {told} and weights of {list(w.shape)}")


def _fully_connected(asked: _Asked) -> None:
    w, x = asked.weights(axis=0, rank=2), asked.x
    rows, rest = divmod(math.prod(x.shape), w.shape[1])
    asked.must(rest == 0, f"has weights of {list(w.shape)} for {list(x.shape)}")
    if not asked.option("keepNumDims"):
        return asked.shaped((rows, w.shape[0]))
    asked.must(x.shape[-1:] == w.shape[1:], "keeps dimensions that its weights do not fit")
    return asked.shaped((*x.shape[:-1], w.shape[0]))


def _pool(asked: _Asked) -> None:
    size = asked.option("filterHeight"), asked.option("filterWidth")
    asked.walked(size, asked.x.shape[-1] if asked.x.shape else 0)
    x, y = asked.x.grid, asked.y.grid
    same = np.float32(x.scale) == np.float32(y.scale) and x.zero_point == y.zero_point
    asked.must(same, "pools onto another grid")


def _mean(asked: _Asked) -> None:
    shape = asked.x.shape
    axes = [int(axis) for axis in np.ravel(asked.whole(1, "axes"))]
    fits = axes and all(-len(shape) <= axis < len(shape) for axis in axes)
    asked.must(bool(fits), f"has the axes {axes[:6]} of {len(shape)}")
    axes = {axis % len(shape) for axis in axes}
    if asked.option("keepDims"):
        asked.shaped(tuple(1 if axis in axes else size for axis, size in enumerate(shape)))
    else:
        asked.shaped(tuple(size for axis, size in enumerate(shape) if axis not in axes))


def _add(asked: _Asked) -> None:
    other = asked.given(1)
    asked.must(other is not None, "has one input")
    asked.must(asked.x.stored is None or other.stored is None, "adds two constants")
    asked.int8(other)
    try:
        asked.shaped(np.broadcast_shapes(asked.x.shape, other.shape))
    except ValueError as error:
        if isinstance(error, Unsupported):
            raise
        asked.refuse(f"adds {list(asked.x.shape)} and {list(other.shape)}")
    largest = max(np.float64(np.float32(one.grid.scale)) for one in (asked.x, other))
    finest = 2 * largest / (1 << 20)  # what LiteRT ends the process for, where the output is finer
    asked.must(float(np.float32(asked.y.grid.scale)) > finest, "has too fine an output scale")


def _pad(asked: _Asked) -> None:
    widths = asked.whole(1, "widths")
    fits = widths.shape == (len(asked.x.shape), 2) and (widths >= 0).all()
    asked.must(bool(fits), f"pads {len(asked.x.shape)} dimensions by {widths.tolist()[:3]}")
    asked.shaped(tuple(np.asarray(asked.x.shape) + widths.sum(axis=1)))


def _reshape(asked: _Asked) -> None:
    x, y = asked.x, asked.y
    asked.must(x.dtype == y.dtype and x.kind == y.kind, f"turns {x.kind} into {y.kind}")
    told = asked.operation.options.get("newShape")
    if asked.given(1) is not None:
        told = asked.whole(1, "shape")
    asked.must(told is not None, "tells no shape")
    told, size = [int(length) for length in np.ravel(told)], math.prod(x.shape)
    if told.count(-1) == 1:
        told[told.index(-1)] = size // max(1, -math.prod(told))
    asked.must(math.prod(told) == size, f"puts {size} numbers into {told}")
    asked.shaped(tuple(told))


def _softmax(asked: _Asked) -> None:
    beta, grid, shape = float(asked.operation.options["beta"]), asked.y.grid, asked.x.shape
    asked.must(beta * float(np.float32(asked.x.grid.scale)) > 2.0**-26, f"has the beta {beta:g}")
    asked.must(0 < len(shape) <= 4, f"takes {len(shape)} dimensions, not 1 to 4")
    asked.must(shape[-1] <= _MOST_CLASSES, f"has {shape[-1]} classes")
    fixed = np.float32(grid.scale) == np.float32(1 / 256) and grid.zero_point == -128
    asked.must(bool(fixed), "answers on another grid than scale 1/256 and zero point -128")
    asked.shaped(shape)


def _quantize(asked: _Asked) -> None:
    asked.int8(asked.y)
    if asked.x.dtype != np.float32:
        asked.int8(asked.x)
    asked.shaped(asked.x.shape)


def _dequantize(asked: _Asked) -> None:
    asked.int8(asked.x)
    asked.must(asked.y.dtype == np.float32, f"makes {asked.y.kind or asked.y.dtype.name}")
    asked.shaped(asked.x.shape)


_Rule = tuple[set[str], set[str], int, Callable[[_Asked], None]]
_POOLED = _WALK | {"filterWidth", "filterHeight"}
_BIASED = {"quantizedBiasType"}  # the bias tells its type itself
_RULES: Mapping[str, _Rule] = {
    "CONV_2D": (_WALK | _DILATED | _BIASED, _WALK, 3, _conv2d),
    "DEPTHWISE_CONV_2D": (
        _WALK | _DILATED | {"depthMultiplier"},
        _WALK | {"depthMultiplier"},
        3,
        _depthwise_conv2d,
    ),
    "FULLY_CONNECTED": (
        {"keepNumDims", "asymmetricQuantizeInputs"} | _BIASED,  # the second: of float inputs only
        set(),
        3,
        _fully_connected,
    ),
    "AVERAGE_POOL_2D": (_POOLED, _POOLED, 1, _pool),
    "MAX_POOL_2D": (_POOLED, _POOLED, 1, _pool),
    "MEAN": ({"keepDims"}, set(), 2, _mean),
    "ADD": ({"potScaleInt16"}, set(), 2, _add),  # which is for 16 bits only
    "PAD": (set(), set(), 2, _pad),
    "RESHAPE": ({"newShape"}, set(), 2, _reshape),
    "SOFTMAX": ({"beta"}, {"beta"}, 1, _softmax),
    "QUANTIZE": (set(), set(), 1, _quantize),
    "DEQUANTIZE": (set(), set(), 1, _dequantize),
}
"""For each kind: the options honoured, those that have to be there, the most inputs, the rule."""
