"""Hold a rewritten .tflite file against the one that it came from, before anybody gets it.

The map has to name every byte of the result, and LiteRT has to open it and to give, bit for bit,
the answers of the file that it is compared with. That happens in the process of a `Guard`, which
starts with the first file (half a second) and serves until Python ends (milliseconds a file).
"""

import atexit
import hashlib
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np

from course_lib.formats import flatbuffer
from course_lib.formats.tflite_file import ModelError, schema
from course_lib.tflite.guard import Guard
from course_lib.tflite.interpreter import Interpreter

_STEPS = 3  # runs in a row, so that what a model remembers is compared, too
_OF_MICRO = {"OfflineMemoryAllocation", "COMPRESSION_METADATA"}  # metadata that name buffers
_LOCK = threading.Lock()
_KNOWN: dict[bytes, bytes] = {}  # fingerprints by the SHA-256 of a file


class Unchanged(bytes):
    """The bytes of a file that could not be rewritten; `why` says so in one sentence."""

    why: str = ""


def unchanged(model_bytes: bytes, why: str) -> Unchanged:
    """Return a file as it was, with the reason; the reason is a warning, too."""
    same = Unchanged(model_bytes)
    same.why = f"The file stays as it was: {why}"
    warnings.warn(same.why, stacklevel=3)
    return same


def verified(original: bytes, changed: bytes, like: bytes | None = None) -> bytes:
    """Return `changed` where it stands the test, else `original` as `Unchanged`.

    Every byte of it must have a name, and LiteRT must run it; with `like`, a file, both must
    make the same bits, operator by operator, of the same random inputs of the right types, several
    in a row, in every signature, and in two sizes where shapes are open and nothing is stored.
    """
    stage = "the map of the result fails."
    try:
        flatbuffer.byte_map(changed)
        stage = "there is nothing to compare the result with."
        wanted = None if like is None else _fingerprint(like)
        stage = "LiteRT does not run the result."
        found = _fingerprint(changed)
        if wanted in (None, found):
            return changed
        stage = "its answers differ from run to run and cannot be compared."
        if _fingerprint(like, afresh=True) == wanted:
            stage = "the result would answer otherwise."
        return unchanged(original, stage)
    except ModelError as error:
        return unchanged(original, f"{stage} {error}")


def obstacle(model_bytes: bytes) -> str:
    """Return in one sentence what a rewriting would lose, "" where it loses nothing.

    Raises ModelError for bytes that are no model.
    """
    for span in flatbuffer.byte_map(model_bytes):
        outside = re.search(r"(?:buffers\[\d+\]\.|large_custom_options_)offset$", span.path)
        if outside and span.kind == "scalar" and span.value > 1:  # 1 holds the place of an offset
            return "it keeps weights behind the FlatBuffer, as models beyond 2 GB do."
        if flatbuffer.unknown(span):
            return f"{span.path} comes from a newer schema than the one here and would be lost."
        if span.path.startswith("metadata") and span.value in _OF_MICRO:
            return f"TensorFlow Lite Micro reads its metadata {span.value}, which name its parts."
    return ""


def fingerprint(model_bytes: bytes) -> bytes:
    """Return a digest of what a model makes of random inputs; run it in a process of its own.

    Raises ModelError where LiteRT cannot open the model, or stops in every run.
    """
    hashed, good, said, sizes = hashlib.sha256(), False, "it has no entry", [1]
    root = schema.Model.GetRootAs(model_bytes)
    plain = _plain(root)
    for size in sizes:
        raw, rng = Interpreter(model_bytes, keep_all=plain).raw, np.random.default_rng(0)
        open_shapes = any(-1 in each["shape_signature"] for each in raw.get_input_details())
        if plain and open_shapes and size == 1:  # LiteRT crashes on variables of another size
            sizes.append(2)
        try:
            plays = list(_plays(raw, root, plain, size))
        except (RuntimeError, ValueError) as error:
            if size == 1:
                raise ModelError(f"LiteRT cannot prepare this model: {error}") from error
            plays = []  # other sizes need not be possible
        for play in plays:
            for step in range(_STEPS):
                try:
                    answers = play(rng, step)
                except (RuntimeError, ValueError) as error:  # an index too large, perhaps
                    answers, said = [np.array("stopped")], str(error)
                else:
                    good = True
                for answer in answers:
                    hashed.update(f"{answer.dtype}{answer.shape}".encode())
                    words = answer.dtype.kind in "OSU"
                    hashed.update(repr(answer.tolist()).encode() if words else answer.tobytes())
    if not good:
        raise ModelError(f"This model stops while it runs: {said.strip().splitlines()[0]}")
    return hashed.digest()


