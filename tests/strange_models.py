"""Draw small int8 models of one operation with any options, types and shapes, right and wrong."""

from __future__ import annotations

import numpy as np
from one_operation import Input, model

from course_lib.formats.tflite_file import schema

KINDS = (
    *("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "AVERAGE_POOL_2D", "MAX_POOL_2D"),
    *("MEAN", "ADD", "PAD", "RESHAPE", "SOFTMAX", "QUANTIZE"),
)


def strange(kind: str, seed: int) -> bytes:
    """Return a model that is mostly right, with some options that few files have."""
    return _Draw(np.random.default_rng(seed)).model(kind)


class _Draw:
    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def often(self, usual, *others, share: float = 0.8):
        return usual if self.rng.random() < share else others[self.rng.integers(len(others))]

    def grid(self, low: float = -7, high: float = -1) -> dict:
        scale, zero = float(2.0 ** self.rng.uniform(low, high)), int(self.rng.integers(-128, 128))
        return {"scale": scale, "zero_point": zero}

    def whole(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def tensor(self, *shape: int, **grid) -> Input:
        dtype = self.often("int8", "int16", "uint8", share=0.97)
        grid = grid or self.grid()
        if dtype != "int8":
            grid = grid | {"zero_point": 0}
        return Input(shape, **grid, dtype=dtype)

    def model(self, kind: str) -> bytes:
        make = {"DEPTHWISE_CONV_2D": self.conv_2d, "MAX_POOL_2D": self.pool}
        make |= {"AVERAGE_POOL_2D": self.pool}
        inputs, output, options = make.get(kind, getattr(self, kind.lower(), None))(kind)
        if hasattr(options, "fusedActivationFunction"):
            options.fusedActivationFunction = self.often(0, 1, 2, 3, 4, 5, share=0.5)
        version = 1 if kind == "RESHAPE" else 2
        return model(kind, inputs, output, options, version=version)

    def image(self) -> tuple[int, ...]:
        return self.often(1, 2, 3, share=0.6), self.whole(3, 8), self.whole(3, 8), self.whole(1, 4)

    def walk(self, options, x: Input, size: tuple[int, int]) -> list[int]:
        """Draw strides, dilations and padding; return the output's height and width."""
        options.padding = self.whole(0, 1)
        options.strideH, options.strideW = strides = self.whole(1, 3), self.whole(1, 3)
        steps = 1, 1
        if hasattr(options, "dilationHFactor"):
            steps = self.often(1, 2, 3), self.often(1, 2)
            options.dilationHFactor, options.dilationWFactor = steps
        reach = [(length - 1) * step + 1 for length, step in zip(size, steps, strict=True)]
        places = [
            -(-length // stride) if options.padding == 0 else (length - over) // stride + 1
            for length, over, stride in zip(x.shape[1:3], reach, strides, strict=True)
        ]
        return [max(1, place) + self.often(0, 1, share=0.97) for place in places]

    def weighted(self, x: Input, shape: tuple[int, ...], axis: int) -> tuple[list[Input], float]:
        """Return weights and a bias, or none; and the scale that the output needs."""
        channels, apart = shape[axis], self.often(True, False, share=0.6)
        scales = 2.0 ** self.rng.uniform(-9, -5, channels if apart else 1)
        data = self.rng.integers(-127, 128, shape, dtype=np.int8)
        zero = self.often(0, 3, share=0.95)
        w = Input(shape, scales, zero, data, self.often(axis, 1, share=0.95))
        spread = x.scale * float(scales.max()) * 60 * np.sqrt(np.prod(shape) / channels)
        if axis == 0 and len(shape) == 2 and self.rng.random() < 0.3:  # LiteRT's others want one
            return [w], spread
        bias = self.rng.integers(-3000, 3000, channels, dtype=np.int32)
        return [w, Input((channels,), np.ravel(x.scale * scales), 0, bias, 0, "int32")], spread

    def conv_2d(self, kind: str):
        x, size = self.tensor(*self.image()), (self.whole(1, 3), self.whole(1, 3))
        if kind == "CONV_2D":
            options = schema.Conv2DOptionsT()
            groups = self.often(1, x.shape[3], share=0.6)
            channels = self.whole(1, 3) * groups
            shape, axis = (channels, *size, x.shape[3] // groups), 0
        else:
            options = schema.DepthwiseConv2DOptionsT()
            times = self.whole(1, 3)
            options.depthMultiplier = self.often(times, 0, times + 1, share=0.95)
            shape, axis = (1, *size, x.shape[3] * times), 3
        places = self.walk(options, x, size)
        rest, spread = self.weighted(x, shape, axis)
        y = self.tensor(x.shape[0], *places, shape[axis], scale=spread, zero_point=-9)
        return [x, *rest], y, options

    def fully_connected(self, kind: str):
        options, wide = schema.FullyConnectedOptionsT(), self.whole(1, 12)
        options.keepNumDims = self.often(False, True, share=0.5)
        options.weightsFormat = self.often(0, 1, share=0.95)
        front = self.often((1,), (3,), (2, 3), (1, 2, 2), share=0.3)
        x, out = self.tensor(*front, wide), self.whole(1, 6)
        rest, spread = self.weighted(x, (out, wide), 0)
        front = front if options.keepNumDims else (int(np.prod(front)),)
        return [x, *rest], self.tensor(*front, out, scale=spread, zero_point=5), options

    def pool(self, kind: str):
        options, x = schema.Pool2DOptionsT(), self.tensor(*self.image())
        size = options.filterHeight, options.filterWidth = self.whole(1, 4), self.whole(1, 4)
        places = self.walk(options, x, size)
        same = {"scale": x.scale, "zero_point": x.zero_point}
        y = self.tensor(x.shape[0], *places, x.shape[3], **self.often(same, self.grid()))
        return [x], y, options

    def mean(self, kind: str):
        options, rank = schema.ReducerOptionsT(), self.whole(1, 4)
        x = self.tensor(*(self.whole(1, 6) for _ in range(rank)))
        axes = self.rng.integers(-rank, rank, self.whole(1, rank))
        options.keepDims = bool(self.whole(0, 1))
        gone = {int(axis) % rank for axis in axes}
        sizes = [1 if axis in gone else size for axis, size in enumerate(x.shape)]
        if not options.keepDims:
            sizes = [size for axis, size in enumerate(x.shape) if axis not in gone]
        picked = Input((len(axes),), data=axes.astype(np.int32), dtype="int32")
        y = self.tensor(*sizes, scale=x.scale * 0.7, zero_point=self.often(x.zero_point, 3))
        return [x, picked], y, options

    def add(self, kind: str):
        shape = self.image()
        other = self.often(shape, (1, 1, 1, shape[3]), (1,), shape[1:], (1, *shape[1:]), share=0.6)
        a, b = self.tensor(*shape), self.tensor(*other)
        if self.rng.random() < 0.4:
            b.data, b.dtype = self.rng.integers(-128, 128, other).astype(np.int8), "int8"
        inputs = [a, b] if self.whole(0, 1) else [b, a]
        y = self.tensor(*shape, scale=(a.scale + b.scale) * 0.7, zero_point=1)
        return inputs, y, schema.AddOptionsT()

    def pad(self, kind: str):
        x = self.tensor(*(self.whole(1, 4) for _ in range(self.whole(1, 4))))
        widths = self.rng.integers(0, 3, (len(x.shape), 2)).astype(np.int32)
        sizes = np.asarray(x.shape) + widths.sum(axis=1)
        same = {"scale": x.scale, "zero_point": x.zero_point}
        y = self.tensor(*map(int, sizes), **same)
        edges = Input(widths.shape, data=widths, dtype="int32")
        return [x, edges], y, schema.PadOptionsT()

    def reshape(self, kind: str):
        x, options = self.tensor(*self.image()), schema.ReshapeOptionsT()
        size, batch = int(np.prod(x.shape)), x.shape[0]
        shape = self.often((batch, size // batch), (size,), (size, 1), (1, size), share=0.4)
        told = list(shape) if self.whole(0, 1) else [-1, *shape[1:]]
        options.newShape = self.often(told, [size, 1], share=0.9)
        same = {"scale": x.scale, "zero_point": x.zero_point}
        return [x], self.tensor(*shape, **same), options

    def softmax(self, kind: str):
        options, rank = schema.SoftmaxOptionsT(), self.whole(1, 4)
        options.beta = self.often(1.0, 0.5, 3.0, 0.0, share=0.6)
        x = self.tensor(*(self.whole(1, 5) for _ in range(rank - 1)), self.whole(2, 9))
        grid = self.often({"scale": 1 / 256, "zero_point": -128}, self.grid(), share=0.95)
        return [x], self.tensor(*x.shape, **grid), options

    def quantize(self, kind: str):
        x = self.tensor(*self.image())
        return [x], self.tensor(*x.shape), schema.QuantizeOptionsT()
