"""Put on PYTHONPATH: every Python process notes how long it was inside TensorFlow and LiteRT.

Importing them counts, and every call of what is wrapped below, once where calls are nested. From
when to when goes to a file a process in $BENCH_FOLDER, and when its first picture was shown. So
does what else takes long, each kind to a file of its own.
"""

import array
import functools
import importlib
import os
import sys
import threading
import time

_WRAPPED = {
    "keras": "Model.fit Model.predict Model.evaluate Model.save Model.export Model.load_weights "
    "Model.save_weights Model.compile Layer.__call__ Optimizer.apply models.load_model",
    "tensorflow.python.eager.polymorphic_function.polymorphic_function": "Function.__call__ "
    "Function.get_concrete_function",
    "tensorflow.python.eager.polymorphic_function.concrete_function": "ConcreteFunction.__call__",
    "tensorflow.python.eager.backprop": "GradientTape.gradient",
    "tensorflow.python.checkpoint.checkpoint": "Checkpoint.save Checkpoint.write Checkpoint.read "
    "Checkpoint.restore",
    "tensorflow.python.saved_model.save": "save",
    "tensorflow.python.saved_model.load": "load",
    "tensorflow.python.framework.convert_to_constants": "convert_variables_to_constants_v2",
    "tensorflow.python.framework.importer": "import_graph_def",
    "tensorflow.python.eager.wrap_function": "wrap_function WrappedFunction.prune",
    "tensorflow.python.grappler.tf_optimizer": "OptimizeGraph",
    "tensorflow.python.client.session": "BaseSession.run",
    "tensorflow.lite.python.convert": "mlir_quantize",
    "tensorflow.lite.python.lite": "TFLiteConverterBaseV2.convert TFLiteConverterV2.convert "
    "TFLiteConverterV2.from_concrete_functions TFLiteConverterV2.from_keras_model",
    "ai_edge_litert.interpreter": "Interpreter.__init__ Interpreter.allocate_tensors "
    "Interpreter.invoke",
    "tflite_micro.python.tflite_micro.runtime": "Interpreter.from_bytes Interpreter.invoke",
    "IPython.core.displaypub": "DisplayPublisher.publish",
    "ipykernel.zmqshell": "ZMQDisplayPublisher.publish",
    "ipykernel.displayhook": "ZMQShellDisplayHook.write_format_data",
}
_ALSO = {
    "course_lib.sound.augmentation": ("varying", "training_set"),
    "matplotlib.figure": ("drawing", "Figure.savefig"),
}
_IMPORTED = {"tensorflow", "keras", "ai_edge_litert", "tflite_micro"}
_HERE = os.path.dirname(os.path.abspath(__file__))
_PICTURES = ("image/", "application/vnd.jupyter.widget-view")
_state = {"picture": False}
_lock = threading.RLock()


def _path(kind):
    return os.path.join(os.environ["BENCH_FOLDER"], f"{os.getpid()}.{kind}")


class _Timed:
    """Count the time in which at least one of a kind is open, in whatever thread."""

    def __init__(self, kind):
        self.kind, self.depth, self.since, self.written = kind, 0, 0.0, 0.0
        self.spans = array.array("d")  # begin and end, by a clock that all processes share

    def __enter__(self):
        with _lock:
            self.depth += 1
            if self.depth == 1:
                self.since = time.monotonic()

    def __exit__(self, *_):
        with _lock:
            self.depth -= 1
            if self.depth == 0:
                self.spans.extend((self.since, time.monotonic()))
                if time.monotonic() - self.written > 0.2:
                    self.write()

    def write(self):
        self.written = time.monotonic()
        with _lock, open(_path(self.kind), "ab") as file:  # something whole also where it is killed
            file.write(self.spans.tobytes())
            del self.spans[:]


_KINDS = {kind: _Timed(kind) for kind in ("tensorflow", "varying", "drawing", "waiting")}


def _wrap(module, path, kind):
    *way, name = path.split(".")
    owner = functools.reduce(getattr, way, module)
    kept = vars(owner).get(name) if isinstance(owner, type) else getattr(owner, name, None)
    function = getattr(kept, "__func__", kept)
    if not callable(function):
        return

    @functools.wraps(function)
    def timed(*arguments, **named):
        if name in ("publish", "write_format_data"):
            data = arguments[1] if len(arguments) > 1 else named.get("data", {})
            if not _state["picture"] and _pictured(data):
                _state["picture"] = True
                with open(_path("picture"), "w", encoding="utf-8") as file:
                    file.write(str(time.time()))
            return function(*arguments, **named)
        with _KINDS[kind]:
            return function(*arguments, **named)

    setattr(owner, name, type(kept)(timed) if kept is not function else timed)


def _pictured(data):
    page = str(data.get("text/html", ""))
    drawn = any(str(key).startswith(_PICTURES) for key in data)
    return drawn or "<img" in page or "<svg" in page


class _Loader:
    def __init__(self, loader, name):
        self._loader, self._name = loader, name

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def exec_module(self, module):
        with (
            _KINDS["tensorflow"]
            if self._name.split(".")[0] in _IMPORTED
            else open(os.devnull, encoding="utf-8")
        ):
            self._loader.exec_module(module)
        also = _ALSO.get(self._name, ("tensorflow", _WRAPPED.get(self._name, "")))
        for path in also[1].split():
            try:
                _wrap(module, path, also[0])
            except AttributeError:  # another version: it counts less
                continue


class _Finder:
    busy = set()

    def find_spec(self, name, path=None, target=None):
        wanted = name in _WRAPPED or name in _ALSO or name in _IMPORTED
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


def _followed(init):
    """Have a Python that is started with -I find this file as well, and nothing else of ours."""

    @functools.wraps(init)
    def started(self, args, *rest, **named):
        if isinstance(args, list) and args[:2] == [sys.executable, "-I"]:
            args = [sys.executable, "-s", "-P", *args[2:]]
            named["env"] = {**(named.get("env") or os.environ), "PYTHONPATH": _HERE}
        init(self, args, *rest, **named)

    return started


if os.environ.get("BENCH_FOLDER"):
    import atexit
    import importlib.util
    import subprocess

    subprocess.Popen.__init__ = _followed(subprocess.Popen.__init__)
    for path in ("Popen.communicate", "Popen.wait"):
        _wrap(subprocess, path, "waiting")
    sys.meta_path.insert(0, _Finder())
    for each in _KINDS.values():
        atexit.register(each.write)
