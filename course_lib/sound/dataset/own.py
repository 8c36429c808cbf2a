"""A student's own recordings, of any rate, length and format, and what was done to each of them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_lib.sound import audio
from course_lib.sound.dataset.clips import LABELS, Clips, label_of
from course_lib.sound.dataset.folder import SUFFIXES

MOST_SECONDS = 600.0  # of a file, from its beginning; a clip is the loudest second in there
_QUIET = 0.003  # a loudest sample below this (-50 dB) is hardly a word
_LOUD, _CLIPPED = 0.999, 8  # so many samples at full scale were cut off by the microphone


@dataclass(frozen=True)
class Told:
    """What is known of one file: its word, how it was found, and what was done to it or why not."""

    file: str
    word: str
    found: str
    done: str
    used: bool = True


@dataclass(frozen=True, eq=False)
class Recordings:
    """Labelled clips from a folder, and a line on every file in it; shown as a table."""

    clips: Clips
    told: tuple[Told, ...]

    def __repr__(self) -> str:
        return f"<{len(self.clips):,} clips from {len(self.told):,} files>"

    def _repr_html_(self) -> str:
        names = ("file", "word", "found", "done")
        head = "".join(f"<th scope='col'>{name}</th>" for name in ("", *names))
        rows = "".join(
            f"<tr><td>{'✓' if each.used else '✗ left out'}</td>"
            + "".join(f"<td>{html.escape(getattr(each, name))}</td>" for name in names)
            + "</tr>"
            for each in self.told
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def recordings(path: str | Path) -> Recordings:
    """Read a folder of one's own clips as seconds at 16 kHz, and tell what became of every file.

    The word is the name of a file's folder, `path/<word>/<clip>.wav`, or what a file's own name
    begins with, `path/<word>_1.wav`. Channels are averaged, any rate becomes 16 kHz, a short clip
    is centred in a second and of a long one the loudest second is taken. Raises AudioError where
    no file can be used.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise audio.AudioError(f"There is no folder {folder}: give one with <word>/<clip>.wav.")
    told, waves = [], []
    for file, word in _files(folder):
        name = file.relative_to(folder).as_posix()
        try:
            wave, found, done = _second(file)
        except audio.AudioError as error:
            told.append(Told(name, word, "", str(error), used=False))
            continue
        waves.append(wave)
        told.append(Told(name, word, found, done))
    if not waves:
        raise audio.AudioError(
            f"No sound in {folder} can be used ({len(told)} files were tried): put clips into "
            f"folders named like their words, as {', '.join(SUFFIXES)}."
        )
    used = [each for each in told if each.used]
    clips = Clips(
        np.stack(waves),
        np.array([label_of(each.word) for each in used], np.int64),
        tuple(each.word for each in used),
        tuple(Path(each.file).stem.split("_")[0] for each in used),
        ("recording",) * len(used),
        tuple(each.file for each in used),
        tuple(f"{each.file}: {each.done}" for each in told if not each.used),
    )
    return Recordings(clips, tuple(told))


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield every file with a sound's suffix and its word; hidden ones are none."""
    for file in sorted([*folder.glob("*"), *folder.glob("*/*")]):
        if not file.is_file() or file.suffix.lower() not in SUFFIXES or file.name.startswith("."):
            continue
        own = file.parent == folder
        yield file, _word_in(file.stem) if own else file.parent.name.lower()


def _word_in(stem: str) -> str:
    """Return the word that a file's name begins with: "yes" of "Yes 2"; "_silence_" stays whole."""
    known = next((label for label in LABELS if stem.lower().startswith(label)), "")
    if known.startswith("_"):
        return known
    begins = re.match(r"[^\W\d_]+", stem)
    return begins.group().lower() if begins else LABELS[1]


def _second(file: Path) -> tuple[np.ndarray, str, str]:
    """Return one second of a file, what it was found to be, and what was done to it."""
    samples, rate_hz = audio.decode(file, MOST_SECONDS)
    seconds, channels = len(samples) / rate_hz, samples.shape[1]
    found = f"{seconds:.2f} s at {rate_hz:,} Hz, " + (
        "mono" if channels == 1 else "stereo" if channels == 2 else f"{channels} channels"
    )
    done = []
    if channels > 1:
        done.append("channels averaged")
    wave = audio.resample(samples.mean(axis=1, dtype=np.float32), rate_hz)
    if rate_hz != audio.SAMPLE_RATE_HZ:
        done.append(f"resampled to {audio.SAMPLE_RATE_HZ:,} Hz")
    if rate_hz < audio.SAMPLE_RATE_HZ:
        done.append(f"nothing above {rate_hz // 2:,} Hz is in it")
    if seconds >= MOST_SECONDS:
        done.append(f"only its first {MOST_SECONDS / 60:.0f} minutes were looked at")
    if len(wave) > audio.CLIP_SAMPLES:
        done.append("cut to its loudest second")
    elif len(wave) < audio.CLIP_SAMPLES:
        done.append("centred in a second of silence")
    wave = audio.fit(wave)
    return wave, found, ", ".join([*done, *_doubts(wave, samples)]) or "nothing"


def _doubts(wave: np.ndarray, samples: np.ndarray) -> Iterator[str]:
    """Yield what a listener should know of a clip."""
    loudest = float(np.abs(wave).max())
    if loudest == 0:
        yield "doubtful: nothing but silence"
    elif loudest < _QUIET:
        yield "doubtful: hardly louder than silence"
    if int((np.abs(samples) >= _LOUD).sum()) >= _CLIPPED:
        yield "doubtful: too loud, cut off at full scale"
