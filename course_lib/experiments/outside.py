"""Try each file of a model in a process that has nothing of this course: a script for `python -I`.

`outside.py python FOLDER` tries every way in which TensorFlow's Python and LiteRT open a file.
`outside.py c FOLDER INPUT OUTPUT` gives the files to TensorFlow's C++ library, through its C
interface, as a program in C++ would; TensorFlow's Python is never imported then. INPUT and OUTPUT
are the names of the SavedModel's signature. FOLDER holds the files, `labels.npy` (n,),
`features.npy` (n, 49, 40, 1) and the expected `answers.npy` (n, 4). One line of JSON is printed:
which of ours and of TensorFlow's modules were imported, and what each file can do.
"""

import ctypes
import glob
import importlib.util
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
ENDS = ("features", "probabilities")  # of the frozen graph
TOLERANCE = 1e-5  # float32 sums in another order end in other last digits
FLOAT = 1  # TF_FLOAT
POINTER = ctypes.c_void_p


def right(answers, expected):
    """Tell whether the probabilities of all clips are the expected ones; answers may be logits."""
    answers = np.asarray(answers, np.float64)
    if not np.allclose(answers.sum(axis=1), 1, atol=1e-3) or (answers < 0).any():
        powers = np.exp(answers - answers.max(axis=1, keepdims=True))  # cannot overflow
        answers = powers / powers.sum(axis=1, keepdims=True)
    return bool(np.abs(answers - expected).max() < TOLERANCE)


# TensorFlow's Python, and LiteRT


def open_keras(tf, path):
    """Let the configuration inside rebuild the layers."""
    model = tf.keras.models.load_model(path, compile=False)
    return model, model.trainable_variables


def open_saved_model(tf, path):
    """Its graph is traced already, and its variables lie beside it."""
    loaded = tf.saved_model.load(path)
    return lambda rows: loaded.serve(rows), loaded.trainable_variables  # keeps `loaded` alive


def open_frozen(tf, path):
    """Parse a GraphDef, import it, and cut it out between its ends."""
    graph_def = tf.compat.v1.GraphDef()
    with open(path, "rb") as file:
        graph_def.ParseFromString(file.read())
    wrapped = tf.compat.v1.wrap_function(
        lambda: tf.graph_util.import_graph_def(graph_def, name=""), []
    )
    one = wrapped.prune(*[wrapped.graph.get_tensor_by_name(f"{name}:0") for name in ENDS])
    return lambda rows: tf.concat([one(row) for row in tf.split(rows, len(rows))], 0), one.variables


def open_tflite(path):
    """Run it in the interpreter of LiteRT, which takes one clip at a time."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=path)
    interpreter.allocate_tensors()
    fed = interpreter.get_input_details()[0]["index"]
    wanted = interpreter.get_output_details()[0]["index"]

    def answer(row):
        interpreter.set_tensor(fed, row[np.newaxis])
        interpreter.invoke()
        return interpreter.get_tensor(wanted).copy()

    return lambda rows: np.concatenate([answer(row) for row in rows])


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
            variable.assign_sub(1e-4 * gradient)  # so short a step goes down, not across
    return bool(loss() < before)


def try_in_python(tf, path, features, labels, expected):
    """Return what one file can do, and what was said by all that refused it."""
    abilities = {"answers": False, "LiteRT": False, "learns": False, "said": {}}
    for opener in (open_saved_model, open_keras, open_frozen):
        try:
            call, variables = opener(tf, path)
            abilities["answers"] = right(call(tf.constant(features)), expected)
            abilities["learns"] = learns(tf, call, variables, features, labels)
            break
        except Exception as error:
            abilities["said"][opener.__name__] = f"{type(error).__name__}: {error}"[:300]
    try:
        abilities["LiteRT"] = right(open_tflite(path)(features), expected)
    except Exception as error:
        abilities["said"]["open_tflite"] = f"{type(error).__name__}: {error}"[:300]
    return abilities


# TensorFlow's C++ library


class Port(ctypes.Structure):
    """TF_Output: an operation and the number of its result."""

    _fields_ = [("operation", POINTER), ("index", ctypes.c_int)]


def library():
    """Load TensorFlow's C library from where pip put it; None where there is none."""
    folder = os.path.dirname(importlib.util.find_spec("tensorflow").origin)
    for name in ("framework", "cc"):  # the second needs the symbols of the first
        paths = sorted(glob.glob(os.path.join(folder, f"libtensorflow_{name}.*")))
        if not paths:
            return None
        loaded = ctypes.CDLL(paths[-1], mode=ctypes.RTLD_GLOBAL)
    pointing = (
        "NewStatus NewGraph NewImportGraphDefOptions NewSession NewBufferFromString "
        "NewSessionOptions GraphOperationByName AllocateTensor TensorData LoadSessionFromSavedModel"
    )
    for name in pointing.split():  # ctypes would cut what they return to 32 bits
        getattr(loaded, f"TF_{name}").restype = POINTER
    loaded.TF_TensorByteSize.restype = ctypes.c_size_t
    return loaded


