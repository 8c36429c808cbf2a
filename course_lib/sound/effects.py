"""What rooms, voices, microphones and telephones do to a word: small functions from wave to wave.

Waves are (samples,) float32 at 16 kHz. What is random takes a `numpy.random.Generator`; nothing is
remembered and no input is changed. `augmentation` strings these together.
"""

from functools import lru_cache

import numpy as np
from scipy import fft, signal

from course_lib.sound import noise
from course_lib.sound.audio import CLIP_SAMPLES, SAMPLE_RATE_HZ

_TAIL = 1600  # samples of reverberation that are kept after a word
_PIECE, _STEP, _REACH, _THIN = 640, 320, 160, 4  # stretching: 40 ms pieces, searched 10 ms around
_BLOCK = 512  # the codec and the gate work on 32 ms at a time
_CODEC_BANDS = 24


def trimmed(wave: np.ndarray) -> np.ndarray:
    """Return the part between the first and the last sample that is not exactly zero, or one."""
    sounding = np.flatnonzero(wave)
    return wave[sounding[0] : sounding[-1] + 1] if len(sounding) else wave[:1]


def resampled(wave: np.ndarray, speed: float) -> np.ndarray:
    """Play `speed` times as fast: shorter and higher at once, like a smaller person speaking.

    By Fourier transform: a line from sample to sample would take a third off what is above 6 kHz.
    """
    return signal.resample(wave, max(1, int(len(wave) / speed))).astype(np.float32)


def stretched(wave: np.ndarray, factor: float) -> np.ndarray:
    """Make a wave `factor` times as long at the same pitch.

    Overlapping pieces are laid further apart or closer together, each taken from where it
    continues the last one best. Source: W. Verhelst and M. Roelands, WSOLA, ICASSP 1993.
    """
    count = max(1, int(len(wave) * factor))
    padded = np.pad(wave, (_PIECE, 2 * _PIECE + _REACH))
    result = np.zeros(count + 2 * _PIECE, np.float32)
    fade = _fade(_PIECE)
    taken = _PIECE - _STEP
    for start in range(0, count + _STEP, _STEP):
        wanted = int(start / factor) + _PIECE - _STEP
        if start and wanted + _REACH + _PIECE <= len(padded):
            following = padded[taken + _STEP : taken + _STEP + _PIECE : _THIN]
            around = padded[wanted - _REACH : wanted + _REACH + _PIECE : _THIN]
            wanted += _THIN * int(np.argmax(np.correlate(around, following, "valid"))) - _REACH
        taken = max(0, min(wanted, len(padded) - _PIECE))
        result[start : start + _PIECE] += fade * padded[taken : taken + _PIECE]
    return result[_STEP : _STEP + count]


def _low_pass(rng: np.random.Generator, log_hz: np.ndarray) -> np.ndarray:
    """Return gains that take 10 to 40 dB off all above 2.5 to 6.5 kHz: a cheap microphone."""
    above = log_hz > np.log(rng.uniform(2500.0, 6500.0))
    return np.where(above, 10.0 ** (-rng.uniform(10.0, 40.0) / 20.0), 1.0)


def _high_pass(rng: np.random.Generator, log_hz: np.ndarray) -> np.ndarray:
    """Return gains that take 20 dB from everything below 100 to 500 Hz: a small loudspeaker."""
    return np.where(log_hz < np.log(rng.uniform(100.0, 500.0)), 0.1, 1.0)


def _room(rng: np.random.Generator) -> np.ndarray:
    """Return the echo of a random room: a spike, then noise that dies away in 50 to 450 ms."""
    length = int(rng.uniform(0.05, 0.45) * SAMPLE_RATE_HZ)
    decay = np.exp(-6.9 / length * np.arange(length, dtype=np.float32))
    echo = rng.uniform(0.02, 0.2) * decay * rng.standard_normal(length, np.float32)
    echo[0] = 1.0
    return echo.astype(np.float32)


_GAINS = {"equaliser": noise.equaliser, "low_pass": _low_pass, "high_pass": _high_pass}


def filtered(wave: np.ndarray, rng: np.random.Generator, shares: dict[str, float]) -> np.ndarray:
    """Send a word through a random channel: one Fourier transform there, one back.

    `shares` gives how often there is each of "equaliser", "low_pass", "high_pass" and "room".
    """
    chosen = {name for name, share in shares.items() if rng.random() < share}
    if not chosen:
        return wave
    echo = _room(rng) if "room" in chosen else np.ones(1, np.float32)
    kept = len(wave) + (_TAIL if "room" in chosen else 0)
    size = 1 << (len(wave) + len(echo) - 1).bit_length()
    log_hz = _log_hz(size)
    spectrum = fft.rfft(wave, size)
    for name, gains in _GAINS.items():
        if name in chosen:
            spectrum *= gains(rng, log_hz)
    if "room" in chosen:
        spectrum *= fft.rfft(echo, size)
    return fft.irfft(spectrum, size)[:kept].astype(np.float32)


