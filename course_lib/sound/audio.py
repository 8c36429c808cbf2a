"""Sound as numbers: read any file as 16 kHz mono, cut it to one second, play it, write it."""

import base64
import html
import io
import re
import wave as wave_format
from dataclasses import dataclass, field
from math import gcd
from pathlib import Path
from typing import IO

import numpy as np
import soundfile

from course_lib import session
from course_lib.sound import containers

SAMPLE_RATE_HZ = 16_000
CLIP_SAMPLES = 16_000  # one second: what the spotter listens to at a time
_LOWEST_HZ, _HIGHEST_HZ = 100, 1_000_000
_OTHER_FORMS = {  # that libsndfile does not read, by the bytes at a place
    (4, b"ftyp"): "an MPEG-4 file (.m4a, .mp4)",
    (0, b"\x1aE\xdf\xa3"): "a Matroska or WebM file",
    (0, b"\x30\x26\xb2\x75"): "a Windows Media file",
    (0, b"#!AMR"): "an AMR file",
    (0, b"\xff\xf1"): "an AAC file",
    (0, b"\xff\xf9"): "an AAC file",
    (0, b"MAC "): "a Monkey's Audio file",
    (0, b"wvpk"): "a WavPack file",
}


class AudioError(ValueError):
    """Say in one sentence which file cannot be used as sound, and what to do."""


def read(path: str | Path) -> np.ndarray:
    """Read a sound file of any rate and any number of channels as (samples,) float32 at 16 kHz.

    Channels are averaged; full scale is -1 to 1. Raises AudioError for a file that is missing,
    empty, cut short, of a form or codec that is not read, or holds samples that are no numbers.
    """
    wave, rate_hz = decode(path)
    return resample(wave.mean(axis=1, dtype=np.float32), rate_hz)


