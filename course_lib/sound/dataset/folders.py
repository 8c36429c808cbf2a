"""A folder of sound files as labelled clips, with a line on what became of every file.

`recordings` takes sound of any rate, length and form; `measurable` only what a model can be
measured on. `found` follows links to folders and files, each folder once below a word's folder, so
that a link to a folder further up ends nowhere. What file managers leave behind is passed over;
whatever else cannot be reached is there with the reason.
"""

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_lib.sound import audio
from course_lib.sound.dataset.clips import LABELS, SILENCE, UNKNOWN, Clips, html_table

SUFFIXES = tuple(".wav .flac .ogg .opus .mp3 .aif .aiff .au .caf .w64 .rf64".split())
_UNREAD = tuple(".m4a .mp4 .aac .3gp .amr .wma .webm".split())  # what phones and browsers write
_LEFT_BEHIND = {"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin"}
_LABELS = {  # folders of other collections, by their letters
    "silence": LABELS[SILENCE],
    "backgroundnoise": LABELS[SILENCE],
    "unknown": LABELS[UNKNOWN],
}
MOST_SECONDS = 600.0  # of a file, from its beginning; a clip is the loudest second in there
_QUIET = 0.003  # a loudest sample below this (-50 dB) is hardly a word
_LOUD, _CLIPPED = 0.999, 8  # so many samples at full scale were cut off by the microphone

_Second = tuple[np.ndarray, str, str]  # a second of sound, what its file is, what was done to it


@dataclass(frozen=True)
class Found:
    """A file: its path, its name below the folder with "/", and why it cannot be reached, if so."""

    path: Path
    name: str
    problem: str = ""

    @property
    def is_sound(self) -> bool:
        """Whether its name says that it is a sound, if only one that cannot be read."""
        return self.path.suffix.lower() in SUFFIXES + _UNREAD

    @property
    def depth(self) -> int:
        """In how many folders it lies: 1 where it should."""
        return self.name.count("/")

    @property
    def word(self) -> str:
        """The word that its topmost folder is named after, or its own name where there is none."""
        return word_of(self.name.split("/")[0]) if self.depth else _word_in(self.path.stem)


def found(folder: str | Path) -> list[Found]:
    """Return every file below `folder` that is not hidden, in the order of the names' parts."""
    files: list[Found] = []
    seen: set[tuple] = set()
    todo = [(Path(folder), "")]
    while todo:
        here, name = todo.pop()
        try:
            about = here.stat()
            key = name.split("/")[0], about.st_dev, about.st_ino
            if key in seen or ("", *key[1:]) in seen:
                files.append(Found(here, name, "links to a folder that is read already."))
                continue
            seen.add(key)
            entries = list(os.scandir(here))
        except OSError as error:
            reason = f"{here.name} cannot be opened ({error.strerror}): allow reading it."
            files.append(Found(here, name, reason))
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower() in _LEFT_BEHIND:
                continue
            path, inner = Path(entry.path), f"{name}/{entry.name}".lstrip("/")
            if os.path.isdir(path):  # unlike Path's own, never an error
                todo.append((path, inner))
            elif os.path.isfile(path):
                files.append(Found(path, inner))
            else:
                reason = f"There is no file {entry.name}: its link is broken, or it is a device."
                files.append(Found(path, inner, reason))
    return sorted(files, key=lambda each: each.name.split("/"))


def word_of(name: str) -> str:
    """Return the word that a folder's name stands for: "Yes" is "yes", "silence" "_silence_".

    Upper case, blanks around it and Unicode's several forms of one letter make no difference.
    """
    word = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).lower()).strip()
    return _LABELS.get(re.sub(r"[\W_]+", "", word), word)


def _word_in(stem: str) -> str:
    """Return the word that a file's name begins with: "yes" of "Yes 2"; "_silence_" stays whole."""
    stem = unicodedata.normalize("NFKC", stem)
    begins = re.match(r"_[^\W\d_]+(_[^\W\d_]+)?_|[^\W\d_]+", stem)
    return word_of(begins.group()) if begins else LABELS[UNKNOWN]


@dataclass(frozen=True)
class Entry:
    """One file of a folder: its word, its form, and what was done to it or why it is left out."""

    file: str
    word: str
    form: str
    done: str
    used: bool = True


@dataclass(frozen=True, eq=False)
class Recordings:
    """Labelled clips from a folder, and a line on every file in it; shown as a table."""

    clips: Clips
    entries: tuple[Entry, ...]

    @property
    def left_out(self) -> tuple[Entry, ...]:
        """Return the files that could not be used."""
        return tuple(entry for entry in self.entries if not entry.used)

    def __repr__(self) -> str:
        return f"<{len(self.clips):,} clips from {len(self.entries):,} files>"

    def _repr_html_(self) -> str:
        rows = (
            ("✓" if entry.used else "✗ left out", entry.file, entry.word, entry.form, entry.done)
            for entry in self.entries
        )
        return html_table(("", "file", "word", "found", "done"), rows)


