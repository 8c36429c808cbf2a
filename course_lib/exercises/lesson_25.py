"""The exercises of lesson 25: what a folder's files and a signature's text tell of a model."""

from __future__ import annotations

from course_lib.exercises.core import Exercise
from course_lib.exercises.judges import function

_TABLE = "_CHECKPOINTABLE_OBJECT_GRAPH"
_WEIGHT = "variables/{}/.ATTRIBUTES/VARIABLE_VALUE"


def _is_frozen(entries):
    return all(name == _TABLE for name in entries)


def _entries(rng):
    """Draw lists of entries: none, the table alone, weights with it or without it, in any order."""
    cases = [[], [_TABLE], [_WEIGHT.format(0)], ["w"], [f"x{_TABLE}"]]
    for count in (1, 2, int(rng.integers(3, 9))):
        weights = [_WEIGHT.format(place) for place in range(count)]
        cases += [[_TABLE, *weights], [*weights, _TABLE]]
    return [(case,) for case in cases]


def _tensors(printed, stop=None):
    found = {}
    for line in printed.splitlines():
        if "['" in line:
            last = line.split("'")[1]
        if line.strip().startswith("name: "):
            found[last] = line.split("name: ")[1].strip()[:stop]
    return found


def _only(printed, word):
    """Return what `_tensors` finds in the part of the text that is about inputs, or outputs."""
    return {
        name: tensor for name, tensor in _tensors(printed).items() if f"{word}['{name}']" in printed
    }


def _said(inputs, outputs):
    """Write what saved_model_cli prints of a signature."""
    lines = ["The given SavedModel SignatureDef contains the following input(s):"]
    for word, tensors in (("inputs", inputs), ("outputs", outputs)):
        if word == "outputs":
            lines.append("The given SavedModel SignatureDef contains the following output(s):")
        for name, (kind, shape, tensor) in tensors.items():
            lines += [
                f"  {word}['{name}'] tensor_info:",
                f"      dtype: {kind}",
                f"      shape: {shape}",
                f"      name: {tensor}",
            ]
    return "\n".join([*lines, "Method name is: tensorflow/serving/predict", ""])


def _signatures(rng):
    """Texts of signatures with one to three inputs and outputs."""
    spot = ("DT_FLOAT", "(-1, 49, 40, 1)", "serving_default_features:0")
    answer = ("DT_FLOAT", "(-1, 4)", "StatefulPartitionedCall:0")
    cases = [_said({"features": spot}, {"probabilities": answer})]
    for inputs, outputs in ((2, 1), (1, 3), (3, 2)):
        number = int(rng.integers(10, 99))
        cases.append(
            _said(
                {
                    f"in_{n}": ("DT_INT32", "unknown_rank", f"serving_in_{n}_{number}:0")
                    for n in range(inputs)
                },
                {
                    f"out{n}": ("DT_STRING", "(-1)", f"StatefulPartitionedCall_1:{n}")
                    for n in range(outputs)
                },
            )
        )
    return [(case,) for case in cases]


_SAVED = ["saved_model.pb", "fingerprint.pb", "variables.index", "variables.data-00000-of-00001"]
_FOLDERS = (
    _SAVED,
    _SAVED[2:] + _SAVED[:1],
    ["saved_model.pb"],
    ["checkpoint", "model.ckpt-100.data-00000-of-00001", "model.ckpt-100.index",
     "model.ckpt-100.meta"],
    ["graph.pbtxt", "run-7.meta", "run-7.index", "run-7.data-00000-of-00002",
     "run-7.data-00001-of-00002"],
    ["checkpoint", "ckpt-3.index", "ckpt-3.data-00000-of-00001"],
    ["ckpt-3.data-00000-of-00001", "ckpt-3.index"],
    ["model.tflite", "notes.txt"],
    ["frozen.pb"],
    ["model.meta"],
    ["my_saved_model.pb", "index", "index.html"],
    [],
)  # fmt: skip


def _kind(files):
    ends = [name.split(".")[-1] for name in files if "." in name]
    if "saved_model.pb" in files:
        return "SavedModel"
    if "index" not in ends:
        return "unknown"
    return "TensorFlow 1" if "meta" in ends else "checkpoint"


def _kind_by_checkpoint(files):
    """Look for the file `checkpoint`, which is only a text beside it."""
    if "saved_model.pb" in files:
        return "SavedModel"
    if "checkpoint" not in files:
        return "unknown"
    return "TensorFlow 1" if any(name.endswith(".meta") for name in files) else "checkpoint"


def _kind_index_first(files):
    if any(name.endswith(".index") for name in files):
        return "TensorFlow 1" if any(n.endswith(".meta") for n in files) else "checkpoint"
    return "SavedModel" if "saved_model.pb" in files else "unknown"


def _kind_by_meta(files):
    if any(name.endswith(".meta") for name in files):
        return "TensorFlow 1"
    return _kind(files)


def _kind_any_pb(files):
    if any(name.endswith(".pb") for name in files):
        return "SavedModel"
    return _kind(files)


def _kind_never_unknown(files):
    found = _kind(files)
    return "checkpoint" if found == "unknown" else found


