"""Lesson sources → student and reference editions. No lesson imports this.

`python -m course_lib.instructor.authoring build` writes every notebook from its source,
`notebooks/source/NN_topic.py`; `… check` tells whether what is committed is what would be built.
"""

from course_lib.instructor.authoring.build import build, check, lessons
from course_lib.instructor.authoring.source import Cell, Lesson, SourceError, read

__all__ = ["Cell", "Lesson", "SourceError", "build", "check", "lessons", "read"]
