"""Claims about the files of a training and of a deployment, TensorFlow Lite's format, quantization.

`files` stands for lessons 03, 04, 05 and 14, `formats` for lessons 06, 07, 08 and 16.
"""

import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import micro, session, spotter, tflite
from course_lib.experiments import readers, timeline, trials
from course_lib.experiments.ledger.claims import Claim, Ledger, Test, claim
from course_lib.experiments.practice import small_model
from course_lib.experiments.same_weights import write_forms
from course_lib.formats import checkpoint, tflite_file
from course_lib.graph import freezing
from course_lib.measure import bytes_by_kind
from course_lib.tflite import xray

_THOUSANDS = 1_000
_TOLERANCE = 1e-5  # a frozen graph sums float32 in another order
_FOUR = 3.8  # as near to 4 as counts
_MAGNITUDE = 10.0
_COMPRESSES = 0.95  # a file that zlib makes no smaller than that was compressed before
_WEIGHT = f"{spotter.LAST_LAYER}/bias"  # in the frozen graph: the readers look it up

_Costs = dict[str, readers.LookUp] | None  # None where there is no C compiler


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
    layers = session.import_tensorflow().keras.layers
    line = layers.Dense(1)
    line.build((None, 1))
    count = model.count_params()
    return claim(
        "03",
        "Even the smallest models have thousands of weights",
        Test("yours has", count >= _THOUSANDS, f"{count:,}"),
        Test(
            "a straight line, which learns as well, has",
            line.count_params() >= _THOUSANDS,
            f"{line.count_params()}",
        ),
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


def formats(plain: bytes, int8_model: bytes, frozen_graph: bytes) -> Ledger:
    """Test seven claims on one model in three files. Takes about 4 s.

    `plain` is the .tflite file that the converter makes with nothing set, `int8_model` the
    quantized one, `frozen_graph` the GraphDef (of `freezing.frozen`) that both came from.
    """
    costs = _costs(plain, frozen_graph)
    return Ledger(
        (
            _quantized_unasked(plain, int8_model),
            _factor_four(plain, int8_model),
            _second_form(costs),
            _compressed(plain, costs),
            _magnitude(plain, frozen_graph),
            _no_allocation(int8_model, costs),
            _unchangeable(plain),
        )
    )


def _costs(plain: bytes, frozen_graph: bytes) -> _Costs:
    """Return what the compiled readers needed to find one weight; None without a compiler."""
    bias = xray.Xray(plain).layers[-1].bias
    wanted = {"flatbuffer": (plain, bias.name), "protobuf_decode": (frozen_graph, _WEIGHT)}
    try:
        return {name: readers.compiled(name).find(*what) for name, what in wanted.items()}
    except readers.NoCompilerError:
        return None


def _quantized_unasked(plain: bytes, int8_model: bytes) -> Claim:
    kinds = {name: _weight_types(file) for name, file in (("plain", plain), ("int8", int8_model))}
    return claim(
        "06",
        "The converter makes a quantized model",
        Test("unasked", "int8" in kinds["plain"], f"weights are {', '.join(kinds['plain'])}"),
        Test("when it is told to", "int8" in kinds["int8"], f"weights are {kinds['int8'][0]}"),
    )


def _weight_types(file: bytes) -> list[str]:
    """Return the types of the weights of all layers, each once."""
    rays = xray.Xray(file)
    return sorted({str(rays.values(layer.weights).dtype) for layer in rays.layers if layer.weights})


def _factor_four(plain: bytes, int8_model: bytes) -> Claim:
    before, after = bytes_by_kind(plain)["weights"], bytes_by_kind(int8_model)["weights"]
    pairs = {"its weights": (before, after), "the whole file": (len(plain), len(int8_model))}
    tests = (
        Test(name, old / new >= _FOUR, f"{old:,} to {new:,} bytes, {old / new:.2f} times")
        for name, (old, new) in pairs.items()
    )
    return claim("07", "Quantization makes a model four times smaller", *tests)


def _if_compiled(
    what: str, costs: _Costs, reader: str, passes: Callable[[readers.LookUp], bool]
) -> Test:
    """Return a test of what a reader needed; it stays open where none could be compiled."""
    if costs is None:
        return Test(what, None, "no C compiler here")
    return Test(what, passes(costs[reader]), f"{costs[reader].allocations} allocations")


def _second_form(costs: _Costs) -> Claim:
    return claim(
        "16",
        "Protobufs are turned into a second form in memory, FlatBuffers are not",
        _if_compiled("a protobuf is", costs, "protobuf_decode", lambda cost: cost.copied),
        _if_compiled(
            "a FlatBuffer is read where it lies", costs, "flatbuffer", lambda cost: not cost.copied
        ),
    )


def _compressed(plain: bytes, costs: _Costs) -> Claim:
    share = len(zlib.compress(plain, 9)) / len(plain)
    allocates = _if_compiled(
        "allocated object by object", costs, "flatbuffer", lambda cost: cost.allocations > 0
    )
    return claim(
        "16",
        "FlatBuffers are compressed, and allocated object by object",
        Test("compressed", share >= _COMPRESSES, f"zlib makes it {share:.0%} of its size"),
        allocates,
    )


def _magnitude(plain: bytes, frozen_graph: bytes) -> Claim:
    recorded = readers.recorded()
    small, large = (recorded["libraries"][name] for name in ("FlatBuffers", "nanopb"))
    code = f"{large:,} bytes against {small:,}, {recorded['compiled_with']}"
    files = f"{len(frozen_graph):,} bytes against {len(plain):,}"
    return claim(
        "16",
        "FlatBuffers are an order of magnitude smaller than protobufs",
        Test("a library's code to read one without a verifier", large / small >= _MAGNITUDE, code),
        Test("the file of one model", len(frozen_graph) / len(plain) >= _MAGNITUDE, files),
    )


def _no_allocation(int8_model: bytes, costs: _Costs) -> Claim:
    beyond = "not while it runs, beyond one fixed arena"
    if micro.available():
        before, after = micro.grows(int8_model, runs=20)
        grown = after.total_bytes - before.total_bytes
        running = Test(beyond, grown == 0, f"{grown} bytes more after 20 clips")
    else:
        running = Test(beyond, None, "tflite-micro is not installed")
    return claim(
        "08",
        "No memory has to be allocated to read such a model, or while it runs",
        _if_compiled("not to read it", costs, "flatbuffer", lambda cost: cost.allocations == 0),
        running,
    )


def _unchangeable(plain: bytes) -> Claim:
    """Change one weight where it lies, and make one text longer."""
    rays = xray.Xray(plain)
    weights = rays.layers[-1].bias
    changed = bytearray(plain)
    changed[weights.span.start] ^= 1
    runs = len(tflite.run(bytes(changed), np.zeros((1, 49, 40), np.float32))) == 1
    moved = _moved(plain)
    figure = f"{moved:,} bytes are others when the file is built again"
    return claim(
        "16",
        "A FlatBuffer cannot be changed where it lies",
        Test("not a weight in it", not runs, "one byte changed, and it runs"),
        Test("not a text in it, for a longer one", moved > 0, figure),
    )


def _moved(plain: bytes) -> int:
    """Return how many bytes change when the file is built again with a longer description."""
    built = []
    for text in (b"short", b"a description that is much longer than that"):
        tree = tflite_file.unpack(plain)
        tree.description = text
        built.append(np.frombuffer(tflite_file.pack(tree), np.uint8))
    length = min(map(len, built))
    return int((built[0][:length] != built[1][:length]).sum())
