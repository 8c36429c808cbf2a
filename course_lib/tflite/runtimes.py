"""TensorFlow beside TensorFlow Lite: what importing each costs, and which operations each has."""

import importlib.util
import json
import os
from dataclasses import dataclass
from pathlib import Path

from course_lib.formats import flatbuffer
from course_lib.session import internals, processes

TENSORFLOW, LITERT = "tensorflow", "ai_edge_litert.interpreter"
_NO_OPERATIONS = {"CUSTOM", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES"}  # numbered like some

_PROGRAM = """
import json, sys, time
start = time.perf_counter()
__import__(sys.argv[1])
seconds = time.perf_counter() - start
from course_lib.session.system import peak_memory
print("measured " + json.dumps([seconds, peak_memory()]))
"""


@dataclass(frozen=True)
class Footprint:
    """Hold what a module costs a fresh Python: seconds to import it, memory, and disk.

    `memory_bytes` is the process's peak, 0 where the system does not tell; `disk_bytes` is
    the installed package without what it depends on.
    """

    module: str
    seconds: float
    memory_bytes: int
    disk_bytes: int


def footprint(module: str) -> Footprint:
    """Import a module in a fresh Python process and return what that cost.

    Raises ImportError where it cannot be imported.
    """
    done = processes.run("-c", _PROGRAM, module, seconds=300)
    lines = [line for line in done.stdout.splitlines() if line.startswith("measured ")]
    if not lines:
        raise ImportError(f"{module} cannot be imported here: {done.stderr.strip()[-200:]}")
    seconds, memory = json.loads(lines[0].removeprefix("measured "))
    return Footprint(module, seconds, memory, _disk(module.split(".")[0]))


def operations_of_tensorflow() -> frozenset[str]:
    """Return the names of the operations that TensorFlow has, such as "FusedBatchNormV3"."""
    return internals.operation_names()


def operations_of_tflite() -> frozenset[str]:
    """Return the names of the operations in TensorFlow Lite's schema, such as "CONV_2D"."""
    return frozenset(flatbuffer.load().enums["BuiltinOperator"].values()) - _NO_OPERATIONS


def home(operation: str) -> str:
    """Return who has an operation of this name: "both", "TensorFlow", "TensorFlow Lite", "neither".

    Spelling is not looked at: Conv2D and CONV_2D are one name.
    """
    name = _spelled(operation)
    big = name in map(_spelled, operations_of_tensorflow())
    small = name in map(_spelled, operations_of_tflite())
    if big and small:
        return "both"
    return "TensorFlow" if big else "TensorFlow Lite" if small else "neither"


def _spelled(name: str) -> str:
    return name.replace("_", "").lower()


def excerpt(error: Exception) -> str:
    """Return the lines of a converter's message that say what is wrong, without the tracebacks."""
    said = (line for line in str(error).splitlines() if "op is neither" in line)
    lines = [line[line.index("error:") :] for line in said if "error:" in line]
    return "\n".join(dict.fromkeys(lines)) or str(error)[:500]


def _disk(package: str) -> int:
    """Return the bytes of an installed package's own folder."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return 0
    walk = os.walk(Path(spec.origin).parent)
    files = (Path(folder, name) for folder, _, names in walk for name in names)
    return sum(path.stat().st_size for path in files if not path.is_symlink())
