"""The exercises of lesson 25: what a folder's files and a signature's text tell of a model."""

from __future__ import annotations

from course_lib.exercises.answers import Raised
from course_lib.exercises.core import Exercise, otherwise, when
from course_lib.exercises.judges import function

_TABLE = "_CHECKPOINTABLE_OBJECT_GRAPH"
_WEIGHT = "variables/{}/.ATTRIBUTES/VARIABLE_VALUE"
_FIRST = "Only the first name is looked at (a return in a loop ends it): ask about all of them."
_ELSE = "Every new checkpoint has the table: is there anything else?"
_LAST = "Only the last name counts here: each turn of the loop forgets the one before."


def _is_frozen(entries):
    return all(name == _TABLE for name in entries)


def _entries(rng):
    """Draw lists of entries: none, the table alone, weights with it or without it, in any order."""
    cases = [[], [_TABLE], [_WEIGHT.format(0)], ["w"], ["GRAPH"], [f"x{_TABLE}"], [f"{_TABLE}_2"]]
    cases += [["_all_variables/0/.ATTRIBUTES/VARIABLE_VALUE"]]
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
    lines = []
    for word, tensors in (("inputs", inputs), ("outputs", outputs)):
        lines.append(f"The given SavedModel SignatureDef contains the following {word[:-1]}(s):")
        for name, (kind, shape, tensor) in tensors.items():
            lines.append(f"  {word}['{name}'] tensor_info:")
            lines += [f"      dtype: {kind}", f"      shape: {shape}", f"      name: {tensor}"]
    return "\n".join([*lines, "Method name is: tensorflow/serving/predict", ""])


def _signatures(rng):
    """Texts of signatures with one to three inputs and outputs."""
    spot = ("DT_FLOAT", "(-1, 49, 40, 1)", "serving_default_features:0")
    answer = ("DT_FLOAT", "(-1, 4)", "StatefulPartitionedCall:0")
    cases = [_said({"features": spot}, {"probabilities": answer})]
    for inputs, outputs in ((2, 1), (1, 3), (3, 2)):
        number = int(rng.integers(10, 99))
        asked = {
            f"in_{n}": ("DT_INT32", "unknown_rank", f"serving_in_{n}_{number}:0")
            for n in range(inputs)
        }
        told = {
            f"out{n}": ("DT_STRING", "(-1)", f"StatefulPartitionedCall_1:{n}")
            for n in range(outputs)
        }
        cases.append(_said(asked, told))
    return [(case,) for case in cases]


def _each(predicate):
    """Ask a predicate of every tensor of an answer that is a dict."""
    return lambda _, value: value and all(predicate(tensor) for tensor in value.values())


