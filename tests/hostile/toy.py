"""A small course with one quick lesson, 97, built from its source as real lessons are."""

from __future__ import annotations

import json
from pathlib import Path

from course_lib.instructor.authoring import editions, source
from course_lib.instructor.grading import watch

HERE = Path(__file__).parent
EXERCISES = HERE / "exercises"
LIMITS = watch.Limits(
    wall_seconds=60,
    cell_seconds=6,
    call_seconds=3,
    memory_bytes=1 << 30,
    disk_bytes=64 << 20,
    output_bytes=16 << 20,
)


def build(folder: Path) -> tuple[Path, dict]:
    """Write both editions below `folder`; return the reference folder and the student edition."""
    lesson = source.read(HERE / "source" / "97_grading.py")
    facts = editions.read_project(HERE.parent.parent)
    (folder / "reference").mkdir(parents=True)
    for solved, place in ((True, folder / "reference"), (False, folder)):
        notebook = editions.edition(lesson, [lesson], facts, solved)
        (place / "97_grading.ipynb").write_text(editions.serialized(notebook), encoding="utf-8")
    student = json.loads((folder / "97_grading.ipynb").read_text())
    for cell in student["cells"]:
        cell["source"] = "".join(cell["source"])
    return folder / "reference", student
