"""One switch for all lessons: the bundled clips, or real Speech Commands, under the same names."""

from __future__ import annotations

from functools import lru_cache

from course_lib.sound.dataset import speech_commands
from course_lib.sound.dataset.clips import SPLITS, Clips
from course_lib.sound.dataset.synthetic import bundled

SOURCES = ("bundled", *speech_commands.ARCHIVES)
MOST = {"train": 6_000, "validation": 2_000, "test": 2_000}  # clips in memory: 64 kB each


def load(source: str = "bundled", split: str = "train", most: int | None = None) -> Clips:
    """Return the clips of one split of "bundled", "mini" or "full".

    "mini" (182 MB) and "full" (2.4 GB) are Speech Commands, recordings of people: downloaded the
    first time, with progress on stderr, and kept in the cache folder. Of a larger split, `most`
    clips are drawn, the same ones every time. Raises ValueError for a name that there is not, and
    download.DownloadError where nothing can be fetched.
    """
    if source not in SOURCES:
        raise ValueError(f"There is no source {source!r}: choose one of {', '.join(SOURCES)}.")
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
    if source == "bundled":
        clips = bundled(split)
        return clips if most is None or len(clips) <= most else clips[:: -(-len(clips) // most)]
    return _fetched(source, split, MOST[split] if most is None else most)


@lru_cache(maxsize=6)
def _fetched(source: str, split: str, most: int) -> Clips:
    folder = speech_commands.folder(speech_commands.ARCHIVES[source])
    return speech_commands.read(folder, split, most)
