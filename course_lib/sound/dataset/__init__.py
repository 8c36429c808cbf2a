"""Labelled clips: the bundled speech, real Speech Commands, or a folder of one's own recordings."""

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
from course_lib.sound.dataset.folder import SUFFIXES, from_folder
from course_lib.sound.dataset.own import Recordings, recordings
from course_lib.sound.dataset.sources import SOURCES, load
from course_lib.sound.dataset.synthetic import SILENCE_SHARE, bundled

__all__ = [
    "BACKGROUND",
    "LABELS",
    "SILENCE",
    "SILENCE_SHARE",
    "SOURCES",
    "SPLITS",
    "SUFFIXES",
    "UNKNOWN",
    "Clips",
    "Recordings",
    "bundled",
    "from_folder",
    "joined",
    "label_of",
    "load",
    "recordings",
]
