"""Where lessons take their clips from: the bundled speech, or real Speech Commands.

Speech Commands v0.02 are tens of thousands of recordings of people saying single words. P. Warden,
Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition, arXiv:1804.03209 (2018);
Google, CC BY 4.0. "full" has 35 words, "mini" eight of them. Where the archive brings no lists of
its validation and test clips, the rule of the paper's section 7 decides: the SHA-1 of what a file's
name has before "_nohash_" is a number, and a tenth of the numbers each are held out.
"""

import csv
import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np

from course_lib import session
from course_lib.sound import archives, audio, download
from course_lib.sound.dataset import folders
from course_lib.sound.dataset.clips import (
    BACKGROUND,
    LABELS,
    SILENCE,
    SILENCE_SHARE,
    SPLITS,
    Clips,
    formula_silence,
    joined,
)

MOST = {"train": 6_000, "validation": 2_000, "test": 2_000}  # clips in memory: 64 kB each
NOISE_FOLDER = "_background_noise_"
_LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}
_NUMBERS = 2**27 - 1  # the rule hashes into so many numbers
_SHARES = {"validation": 10.0, "test": 20.0}  # percent of them, up to where
_NOISE_SHARES = {"train": (0.0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}
_KEYWORD_SHARE = 0.25  # of the clips that are kept, at most, for "yes" and for "no"
_HOST = "https://storage.googleapis.com/download.tensorflow.org/data/"


@dataclass(frozen=True)
class Archive:
    """What to fetch, which of its folders holds the words, how much it may fill unpacked."""

    remote: download.Remote
    root: str
    most_bytes: int


_MINI_SHA256 = "49650f2341b26d886b46b3f4fb8fed59e30300b17550f1ee4a768b3106cf93a0"
_FULL_SHA256 = "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58"
_MINI = download.Remote(f"{_HOST}mini_speech_commands.zip", 182_082_353, _MINI_SHA256)
_FULL = download.Remote(f"{_HOST}speech_commands_v0.02.tar.gz", 2_428_923_189, _FULL_SHA256)
ARCHIVES = {
    "mini": Archive(_MINI, "mini_speech_commands", 600_000_000),
    "full": Archive(_FULL, "", 6_000_000_000),
}
SOURCES = ("bundled", *ARCHIVES)


def load(source: str = "bundled", split: str = "train", most: int | None = None) -> Clips:
    """Return the clips of one split of "bundled", "mini" or "full".

    "mini" (182 MB) and "full" (2.4 GB) are Speech Commands, recordings of people: downloaded the
    first time, with progress on stderr, and kept in the cache folder. Of a larger split, `most`
    clips are drawn, the same ones every time. Raises ValueError for a name that there is not, and
    download.DownloadError where nothing can be fetched.
    """
    if source not in SOURCES:
        raise ValueError(f"There is no source {source!r}: choose one of {', '.join(SOURCES)}.")
    if source == "bundled":
        clips = bundled(split)
        return clips if most is None or len(clips) <= most else clips[:: -(-len(clips) // most)]
    _check_split(split)
    return _fetched(source, split, MOST[split] if most is None else most)


@lru_cache(maxsize=len(SPLITS))
def bundled(split: str) -> Clips:
    """Return the bundled clips of `split`: "train", "validation" or "test"; no voice is in two.

    Each word is centred in a second. Silence, a tenth more clips, is made by a seeded formula.
    """
    _check_split(split)
    folder = session.data_path("speech")
    with open(folder / "manifest.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    silence = formula_silence(round(SILENCE_SHARE * len(rows)), split)
    spoken = (audio.fit(audio.read(folder / row["file"])) for row in rows)
    return Clips.labelled(
        chain(spoken, silence.waves),
        [*(row["word"] for row in rows), *silence.words],
        [*(row["voice"] for row in rows), *silence.voices],
        [*(row["engine"] for row in rows), *silence.engines],
        [*(row["file"] for row in rows), *silence.files],
    )


def words_folder(
    archive: Archive,
    cache: Path | None = None,
    fetch: Callable[..., Path] = download.fetch,
    quiet: bool = False,
) -> Path:
    """Return the folder with the words of `archive`; fetched and unpacked the first time.

    It lies in `cache`, by default the cache folder of the workbook. The archive itself is not
    kept; no bar is drawn where `quiet`. Raises DownloadError where it cannot be had: what has
    arrived stays for the next call.
    """
    place = (cache or session.cache_folder()) / "speech_commands"
    unpacked = place / archive.remote.name.removesuffix(".zip").removesuffix(".tar.gz")
    if not unpacked.is_dir():
        with download.bar(f"downloading {archive.remote.name}", quiet) as progress:
            packed = fetch(archive.remote, place, progress)
        with download.bar(f"unpacking {archive.remote.name}", quiet) as progress:
            archives.unpack(packed, unpacked, archive.most_bytes, progress)
        packed.unlink(missing_ok=True)
    words = unpacked / archive.root
    if not words.is_dir():
        problem = f"{unpacked} is not what was unpacked there: delete that folder."
        raise download.DownloadError(problem)
    return words


def splits(words: Path) -> dict[str, list[str]]:
    """Return the files of each split, "<word>/<clip>.wav", by the archive's lists or the rule."""
    listed: dict[str, str] = {}
    lists = {split: words / name for split, name in _LISTS.items()}
    whole = all(path.is_file() for path in lists.values())
    if whole:
        for split, path in lists.items():
            listed = dict.fromkeys(path.read_text(encoding="utf-8").split(), split) | listed
    files: dict[str, list[str]] = {split: [] for split in SPLITS}
    for each in folders.found(words):
        name = each.name
        if not name.startswith("_") and each.depth == 1 and each.is_sound and not each.problem:
            files[listed.get(name, "train") if whole else held_out(name)].append(name)
    return files


def held_out(file: str) -> str:
    """Return the split of a file by the rule: all clips of a speaker are in the same one."""
    number = int(hashlib.sha1(_speaker(file).encode()).hexdigest(), 16) % (_NUMBERS + 1)
    percent = number * 100.0 / _NUMBERS
    return next((split for split, limit in _SHARES.items() if percent < limit), "train")


@lru_cache(maxsize=6)
def _fetched(source: str, split: str, most: int) -> Clips:
    """Return at most `most` clips of a split of Speech Commands, and a tenth more of silence.

    Silence is cut out of the archive's background noises, of which each split has a stretch of
    its own; without them it is made from a formula.
    """
    words = words_folder(ARCHIVES[source])
    chosen = _drawn(splits(words)[split], most)
    if not chosen:
        problem = f"{words} has no clips for {split}: delete that folder, load it again."
        raise download.DownloadError(problem)
    clips = Clips.labelled(
        (audio.fit(audio.read(words / file)) for file in chosen),
        [Path(file).parent.name for file in chosen],
        [_speaker(file) for file in chosen],
        ("recording",) * len(chosen),
        chosen,
    )
    return joined(clips, _silence(words, split, round(SILENCE_SHARE * len(chosen))))


def _check_split(split: str) -> None:
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")


def _speaker(file: str) -> str:
    return Path(file).name.split("_nohash_")[0]


def _drawn(files: list[str], most: int) -> list[str]:
    """Choose at most `most` files: each keyword up to a quarter, other words evenly."""
    if len(files) <= most:
        return files
    rng = np.random.default_rng(most)
    by_word: dict[str, list[str]] = defaultdict(list)
    for file in files:
        by_word[Path(file).parent.name].append(file)
    shuffled = {word: list(rng.permutation(names)) for word, names in sorted(by_word.items())}
    keywords = [word for word in shuffled if word in LABELS]
    chosen = [file for word in keywords for file in shuffled[word][: int(_KEYWORD_SHARE * most)]]
    others = zip_longest(*(shuffled[word] for word in shuffled if word not in LABELS))
    chosen += [file for turn in others for file in turn if file is not None]
    return sorted(chosen[:most])


def _silence(words: Path, split: str, count: int) -> Clips:
    """Return `count` seconds of background noise at levels from a whisper to full."""
    files = [each.path for each in folders.found(words / NOISE_FOLDER) if each.is_sound]
    if not files:
        return formula_silence(count, split)
    first, last = _NOISE_SHARES[split]
    whole = map(audio.read, files)
    noises = [noise[int(first * len(noise)) : int(last * len(noise))] for noise in whole]
    rng = np.random.default_rng(count)
    waves, names = [], []
    for place in range(count):
        which = place % len(noises)
        start = int(rng.integers(0, max(1, len(noises[which]) - audio.CLIP_SAMPLES + 1)))
        second = audio.fit(noises[which][start : start + audio.CLIP_SAMPLES])
        waves.append(second * np.float32(rng.uniform(0.0, 1.0)))
        names.append(f"{NOISE_FOLDER}/{files[which].stem}_{place:03d}")
    return Clips.labelled(
        waves, (LABELS[SILENCE],) * count, ("noise",) * count, (BACKGROUND,) * count, names
    )