_SEEN = (
    (lambda _, value: isinstance(value, Raised),
     "It stops: splitlines() makes lines of the text, and not every line has what you split at."),
    (lambda _, value: isinstance(value, str), "Return the dict itself, not a text of it."),
    (lambda _, value: isinstance(value, (list, tuple)) and all(type(n) is dict for n in value),
     "One dict for inputs and outputs alike, not two."),
    (lambda _, value: isinstance(value, (list, tuple)),
     "A dict is asked for: each name with its tensor."),
    (lambda _, value: value == {},
     "Nothing is found: take printed.splitlines(); each line begins with blanks: strip() it."),
    (_each(lambda tensor: isinstance(tensor, dict)), "One dict, with no dict in it."),
    (_each(lambda tensor: isinstance(tensor, list)), "The tensor itself, not a list with it."),
    (lambda _, value: any("serving/predict" in tensor for tensor in value.values()),
     "`Method name is:` has the word in it, too: look for `name: `."),
    (_each(lambda tensor: tensor.strip().isdigit()),
     "A tensor has a colon of its own: split at `name: `, not at each colon."),
    (_each(lambda tensor: tensor.strip().startswith("DT_")), "That is the kind of number."),
    (_each(lambda tensor: tensor.strip().startswith(("(", "unknown"))),
     "That is the shape: the tensor stands one line below."),
    (lambda given, value: all(name in _tensors(given[0]).values() for name in value),
     "Turned round: the name for people is the key, the tensor the value."),
    (lambda _, value: any("name: " in tensor for tensor in value.values()),
     "Only what stands behind `name: ` is the tensor."),
    (_each(lambda tensor: not tensor.strip()),
     "Nothing but blanks: [0] is what stands before `name: `, [1] what stands behind it."),
    (lambda given, value: any(tensor in _tensors(given[0]) for tensor in value.values()),
     "That is the name for people once more: the tensor stands behind `name: `."),
    (_each(lambda tensor: ":" not in tensor),
     "The number behind the colon belongs to it: it says which output of the node."),
    (lambda _, value: any(set("[]'") & set(name) for name in value),
     "The name is what stands between the quotation marks, no more."),
    (_each(lambda tensor: tensor != tensor.strip()), "A blank or a line's end is left: strip()."),
    (lambda given, value: set(value) == {"inputs", "outputs"},
     "The keys are the names in the brackets, such as features, not inputs and outputs."),
    (lambda given, value: _only(given[0], "inputs").keys() == value.keys(),
     "The outputs are missing: their lines begin with outputs['."),
    (lambda given, value: _only(given[0], "outputs").keys() == value.keys(),
     "The inputs are missing: their lines begin with inputs['."),
    (lambda given, value: _tensors(given[0]).items() > value.items(),
     "Some are missing: is there a return in the loop, or a new dict for each line?"),
    (lambda given, value: all(each in given[0] for each in value.values()),
     "The tensor is all that stands behind `name: `, to the end of its own line."),
    (
        lambda given, value: any(f"['{name}']" not in given[0] for name in value)
        or any(f"name: {each}\n" not in given[0] for each in value.values()),
        "What you return is not in the text given, which is another each time: read `printed`.",
    ),
)  # fmt: skip

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
    ["weights.index", "weights.data-00000-of-00001"],
    ["checkpoint", "ckpt-3.data-00000-of-00001"],
    ["model.tflite", "notes.txt"],
    ["frozen.pb"],
    ["model.meta"],
    ["model.ckpt-100.data-00000-of-00001", "model.ckpt-100.meta"],
    ["graph.pbtxt"],
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


def _kind_by_ends(files, *steps):
    """Ask for endings one by one, in an order, and forget what belongs together."""
    for end, found in steps:
        if any(name.endswith(end) for name in files):
            return found
    return "unknown"


_PB, _META, _INDEX = (
    ("saved_model.pb", "SavedModel"), (".meta", "TensorFlow 1"), (".index", "checkpoint"),
)  # fmt: skip
_FIRST_FILE = "Only the first file is looked at, and they come in any order: ask about all."
_WHOLE = "my_saved_model.pb and `index` are other files: a whole name counts, or its ending."
_LOST = "Without an .index nobody knows what lies where in a .data file: unknown."
_ALONE = "A .meta alone holds no value, and only a file called saved_model.pb is a SavedModel's."
_DATA = "Ask each name if it ends in .index: a .data file ends in its number, -00000-of-00001."