def decode(path: str | Path, most_seconds: float | None = None) -> tuple[np.ndarray, int]:
    """Return a file's samples, (samples, channels) float32 in -1 to 1, and its rate in Hz.

    With `most_seconds`, only so much of its beginning is read. Raises AudioError as `read` does.
    """
    path = Path(path)
    if not path.is_file():
        raise AudioError(f"There is no file {path}: check the name and the folder.")
    size = path.stat().st_size
    if size == 0:
        raise AudioError(f"{path.name} is empty (0 bytes): record or download it again.")
    with path.open("rb") as file:
        found = containers.wav_header(file)
        if found and found.missing:
            problem = "cut short: its header promises more bytes of sound than it has"
            raise AudioError(f"{path.name} is {problem}.")
        try:
            source = containers.mended(file, found) if found and found.odd else str(path)
            with soundfile.SoundFile(source) as sound:
                rate_hz, expected = sound.samplerate, sound.frames
                if found is None and (_falls_short(sound.extra_info) or containers.is_cut(file)):
                    raise AudioError(f"{path.name} is cut short: record or download it again.")
                if not _LOWEST_HZ <= rate_hz <= _HIGHEST_HZ:
                    problem = f"has a sample rate of {rate_hz} Hz, which no recorder has"
                    raise AudioError(f"{path.name} {problem}: export it again.")
                if most_seconds is not None:
                    expected = min(expected, int(most_seconds * rate_hz))
                wave = sound.read(expected, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise AudioError(_unreadable(path, file, found)) from error
    if 0 < len(wave) < expected < 2**62:
        raise AudioError(f"{path.name} is cut short: it has {len(wave)} of {expected} samples.")
    if len(wave) == 0:
        raise AudioError(f"{path.name} holds no sound: record it again.")
    if not np.isfinite(wave).all():
        raise AudioError(f"{path.name} holds samples that are no numbers: export it again.")
    return wave, rate_hz


def _falls_short(log: str) -> bool:
    """Tell whether libsndfile's log of a file has a part that should be smaller than it says."""
    sizes = (map(int, pair) for pair in re.findall(r"(\d+) \(should be (\d+)\)", log))
    return any(there < said < containers.ENDLESS for said, there in sizes)


def _unreadable(path: Path, file: IO[bytes], found: containers.WavHeader | None) -> str:
    """Return the sentence on a file that libsndfile does not read: which form, which codec."""
    file.seek(0)
    head = file.read(16)
    for (place, sign), form in _OTHER_FORMS.items():
        if head[place:].startswith(sign):
            return f"{path.name} is {form}, which is not read: convert it to .wav or .flac."
    if found is not None and found.codec:
        codec = f"a WAV file whose sound is stored as {found.codec}, which cannot be read"
        return f"{path.name} is {codec}: convert it to plain 16-bit samples."
    return f"{path.name} cannot be read as sound: it is damaged, or no audio file."


def resample(wave: np.ndarray, rate_hz: int) -> np.ndarray:
    """Convert (samples,) float32 from `rate_hz` to 16 kHz; nothing above 8 kHz is folded back."""
    if rate_hz < 1:
        raise AudioError(f"A sample rate of {rate_hz} Hz is impossible: give the true rate.")
    if rate_hz == SAMPLE_RATE_HZ:
        return np.ascontiguousarray(wave, np.float32)
    from scipy.signal import resample_poly  # late: it takes a second to import

    common = gcd(SAMPLE_RATE_HZ, int(rate_hz))
    return resample_poly(wave, SAMPLE_RATE_HZ // common, int(rate_hz) // common).astype(np.float32)


def fit(wave: np.ndarray) -> np.ndarray:
    """Return exactly one second: a shorter wave centred in zeros, the loudest of a longer one."""
    spare = CLIP_SAMPLES - len(wave)
    if spare >= 0:
        second = np.zeros(CLIP_SAMPLES, np.float32)
        second[spare // 2 : CLIP_SAMPLES - (spare - spare // 2)] = wave
        return second
    energy = np.concatenate([[0.0], np.cumsum(np.square(wave, dtype=np.float64))])
    start = int(np.argmax(energy[CLIP_SAMPLES:] - energy[:-CLIP_SAMPLES]))
    return np.asarray(wave[start : start + CLIP_SAMPLES], np.float32)


def wav_bytes(wave: np.ndarray, rate_hz: int = SAMPLE_RATE_HZ) -> bytes:
    """Return (samples,) in -1 to 1 as the bytes of a 16-bit mono WAV file; louder is clipped."""
    pcm = np.round(np.clip(wave, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()
    buffer = io.BytesIO()
    with wave_format.open(buffer, "wb") as file:
        file.setparams((1, 2, rate_hz, len(pcm) // 2, "NONE", ""))
        file.writeframes(pcm)
    return buffer.getvalue()


def write(path: str | Path, wave: np.ndarray) -> Path:
    """Write (samples,) at 16 kHz as 16-bit mono; the suffix (.wav or .flac) names the format."""
    path = Path(path)
    if path.suffix.lower() == ".wav":
        return session.write_atomically(path, wav_bytes(wave))
    kind = path.suffix.lstrip(".").upper()
    if kind not in soundfile.available_formats():
        raise AudioError(f"{path.name} has a suffix that cannot be written: use .wav or .flac.")
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(wave, -1.0, 1.0), SAMPLE_RATE_HZ, format=kind, subtype="PCM_16")
    return session.write_atomically(path, buffer.getvalue())


@dataclass(frozen=True, eq=False)
class Sound:
    """Show a player in a notebook; its text form is stable, so that outputs can be compared."""

    wave: np.ndarray = field(repr=False)
    label: str = ""

    def __repr__(self) -> str:
        return f"<sound: {self.label or 'clip'}, {len(self.wave) / SAMPLE_RATE_HZ:.2f} s>"

    def html(self) -> str:
        """Return an <audio> element that holds its own data: it also plays in a saved page."""
        data = base64.b64encode(wav_bytes(self.wave)).decode()
        name = html.escape(self.label or "clip", quote=True)
        return (
            f'<audio controls preload="none" title="{name}" aria-label="{name}" '
            f'src="data:audio/wav;base64,{data}"></audio>'
        )

    def _repr_html_(self) -> str:
        return f"<div>{html.escape(self.label)} {self.html()}</div>"


def play(wave: np.ndarray, label: str = "") -> Sound:
    """Return a player for (samples,) at 16 kHz, as a cell's last line or to `display`."""
    return Sound(np.asarray(wave, np.float32), label)
