"""Carry plain values between processes as JSON, without pickle and within bounds.

None, truth values and texts are themselves. Everything else is an object with one key: i integer
(hexadecimal), f float (hexadecimal), c complex, b bytes (base64), l list, t tuple, d dict, a array,
x Ellipsis, r what was raised. Reading never runs code, whatever the text says.
"""

import base64
import json
import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy

from course_lib.exercises.answers import Raised

LARGEST_TEXT_BYTES = 8_000_000
_LARGEST_BITS = 1 << 16  # a longer one would take too long to print
_DEEPEST = 40  # far below Python's own limit
_KINDS = "biufcUS"
_DTYPE = re.compile(r"[<>|=]?[biufcUS][0-9]{1,7}")
_LONGEST_FLOAT = 64  # characters: a hexadecimal one has about 25
_MOST_COLLISIONS = 64  # keys of one hash: a dict of n such takes n² steps to build
# Elements of an empty array, were its zeros ones: `tolist` makes them, and no byte pays for it.
_MOST_EMPTY = 1 << 16


class ValuesError(ValueError):
    """A text that holds no plain values, or more of them than is allowed."""


def written(value: object) -> str:
    """Return a plain value as JSON text."""
    return json.dumps(encoded(value), separators=(",", ":"))


def read(text: str | bytes) -> object:
    """Return the plain value that a text of `written` holds; raises ValuesError for any other.

    It costs at most about 40 bytes for each byte of the text, and time in proportion to it.
    """
    if len(text) > LARGEST_TEXT_BYTES:
        raise ValuesError(f"The values take more than {LARGEST_TEXT_BYTES:,} bytes.")
    try:
        return decoded(json.loads(text))
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise ValuesError(f"These are no plain values: {error}") from error


def encoded(value: object, depth: int = 0) -> object:
    """Return a plain value as what JSON can hold; raises ValuesError for what is none."""
    if depth > _DEEPEST:
        raise ValuesError("The value is nested too deeply.")
    if value is None or type(value) in (bool, str):
        return value
    if value is Ellipsis:
        return {"x": 0}
    if type(value) is int:
        if value.bit_length() > _LARGEST_BITS:
            raise ValuesError(f"An integer has more than {_LARGEST_BITS:,} bits.")
        return {"i": hex(value)}
    if type(value) is float:
        return {"f": value.hex()}
    if type(value) is complex:
        return {"c": [value.real.hex(), value.imag.hex()]}
    if type(value) is bytes:
        return {"b": base64.b64encode(value).decode()}
    if type(value) in (list, tuple):
        name = "l" if type(value) is list else "t"
        return {name: [encoded(each, depth + 1) for each in value]}
    if type(value) is dict:
        return {"d": [encoded(list(pair), depth)["l"] for pair in value.items()]}
    if type(value) is numpy.ndarray and value.dtype.kind in _KINDS:
        if not value.size and _elements(value.shape) > _MOST_EMPTY:
            raise ValuesError("The shape of an empty array is too large.")
        data = numpy.ascontiguousarray(value)
        return {"a": [data.dtype.str, list(value.shape), base64.b64encode(data.tobytes()).decode()]}
    if type(value) is Raised:
        return {"r": [str(value.kind), str(value.message)]}
    raise ValuesError(f"A {type(value).__name__} is no plain value.")


def decoded(data: object, depth: int = 0) -> object:
    """Return the value that `encoded` made `data` from; raises ValueError or TypeError else."""
    if depth > _DEEPEST:
        raise ValuesError("The value is nested too deeply.")
    if data is None or type(data) in (bool, str):
        return data
    if type(data) is not dict or len(data) != 1:
        raise ValuesError("An object with one key is needed.")
    ((name, content),) = data.items()
    if name in "ltdacr" and type(content) is not list:
        raise ValuesError("A list is needed.")
    if name == "x":
        return Ellipsis
    if name == "i":
        if len(content) > _LARGEST_BITS // 4 + 4:  # four bits a digit, then sign and 0x
            raise ValuesError("An integer is too long.")
        return int(content, 16)
    if name == "f":
        return _float(content)
    if name == "c":
        real, imaginary = content
        return complex(_float(real), _float(imaginary))
    if name == "b":
        return base64.b64decode(content, validate=True)
    if name in ("l", "t"):
        items = [decoded(each, depth + 1) for each in content]
        return items if name == "l" else tuple(items)
    if name == "d":
        return _dict([(decoded(key, depth + 1), decoded(e, depth + 1)) for key, e in content])
    if name == "a":
        return _array(*content)
    if name == "r":
        kind, message = content
        return Raised(str(kind)[:80], str(message)[:200])
    raise ValuesError(f"There is no kind {name[:20]!r} of value.")


def _float(text: str) -> float:
    if len(text) > _LONGEST_FLOAT:
        raise ValuesError("A number is too long.")
    return float.fromhex(text)


def _dict(pairs: list[tuple]) -> dict:
    """Return a dict, unless its keys were chosen so that they collide."""
    most = Counter(hash(key) for key, _ in pairs).most_common(1)
    if most and most[0][1] > _MOST_COLLISIONS:
        raise ValuesError("Too many keys of a dict have the same hash.")
    return dict(pairs)


def _array(kind: str, shape: list[int], text: str) -> numpy.ndarray:
    """Return an array of numbers or texts; never of objects, never larger than its text."""
    dtype = numpy.dtype(kind) if _DTYPE.fullmatch(kind) else None
    if dtype is None or dtype.itemsize == 0:
        raise ValuesError("An array of such elements is no plain value.")
    data = base64.b64decode(text, validate=True)
    if len(shape) > 8 or any(type(size) is not int or size < 0 for size in shape):
        raise ValuesError("An array has an impossible shape.")
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ValuesError("An array's bytes do not fit its shape.")
    if not data and _elements(shape) > _MOST_EMPTY:
        raise ValuesError("An empty array has an impossible shape.")
    return numpy.frombuffer(data, dtype).reshape(shape).copy()  # the buffer's is read-only


def _elements(shape: Sequence[int]) -> int:
    return math.prod(size or 1 for size in shape)  # where zeros count as ones
