"""Try each file of a model in a process that has nothing of this course: TensorFlow and NumPy only.

Run as `python -I with_python.py FOLDER`. The folder holds the files, `labels.npy` (n,),
`features.npy` (n, 49, 40, 1) and the expected `answers.npy` (n, 4). Every way in which
TensorFlow opens a file is tried on each. Prints one line of JSON: what answers, what runs in
LiteRT, and what learns.
"""

import json
import os
import sys

import numpy as np

FILES = {
    "checkpoint": "checkpoint/model.index",
    "Keras file": "model.keras",
    "SavedModel": "saved_model",
    "frozen graph": "frozen.pb",
    "TFLite": "model.tflite",
}
TOLERANCE = 1e-5


def open_keras(tf, path):
    """The configuration inside rebuilds the layers."""
    model = tf.keras.models.load_model(path, compile=False)
    return model, model.trainable_variables


def open_saved_model(tf, path):
    """Its graph is traced already, and its variables lie beside it."""
    loaded = tf.saved_model.load(path)
    return lambda rows: loaded.serve(rows), loaded.trainable_variables  # keeps `loaded` alive


def open_frozen(tf, path):
    """A GraphDef is parsed, imported, and cut out between its ends."""
    graph_def = tf.compat.v1.GraphDef()
    with open(path, "rb") as file:
        graph_def.ParseFromString(file.read())
    wrapped = tf.compat.v1.wrap_function(
        lambda: tf.graph_util.import_graph_def(graph_def, name=""), []
    )
    ends = [wrapped.graph.get_tensor_by_name(f"{name}:0") for name in ("features", "probabilities")]
    one = wrapped.prune(ends[0], ends[1])
    return lambda rows: tf.concat([one(row) for row in tf.split(rows, len(rows))], 0), one.variables


def open_tflite(path):
    """The interpreter of LiteRT runs it; it takes one clip at a time."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=path)
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]["index"]
    wanted = interpreter.get_output_details()[0]["index"]

    def answer(rows):
        found = []
        for row in np.asarray(rows):
            interpreter.set_tensor(given, row[np.newaxis])
            interpreter.invoke()
            found.append(interpreter.get_tensor(wanted).copy())
        return np.concatenate(found)

    return answer


OPENERS = (open_saved_model, open_keras, open_frozen)


def probabilities(answers):
    """Return probabilities; logits are turned into them."""
    answers = np.asarray(answers, np.float64)
    if np.allclose(answers.sum(axis=1), 1, atol=1e-3) and (answers >= 0).all():
        return answers
    powers = np.exp(answers - answers.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def learns(tf, call, variables, features, labels):
    """Take one step down the gradient; tell whether the loss fell."""
    if not variables:
        return False

    def loss():
        return tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels, call(features))
        )

    with tf.GradientTape() as tape:
        before = loss()
    gradients = tape.gradient(before, variables)
    for variable, gradient in zip(variables, gradients, strict=True):
        if gradient is not None:
            variable.assign_sub(1e-4 * gradient)
    return bool(loss() < before)


def right(answers, expected):
    """Tell whether the probabilities of all clips are the expected ones."""
    return bool(np.abs(probabilities(answers) - expected).max() < TOLERANCE)


def try_one(tf, path, features, labels, expected):
    """Return what one file can do, and what was said by all that refused it."""
    found = {"answers": False, "LiteRT": False, "learns": False, "said": {}}
    for opener in OPENERS:
        try:
            call, variables = opener(tf, path)
            found["answers"] = right(call(tf.constant(features)), expected)
            found["learns"] = learns(tf, call, variables, features, labels)
            break
        except Exception as error:
            found["said"][opener.__name__] = f"{type(error).__name__}: {error}"[:300]
    try:
        found["LiteRT"] = right(open_tflite(path)(features), expected)
    except Exception as error:
        found["said"]["open_tflite"] = f"{type(error).__name__}: {error}"[:300]
    return found


def main(folder):
    """Try every file and return a dictionary of what it can do."""
    import tensorflow as tf

    features, labels, expected = (
        np.load(os.path.join(folder, f"{name}.npy")) for name in ("features", "labels", "answers")
    )
    found = {
        name: try_one(tf, os.path.join(folder, file), features, labels, expected)
        for name, file in FILES.items()
    }
    return {"course_lib": "course_lib" in sys.modules, "found": found}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
