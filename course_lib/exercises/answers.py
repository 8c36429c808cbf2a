"""Turn what a student gives into plain values, tell whether two agree, and know an untouched `...`.

Plain values (numbers, texts, bytes, lists, dicts, arrays) can leave the kernel without pickle.
The grader's sandbox holds this module, so nothing here may know a solution.
"""

import ast
import dis
import inspect
import math
import re
import textwrap
from collections.abc import Callable, KeysView, ValuesView
from dataclasses import dataclass
from types import FunctionType, GeneratorType

import numpy

# What a body of nothing but a docstring, `...` or `return ...` is compiled to.
_IDLE = set("RESUME NOP LOAD_CONST RETURN_CONST RETURN_VALUE POP_TOP COPY_FREE_VARS".split())
_ONE_BY_ONE = (range, map, filter, zip, KeysView, ValuesView, GeneratorType)
_MOST_CHARACTERS = 1 << 23  # of texts in an array
_FLOAT32 = 1e-6  # a float may come from arithmetic in float32: some of its roundings, relative


@dataclass(frozen=True)
class Raised:
    """What takes a value's place where the student's function raised an exception."""

    kind: str
    message: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}" if self.message else self.kind


def answer_values(answer: object, arguments: list[tuple] | None) -> object:
    """Return the answer as a plain value or, given `arguments`, its value for each tuple.

    An exception of the student's function becomes a `Raised`. Raises TypeError with a sentence for
    the student where a function was asked and none given, the other way round, or for other types.
    """
    if arguments is None:
        if isinstance(answer, FunctionType):
            raise TypeError("This asks for a value, and you gave a function: call it.")
        return plain(answer)
    if not callable(answer):
        raise TypeError("This asks for the function itself: give its name, without brackets.")
    return [_value(answer, each) for each in arguments]


def _value(function: Callable, arguments: tuple) -> object:
    """Call `function` and return a plain value, or what it raised."""
    try:
        return plain(function(*arguments))
    except Exception as error:  # a student's function may raise anything
        return Raised(type(error).__name__, str(error)[:200])  # a message may quote a whole array


def plain(value: object) -> object:
    """Return `value` built of None, numbers, str, bytes, list, tuple, dict and arrays only.

    NumPy numbers become Python's; tensors become arrays; sets become sorted lists; an array of any
    class is viewed as a plain ndarray. Raises TypeError with a sentence for the student otherwise.
    """
    if value is None or value is Ellipsis or type(value) in (bool, int, float, complex, str, bytes):
        return value
    if isinstance(value, numpy.generic):
        return value.item()
    if isinstance(value, numpy.ndarray):
        if value.dtype.kind not in "biufcUS":
            raise TypeError(f"An array of {value.dtype} is no answer here: give numbers.")
        return value.item() if value.ndim == 0 else value.view(numpy.ndarray)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (set, frozenset)):
        return sorted((plain(each) for each in value), key=repr)  # by repr: kinds may be mixed
    if isinstance(value, (list, tuple)):
        kind = tuple if isinstance(value, tuple) else list
        return kind(plain(each) for each in value)
    if isinstance(value, _ONE_BY_ONE):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {plain(key): plain(each) for key, each in value.items()}
    if hasattr(value, "numpy") and hasattr(value, "shape"):  # a TensorFlow tensor or variable
        return plain(value.numpy())
    if callable(value):
        raise TypeError(f"This {type(value).__name__} is no answer: call it, or quote its name.")
    raise TypeError(
        f"This {type(value).__name__} is no answer here: give a number, a text, a list, "
        "a dict, bytes or an array."
    )


def same(value: object, expected: object, tolerance: float = 0.0, whole: bool = False) -> bool:
    """Tell whether two plain values agree: numbers within `tolerance`, lists and tuples alike.

    True is no number, NaN equals NaN, `whole` refuses floats where an integer is expected.
    """
    if isinstance(value, numpy.ndarray) or isinstance(expected, numpy.ndarray):
        return _same_arrays(value, expected, tolerance, whole)
    if isinstance(expected, (list, tuple)):
        return (
            isinstance(value, (list, tuple))
            and len(value) == len(expected)
            and all(same(a, b, tolerance, whole) for a, b in zip(value, expected, strict=True))
        )
    if isinstance(expected, dict):
        return (
            isinstance(value, dict)
            and value.keys() == expected.keys()
            and all(same(value[key], expected[key], tolerance, whole) for key in expected)
        )
    if isinstance(expected, bool) or isinstance(value, bool):  # to Python, True is 1
        return value is expected
    if isinstance(expected, (int, float)) and isinstance(value, (int, float)):
        if whole and isinstance(value, float):
            return False
        return _same_numbers(value, expected, tolerance)
    return type(value) is type(expected) and value == expected


