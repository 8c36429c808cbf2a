"""One zip to hand in: the report as HTML and JSON, the model, and the C++ program around it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from course_lib import micro, session
from course_lib.micro import record
from course_lib.project.page import page
from course_lib.project.report import MicroRun
from course_lib.project.verify import MODEL, PAGE, REPORT, problems
from course_lib.project.words import Words
from course_lib.views.style import Picture

_NEW_LAYER_BYTES = 512  # more than a last layer with eight answers adds to what four take
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the same contents give the same zip


def arena_bytes(run: MicroRun | None) -> int:
    """Return the arena that a program gets: measured, or the shipped model's and some room.

    Where tflite-micro is missing, the recorded arena of the shipped model is a good guess: yours
    differs from it in the last layer alone.
    """
    if run is not None:
        return run.arena_bytes
    return int(record.load()["arena"]["smallest_bytes"]) + _NEW_LAYER_BYTES


def deliverables(int8_model: bytes, arena_bytes: int, words: Words) -> dict[str, bytes]:
    """Return the files to hand in beside the report: the model, and the C++ program's folder."""
    program = micro.cpp_program(int8_model, arena_bytes, words.labels)
    sources = {f"spotter/{name}": text.encode() for name, text in program.items()}
    return {MODEL: bytes(int8_model), **sources}


def bundle(
    path: str | Path,
    made: Mapping[str, Any],
    files: Mapping[str, bytes],
    pictures: Sequence[Picture] = (),
) -> Path:
    """Write the zip, and `report.html` and `report.json` beside it; return the zip's path.

    Raises ValueError, and writes nothing, where the report or its files are not right.
    """
    if wrong := problems(made, files):
        raise ValueError(f"This report is not right. {wrong[0]}")
    path = Path(path)
    texts = {
        REPORT: json.dumps(made, indent=1, allow_nan=False).encode(),
        PAGE: page(made, pictures).encode(),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**texts, **files}.items():
            info = zipfile.ZipInfo(name, _LONG_AGO)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, data)
    for name, data in texts.items():
        session.write_atomically(path.with_name(name), data)
    return session.write_atomically(path, buffer.getvalue())
