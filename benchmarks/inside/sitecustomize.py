"""Put on PYTHONPATH: every Python process notes how long it was inside TensorFlow and LiteRT.

Importing them counts, and every call of what is wrapped below, once where calls are nested. The
sum goes to a file a process in $BENCH_FOLDER, and so does when its first picture was shown.
"""

import functools
import importlib
import json
import os
import sys
import threading
import time

_WRAPPED = {
    "keras": "Model.fit Model.predict Model.evaluate Model.save Layer.__call__ "
    "Model.compile models.load_model",
    "tensorflow.python.eager.polymorphic_function.polymorphic_function": "Function.__call__ "
    "Function.get_concrete_function",
    "tensorflow.python.eager.polymorphic_function.concrete_function": "ConcreteFunction.__call__",
    "tensorflow.python.eager.backprop": "GradientTape.gradient",
    "tensorflow.python.checkpoint.checkpoint": "Checkpoint.save Checkpoint.write Checkpoint.read "
    "Checkpoint.restore",
    "tensorflow.python.saved_model.save": "save",
    "tensorflow.python.saved_model.load": "load",
    "tensorflow.python.framework.convert_to_constants": "convert_variables_to_constants_v2",
    "tensorflow.python.grappler.tf_optimizer": "OptimizeGraph",
    "tensorflow.python.client.session": "BaseSession.run",
    "tensorflow.lite.python.lite": "TFLiteConverterBaseV2.convert TFLiteConverterV2.convert "
    "TFLiteConverterV2.from_concrete_functions TFLiteConverterV2.from_keras_model",
    "ai_edge_litert.interpreter": "Interpreter.__init__ Interpreter.allocate_tensors "
    "Interpreter.invoke",
    "IPython.core.displaypub": "DisplayPublisher.publish",
    "ipykernel.zmqshell": "ZMQDisplayPublisher.publish",
}
_IMPORTED = {"tensorflow", "keras", "ai_edge_litert", "tflite_micro"}
_PICTURES = ("image/", "application/vnd.jupyter.widget-view", "text/html")
_state = {"seconds": 0.0, "depth": 0, "since": 0.0, "picture": None, "written": 0.0}
_lock = threading.RLock()


def _write():
    _state["written"] = time.monotonic()
    known = {"seconds": _state["seconds"], "picture": _state["picture"]}
    path = os.path.join(os.environ["BENCH_FOLDER"], f"{os.getpid()}.json")
    with open(f"{path}.partial", "w", encoding="utf-8") as file:
        json.dump(known, file)
    os.replace(f"{path}.partial", path)  # whole also where the process is killed meanwhile


class _Timed:
    """Count the time in which at least one is open, in whatever thread."""

    def __enter__(self):
        with _lock:
            _state["depth"] += 1
            if _state["depth"] == 1:
                _state["since"] = time.perf_counter()

    def __exit__(self, *_):
        with _lock:
            _state["depth"] -= 1
            if _state["depth"] == 0:
                _state["seconds"] += time.perf_counter() - _state["since"]
                if time.monotonic() - _state["written"] > 0.2:
                    _write()


def _wrap(module, path):
    *way, name = path.split(".")
    owner = functools.reduce(getattr, way, module)
    kept = vars(owner).get(name) if isinstance(owner, type) else getattr(owner, name, None)
    function = getattr(kept, "__func__", kept)
    if not callable(function):
        return

    @functools.wraps(function)
    def timed(*arguments, **named):
        if name == "publish":
            data = arguments[1] if len(arguments) > 1 else named.get("data", {})
            if _state["picture"] is None and any(str(key).startswith(_PICTURES) for key in data):
                _state["picture"] = time.time()
                _write()
            return function(*arguments, **named)
        with _Timed():
            return function(*arguments, **named)

    setattr(owner, name, type(kept)(timed) if kept is not function else timed)


class _Loader:
    def __init__(self, loader, name):
        self._loader, self._name = loader, name

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def exec_module(self, module):
        with (
            _Timed()
            if self._name.split(".")[0] in _IMPORTED
            else open(os.devnull, encoding="utf-8")
        ):
            self._loader.exec_module(module)
        for path in _WRAPPED.get(self._name, "").split():
            try:
                _wrap(module, path)
            except AttributeError:  # another version: it counts less
                continue


class _Finder:
    busy = set()

    def find_spec(self, name, path=None, target=None):
        wanted = name in _WRAPPED or name in _IMPORTED
        if not wanted or name in self.busy:
            return None
        self.busy.add(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.busy.discard(name)
        if spec and spec.loader:
            spec.loader = _Loader(spec.loader, name)
        return spec


if os.environ.get("BENCH_FOLDER"):
    import atexit
    import importlib.util

    sys.meta_path.insert(0, _Finder())
    atexit.register(_write)
