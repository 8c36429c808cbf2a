"""Compile the engine of `course_lib.micro.wasm`: plain C to a WebAssembly that imports nothing.

    python -m tools.engine

Zig's C compiler comes as a package with `pip install -e ".[test]"`, the same on every system.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from course_lib import session
from course_lib.micro import wasm
from course_lib.micro.arrays import feature_tables
from course_lib.micro.plain_c.generation import FOLDER as PLAIN_C

__all__ = ["compiled", "main"]

_SHARED = ("layers.c", "layers.h", "softmax.c", "grouped_conv2d.c", "fixed.h", "log_mel.c")
_SHARED += ("log_mel.h",)
_OPTIONS = "-target wasm32-freestanding -mcpu=generic -std=c11 -O2 -ffreestanding".split()
_OPTIONS += "-Wall -Wextra -Werror -Wl,--no-entry -Wl,--strip-all".split()


def compiled() -> bytes:
    """Return the engine as its sources give it. Raises RuntimeError where the compiler fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in (*(PLAIN_C / each for each in _SHARED), *wasm.FOLDER.iterdir()):
            (folder / path.name).write_bytes(path.read_bytes())
        (folder / "log_mel_tables.c").write_text(feature_tables(), encoding="utf-8")
        sources = sorted(path.name for path in folder.glob("*.c"))
        command = [sys.executable, "-m", "ziglang", "cc", *_OPTIONS, "-I.", *sources]
        run = subprocess.run(
            [*command, "-o", "engine.wasm"], cwd=folder, capture_output=True, text=True
        )
        if run.returncode:
            raise RuntimeError(f"The engine cannot be compiled:\n{run.stderr[-3000:]}")
        return (folder / "engine.wasm").read_bytes()


def main() -> int:
    """Write the engine beside its sources."""
    session.write_atomically(wasm.PROGRAM, compiled())
    return 0


if __name__ == "__main__":
    sys.exit(main())
