"""What a graph ends in: an activation of the model's own, or plain sums that are still logits."""

from typing import Any

_ACTIVATIONS = set(
    "Softmax LogSoftmax Sigmoid Tanh Relu Relu6 Elu Selu LeakyRelu Softplus Softsign Exp "
    "ClipByValue Erf Erfc HardSwish ArgMax TopKV2 SelectV2 Log Log1p Expm1 Abs Square "
    "Sqrt Sin".split()
)
_PASSING = set(  # what gives the same numbers in another form
    "Identity IdentityN Reshape Squeeze ExpandDims Cast StopGradient Transpose EnsureShape "
    "PreventGradient Snapshot CheckNumerics Neg".split()
)
_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}
_WHOLE_ROWS = {"Softmax", "LogSoftmax", "ArgMax", "TopKV2"}  # the others go number by number
_SCALING = set("Mul RealDiv Div DivNoNan AddV2 Add Sub Maximum Minimum".split())


def are_logits(tensor: Any) -> bool:
    """Tell whether a symbolic tensor of TensorFlow still needs a softmax to be probabilities.

    It does not behind an activation, whether it is one operation, such as Softmax, or made of
    several, such as exp(x) / sum(exp(x)); nor where each row is one number. Followed are
    operations that only hand on, scaling by constants, and calls of functions.
    """
    shape = tensor.shape
    if shape.rank is not None and (shape.rank < 2 or shape[-1] == 1):
        return False
    return not _is_active(tensor, [])


def _is_active(tensor: Any, calls: list[Any]) -> bool:
    """Walk backwards from a tensor to the first operation that decides; `calls` lead out again."""
    operation = tensor.op
    kind, inputs = operation.type, list(operation.inputs)
    if kind in _ACTIVATIONS:
        return True
    if kind in _CALLS:
        name = operation.get_attr("f").name
        inner = operation.graph._get_function(name).graph
        return _is_active(inner.outputs[tensor.value_index], [*calls, (operation, inner)])
    if kind == "Placeholder" and calls:
        (call, inner), *outer = calls[-1], *calls[:-1]
        places = [place for place, each in enumerate(inner.inputs) if each is tensor]
        return bool(places) and _is_active(call.inputs[places[0]], outer)
    if kind in _PASSING:
        return _is_active(inputs[tensor.value_index if kind == "IdentityN" else 0], calls)
    if kind not in _SCALING:
        return False
    moving = [each for each in inputs if not _is_constant(each)]
    if len(moving) == 1:
        return kind in ("Maximum", "Minimum") or _is_active(moving[0], calls)
    if kind in ("RealDiv", "Div", "DivNoNan") and _source(inputs[1]).op.type == "Sum":
        return _source(_source(inputs[1]).op.inputs[0]) is _source(inputs[0])
    # x times sigmoid(x), x less tanh(x), x plus sqrt(x * x + 4): one number decides alone. But a
    # branch of layers that is added to another gives logits.
    enough = any if kind in ("Mul", "Sub") or _are_of_one_source(moving) else all
    return enough(_is_active(each, calls) for each in moving)


def _are_of_one_source(tensors: list[Any]) -> bool:
    """Tell whether all tensors are computed from one of them, number by number."""
    sources = list(map(_source, tensors))
    return any(all(_is_made_of(each, source) for each in sources) for source in sources)


def _is_made_of(tensor: Any, source: Any) -> bool:
    kinds = _ACTIVATIONS - _WHOLE_ROWS | _SCALING | {"Pow"}
    if tensor is source:
        return True
    moving = {id(each): each for each in map(_source, tensor.op.inputs) if not _is_constant(each)}
    return (
        tensor.op.type in kinds
        and bool(moving)
        and all(_is_made_of(each, source) for each in moving.values())
    )


def _is_constant(tensor: Any) -> bool:
    """Tell whether a tensor is a single number of the program, and no weight."""
    source = _source(tensor)
    return source.op.type == "Const" and source.shape.num_elements() == 1


def _source(tensor: Any) -> Any:
    while tensor.op.type in _PASSING and tensor.op.type != "IdentityN":
        tensor = tensor.op.inputs[0]
    return tensor
