"""Open a saved model whatever its form: .tflite, .keras, .h5, a frozen .pb, a SavedModel folder."""

import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from course_lib import session, tflite
from course_lib.formats import tflite_file
from course_lib.formats.tflite_file import schema
from course_lib.graph import endings, freezing
from course_lib.session import internals
from course_lib.sound.dataset import LABELS
from course_lib.sound.features import BANDS, FRAMES

Predict = Callable[[np.ndarray], np.ndarray]
_FORMS = ".tflite, .keras, .h5, a frozen .pb or a SavedModel folder"


class ModelFileError(ValueError):
    """Say in one sentence why a file holds no model that can be opened, and what to do."""


def predictor(path: str | Path, classes: int | None = len(LABELS)) -> Predict | bytes:
    """Return what `measure.report` takes: the bytes of a .tflite file, else a function.

    The function maps features (n, 49, 40) float32 to probabilities (n, classes) float32. Raises
    ModelFileError for a file that is missing, empty, damaged or of another form, and for a .tflite
    file with another number of `classes`, unless that is None.
    """
    path = Path(path)
    if path.suffix == ".tflite":
        data = _content(path)
        _opened(path, lambda: _check_tflite(data, classes))
        return data
    model = trainable_or_frozen(path)
    if hasattr(model, "graph_def"):
        _opened(path, lambda: _check_ends(model.inputs, model.outputs))
        given = model.function.inputs[0]
        if not given.dtype.is_floating:
            taken = f"takes {given.dtype.name}, not features in float32"
            raise ModelFileError(f"{path} cannot be measured: its input {model.inputs[0]} {taken}.")
        if endings.are_logits(model.function.outputs[0]):
            return lambda features: softmax(model.run(features), axis=-1)
        return model.run
    _opened(path, lambda: _check_ends(model.inputs, model.outputs))
    are_logits = endings.are_logits(freezing.program(model, softmax=False).outputs[0])

    def predict(features: np.ndarray) -> np.ndarray:
        fitted = features.reshape(len(features), *model.input_shape[1:])  # some want (1960,)
        answers = model.predict(fitted, verbose=0)
        return softmax(answers, axis=1) if are_logits else answers

    predict.model = model  # which may name its classes
    return predict


def trainable_or_frozen(path: str | Path) -> object:
    """Return a Keras model from .keras or .h5, or a `freezing.Frozen` from a .pb or a SavedModel.

    These are the forms that the converter starts from. Raises ModelFileError like `predictor`.
    """
    path = Path(path)
    if path.name == "saved_model.pb" and path.is_file():
        path = path.parent
    if (path / "saved_model.pb").is_file():
        return _opened(path, lambda: _frozen_folder(path))
    if path.suffix == ".tflite":
        raise ModelFileError(f"{path} is converted already: start from the .keras or .pb file.")
    if path.suffix not in _OPENED:
        if not path.exists():
            raise ModelFileError(f"There is no model {path}: check the name and the folder.")
        raise ModelFileError(f"{path} has no form that can be opened: give {_FORMS}.")
    return _opened(path, partial(_OPENED[path.suffix], path, _content(path)))


def _content(path: Path) -> bytes:
    """Return the bytes of a file that must be there and not empty."""
    if not path.is_file():
        raise ModelFileError(f"There is no model {path}: check the name and the folder.")
    data = path.read_bytes()
    if not data:
        raise ModelFileError(f"{path} is empty (0 bytes): save or download the model again.")
    return data


def _opened(path: Path, read: Callable[[], object]) -> object:
    """Return `read()`; whatever the libraries raise on damaged bytes becomes one sentence."""
    try:
        return read()
    except ModelFileError:
        raise
    except tflite.ModelError as error:  # which says by itself whether a file is damaged
        raise ModelFileError(f"{path} cannot be opened: {error}") from error
    except Exception as error:  # Keras, protobuf and TensorFlow each raise their own kinds
        reason = " ".join(str(error).split())[:200].rstrip(". ") or type(error).__name__
        raise ModelFileError(
            f"{path} cannot be opened: it is damaged, or made of what this TensorFlow lacks "
            f"({reason})."
        ) from error


def _check_tflite(data: bytes, classes: int | None) -> None:
    """Raise ValueError unless a .tflite file has one input, one output, and runs, in a guard."""
    graph = (tflite_file.unpack(data).subgraphs or [schema.SubGraphT()])[0]
    inputs, outputs = (
        [graph.tensors[place] for place in (() if places is None else places)]
        for places in (graph.inputs, graph.outputs)
    )
    _check_ends(inputs, outputs)
    shape = inputs[0].shape
    batch = 1 if shape is None or not len(shape) else max(1, int(shape[0]))
    answer = tflite.run_guarded(data, np.zeros((batch, FRAMES, BANDS), np.float32), reference=True)
    if classes not in (None, answer.shape[-1]):
        raise ModelFileError(
            f"The model gives {answer.shape[-1]} values a clip, and {classes} labels are needed: "
            "it is not a keyword spotter of ours."
        )


