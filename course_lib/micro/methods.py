"""The operators of TensorFlow Lite Micro: each one's method of `MicroMutableOpResolver`.

They are read from the resolver's own header and kept in data/micro/operators.json with its version:
`python -m course_lib.micro operators HEADER --version WHICH`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from course_lib import session

_METHOD = re.compile(
    r"TfLiteStatus (Add\w+)\([^{;]*\{[^}]*?"
    r'return Add(?:Builtin\(\s*BuiltinOperator_(\w+)|Custom\(\s*"(\w+)")'
)


@lru_cache(maxsize=1)
def load() -> Mapping[str, str]:
    """Return the method of every kind of operator, and of custom operators by their name."""
    kept = json.loads(session.data_path("micro", "operators.json").read_text(encoding="utf-8"))
    return kept["methods"]


def read_header(text: str) -> dict[str, str]:
    """Return what `load` does, of the text of a micro_mutable_op_resolver.h.

    Raises ValueError where the text has no such methods.
    """
    found = {kind or custom: method for method, kind, custom in _METHOD.findall(text)}
    if not found:
        raise ValueError("This is no micro_mutable_op_resolver.h: it adds no operators.")
    return found


def write_down(header: Path, version: str, folder: Path | None = None) -> Path:
    """Keep the methods of a header, sorted, with the version that it is of; return the file.

    Raises OSError for a header that cannot be read, ValueError for another file.
    """
    methods = read_header(header.read_text(encoding="utf-8"))
    kept = {
        "version": version,
        "command": "python -m course_lib.micro operators micro_mutable_op_resolver.h --version ...",
        "methods": dict(sorted(methods.items())),
    }
    folder = session.data_path("micro") if folder is None else folder
    session.write_atomically(folder / "operators.json", json.dumps(kept, indent=1) + "\n")
    load.cache_clear()
    return folder / "operators.json"
