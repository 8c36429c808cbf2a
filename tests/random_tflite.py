"""Random .tflite models, built part by part with the schema's own object API; LiteRT runs them.

``model(rng)`` returns the bytes of one: several inputs and outputs, operators and their options,
types, batch sizes, open shapes, states, subgraphs, signatures, sparse and four-bit weights,
strings, buffers that are shared, empty or doubled, metadata, old and new operator codes.
"""

from __future__ import annotations

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as S

TYPES = S.TensorType
NUMBERS = {
    "float32": TYPES.FLOAT32, "float16": TYPES.FLOAT16, "float64": TYPES.FLOAT64,
    "int8": TYPES.INT8, "int16": TYPES.INT16, "int32": TYPES.INT32, "int64": TYPES.INT64,
    "uint8": TYPES.UINT8, "bool": TYPES.BOOL, "uint32": TYPES.UINT32,
}  # fmt: skip


def model(rng: np.random.Generator) -> bytes:
    """Return the bytes of a random model."""
    return finished(tree(rng))


def tree(rng: np.random.Generator) -> S.ModelT:
    """Return a random model as a tree of objects."""
    made = _Made(rng)
    made.body()
    return made.tree


class NewerBuilder(flatbuffers.Builder):
    """Write every table with fields that no schema knows yet: numbers and a reference."""

    def __init__(self) -> None:
        super().__init__(0)
        self.text = self.CreateString("from later")

    def StartObject(self, numfields: int) -> None:
        self.known = numfields
        super().StartObject(numfields + 6)

    def EndObject(self) -> int:
        self.PrependUint8Slot(self.known, 7, 0)
        self.PrependUint64Slot(self.known + 2, 1 << 60, 0)
        self.PrependUOffsetTRelativeSlot(self.known + 3, self.text, 0)
        self.PrependUint32Slot(self.known + 5, 9, 0)
        return super().EndObject()


