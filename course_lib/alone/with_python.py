"""Try each file of a model in a process that has nothing of this course: TensorFlow and NumPy only.

Run as ``python -I with_python.py FOLDER``. The folder holds the files, ``labels.npy`` (n,),
``features.npy`` (n, 49, 40, 1) and the expected ``answers.npy`` (n, 4). Prints one line of JSON:
what answers, what runs in LiteRT, and what learns.
"""

import json
import os
import sys

import numpy as np

FILES = {
    "checkpoint": "checkpoint/model",
    "Keras file": "model.keras",
    "SavedModel": "saved_model",
    "frozen graph": "frozen.pb",
    "TFLite": "model.tflite",
}
TOLERANCE = 1e-4


def open_checkpoint(tf, path):
    """There is no graph in it, so nothing can be called."""
    return tf.saved_model.load(path), []


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


def open_tflite(tf, path):
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

    return answer, []


OPENERS = {
    "checkpoint": open_checkpoint,
    "Keras file": open_keras,
    "SavedModel": open_saved_model,
    "frozen graph": open_frozen,
    "TFLite": open_tflite,
}


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


def try_one(tf, name, path, features, labels, expected):
    """Return what one file can do; whatever is raised is the answer no."""
    found = {"answers": False, "LiteRT": False, "learns": False, "said": ""}
    try:
        call, variables = OPENERS[name](tf, path)
        answers = probabilities(call(tf.constant(features)))
        found["answers"] = bool(np.abs(answers - expected).max() < TOLERANCE)
        found["learns"] = learns(tf, call, variables, features, labels)
    except Exception as error:
        found["said"] = f"{type(error).__name__}: {error}"[:300]
    try:
        found["LiteRT"] = bool(open_tflite(tf, path)[0](features[:1]).shape == (1, 4))
    except Exception as error:
        found["said"] = found["said"] or f"{type(error).__name__}: {error}"[:300]
    return found


def main(folder):
    """Try every file and return a dictionary of what it can do."""
    import tensorflow as tf

    features, labels, expected = (
        np.load(os.path.join(folder, f"{name}.npy")) for name in ("features", "labels", "answers")
    )
    found = {
        name: try_one(tf, name, os.path.join(folder, file), features, labels, expected)
        for name, file in FILES.items()
    }
    return {"course_lib": "course_lib" in sys.modules, "found": found}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