def _keras(path: Path, data: bytes) -> object:
    """Load a Keras model without its optimizer."""
    if not data.startswith(b"PK"):  # a .keras file is a zip
        raise ModelFileError(f"{path} is no .keras file: it does not begin as one, save it again.")
    return _loaded(path)


def _h5(path: Path, data: bytes) -> object:
    """Load a model from the form of older releases of Keras, which may hold weights alone."""
    import h5py

    with h5py.File(io.BytesIO(data), "r") as opened:
        if "model_config" not in opened.attrs:
            raise ModelFileError(
                f"{path} holds weights without a model: build the model, call its "
                "load_weights with this file, and save it as .keras."
            )
    return _loaded(path)


def _loaded(path: Path) -> object:
    tf = session.import_tensorflow()
    with session.quiet():
        return tf.keras.models.load_model(path, compile=False)


def _pb(path: Path, data: bytes) -> freezing.Frozen:
    """Return a frozen graph once it was really built: only then is it known to be whole."""
    try:
        frozen = freezing.load(data)
    except ValueError as error:
        if not _holds_saved_model(data):
            raise
        raise ModelFileError(
            f"{path} is the graph of a SavedModel, and its values lie beside it: call it "
            "saved_model.pb again, in the folder with variables, and give that folder."
        ) from error
    assert frozen.function is not None
    return frozen


def _holds_saved_model(data: bytes) -> bool:
    from google.protobuf.message import DecodeError

    try:
        found = internals.message("SavedModel").FromString(data)
        return bool(found.saved_model_schema_version and found.meta_graphs)
    except DecodeError:
        return False


_OPENED = {".keras": _keras, ".h5": _h5, ".hdf5": _h5, ".pb": _pb}


def _frozen_folder(path: Path) -> freezing.Frozen:
    """Freeze a signature of a SavedModel for one clip; logits become probabilities."""
    tf = session.import_tensorflow()
    with session.quiet():
        loaded = tf.saved_model.load(str(path))
        signature = _signature(path, loaded.signatures)
        wanted = signature.structured_input_signature[1]
        names = list(wanted) if len(wanted) > 1 else [freezing.INPUT]
        count = len(signature.structured_outputs)
        ends = [f"{freezing.OUTPUT}_{n}" for n in range(count)] if count > 1 else [freezing.OUTPUT]

        def classify(*parts):
            answers = signature(**dict(zip(wanted, parts, strict=True)))
            return [
                tf.identity(tf.nn.softmax(each) if endings.are_logits(each) else each, name=name)
                for name, each in zip(ends, answers.values(), strict=True)
            ]

        shapes = [
            tf.TensorSpec((1, *each.shape[1:]) if each.shape.rank else each.shape, each.dtype, name)
            for name, each in zip(names, wanted.values(), strict=True)
        ]
        traced = tf.function(classify).get_concrete_function(*shapes)
        names = [each.op.name for each in traced.inputs[: len(shapes)]]
        graph = internals.with_constants(traced)
        # freezing leaves idle nodes behind: keep only what the output needs
        graph = tf.compat.v1.graph_util.extract_sub_graph(graph, [*names, *ends])
    return freezing.load(graph.SerializeToString(deterministic=True))


def _signature(path: Path, signatures: Mapping[str, Any]) -> Any:
    """Return the default signature of a SavedModel, or the only one that it has."""
    if "serving_default" in signatures:
        return signatures["serving_default"]
    if len(signatures) == 1:
        return next(iter(signatures.values()))
    named = ", ".join(signatures) or "no signature at all"
    raise ModelFileError(
        f"{path} has {named}, and no signature serving_default: save it again with "
        "tf.saved_model.save(…, signatures=…) for the function that you mean."
    )


def _check_ends(inputs: Sequence, outputs: Sequence) -> None:
    """Raise ModelFileError where there is not one input and one output, with their names."""
    for kind, ends in (("inputs", inputs), ("outputs", outputs)):
        if len(ends) != 1:
            names = [getattr(each, "name", each) or "?" for each in ends]
            named = ", ".join(
                n.decode("utf-8", "replace") if isinstance(n, bytes) else n for n in names
            )
            raise ModelFileError(
                f"The model has {len(ends)} {kind} ({named or 'none'}): only one that turns "
                "features alone into one row of answers a clip can be measured."
            )
