"""Open a saved model whatever its form: .tflite, .keras, a frozen .pb or a SavedModel folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

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
_FORMS = ".tflite, .keras, a frozen .pb or a SavedModel folder"


class ModelFileError(ValueError):
    """Say in one sentence why a file holds no model that can be opened, and what to do."""


def is_saved_model(path: Path) -> bool:
    """Tell whether `path` is a SavedModel folder."""
    return path.is_dir() and (path / "saved_model.pb").is_file()


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
    """Return a Keras model from .keras, or a `freezing.Frozen` from a .pb or a SavedModel folder.

    These are the forms that the converter starts from. Raises ModelFileError like `predictor`.
    """
    path = Path(path)
    if is_saved_model(path):
        return _opened(path, lambda: _frozen_folder(path))
    if path.suffix == ".tflite":
        raise ModelFileError(f"{path} is converted already: start from the .keras or .pb file.")
    if path.suffix not in (".keras", ".pb"):
        if not path.exists():
            raise ModelFileError(f"There is no model {path}: check the name and the folder.")
        raise ModelFileError(f"{path} has no form that can be opened: give {_FORMS}.")
    data = _content(path)
    if path.suffix == ".pb":
        return _opened(path, lambda: _with_function(freezing.load(data)))
    if not data.startswith(b"PK"):  # a .keras file is a zip
        raise ModelFileError(f"{path} is no .keras file: it does not begin as one, save it again.")
    return _opened(path, lambda: _keras(path))


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
        reason = " ".join(str(error).split())[:160].rstrip(". ") or type(error).__name__
        raise ModelFileError(
            f"{path} cannot be opened, it is damaged or no model of ours ({reason})."
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


def _keras(path: Path) -> object:
    """Load a Keras model without its optimizer."""
    tf = session.import_tensorflow()
    with session.quiet():
        return tf.keras.models.load_model(path, compile=False)


def _with_function(frozen: freezing.Frozen) -> freezing.Frozen:
    """Return `frozen` once its graph was really built: only then is it known to be whole."""
    assert frozen.function is not None
    return frozen


def _frozen_folder(path: Path) -> freezing.Frozen:
    """Freeze the default signature of a SavedModel for one clip; logits become probabilities."""
    tf = session.import_tensorflow()
    with session.quiet():
        loaded = tf.saved_model.load(str(path))
        signature = loaded.signatures["serving_default"]
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