def prepare() -> Callable[[bytes], bytes]:
    """Return `fingerprint`, LiteRT loaded; this is the process's side."""
    from ai_edge_litert import interpreter  # noqa: F401  (loaded before the clock starts)

    return fingerprint


def _fingerprint(model_bytes: bytes, afresh: bool = False) -> bytes:
    """Ask the guarded process, once for each file."""
    key = hashlib.sha256(model_bytes).digest()
    if afresh or key not in _KNOWN:
        with _LOCK:
            _KNOWN[key] = _guard(os.getpid()).asked(bytes(model_bytes))
    return _KNOWN[key]


@cache
def _guard(process: int) -> Guard:
    """Return the guard of this process; a forked one needs its own."""
    guard = Guard(seconds=30.0, memory_bytes=1 << 32)
    guard.prepare = f"{__name__}:prepare"
    atexit.register(guard.end)
    return guard


def _plays(raw: Any, root: Any, plain: bool, size: int) -> Iterator[Callable]:
    """Yield for each entry of a model the function that runs it on the random inputs of a step."""
    if root.SignatureDefsLength() < 2:
        for detail in raw.get_input_details():
            raw.resize_tensor_input(detail["index"], _shape(detail, size))
        raw.allocate_tensors()
        yield partial(_primary, raw, plain, size)
        return
    for key in sorted(raw.get_signature_list()):
        yield partial(_signature, raw.get_signature_runner(key), size)


def _signature(runner: Any, size: int, rng: Any, step: int) -> list[np.ndarray]:
    """Run one signature once; return its outputs."""
    details = sorted(runner.get_input_details().items())
    answers = runner(**{name: _random(rng, detail, size, step) for name, detail in details})
    return [np.asarray(answer) for _, answer in sorted(answers.items())]


def _plain(root: Any) -> bool:
    """Tell whether nothing but numbers flows through a single subgraph."""
    if root.SubgraphsLength() != 1:
        return False
    graph, types = root.Subgraphs(0), schema.TensorType
    kinds = {graph.Tensors(index).Type() for index in range(graph.TensorsLength())}
    return not kinds & {types.STRING, types.RESOURCE, types.VARIANT}


def _primary(raw: Any, plain: bool, size: int, rng: Any, step: int) -> list[np.ndarray]:
    """Run subgraph 0 once; return its outputs, and what each of its operators made where `plain`.

    An output alone may be saturated. What variables and branches hold, LiteRT cannot always read.
    """
    for detail in raw.get_input_details():
        raw.set_tensor(detail["index"], _random(rng, detail, size, step))
    raw.invoke()
    made = [int(place) for each in raw._get_ops_details() for place in each["outputs"]]
    ends = [detail["index"] for detail in raw.get_output_details()]
    places = [*(made if plain else ()), *ends]
    return [_read(raw, place) for place in places if place >= 0]


def _read(raw: Any, place: int) -> np.ndarray:
    """Return a tensor; one that an operator left without values is an empty one."""
    try:
        return np.asarray(raw.get_tensor(place))
    except ValueError:
        return np.zeros(0)


def _shape(detail: dict, size: int) -> list[int]:
    """Return an input's shape; what is open, -1, becomes `size`."""
    signature = detail["shape_signature"]
    signature = signature if len(signature) else detail["shape"]
    return [int(each) if each >= 0 else size for each in signature]


def _random(rng: np.random.Generator, detail: dict, size: int, step: int) -> np.ndarray:
    """Return random values for an input; in step 1 small whole ones, which may be indices."""
    shape, dtype = _shape(detail, size), np.dtype(detail["dtype"])
    if dtype.kind in "OSU":
        return rng.choice(np.array([b"yes", b"no", b"\xff\x00", b""], object), shape)
    if dtype.kind in "fc" and step != 1:
        return np.asarray(rng.normal(size=shape) * 10.0 ** (step // 2)).astype(dtype)
    if dtype.kind == "b" or dtype.itemsize > 2 or step == 1:
        return rng.integers(0, 2 if dtype.kind == "b" else 2 + 2 * step, shape).astype(dtype)
    limits = np.iinfo(dtype)
    middle = (int(limits.max) + int(limits.min) + 1) // 2
    values = rng.integers(limits.min, limits.max + 1, shape) - middle  # the full range, then less
    return np.asarray(values // (8 if step > 1 else 1) + middle).astype(dtype)
