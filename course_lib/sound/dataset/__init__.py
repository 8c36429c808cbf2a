"""Labelled clips: the bundled speech, real Speech Commands, or a folder of one's own recordings.

`clips` says what labelled clips are, `sources` loads those that lessons learn from, `folders` finds
and loads any others. Begin reading with `clips`.
"""

from course_lib.sound.dataset.clips import (
    BACKGROUND,
    LABELS,
    SILENCE,
    SPLITS,
    UNKNOWN,
    Clips,
    joined,
    label_of,
)
from course_lib.sound.dataset.folders import measurable, recordings
from course_lib.sound.dataset.sources import SOURCES, bundled, load
