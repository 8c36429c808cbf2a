"""The recorded run in data/micro: what stands in where a tool is not installed, with its date."""

import hashlib
import json
from functools import lru_cache
from typing import Any

from course_lib import session

HERE = "run here, just now"
_COMMAND = "python -m course_lib.micro record"


@lru_cache(maxsize=1)
def load() -> dict[str, Any]:
    """Return the recorded run. Raises FileNotFoundError that says how to make it."""
    path = session.data_path("micro", "run.json")
    if not path.is_file():
        raise FileNotFoundError(f"There is no recorded run: make it with `{_COMMAND}`.")
    return json.loads(path.read_text(encoding="utf-8"))


def date_line() -> str:
    """Return a sentence part that says when and with what the recorded run was made."""
    run = load()
    return f"recorded on {run['date']} with {', '.join(run['tools'])}"


def digest(model_bytes: bytes) -> str:
    """Return a hash of a model's bytes: what a recorded run belongs to."""
    return hashlib.sha256(model_bytes).hexdigest()