def finished(tree: S.ModelT, builder: flatbuffers.Builder | None = None) -> bytes:
    """Return a tree as the bytes of a file."""
    builder = builder or flatbuffers.Builder(0)
    builder.Finish(tree.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def options(name: str, **fields) -> tuple:
    """Return the options of an operator: the union's number, and the table."""
    table = getattr(S, f"{name}T")()
    for field, value in fields.items():
        assert hasattr(table, field), field
        setattr(table, field, value)
    return getattr(S.BuiltinOptions, name), table


class _Made:
    """Grow one model, operator by operator, around the float32 tensors of shape (batch, width)."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.tree = S.ModelT(version=3, operatorCodes=[], subgraphs=[], buffers=[S.BufferT()])
        if rng.random() < 0.2:
            self.tree.buffers[0].data = np.zeros(0, np.uint8)  # as some writers leave it
        self.batch, self.width = int(rng.integers(1, 4)), int(rng.choice([2, 4, 8]))
        self.graph = self.subgraph("main")

    def subgraph(self, name: str) -> S.SubGraphT:
        graph = S.SubGraphT(tensors=[], inputs=[], outputs=[], operators=[], name=name)
        self.tree.subgraphs.append(graph)
        return graph

    def tensor(self, shape, kind=TYPES.FLOAT32, data=None, scale=None, **fields) -> int:
        """Add a tensor; `data` are the bytes of a constant."""
        tensor = S.TensorT(shape=list(shape), type=kind, name=f"t{len(self.graph.tensors)}")
        tensor.quantization = S.QuantizationParametersT()
        if scale is not None:
            scales = np.ravel(scale).tolist()
            tensor.quantization = S.QuantizationParametersT(scale=scales, min=[-1.0], max=[1.0])
            tensor.quantization.zeroPoint = [0] * len(scales)
        for name, value in fields.items():
            setattr(tensor, name, value)
        if data is not None:
            same = [n for n, b in enumerate(self.tree.buffers) if n and b.data == list(data)]
            if not same or self.rng.random() < 0.5:
                self.tree.buffers.append(S.BufferT(data=list(data)))
                same = [len(self.tree.buffers) - 1]
            tensor.buffer = same[0]
        elif self.rng.random() < 0.3:  # an empty buffer of its own
            self.tree.buffers.append(S.BufferT())
            tensor.buffer = len(self.tree.buffers) - 1
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def constant(self, values, kind: str, **fields) -> int:
        array = np.asarray(values, kind)
        return self.tensor(array.shape, NUMBERS[kind], array.tobytes(), **fields)

    def operator(self, kind: str, inputs, outputs, opts=None, version: int = 1) -> None:
        number = getattr(S.BuiltinOperator, kind)
        code = S.OperatorCodeT(version=version, builtinCode=number)
        code.deprecatedBuiltinCode = min(number, 127)
        self.tree.operatorCodes.append(code)
        operator = S.OperatorT(opcodeIndex=len(self.tree.operatorCodes) - 1)
        operator.inputs, operator.outputs = list(inputs), list(outputs)
        operator.builtinOptionsType, operator.builtinOptions = opts or (0, None)
        self.graph.operators.append(operator)

    def like(self) -> int:
        return self.tensor((self.batch, self.width))

    def body(self) -> None:
        """Add inputs, some steps, outputs, and what stands around them."""
        rng = self.rng
        count = int(rng.integers(1, 4))
        self.graph.inputs = [self.like() for _ in range(count)]
        if rng.random() < 0.3:
            for index in self.graph.inputs:
                self.graph.tensors[index].shapeSignature = [-1, self.width]
        self.free = list(self.graph.inputs)
        for _ in range(int(rng.integers(1, 7))):
            self.free.append(getattr(self, str(rng.choice(STEPS)))(int(rng.choice(self.free))))
        self.graph.outputs = self.free[-int(rng.integers(1, 3)) :]
        if len(self.free) == count:  # nothing was computed
            self.graph.outputs = [self.binary(self.free[0])]
        self.around()

    def around(self) -> None:
        rng = self.rng
        if rng.random() < 0.5:
            self.tree.description = "made by chance"
        if rng.random() < 0.5:
            self.tree.buffers.append(S.BufferT(data=list(b"1.5.0")))
            place = len(self.tree.buffers) - 1
            self.tree.metadata = [S.MetadataT(name="min_runtime_version", buffer=place)]
        for name in ("first", "second")[: int(rng.integers(0, 3))]:
            ends = [
                [S.TensorMapT(name=f"{end}{n}", tensorIndex=t) for n, t in enumerate(indices)]
                for end, indices in (("in", self.graph.inputs), ("out", self.graph.outputs))
            ]
            signature = S.SignatureDefT(inputs=ends[0], outputs=ends[1], signatureKey=name)
            self.tree.signatureDefs = [*(self.tree.signatureDefs or []), signature]

    def binary(self, x: int) -> int:
        kind = str(self.rng.choice(["ADD", "MUL", "SUB"]))
        rows = self.rng.normal(size=(1, self.width)).round(1)
        y = int(self.rng.choice([self.constant(rows, "float32"), x]))
        out = self.like()
        fused = int(self.rng.choice([0, 1, 3]))
        name = {"ADD": "AddOptions", "MUL": "MulOptions", "SUB": "SubOptions"}[kind]
        self.operator(kind, [x, y], [out], options(name, fusedActivationFunction=fused))
        return out

    def unary(self, x: int) -> int:
        out = self.like()
        choice = [
            ("RELU", None), ("LOGISTIC", None), ("TANH", None), ("ABS", options("AbsOptions")),
            ("SOFTMAX", options("SoftmaxOptions", beta=float(self.rng.choice([1.0, 0.5])))),
            ("LEAKY_RELU", options("LeakyReluOptions", alpha=float(self.rng.choice([1.0, 0.1])))),
            ("NEG", options("NegOptions")), ("ELU", None), ("EXP", options("ExpOptions")),
        ]  # fmt: skip
        self.operator(*_spread(choice[self.rng.integers(len(choice))], [x], [out]))
        return out

    def dense(self, x: int) -> int:
        out, size = self.like(), self.width
        values = self.rng.normal(size=(size, size)).round(1).astype(np.float32)
        weights = self.constant(values, "float32")
        version = 1
        if self.rng.random() < 0.3:  # stored sparse: the rows, then what is not zero
            weights, version = self.sparse(values), 8
        bias = self.constant(np.zeros(size), "float32") if self.rng.random() < 0.5 else -1
        opts = options("FullyConnectedOptions", keepNumDims=bool(self.rng.random() < 0.5))
        self.operator("FULLY_CONNECTED", [x, weights, bias], [out], opts, version)
        return out

    def sparse(self, values: np.ndarray) -> int:
        values = values * (self.rng.random(values.shape) < 0.4)
        rows = [np.flatnonzero(row) for row in values]
        segments = np.cumsum([0, *map(len, rows)]).tolist()
        vectors = [
            S.Int32VectorT(values=each) for each in (segments, np.concatenate(rows).tolist())
        ]
        dense = S.DimensionMetadataT(denseSize=len(values))
        packed = S.DimensionMetadataT(
            format=S.DimensionType.SPARSE_CSR,
            arraySegmentsType=S.SparseIndexVector.Int32Vector,
            arraySegments=vectors[0],
            arrayIndicesType=S.SparseIndexVector.Int32Vector,
            arrayIndices=vectors[1],
        )
        sparsity = S.SparsityParametersT(traversalOrder=[0, 1], dimMetadata=[dense, packed])
        data = values[values != 0].astype(np.float32).tobytes() or bytes(4)
        return self.tensor(values.shape, data=data, sparsity=sparsity)

    def integers(self, x: int) -> int:
        """Add int8 or int16 in between, with weights of four bits at times."""
        inner, out = [
            self.tensor((self.batch, self.width), TYPES.INT8, scale=s) for s in (0.1, 0.2)
        ]
        narrow, back = self.rng.random() < 0.5, self.like()
        codes = self.rng.integers(-7, 8, (self.width, self.width)).astype(np.int8)
        halves = codes.ravel() & 15
        data = (halves[::2] | halves[1::2] << 4).astype(np.uint8) if narrow else codes
        kind = TYPES.INT4 if narrow else TYPES.INT8
        weights = self.tensor(codes.shape, kind, data.tobytes(), scale=0.05)
        bias = self.constant(self.rng.integers(-9, 9, self.width), "int32", scale=0.005)
        self.operator("QUANTIZE", [x], [inner], options("QuantizeOptions"))
        opts = options("FullyConnectedOptions")
        self.operator("FULLY_CONNECTED", [inner, weights, bias], [out], opts, 10 if narrow else 4)
        self.operator("DEQUANTIZE", [out], [back], options("DequantizeOptions"), 2)
        return back

    def cast(self, x: int) -> int:
        kind = NUMBERS[str(self.rng.choice(["int32", "int64", "bool", "int16", "float64"]))]
        inner, out = self.tensor((self.batch, self.width), kind), self.like()
        to = options("CastOptions", inDataType=TYPES.FLOAT32, outDataType=kind)
        self.operator("CAST", [x], [inner], to)
        back = options("CastOptions", inDataType=kind, outDataType=TYPES.FLOAT32)
        self.operator("CAST", [inner], [out], back)
        return out

    def one_hot(self, x: int) -> int:
        """Add the numbers 1 and 1.0, 0 and 0.0, whose bytes or values are the same."""
        index = self.tensor((self.batch,), TYPES.INT32)
        self.operator(
            "ARG_MAX", [x, self.constant(1, "int32")], [index],
            options("ArgMaxOptions", outputType=TYPES.INT32),
        )  # fmt: skip
        ends = self.constant(1.0, "float32"), self.constant(0.0, "float32")
        out, depth = self.like(), self.constant(self.width, "int32")
        self.operator("ONE_HOT", [index, depth, *ends], [out], options("OneHotOptions", axis=-1))
        return out

    def gather(self, x: int) -> int:
        kind = str(self.rng.choice(["int32", "int64"]))
        order, out = self.constant(self.rng.permutation(self.width), kind), self.like()
        self.operator("GATHER", [x, order], [out], options("GatherOptions", axis=1))
        return out

    def turned(self, x: int) -> int:
        """Transpose, reshape (by a tensor, by an option or both) and back."""
        flat, across = self.tensor((self.width, self.batch)), self.like()
        self.operator(
            "TRANSPOSE", [x, self.constant([1, 0], "int32")], [flat], options("TransposeOptions")
        )
        self.operator(
            "TRANSPOSE", [flat, self.constant([1, 0], "int32")], [across],
            options("TransposeOptions"),
        )  # fmt: skip
        shape = [-1, self.width]
        out, both = self.like(), self.rng.random() < 0.5
        inputs = [across, self.constant(shape, "int32")] if both else [across]
        self.operator("RESHAPE", inputs, [out], options("ReshapeOptions", newShape=shape))
        return out

    def split(self, x: int) -> int:
        half, out = self.width // 2, self.like()
        parts = [self.tensor((self.batch, half)) for _ in range(2)]
        axis = self.constant(1, "int32")
        self.operator("SPLIT", [axis, x], parts, options("SplitOptions", numSplits=2))
        opts = options("ConcatenationOptions", axis=int(self.rng.choice([1, -1])))
        self.operator("CONCATENATION", parts[::-1], [out], opts)
        return out

    def convolved(self, x: int) -> int:
        """Go through an image of one row: convolution, grouped by channel or not, and a pool."""
        image, after, out = (self.tensor((self.batch, 1, self.width, 1)) for _ in range(3))
        shape = self.constant([-1, 1, self.width, 1], "int32")
        self.operator("RESHAPE", [x, shape], [image])
        ends = (
            self.constant(self.rng.normal(size=(1, 1, 3, 1)), "float32"),
            self.constant([0], "float32"),
        )
        common = {"padding": S.Padding.SAME, "strideW": 1, "strideH": 1}
        if self.rng.random() < 0.5:
            opts = options("Conv2DOptions", dilationWFactor=int(self.rng.choice([1, 2])), **common)
            self.operator("CONV_2D", [image, *ends], [after], opts)
        else:
            opts = options("DepthwiseConv2DOptions", depthMultiplier=1, **common)
            self.operator("DEPTHWISE_CONV_2D", [image, *ends], [after], opts)
        pool = str(self.rng.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"]))
        opts = options("Pool2DOptions", filterWidth=2, filterHeight=1, **common)
        self.operator(pool, [after], [out], opts)
        back = self.like()
        self.operator("RESHAPE", [out, self.constant([-1, self.width], "int32")], [back])
        return back

    def state(self, x: int) -> int:
        """Add a variable with a name, added to in each run; its value begins at zero."""
        name = f"state_{len(self.tree.buffers)}"
        opts = options("VarHandleOptions", container="", sharedName=name)
        handle, before, out = self.tensor((), TYPES.RESOURCE), self.like(), self.like()
        self.operator("VAR_HANDLE", [], [handle], opts)
        if self.rng.random() < 0.5:  # another one, as in a streaming model
            other = options("VarHandleOptions", container="", sharedName=f"{name}_b")
            self.operator("VAR_HANDLE", [], [self.tensor((), TYPES.RESOURCE)], other)
        graph, self.graph = self.graph, self.subgraph(f"{name}_start")
        inner = self.tensor((), TYPES.RESOURCE)
        self.operator("VAR_HANDLE", [], [inner], opts)
        zeros = self.constant(np.zeros((self.batch, self.width)), "float32")
        self.operator("ASSIGN_VARIABLE", [inner, zeros], [], options("AssignVariableOptions"))
        self.graph = graph
        once = options("CallOnceOptions", initSubgraphIndex=len(self.tree.subgraphs) - 1)
        self.operator("CALL_ONCE", [], [], once)
        self.operator("READ_VARIABLE", [handle], [before], options("ReadVariableOptions"))
        self.operator("ADD", [x, before], [out], options("AddOptions"))
        self.operator("ASSIGN_VARIABLE", [handle, out], [], options("AssignVariableOptions"))
        return out

    def branch(self, x: int) -> int:
        """Add an IF with two subgraphs."""
        small, whole = self.tensor((1,), TYPES.BOOL), self.tensor((1,))
        axes = self.constant([0, 1], "int32")
        self.operator("SUM", [x, axes], [whole], options("ReducerOptions", keepDims=False))
        zero = self.constant([0], "float32")
        self.operator("GREATER", [whole, zero], [small], options("GreaterOptions"))
        out, graph = self.like(), self.graph
        for place in range(2):
            self.graph = self.subgraph(f"branch{place}")
            entry = self.like()
            self.graph.inputs, self.graph.outputs = [entry], [self.unary(entry)]
        last = len(self.tree.subgraphs) - 1
        self.graph = graph
        opts = options("IfOptions", thenSubgraphIndex=last - 1, elseSubgraphIndex=last)
        self.operator("IF", [small, x], [out], opts)
        return out

    def words(self, x: int) -> int:
        """Add a comparison of constant strings, which scales what flows."""
        table = [b"yes", "naïve".encode(), b""]
        ends = np.cumsum([4 * (len(table) + 2), *map(len, table)]).astype("<i4")
        data = np.int32(len(table)).tobytes() + ends.tobytes() + b"".join(table)
        words, one = (self.tensor(s, TYPES.STRING, data) for s in ((3,), (3,)))
        same, scaled = self.tensor((3,), TYPES.BOOL), self.tensor((3,))
        self.operator("EQUAL", [words, one], [same], options("EqualOptions"), 3)
        to = options("CastOptions", inDataType=TYPES.BOOL, outDataType=TYPES.FLOAT32)
        self.operator("CAST", [same], [scaled], to)
        total, out = self.tensor(()), self.like()
        self.operator(
            "SUM", [scaled, self.constant([0], "int32")], [total], options("ReducerOptions")
        )
        self.operator("MUL", [x, total], [out], options("MulOptions"))
        return out


STEPS = (
    "binary", "unary", "dense", "integers", "cast", "one_hot", "gather", "turned", "split",
    "convolved", "state", "branch", "words",
)  # fmt: skip


def _spread(kind_and_options: tuple, inputs, outputs) -> tuple:
    kind, opts = kind_and_options
    return kind, inputs, outputs, opts
