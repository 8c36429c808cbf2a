"""Claims about the files of a training and of a deployment: lessons 03, 04, 05 and 14."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import session
from course_lib.experiments import timeline, trials
from course_lib.experiments.ledger.claims import Claim, Ledger, Test, claim
from course_lib.experiments.practice import small_model
from course_lib.experiments.same_weights import write_forms
from course_lib.formats import checkpoint
from course_lib.graph import freezing

_THOUSANDS = 1_000
_TOLERANCE = 1e-5  # a frozen graph sums float32 in another order


def files(
    model: Any,
    folder: str | Path,
    features: np.ndarray,
    labels: np.ndarray,
    from_nothing: float,
    from_checkpoint: float,
) -> Ledger:
    """Test nine claims on a Keras model, in an empty `folder` that they may fill.

    `features` (n, 49, 40) and `labels` (n,) are some clips; `from_nothing` and `from_checkpoint`
    the shares right after the same time in training from two beginnings. Takes about 6 s.
    """
    tf, folder = session.import_tensorflow(), Path(folder)
    frozen, saved = write_forms(model, folder), folder / "checkpoint" / "model"
    rows = np.asarray(features[:32], np.float32)[..., np.newaxis]
    answers = tf.nn.softmax(model(rows, training=False)).numpy()
    equal = float(np.abs(freezing.load(frozen.graph_def).run(rows) - answers).max()) <= _TOLERANCE
    with session.quiet():
        exported = tf.saved_model.load(str(folder / "saved_model"))
    fixed = sum(node.op in ("VarHandleOp", "ReadVariableOp") for node in frozen.proto().node)
    free = len(exported.trainable_variables)
    return Ledger(
        (
            _thousands(model),
            _training_saves(folder / "trained", rows, labels[:32]),
            _names(saved),
            _no_structure(saved),
            _index_maps(saved),
            _all_three(model, saved, folder / "parts"),
            _complete(folder, frozen, equal),
            _same_thing(fixed, free),
            _purposes(from_nothing, from_checkpoint, equal, fixed),
        )
    )


def _thousands(model: Any) -> Claim:
    count = model.count_params()
    return claim(
        "03",
        "Even the smallest models have thousands of weights",
        Test("yours has", count >= _THOUSANDS, f"{count:,}"),
    )


def _training_saves(folder: Path, rows: np.ndarray, labels: np.ndarray) -> Claim:
    """Train a small model by Keras alone inside a folder, and see what is there then."""
    folder.mkdir(parents=True, exist_ok=True)
    model = small_model()
    with session.quiet():
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(rows, np.asarray(labels) % model.output_shape[-1], verbose=0)
    left = len(list(folder.iterdir()))
    saving = trials.attempt(".ckpt", lambda: model.save_weights(folder / "weights.ckpt"))
    refused = saving.error == "ValueError"
    model.save_weights(folder / "model.weights.h5")
    asked = len(list(folder.glob("*.h5")))
    return claim(
        "04",
        "Training writes its weights to .ckpt files",
        Test("Keras writes a file by itself", left > 0, f"{left} files after an epoch"),
        Test("it writes one when it is asked", asked > 0, "model.weights.h5"),
        Test("it takes the name weights.ckpt", not refused, "refused" if refused else "taken"),
    )


def _names(saved: Path) -> Claim:
    names = sorted(path.name for path in saved.parent.iterdir())
    figure = ", ".join(names)
    return claim(
        "04",
        "A checkpoint is an index, a file of data and a meta file",
        Test("there is an index", any(".index" in name for name in names), figure),
        Test("there is a file of data", any(".data-" in name for name in names), figure),
        Test("there is a meta file", any(".meta" in name for name in names), figure),
    )


def _no_structure(saved: Path) -> Claim:
    opened = checkpoint.contents(saved)
    count = len(opened.objects)
    return claim(
        "04",
        "The data of a checkpoint has the values without any structure",
        Test("it has the values", len(opened) > 0, f"{len(opened)} tensors"),
        Test("it has no structure", count == 0, f"a graph of {count} objects is among them"),
    )


def _index_maps(saved: Path) -> Claim:
    opened = checkpoint.contents(saved)
    placed = sum(bool(each.file) and each.offset >= 0 and bool(each.dtype) for each in opened)
    figure = f"dtype, shape, shard and offset of {placed} tensors"
    index = saved.with_name(saved.name + ".index").read_bytes()
    return claim(
        "14",
        "The index tells which data belongs to which part of the meta file",
        Test("it tells where each tensor lies", placed == len(opened), figure),
        Test("it speaks of a meta file", b".meta" in index, f"{len(index):,} bytes searched"),
    )


def _all_three(model: Any, saved: Path, folder: Path) -> Claim:
    """Restore from copies of which one file is missing."""

    def fails_without(ending: str) -> bool:
        copy = trials.copy(saved, folder / ending.strip("."), ending)
        return not trials.attempt(ending, lambda: timeline.restored(copy, model)).works

    kinds = {"the index": ".index", "the data": ".data", "a meta file": ".meta"}
    tests = (
        Test(f"a restore without {name} fails", fails_without(ending), "tried on a copy")
        for name, ending in kinds.items()
    )
    return claim("14", "To restore, all three are needed: index, data and meta file", *tests)


def _complete(folder: Path, frozen: freezing.Frozen, equal: bool) -> Claim:
    """Load a SavedModel's .pb without the folder beside it."""
    tf = session.import_tensorflow()
    alone = folder / "alone"
    alone.mkdir()
    shutil.copy(folder / "saved_model" / "saved_model.pb", alone)
    lost = not trials.attempt("alone", lambda: tf.saved_model.load(str(alone))).works
    return claim(
        "05",
        "A .pb file is the complete model",
        Test("a frozen one answers like the model", equal, f"{len(frozen):,} bytes, within 1e-5"),
        Test("saved_model.pb does without its variables", not lost, "tried on a copy"),
    )


def _same_thing(fixed: int, free: int) -> Claim:
    figure = f"{fixed} variables in the frozen graph, {free} in the SavedModel"
    return claim(
        "05",
        "A frozen model is what is also called a saved model",
        Test("both have the same variables to go on learning with", fixed == free, figure),
    )


def _purposes(from_nothing: float, from_checkpoint: float, equal: bool, fixed: int) -> Claim:
    shares, left = f"{from_checkpoint:.0%} right against {from_nothing:.0%}", f"{fixed} variables"
    return claim(
        "05",
        "Checkpoints are for going on with training, frozen models for using them",
        Test("your training did better from a checkpoint", from_checkpoint > from_nothing, shares),
        Test("the frozen model answers and has nothing left to train", equal and fixed == 0, left),
    )