def checked(tf, status):
    """Raise RuntimeError unless the last call went well."""
    if tf.TF_GetCode(status):
        raise RuntimeError("the C library refused it")


def open_in_c(tf, path, status):
    """Load a SavedModel folder, or a file as a GraphDef; return its graph and a session."""
    graph, options = POINTER(tf.TF_NewGraph()), POINTER(tf.TF_NewSessionOptions())
    if os.path.isdir(path):
        tags, path = (ctypes.c_char_p * 1)(b"serve"), path.encode()
        session = tf.TF_LoadSessionFromSavedModel(options, None, path, tags, 1, graph, None, status)
    else:
        with open(path, "rb") as file:
            data = file.read()
        buffer = POINTER(tf.TF_NewBufferFromString(data, ctypes.c_size_t(len(data))))
        tf.TF_GraphImportGraphDef(graph, buffer, POINTER(tf.TF_NewImportGraphDefOptions()), status)
        checked(tf, status)
        session = tf.TF_NewSession(graph, options, status)
    checked(tf, status)
    return graph, POINTER(session)


def run(tf, graph, session, ends, features, status):
    """Feed one clip, (1, 49, 40, 1) float32, and return the numbers that come out, (1, n)."""
    ports = []
    for name in ends:
        operation, _, index = name.partition(":")
        node = tf.TF_GraphOperationByName(graph, operation.encode())
        if not node:
            raise RuntimeError(f"no operation {operation}")
        ports.append(Port(node, int(index or 0)))
    sizes = (ctypes.c_int64 * features.ndim)(*features.shape)
    tensor = POINTER(
        tf.TF_AllocateTensor(FLOAT, sizes, features.ndim, ctypes.c_size_t(features.nbytes))
    )
    ctypes.memmove(tf.TF_TensorData(tensor), features.ctypes.data, features.nbytes)
    inputs, outputs = (Port * 1)(ports[0]), (Port * 1)(ports[1])
    values, results = (POINTER * 1)(tensor), (POINTER * 1)(None)
    tf.TF_SessionRun(session, None, inputs, values, 1, outputs, results, 1, None, 0, None, status)
    checked(tf, status)
    result = POINTER(results[0])
    numbers = ctypes.string_at(tf.TF_TensorData(result), tf.TF_TensorByteSize(result))
    return np.frombuffer(numbers, np.float32)[np.newaxis]


def try_in_c(tf, path, ends, features, expected):
    """Tell whether one file gives the first clip's answer; None where there is no library."""
    if tf is None:
        return None
    status, one = POINTER(tf.TF_NewStatus()), np.ascontiguousarray(features[:1], np.float32)
    try:
        graph, session = open_in_c(tf, path, status)
        ends = ends if os.path.isdir(path) else ENDS
        return right(run(tf, graph, session, ends, one, status), expected[:1])
    except (RuntimeError, OSError, ValueError):
        return False


def main(way, folder, *ends):
    """Try every file in one of the two ways and return what it can do."""
    paths = {name: os.path.join(folder, file) for name, file in FILES.items()}
    features, labels, expected = (
        np.load(os.path.join(folder, f"{name}.npy")) for name in ("features", "labels", "answers")
    )
    if way == "c":
        tf = library()
        tried = {name: try_in_c(tf, path, ends, features, expected) for name, path in paths.items()}
    else:
        import tensorflow as tf

        tried = {
            name: try_in_python(tf, path, features, labels, expected)
            for name, path in paths.items()
        }
    there = [name for name in ("course_lib", "tensorflow") if name in sys.modules]
    return {"imported": there, "tried": tried}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
