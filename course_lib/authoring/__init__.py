"""Lesson sources → student and reference editions. No lesson imports this.

`python -m course_lib.authoring build` writes every notebook from `notebooks/source/NN_topic.py`,
`python -m course_lib.authoring check` tells whether what is committed is what would be built.
"""

from course_lib.authoring.build import build, check, lessons
from course_lib.authoring.source import Cell, Lesson, SourceError, read

__all__ = ["Cell", "Lesson", "SourceError", "build", "check", "lessons", "read"]