def _kind_without_old(files):
    found = _kind(files)
    return "checkpoint" if found == "TensorFlow 1" else found


EXERCISES = (
    Exercise(
        id="25.2",
        ask="is_frozen(entries): True where the checkpoint holds no variable",
        judge=function(_is_frozen, _entries),
        mistakes=[
            (lambda entries: not entries, "The table alone is no variable: such a folder is."),
            (
                lambda entries: entries == [_TABLE],
                "A folder without a checkpoint has no variable either: its list is empty.",
            ),
            (
                lambda entries: len(entries) <= 1,
                "One entry may be a variable: look at its name, not at how many there are.",
            ),
            (
                lambda entries: _TABLE in entries,
                "Every new checkpoint has the table: is there anything else?",
            ),
            (
                lambda entries: not entries or _TABLE in entries,
                "Every new checkpoint has the table: is there anything else?",
            ),
            (
                lambda entries: not _is_frozen(entries),
                "Turned round: frozen is the one without variables.",
            ),
            (
                lambda entries: any(name == _TABLE for name in entries),
                "Not any of them, all of them: one variable beside the table is enough.",
            ),
            (
                lambda entries: all(_TABLE in name for name in entries),
                "A name may contain that word and be another: compare the whole name.",
            ),
            (
                lambda entries: not any(name.startswith("variables") for name in entries),
                "Names of variables differ from writer to writer. Only the table's name is fixed.",
            ),
            (
                lambda entries: not any("VARIABLE_VALUE" in name for name in entries),
                "Names of variables differ from writer to writer. Only the table's name is fixed.",
            ),
        ],
        right="names tell what sizes only suggest.",
        hints=(
            "The table is called _CHECKPOINTABLE_OBJECT_GRAPH. What else may be there?",
            "all(...) of an empty list is True.",
        ),
    ),
    Exercise(
        id="25.4",
        ask="tensors(printed): {name: tensor} of all inputs and outputs of a signature",
        judge=function(_tensors, _signatures),
        mistakes=[
            (
                lambda printed: _tensors(printed, -2),
                "The number behind the colon belongs to it: it says which output of the node.",
            ),
            (
                lambda printed: {v: k for k, v in _tensors(printed).items()},
                "Turned round: the name for people is the key, the tensor the value.",
            ),
            (lambda printed: _only(printed, "inputs"), "The outputs are missing."),
            (lambda printed: _only(printed, "outputs"), "The inputs are missing."),
            (
                lambda printed: list(_tensors(printed).values()),
                "A dict is asked for: each name with its tensor.",
            ),
            (
                lambda printed: list(_tensors(printed).items()),
                "These are pairs; dict(pairs) makes a dict of them.",
            ),
            (
                lambda printed: dict(list(_tensors(printed).items())[:2]),
                "A signature may have more than one input and one output.",
            ),
            (
                lambda printed: {f"'{k}'": v for k, v in _tensors(printed).items()},
                "The quotation marks are not part of the name.",
            ),
            (
                lambda printed: {f"['{k}']": v for k, v in _tensors(printed).items()},
                "Brackets and quotation marks are not part of the name.",
            ),
            (
                lambda printed: {k: f" {v}" for k, v in _tensors(printed).items()},
                "A blank is left before the tensor: strip() it.",
            ),
            (
                lambda printed: {k: f"name: {v}" for k, v in _tensors(printed).items()},
                "Only what stands behind `name: ` is the tensor.",
            ),
        ],
        right="that is all that a caller in another language has to know.",
        hints=(
            "Go line by line: one with [' tells a name, the next one with `name: ` its tensor.",
            'line.split("\'")[1] is what stands between the first two quotation marks.',
        ),
    ),
    Exercise(
        id="25.5",
        ask="kind(files): what a folder with these files is",
        judge=function(_kind, [(list(files),) for files in _FOLDERS]),
        mistakes=[
            (
                _kind_by_checkpoint,
                "`checkpoint` is a text that may be lost: the values are in .index and .data.",
            ),
            (_kind_index_first, "A SavedModel has an .index as well: look for its .pb first."),
            (_kind_by_meta, "A .meta alone holds no value: there is no checkpoint to restore."),
            (_kind_any_pb, "A SavedModel's file is called saved_model.pb; other .pb are not."),
            (_kind_never_unknown, "Where no .index is there, nothing is known of it: unknown."),
            (_kind_without_old, "A .meta beside the .index holds the graph: TensorFlow 1."),
            (
                lambda files: _kind([*files, "x.index"] if "index" in files else files),
                "A file that is only called `index` is none: a name ends in .index.",
            ),
            (
                lambda files: "SavedModel" if any("saved_model.pb" in n for n in files)
                else _kind(files),
                "my_saved_model.pb is another file: the whole name counts.",
            ),
            (
                lambda files: {"SavedModel": "saved_model"}.get(_kind(files), _kind(files)),
                "Write the names as the question does: SavedModel.",
            ),
        ],
        right="three endings, and you know which of this course's lessons opens it.",
        hints=(
            "saved_model.pb settles it. Then an .index says checkpoint.",
            "name.endswith(\".index\") asks for an ending; any(... for name in files) asks all.",
        ),
    ),
)  # fmt: skip
