"""Keep a .keras file readable for older releases of Keras 3."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from course_lib.session import write_atomically

# Settings that Keras 3.14 and later write and that Keras 3.13, Colab's, refuses to read. At these
# values, their defaults, a layer without them is the same layer.
_NEW_SETTINGS = {
    "input_axes": None,
    "output_axes": None,
    "renorm": False,
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
}


def make_portable(path: str | Path) -> None:
    """Rewrite the .keras file at `path` less the settings that only a newer Keras knows.

    They say nothing there, as they have their defaults. Weights and everything else stay. Source:
    the configurations that Keras 3.13.2 and 3.15.1 write.
    """
    path = Path(path)
    rewritten = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(rewritten, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "config.json":
                content = json.dumps(_without_new(json.loads(content))).encode()
            new.writestr(entry, content)
    write_atomically(path, rewritten.getvalue())


def _without_new(value: Any) -> Any:
    """Return a configuration without the settings above, where they have their defaults."""
    if isinstance(value, list):
        return [_without_new(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _without_new(each)
        for name, each in value.items()
        if name not in _NEW_SETTINGS or each != _NEW_SETTINGS[name]
    }
