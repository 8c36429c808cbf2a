"""Run a .tflite model with LiteRT, the interpreter that TensorFlow Lite has become."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import session
from course_lib.formats.tflite_file import ModelError, check, schema

_TOGETHER = 64  # inputs that are rounded at once, and the fewest that are worth a thread
_SMALL_BYTES = 8 << 20  # of all tensors: a larger model is loaded once


@dataclass(frozen=True)
class Tensor:
    """Describe one tensor: `scales` and `zero_points` are empty where nothing is quantized."""

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis: int = 0

    @property
    def scale(self) -> float:
        """Return the one scale of the tensor, 0.0 where there is none."""
        return self.scales[0] if self.scales else 0.0

    @property
    def zero_point(self) -> int:
        """Return the one zero point of the tensor, 0 where there is none."""
        return self.zero_points[0] if self.zero_points else 0


@dataclass(frozen=True)
class Operation:
    """Describe one operation of the plan: its kind and the indices of its tensors."""

    index: int
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Interpreter:
    """Run one model, given as bytes, on inputs of its own fixed shape.

    Without `delegate` the kernels are those of TensorFlow Lite itself, and answers are the same
    bytes everywhere. With it, LiteRT's default delegate (XNNPACK) is used, which is faster and
    rounds a little differently. `reference` picks the plain loops that every faster kernel is
    compared with. Raises ModelError for bytes that are no model.
    """

    def __init__(
        self,
        model_bytes: bytes,
        delegate: bool = False,
        threads: int = 1,
        keep_all: bool = False,
        reference: bool = False,
    ) -> None:
        check(model_bytes)
        with session.quiet():
            from ai_edge_litert import interpreter as litert

        kernels = litert.OpResolverType
        resolver = kernels.AUTO if delegate else kernels.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        self._made = partial(
            litert.Interpreter,
            model_content=bytes(model_bytes),
            num_threads=threads,
            experimental_op_resolver_type=kernels.BUILTIN_REF if reference else resolver,
            experimental_preserve_all_tensors=keep_all,
        )
        self._load()
        self._stale, self._keeps_resources = False, None

    def _load(self) -> None:
        """Make LiteRT's own interpreter, in which nothing has run yet."""
        with session.quiet():
            try:
                self.raw = self._made()
                self.raw.allocate_tensors()
                self.inputs = tuple(described(detail) for detail in self.raw.get_input_details())
                self.outputs = tuple(described(detail) for detail in self.raw.get_output_details())
            except (ValueError, RuntimeError) as error:
                said = _first_line(error)
                kind = "is damaged" if "valid Flatbuffer" in said else "needs what LiteRT lacks"
                raise ModelError(f"LiteRT cannot load this model, it {kind}: {said}.") from error

    def reset(self) -> None:
        """Forget what earlier runs left in the model's variables: the next run is a first one.

        Resource variables live as long as LiteRT's interpreter, so that a new one is made for them.
        """
        if self._keeps_resources is None:
            self._keeps_resources = _has_resources(self._made.keywords["model_content"])
        if self._keeps_resources and self._stale:
            self._load()
        else:
            self.raw.reset_all_variables()
        self._stale = False

    def run(self, features: np.ndarray) -> np.ndarray:
        """Return float32 answers, (n, classes), for `features`, (n, ...) float32.

        Features are rounded and saturated to the input's own type and answers are scaled back. No
        state is carried from one input to the next, also in a streaming model. Raises ValueError
        when the features do not fit the model's input.
        """
        return self._answers(self._fitted(features))

    def _answers(self, rows: np.ndarray) -> np.ndarray:
        stored = []
        for start in range(0, len(rows), _TOGETHER):
            for row in quantize(rows[start : start + _TOGETHER], self.inputs[0]):
                self.reset()
                stored.append(self.step(row))
        return dequantize(np.concatenate(stored), self.outputs[0])

    def step(self, value: np.ndarray) -> np.ndarray:
        """Run once on `value`, already of the input's type and shape; return the raw output.

        Raises ModelError where the model stops half-way.
        """
        self.raw.set_tensor(self.inputs[0].index, value)
        self._stale = True
        try:
            self.raw.invoke()
            return self.raw.get_tensor(self.outputs[0].index)  # a copy: the next run spares it
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"This model stops while it runs: {_first_line(error)}.") from error

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Every named tensor of the first subgraph."""
        return tuple(described(detail) for detail in self.raw.get_tensor_details())

    def before(self, kind: str, features: np.ndarray) -> np.ndarray:
        """Return what enters the last operation of a kind, such as "SOFTMAX", as float32.

        `features` is one input; the interpreter has to be made with `keep_all`. Raises
        LookupError where the model has no such operation.
        """
        indices = [
            each["inputs"][0] for each in self.raw._get_ops_details() if each["op_name"] == kind
        ]
        if not indices:
            raise LookupError(f"This model has no operation {kind}.")
        self.run(np.asarray(features)[np.newaxis])
        tensor = next(tensor for tensor in self.tensors if tensor.index == indices[-1])
        return dequantize(self.raw.get_tensor(tensor.index), tensor).ravel()

    def _fitted(self, features: np.ndarray) -> np.ndarray:
        """Return the features as (runs, *input shape) float32."""
        shape = self.inputs[0].shape
        if len(self.inputs) != 1 or not len(self.outputs):
            names = ", ".join(each.name for each in self.inputs) or "none"
            raise ValueError(
                f"This model has {len(self.inputs)} inputs ({names}) and {len(self.outputs)} "
                "outputs: only models with one input can be run on features."
            )
        rows = np.asarray(features, np.float32)
        batch = shape[0] if shape else 1
        size, each = int(np.prod(shape)), int(np.prod(shape[1:]))
        if rows.ndim == 0 or not len(rows) or rows[0].size != each or not size or len(rows) % batch:
            raise ValueError(
                f"The model wants inputs of shape {list(shape)}: features of shape "
                f"{list(rows.shape)} cannot be split into such."
            )
        return rows.reshape(rows.size // size, *shape)


def run(
    model_bytes: bytes, features: np.ndarray, delegate: bool = False, reference: bool = False
) -> np.ndarray:
    """Return the probabilities, (n, classes) float32, that a model gives for (n, 49, 40) features.

    Quantized ends are handled with the model's own scale and zero point. Many clips are shared out
    among the machine's cores, each with an interpreter of its own. Raises ModelError for bytes that
    are no model and `ValueError` for features that do not fit.
    """
    made = Interpreter(model_bytes, delegate, reference=reference)
    rows = made._fitted(features)
    stored = sum(int(np.prod(each.shape)) * each.dtype.itemsize for each in made.tensors)
    count = min(os.cpu_count() or 1, len(rows) // _TOGETHER) if stored < _SMALL_BYTES else 1
    if count < 2:
        return made._answers(rows)
    more = (Interpreter(model_bytes, delegate, reference=reference) for _ in range(count - 1))
    with ThreadPoolExecutor(count) as threads:  # LiteRT lets other threads work while it runs
        parts = threads.map(Interpreter._answers, (made, *more), np.array_split(rows, count))
        return np.concatenate(list(parts))


def load(name: str) -> bytes:
    """Return the bytes of a shipped model: `"spotter_int8"` or `"spotter_float32"`, or a path.

    Raises OSError when there is no such file and `ModelError` when it holds no model.
    """
    shipped = session.data_path("models", f"{name}.tflite")
    path = shipped if shipped.is_file() else Path(name)
    if not path.is_file():
        raise FileNotFoundError(f"There is no model {name!r}, neither shipped nor as a file.")
    data = path.read_bytes()
    check(data)
    return data


def operations(model_bytes: bytes) -> tuple[Operation, ...]:
    """Return the operations of the first subgraph in the order in which they run."""
    keys = ("index", "op_name", "inputs", "outputs")
    details = Interpreter(model_bytes).raw._get_ops_details()
    return tuple(
        Operation(int(index), str(kind), tuple(map(int, inputs)), tuple(map(int, outputs)))
        for index, kind, inputs, outputs in ([each[key] for key in keys] for each in details)
    )


def quantize(values: np.ndarray, tensor: Tensor) -> np.ndarray:
    """Return float32 `values` in the tensor's own type: divided, rounded, moved, saturated.

    Halves are rounded away from zero, as the QUANTIZE kernel does.
    """
    if not tensor.scales or tensor.dtype.kind == "f":
        return np.asarray(values).astype(tensor.dtype)
    ratio = np.asarray(values, np.float32) / np.float32(tensor.scale)
    whole = np.copysign(np.floor(np.abs(ratio) + np.float32(0.5)), ratio) + tensor.zero_point
    limits = np.iinfo(tensor.dtype)
    return np.clip(whole, limits.min, limits.max).astype(tensor.dtype)


def dequantize(values: np.ndarray, tensor: Tensor) -> np.ndarray:
    """Return stored `values` as the float32 numbers that they stand for."""
    if not tensor.scales or tensor.dtype.kind == "f":
        return np.asarray(values).astype(np.float32)
    steps = values.astype(np.int64) - tensor.zero_point
    return (np.float32(tensor.scale) * steps).astype(np.float32)


def described(detail: dict[str, Any]) -> Tensor:
    """Return a `Tensor` from what LiteRT says about it; tflite-micro says no index and no name."""
    known = detail["quantization_parameters"]
    return Tensor(
        int(detail.get("index", 0)),
        str(detail.get("name", "")),
        tuple(int(size) for size in detail["shape"]),
        np.dtype(detail["dtype"]),
        tuple(float(scale) for scale in known["scales"]),
        tuple(int(point) for point in known["zero_points"]),
        int(known["quantized_dimension"]),
    )


def _has_resources(model_bytes: bytes) -> bool:
    """Tell whether a model keeps variables outside of its tensors, or fills them only once."""
    root, kinds = schema.Model.GetRootAs(model_bytes, 0), schema.BuiltinOperator
    try:
        places = range(root.OperatorCodesLength())
        codes = {root.OperatorCodes(place).BuiltinCode() for place in places}
    except Exception:  # a damaged file that LiteRT took all the same
        return False
    return bool(codes & {kinds.VAR_HANDLE, kinds.ASSIGN_VARIABLE, kinds.CALL_ONCE})


def _first_line(error: Exception) -> str:
    """Return the first line of an error's message, what it says twice once, without a full stop."""
    line = (str(error).strip().splitlines() or ["no reason given"])[0]
    said = re.match(r"(.*?)\.?(Node number \d+ \(\w+\)|$)", line)  # LiteRT glues its sentences
    return f"{said[1]}{', ' * bool(said[2])}{said[2]}".rstrip(".")