def placed(wave: np.ndarray, rng: np.random.Generator, cut_share: float = 0.2) -> np.ndarray:
    """Put a word somewhere into a second of zeros, (16000,): half of the time near the middle.

    In `cut_share` of the cases it sticks out at one end by up to a quarter of its length.
    """
    if len(wave) > CLIP_SAMPLES:
        first = int(rng.integers(0, len(wave) - CLIP_SAMPLES + 1))
        wave = wave[first : first + CLIP_SAMPLES]
    spare = CLIP_SAMPLES - len(wave)
    if rng.random() < cut_share:
        out = int(rng.integers(0, len(wave) // 4 + 1))
        start = -out if rng.random() < 0.5 else spare + out
    elif rng.random() < 0.5:
        start = int(np.clip(spare / 2 + rng.normal(0.05, 0.08) * SAMPLE_RATE_HZ, 0, spare))
    else:
        start = int(rng.integers(0, spare + 1))
    result = np.zeros(CLIP_SAMPLES, np.float32)
    first, last = max(0, start), min(CLIP_SAMPLES, start + len(wave))
    result[first:last] = wave[first - start : last - start]
    return result


def click(wave: np.ndarray, rng: np.random.Generator, level: float) -> np.ndarray:
    """Add a click of 5 to 100 ms, -20 to +6 dB around `level`."""
    length = int(rng.integers(80, 1600))
    start = int(rng.integers(0, len(wave) - length))
    burst = rng.standard_normal(length, np.float32)
    burst *= np.exp(-rng.uniform(2.0, 8.0) / length * np.arange(length, dtype=np.float32))
    result = wave.copy()
    result[start : start + length] += level * 10.0 ** (rng.uniform(-20.0, 6.0) / 20.0) * burst
    return result


def gated(wave: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Suppress noise the way a telephone does: quiet parts of every frequency are turned down."""
    spectrum = _blocks(wave)
    size = np.abs(spectrum)
    floor = rng.uniform(1.0, 2.5) * np.quantile(size, 0.3, axis=0).astype(np.float32)
    quiet = (floor / (size + 1e-9)) ** 1.5
    return _overlapped(spectrum * np.clip(1.0 - quiet, rng.uniform(0.02, 0.3), 1.0), len(wave))


def coded(wave: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Round the spectrum coarsely, band by band, like a codec that has few bits."""
    spectrum = _blocks(wave)
    size = np.abs(spectrum)
    starts, band_of = _codec_bands()
    loudest = np.maximum.reduceat(size, starts, axis=1)[:, band_of]
    step = rng.uniform(0.15, 0.5) * loudest + rng.uniform(0.0005, 0.004) * size.max() + 1e-9
    spectrum = np.round(spectrum.real / step) * step + 1j * (np.round(spectrum.imag / step) * step)
    if rng.random() < 0.7:
        spectrum[:, int(rng.uniform(3000.0, 7500.0) * _BLOCK / SAMPLE_RATE_HZ) :] = 0.0
    return _overlapped(spectrum.astype(np.complex64), len(wave))


def clipped(wave: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn up 1.5 to 4 times what can be no louder than it was: too close to the microphone."""
    loudest = float(np.abs(wave).max())
    return np.clip(wave * rng.uniform(1.5, 4.0), -loudest, loudest).astype(np.float32)


@lru_cache(maxsize=8)
def _log_hz(size: int) -> np.ndarray:
    return np.log(fft.rfftfreq(size, 1 / SAMPLE_RATE_HZ) + 1.0).astype(np.float32)


@lru_cache(maxsize=4)
def _fade(size: int) -> np.ndarray:
    """Return a Hann window that sums to 1 with itself, shifted by half of `size`."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)


@lru_cache(maxsize=1)
def _codec_bands() -> tuple[np.ndarray, np.ndarray]:
    """Return where each codec band starts and the band of each frequency: wider towards the top."""
    bands = np.minimum((np.arange(_BLOCK // 2 + 1) ** 0.6 / 2).astype(int), _CODEC_BANDS - 1)
    starts = np.flatnonzero(np.diff(bands, prepend=-1))
    return starts, np.searchsorted(starts, np.arange(len(bands)), side="right") - 1


def _blocks(wave: np.ndarray) -> np.ndarray:
    """Return the spectra of half overlapping blocks, (blocks, 257) complex64."""
    padded = np.pad(wave, (_BLOCK, _BLOCK + -len(wave) % (_BLOCK // 2)))
    cut = np.lib.stride_tricks.sliding_window_view(padded, _BLOCK)[:: _BLOCK // 2]
    return fft.rfft(cut * np.sqrt(_fade(_BLOCK)), axis=1)


def _overlapped(spectrum: np.ndarray, count: int) -> np.ndarray:
    """Turn what `_blocks` returned back into a wave of `count` samples."""
    blocks = (fft.irfft(spectrum, _BLOCK, axis=1) * np.sqrt(_fade(_BLOCK))).astype(np.float32)
    halves = blocks.reshape(len(blocks), 2, _BLOCK // 2)
    whole = halves[1:, 0] + halves[:-1, 1]
    return whole.reshape(-1)[_BLOCK // 2 : _BLOCK // 2 + count]