def _same_numbers(value: float, expected: float, tolerance: float) -> bool:
    """Compare an int or a float with another; an int may be too large for a float."""
    if expected != expected or value != value:  # only NaN differs from itself
        return expected != expected and value != value
    floats = isinstance(value, float) and isinstance(expected, float)
    try:
        enough = max(tolerance, _FLOAT32 * abs(expected)) if floats else tolerance
        return value == expected or abs(value - expected) <= enough < math.inf
    except OverflowError:
        return False


def _same_arrays(value: object, expected: object, tolerance: float, whole: bool) -> bool:
    """Compare where one of the two is an array; a list of the same shape agrees with it."""
    if not all(isinstance(each, (numpy.ndarray, list, tuple)) for each in (value, expected)):
        return False
    try:
        array, right = as_array(value), as_array(expected)
    except ValueError:
        return False
    if array.shape != right.shape or array.dtype.kind not in "biufc":
        return (
            array.shape == right.shape
            and array.dtype.kind == right.dtype.kind
            and bool((array == right).all())
        )
    if whole and array.dtype.kind == "f" or right.dtype.kind not in "biufc":
        return False
    relative = _FLOAT32 if array.dtype.kind == right.dtype.kind == "f" else 0
    pair = array.astype(complex), right.astype(complex)
    return bool(numpy.allclose(*pair, relative, tolerance, equal_nan=True))


def as_array(value: object) -> numpy.ndarray:
    """Return a list or an array as an array. Raises ValueError where its rows differ in length.

    It also does where texts would take more than `_MOST_CHARACTERS`: each gets the width of the
    longest, so that a list of one megabyte becomes gigabytes.
    """
    count = longest = 0
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, (list, tuple)):
            waiting += each
        elif isinstance(each, numpy.ndarray):
            count += each.size
            longest = max(longest, each.itemsize if each.dtype.kind in "US" else 0)
        else:
            count += 1
            longest = max(longest, len(each) if isinstance(each, (str, bytes)) else 0)
    if count * longest > _MOST_CHARACTERS:
        raise ValueError("The texts are too long for an array.")
    return numpy.asarray(value)


def is_untouched(answer: object) -> bool:
    """Tell whether `answer` is `...`, or a function whose body still is."""
    if answer is Ellipsis:
        return True
    if isinstance(answer, (list, tuple)) and answer and all(each is Ellipsis for each in answer):
        return True
    if not isinstance(answer, FunctionType):
        return False
    return _does_nothing(answer) or _has_bare_ellipsis(answer)


def unread(function: object) -> str:
    """Return the first parameter that a function never reads, "" where it reads all of them."""
    if not isinstance(function, FunctionType):
        return ""
    code, words = function.__code__, re.findall(r"\w+", dis.Bytecode(function).dis())
    return next((each for each in code.co_varnames[: code.co_argcount] if each not in words), "")


def _does_nothing(function: FunctionType) -> bool:
    """Tell whether the bytecode only returns None or Ellipsis."""
    steps = list(dis.get_instructions(function))
    if any(step.opname not in _IDLE for step in steps):
        return False
    loaded = [step.argval for step in steps if step.opname in ("LOAD_CONST", "RETURN_CONST")]
    return all(each is None or each is Ellipsis for each in loaded)


def _has_bare_ellipsis(function: FunctionType) -> bool:
    """Tell whether `...` stands in the source as a statement, or is returned or assigned."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return False
    holders = (ast.Expr, ast.Return, ast.Assign)
    return any(
        isinstance(node, holders)
        and isinstance(node.value, ast.Constant)
        and node.value.value is Ellipsis
        for node in ast.walk(tree)
    )
