"""Give each file of a model to TensorFlow's C++ library: its Python is never imported.

Run as `python -I with_c.py FOLDER INPUT OUTPUT`, with the names of the SavedModel's signature.
The calls go through the library's C interface; a program in C++ would make the same ones. Prints
one line of JSON: does the first clip get the expected answer? The value is null where the library
cannot be loaded.
"""

import ctypes
import glob
import importlib.util
import json
import os
import sys

import numpy as np

TOLERANCE = 1e-5
FLOAT = 1  # TF_FLOAT
POINTER = ctypes.c_void_p


class Port(ctypes.Structure):
    """TF_Output: an operation and the number of its result."""

    _fields_ = [("operation", POINTER), ("index", ctypes.c_int)]


def library():
    """Load TensorFlow's C library from where pip put it; None where there is none."""
    folder = os.path.dirname(importlib.util.find_spec("tensorflow").origin)
    for name in ("framework", "cc"):
        paths = sorted(glob.glob(os.path.join(folder, f"libtensorflow_{name}.*")))
        if not paths:
            return None
        loaded = ctypes.CDLL(paths[-1], mode=ctypes.RTLD_GLOBAL)
    for name in (
        "TF_NewStatus",
        "TF_NewGraph",
        "TF_NewImportGraphDefOptions",
        "TF_NewSession",
        "TF_NewBufferFromString",
        "TF_NewSessionOptions",
        "TF_GraphOperationByName",
        "TF_AllocateTensor",
        "TF_TensorData",
        "TF_LoadSessionFromSavedModel",
    ):
        getattr(loaded, name).restype = POINTER
    loaded.TF_TensorByteSize.restype = ctypes.c_size_t
    return loaded


def checked(tf, status):
    """Raise RuntimeError unless the last call went well."""
    if tf.TF_GetCode(status):
        raise RuntimeError("the C library refused it")


def session_of_graph(tf, path, status):
    """Read a file as a GraphDef; return its graph and a session."""
    with open(path, "rb") as file:
        data = file.read()
    graph = POINTER(tf.TF_NewGraph())
    buffer = POINTER(tf.TF_NewBufferFromString(data, ctypes.c_size_t(len(data))))
    tf.TF_GraphImportGraphDef(graph, buffer, POINTER(tf.TF_NewImportGraphDefOptions()), status)
    checked(tf, status)
    session = POINTER(tf.TF_NewSession(graph, POINTER(tf.TF_NewSessionOptions()), status))
    checked(tf, status)
    return graph, session


def session_of_saved_model(tf, path, status):
    """Load a SavedModel folder; return its graph and a session with its variables."""
    graph = POINTER(tf.TF_NewGraph())
    tags = (ctypes.c_char_p * 1)(b"serve")
    session = POINTER(
        tf.TF_LoadSessionFromSavedModel(
            POINTER(tf.TF_NewSessionOptions()), None, path.encode(), tags, 1, graph, None, status
        )
    )
    checked(tf, status)
    return graph, session


def run(tf, graph, session, given, wanted, features, status):
    """Feed one clip, (1, 49, 40, 1) float32, and return the numbers that come out."""
    ports = []
    for name in (given, wanted):
        operation, _, index = name.partition(":")
        found = tf.TF_GraphOperationByName(graph, operation.encode())
        if not found:
            raise RuntimeError(f"no operation {operation}")
        ports.append(Port(found, int(index or 0)))
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
    return np.frombuffer(
        ctypes.string_at(tf.TF_TensorData(result), tf.TF_TensorByteSize(result)), np.float32
    )


def main(folder, given, wanted):
    """Try every file and return {name: does it answer?}."""
    tf = library()
    features = np.ascontiguousarray(np.load(os.path.join(folder, "features.npy"))[:1], np.float32)
    expected = np.load(os.path.join(folder, "answers.npy"))[0]
    files = {
        "checkpoint": "checkpoint/model.index",
        "Keras file": "model.keras",
        "SavedModel": "saved_model",
        "frozen graph": "frozen.pb",
        "TFLite": "model.tflite",
    }
    found = {}
    for name, file in files.items():
        if tf is None:
            found[name] = None
            continue
        status, path = POINTER(tf.TF_NewStatus()), os.path.join(folder, file)
        try:
            if os.path.isdir(path):
                ends = (*session_of_saved_model(tf, path, status), given, wanted)
            else:
                ends = (*session_of_graph(tf, path, status), "features", "probabilities")
            answer = run(tf, *ends, features, status).astype(np.float64)
            if abs(answer.sum() - 1) > 1e-3 or (answer < 0).any():
                answer = np.exp(answer - answer.max()) / np.exp(answer - answer.max()).sum()
            found[name] = bool(np.abs(answer - expected).max() < TOLERANCE)
        except (RuntimeError, OSError, ValueError):
            found[name] = False
    return {"tensorflow": "tensorflow" in sys.modules, "found": found}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:4])))