EXERCISES = (
    Exercise(
        id="25.2",
        ask="is_frozen(entries): True where the checkpoint holds no variable",
        judge=function(_is_frozen, _entries),
        mistakes=[
            (lambda entries: not entries, "The table alone is no variable: such a folder is."),
            (lambda entries: entries == [_TABLE],
             "A folder without a checkpoint has no variable either: its list is empty."),
            (lambda entries: len(entries) <= 1,
             "One entry may be a variable: look at its name, not at how many there are."),
            (lambda entries: _TABLE in entries, _ELSE),
            (lambda entries: not entries or _TABLE in entries, _ELSE),
            (lambda entries: not _is_frozen(entries),
             "Turned round: frozen is the one without variables."),
            (lambda entries: _TABLE not in entries,
             "A list without the table may be all variables, and the table alone is none."),
            (lambda entries: len(entries) == 1,
             "One entry may be a variable, and none at all is frozen, too: look at the names."),
            (lambda entries: len(entries) <= 2,
             "Two entries may be variables: look at their names, not at how many there are."),
            (lambda entries: entries[:1] == [_TABLE], _FIRST),
            (lambda entries: entries[:1] in ([], [_TABLE]), _FIRST),
            (lambda entries: entries[-1:] == [_TABLE], _LAST),
            (lambda entries: entries[-1:] in ([], [_TABLE]), _LAST),
            (when(lambda _, value: isinstance(value, Raised)),
             "It stops: the list may be empty, and the table need not be in it."),
            (when(lambda _, value: not isinstance(value, bool)),
             "Return True or False each time: no word, no number, no list, not nothing."),
            (lambda entries: all(name.startswith("_") for name in entries),
             "A variable's name may begin with _ as well: compare the whole name."),
            (lambda entries: all(name.endswith(_TABLE) for name in entries),
             "A name may end in that word and be another: compare the whole name."),
            (lambda entries: all(name.startswith(_TABLE) for name in entries),
             "A name may begin with that word and be another: compare the whole name."),
            (lambda entries: all(_TABLE in name for name in entries),
             "A name may contain that word and be another: compare the whole name."),
            (lambda entries: all(name in _TABLE for name in entries),
             "`in` asks for a part of a text: a variable may be called GRAPH. Compare with ==."),
            (when(lambda _, value: value is True),
             "You call one with variables frozen: any name but the table's is a variable's."),
        ],
        right="names tell what sizes only suggest.",
        hints=(
            "The table is called _CHECKPOINTABLE_OBJECT_GRAPH. What else may be there?",
            "all(...) of an empty list is True.",
        ),
    ),
    Exercise(
        id="25.5",
        ask="tensors(printed): {name: tensor} of all inputs and outputs of a signature",
        judge=function(_tensors, _signatures),
        mistakes=[
            (lambda printed: _tensors(printed, -2),
             "The number behind the colon belongs to it: it says which output of the node."),
            (lambda printed: {v: k for k, v in _tensors(printed).items()},
             "Turned round: the name for people is the key, the tensor the value."),
            (lambda printed: _only(printed, "inputs"), "The outputs are missing."),
            (lambda printed: _only(printed, "outputs"), "The inputs are missing."),
            (lambda printed: list(_tensors(printed).values()),
             "A dict is asked for: each name with its tensor."),
            (lambda printed: list(_tensors(printed).items()),
             "These are pairs; dict(pairs) makes a dict of them."),
            (lambda printed: dict(list(_tensors(printed).items())[:2]),
             "A signature may have more than one input and one output."),
            (lambda printed: {f"'{k}'": v for k, v in _tensors(printed).items()},
             "The quotation marks are not part of the name."),
            (lambda printed: {f"['{k}']": v for k, v in _tensors(printed).items()},
             "Brackets and quotation marks are not part of the name."),
            (lambda printed: {k: f" {v}" for k, v in _tensors(printed).items()},
             "A blank is left before the tensor: strip() it."),
            (lambda printed: {k: f"name: {v}" for k, v in _tensors(printed).items()},
             "Only what stands behind `name: ` is the tensor."),
            *((when(predicate), hint) for predicate, hint in _SEEN),
        ],
        right="with types and shapes, all that a caller in another language has to know.",
        hints=(
            "Go line by line: one with [' tells a name, the next one with `name: ` its tensor.",
            'line.split("\'")[1] is what stands between the first two quotation marks.',
        ),
    ),
    Exercise(
        id="25.6",
        ask="kind(files): what a folder with these files is",
        judge=function(_kind, [(list(files),) for files in _FOLDERS]),
        mistakes=[
            (_kind_by_checkpoint,
             "`checkpoint` is a text that may be lost: the values are in .index and .data."),
            (_kind_index_first, "A SavedModel has an .index as well: look for its .pb first."),
            (lambda files: "TensorFlow 1" if any(name.endswith(".meta") for name in files)
             else _kind(files),
             "A .meta alone holds no value: there is no checkpoint to restore."),
            (lambda files: "SavedModel" if any(name.endswith(".pb") for name in files)
             else _kind(files),
             "A SavedModel's file is called saved_model.pb; other .pb are not."),
            (lambda files: _kind(files).replace("unknown", "checkpoint"),
             "Where no .index is there, nothing is known of it: unknown."),
            (lambda files: _kind(files).replace("TensorFlow 1", "checkpoint"),
             "A .meta beside the .index holds the graph: TensorFlow 1."),
            (lambda files: _kind([*files, "x.index"] if "index" in files else files), _WHOLE),
            (lambda files: "SavedModel" if "saved_model.pb" in "\n".join(files) else _kind(files),
             _WHOLE),
            (lambda files: "unknown",
             "unknown each time: `in` asks for a whole name; ask each name for its ending."),
            (lambda files: "unknown" if files == ["saved_model.pb"] else _kind(files),
             "A frozen one may have no checkpoint: saved_model.pb alone is a SavedModel."),
            (lambda files: _kind([name for name in files if name != "saved_model.pb"]),
             "No folder is in these names: look for saved_model.pb, not for variables/."),
            (lambda files: "checkpoint" if _kind(files) == "TensorFlow 1"
                and "checkpoint" not in files else _kind(files),
             "run-7.meta is one, too: neither what stands before it nor `checkpoint` matters."),
            (lambda files: {"TensorFlow 1": "checkpoint", "checkpoint": "TensorFlow 1"}.get(
                    _kind(files), _kind(files)),
             "Turned round: where a .meta lies beside, it is TensorFlow 1."),
            (lambda files: _kind([*files, "x.meta"]),
             "Without a .meta there is no graph: that is a checkpoint alone."),
            (lambda files: "TensorFlow 1" if "graph.pbtxt" in files else _kind(files),
             "graph.pbtxt is a graph alone: without an .index there are no values."),
            *((lambda files, order=order: _kind_by_ends(files, *order), _ALONE) for order in (
                (_META, (".pb", "SavedModel"), _INDEX), ((".pb", "SavedModel"), _META, _INDEX),
                (_PB, _META, _INDEX), (_META, _PB, _INDEX), (_PB, _INDEX, _META))),
            (lambda files: _kind(files) if "saved_model.pb" in files else "unknown", _DATA),
            (lambda files: "SavedModel" if "saved_model.pb" in files
             else _kind_by_ends(files, _META), _DATA),
            (lambda files: "SavedModel" if "saved_model.pb" in files
                else "checkpoint" if "checkpoint" in files and not any(
                    name.endswith(".meta") for name in files)
                else _kind_by_ends(files, _META),
             "`checkpoint` may be lost, and a .meta alone holds no value: look for an .index."),
            (lambda files: _kind_by_ends(files[:1], _PB, _META, _INDEX), _FIRST_FILE),
            (lambda files: _kind([f"{each}.index" if ".data-" in each else each for each in files]),
             _LOST),
            (when(lambda given, value: value == "unknown" != _kind(*given)),
             "Any name may stand before an ending, with dots in it: ask name.endswith(...)."),
            (when(lambda given, value: value != _kind(*given) == "unknown"), _LOST),
            (when(lambda given, value: value in {
                    _kind_by_ends([name], _PB, _META, _INDEX) for name in given[0]}),
             "saved_model.pb comes first, then .meta beside an .index: look at all, then answer."),
            (when(lambda _, value: isinstance(value, Raised)),
             "It stops: `files` is a list of names; it may be empty, and a name may have no dot."),
            (when(lambda _, value: value not in (
                    "SavedModel", "TensorFlow 1", "checkpoint", "unknown")),
             "Return one word, written so: SavedModel, TensorFlow 1, checkpoint or unknown."),
            (otherwise(lambda given, got: isinstance(got, str)),
             "saved_model.pb: SavedModel; .index with .meta: TensorFlow 1; .index: checkpoint."),
        ],
        right="one whole name, two endings, and you know which lesson opens it.",
        hints=(
            "saved_model.pb settles it. Then an .index says checkpoint.",
            "name.endswith(\".index\") asks for an ending; any(... for name in files) asks all.",
        ),
    ),
)  # fmt: skip
