"""From what an engine returns to a trimmed 16 kHz clip."""

from __future__ import annotations

import io
from math import gcd

import numpy as np
import soundfile
from scipy.signal import resample_poly

__all__ = ["PEAK", "SAMPLE_RATE_HZ", "Unusable", "clip", "flac_bytes", "resample", "trim"]

SAMPLE_RATE_HZ = 16_000
PEAK = 0.35
SHORTEST_S, LONGEST_S = 0.15, 1.1
LEAD_S, TAIL_S = 0.03, 0.05
WINDOW_S = 0.01
THRESHOLD = 0.02


class Unusable(ValueError):
    """The sound cannot become a clip; the message says why."""


def resample(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """Return `samples` (n,) of `rate_hz` as float32 at 16 kHz."""
    if rate_hz <= 0:
        raise ValueError(f"A sample rate of {rate_hz} Hz makes no sense: give a positive one.")
    samples = np.asarray(samples, np.float32)
    if rate_hz == SAMPLE_RATE_HZ:
        return samples
    common = gcd(rate_hz, SAMPLE_RATE_HZ)
    return resample_poly(samples, SAMPLE_RATE_HZ // common, rate_hz // common).astype(np.float32)


def trim(samples: np.ndarray) -> np.ndarray:
    """Return the part of `samples` (n,) at 16 kHz that holds sound, with short margins.

    Sound is where the RMS of 10 ms exceeds 2 % of its maximum. Raises `Unusable` for silence.
    """
    window = int(WINDOW_S * SAMPLE_RATE_HZ)
    if len(samples) < window or not np.any(samples):
        raise Unusable("The sound is empty or silent.")
    energy = np.convolve(np.square(samples, dtype=np.float64), np.ones(window) / window, "same")
    level = np.sqrt(np.maximum(energy, 0))
    loud = np.flatnonzero(level > THRESHOLD * level.max())
    start = max(0, loud[0] - int(LEAD_S * SAMPLE_RATE_HZ))
    return samples[start : loud[-1] + 1 + int(TAIL_S * SAMPLE_RATE_HZ)]


def clip(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """Return a trimmed int16 clip (n,) at 16 kHz whose peak is `PEAK` of full scale.

    Raises `Unusable` when it is silent, or shorter or longer than a word may be.
    """
    wave = resample(samples, rate_hz)
    wave = trim(wave - wave.mean() if len(wave) else wave)
    seconds = len(wave) / SAMPLE_RATE_HZ
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise Unusable(f"The word lasts {seconds:.2f} s, outside of {SHORTEST_S} to {LONGEST_S} s.")
    return np.round(wave / np.abs(wave).max() * PEAK * 32_767).astype(np.int16)


def flac_bytes(samples: np.ndarray) -> bytes:
    """Return `samples` (n,) int16 as a 16 kHz mono FLAC file, compressed as far as it goes."""
    buffer = io.BytesIO()
    soundfile.write(
        buffer, samples, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16", compression_level=1.0
    )
    return buffer.getvalue()