def recordings(path: str | Path) -> Recordings:
    """Read a folder of clips as seconds at 16 kHz, and tell what became of every file.

    The word is the name of a file's folder, `path/<word>/<clip>.wav`, or what a file's own name
    begins with, `path/<word>_1.wav`; `word_of` says which names are alike. The voice is what
    the name has before its first "_". Channels are averaged, any rate becomes 16 kHz, a short clip
    is centred in a second and of a long one the loudest second is taken. Raises AudioError where
    no file can be used.
    """
    folder = _existing(path, "one with <word>/<clip>.wav")
    sounds = [each for each in found(folder) if each.is_sound or each.problem]
    read = _read(sounds, _described, len(sounds))
    if not read.clips:
        raise audio.AudioError(
            f"No sound in {folder} can be used ({len(read.entries)} files were tried): put clips "
            f"into folders named like their words, as {', '.join(SUFFIXES)}."
        )
    return read


def measurable(path: str | Path, progress: Callable[[Iterable], Iterable] = iter) -> Recordings:
    """Read every clip below `path` that a model can be measured on, in the order of the names.

    A file that is missing, empty, cut short, no sound, in no label's folder or at another rate than
    16 kHz is left out, with the reason: resampling it would measure the resampler too. `progress`
    wraps the list of files, as tqdm does. Raises AudioError where nothing is left.
    """
    folder = _existing(path, "one that holds <label>/<clip>")
    files = [each for each in found(folder) if each.depth or each.is_sound or each.problem]
    read = _read(progress(files), _strict, len(files))
    if not read.clips:
        left_out = read.left_out
        raise audio.AudioError(
            f"{folder} holds no clip that can be measured, {len(left_out)} files "
            "were skipped: it needs <label>/<clip>.wav at 16 kHz."
            + (f" The first: {left_out[0].done}" if left_out else "")
        )
    return read


def _existing(path: str | Path, wanted: str) -> Path:
    folder = Path(path)
    if not folder.is_dir():
        raise audio.AudioError(f"There is no folder {folder}: give {wanted}.")
    return folder


def _read(files: Iterable[Found], hear: Callable[[Found], _Second], most: int) -> Recordings:
    """Hear all of at most `most` files, in order; what cannot be heard is left out, with why."""
    waves = np.empty((most, audio.CLIP_SAMPLES), np.float32)  # twice would take the system as long
    entries, count = [], 0
    for file in files:
        try:
            if file.problem or file.depth > 1:
                problem = "does not lie directly in a label's folder: put it into one."
                raise audio.AudioError(file.problem or f"{file.path.name} {problem}")
            wave, form, done = hear(file)
        except (audio.AudioError, OSError) as error:
            entries.append(Entry(file.name, file.word, "", str(error), used=False))
            continue
        waves[count] = wave
        count += 1
        entries.append(Entry(file.name, file.word, form, done))
    used = [entry for entry in entries if entry.used]
    clips = Clips.labelled(
        waves[:count],
        [entry.word for entry in used],
        [Path(entry.file).stem.split("_")[0] for entry in used],
        ("recording",) * len(used),
        [entry.file for entry in used],
        [f"{entry.file}: {entry.done}" for entry in entries if not entry.used],
    )
    return Recordings(clips, tuple(entries))


def _described(file: Found) -> _Second:
    """Return one second of a file of any form, what that form is, and what was done to it."""
    samples, rate_hz = audio.decode(file.path, MOST_SECONDS)
    seconds, channels = len(samples) / rate_hz, samples.shape[1]
    form = f"{seconds:.2f} s at {rate_hz:,} Hz, " + (
        "mono" if channels == 1 else "stereo" if channels == 2 else f"{channels} channels"
    )
    wave = audio.resample(samples.mean(axis=1, dtype=np.float32), rate_hz)
    notes = {
        "channels averaged": channels > 1,
        f"resampled to {audio.SAMPLE_RATE_HZ:,} Hz": rate_hz != audio.SAMPLE_RATE_HZ,
        f"nothing above {rate_hz // 2:,} Hz is in it": rate_hz < audio.SAMPLE_RATE_HZ,
        f"only its first {MOST_SECONDS / 60:.0f} minutes were looked at": seconds >= MOST_SECONDS,
        "cut to its loudest second": len(wave) > audio.CLIP_SAMPLES,
        "centred in a second of silence": len(wave) < audio.CLIP_SAMPLES,
    }
    wave, done = audio.fit(wave), [note for note, holds in notes.items() if holds]
    return wave, form, ", ".join([*done, *_doubts(wave, samples)]) or "nothing"


def _doubts(wave: np.ndarray, samples: np.ndarray) -> Iterator[str]:
    loudest = float(np.abs(wave).max())
    if loudest == 0:
        yield "doubtful: nothing but silence"
    elif loudest < _QUIET:
        yield "doubtful: hardly louder than silence"
    if int((np.abs(samples) >= _LOUD).sum()) >= _CLIPPED:
        yield "doubtful: too loud, cut off at full scale"


def _strict(file: Found) -> _Second:
    """Return the second in a file that a model can be measured on; else raise AudioError."""
    name = file.path.name
    if not file.depth:
        raise audio.AudioError(f"{name} does not lie in a label's folder: put it into one.")
    if not file.is_sound:
        known = ", ".join(SUFFIXES)
        raise audio.AudioError(f"{name} is none of {known}: convert or remove it.")
    samples, rate_hz = audio.decode(file.path, MOST_SECONDS)
    if rate_hz != audio.SAMPLE_RATE_HZ:
        wanted = f"and {audio.SAMPLE_RATE_HZ} Hz is needed: resample it first."
        raise audio.AudioError(f"{name} has a sample rate of {rate_hz} Hz, {wanted}")
    return audio.fit(samples.mean(axis=1, dtype=np.float32)), "", ""
