"""Noises made from a formula: the background of training, and everything that "_silence_" is.

Every function takes a `numpy.random.Generator`, so the same seed gives the same noise, and
returns one second as (16000,) float32 with a root mean square of 1 unless it says otherwise.
"""

from collections.abc import Sequence

import numpy as np
from scipy import fft

from course_lib.sound.audio import CLIP_SAMPLES, SAMPLE_RATE_HZ

KINDS = {
    "coloured": 0.35, "equalised": 0.20, "hum": 0.08, "wobbling": 0.12, "impacts": 0.10,
    "babble": 0.15,
}  # fmt: skip
SLOPES = (0.0, 1.0, 1.0, 2.0)  # what coloured noise is drawn from, see `coloured`
_KNOTS_HZ = np.log([51.0, 151.0, 401.0, 1001.0, 2501.0, 5001.0, 8001.0])
_BINS = CLIP_SAMPLES // 2 + 1
_LOG_HZ = np.log(fft.rfftfreq(CLIP_SAMPLES, 1 / SAMPLE_RATE_HZ) + 1.0).astype(np.float32)
_SECONDS = np.arange(CLIP_SAMPLES, dtype=np.float32) / SAMPLE_RATE_HZ


def rms(wave: np.ndarray) -> float:
    """Return the root mean square of `wave`, never quite 0 so that it can be divided by."""
    return float(np.sqrt(np.mean(np.square(wave)))) + 1e-9


def equaliser(rng: np.random.Generator, log_hz: np.ndarray, spread_db: float = 6.0) -> np.ndarray:
    """Return a smooth random gain for each log(Hz + 1): seven knots, normal in dB."""
    gains_db = rng.normal(0.0, spread_db, len(_KNOTS_HZ))
    return (10.0 ** (np.interp(log_hz, _KNOTS_HZ, gains_db) / 20.0)).astype(np.float32)


def coloured(rng: np.random.Generator, slope: float, gains: np.ndarray | float = 1.0) -> np.ndarray:
    """Return noise whose power falls with frequency to the power `slope`: 0 white, 1 pink, 2 brown.

    `gains` (8001,) shapes it further. It is drawn as a spectrum and transformed once.
    """
    spectrum = rng.standard_normal(2 * _BINS, np.float32).view(np.complex64)
    spectrum *= np.exp(-0.5 * slope * _LOG_HZ) * gains
    return _unit(fft.irfft(spectrum, CLIP_SAMPLES))


def equalised(rng: np.random.Generator, slope: float = 1.0) -> np.ndarray:
    """Return coloured noise as a random room or microphone lets it through."""
    return coloured(rng, slope, equaliser(rng, _LOG_HZ, 8.5))


def hum(rng: np.random.Generator) -> np.ndarray:
    """Return mains hum or a small motor: 50 to 120 Hz, its harmonics, some hiss."""
    fundamental_hz = rng.choice([50.0, 60.0, 100.0, 120.0]) * rng.uniform(0.98, 1.02)
    wave = np.zeros(CLIP_SAMPLES, np.float32)
    for harmonic in range(1, 12):
        angle = 2 * np.pi * fundamental_hz * harmonic * _SECONDS + rng.uniform(0, 6.3)
        wave += rng.uniform(0.1, 1.0) / harmonic * np.sin(angle, dtype=np.float32)
    return _unit(_unit(wave) + 0.3 * coloured(rng, 1.0))


def wobbling(rng: np.random.Generator, slope: float = 1.0) -> np.ndarray:
    """Return equalised noise that swells and fades 0.7 to 9 times a second, like wind or a fan."""
    angle = 2 * np.pi * rng.uniform(0.7, 9.0) * _SECONDS + rng.uniform(0, 6.3)
    swell = np.sin(angle, dtype=np.float32)
    return _unit(equalised(rng, slope) * (1.0 + rng.uniform(0.3, 1.0) * swell))


def impacts(rng: np.random.Generator) -> np.ndarray:
    """Return one to six knocks, each a few ringing tones and a burst of noise that die away."""
    wave = 0.05 * coloured(rng, 1.0)
    for _ in range(rng.integers(1, 7)):
        start = int(rng.integers(0, CLIP_SAMPLES - 800))
        length = min(int(rng.integers(400, 6000)), CLIP_SAMPLES - start)
        time = _SECONDS[:length]
        knock = rng.uniform() * rng.standard_normal(length, np.float32)
        knock *= np.exp(-rng.uniform(50.0, 300.0) * time)
        for _ in range(rng.integers(1, 5)):
            tone = np.sin(2 * np.pi * rng.uniform(300.0, 5000.0) * time + rng.uniform(0, 6.3))
            knock += tone * np.exp(-rng.uniform(15.0, 120.0) * time)
        wave[start : start + length] += rng.uniform(0.2, 1.0) * knock
    return _unit(wave)


def babble(rng: np.random.Generator, voices: Sequence[np.ndarray]) -> np.ndarray:
    """Return three to six clips of `voices` spoken at once, at random places."""
    wave = 0.02 * coloured(rng, 1.0)
    for _ in range(rng.integers(3, 7)):
        voice = voices[rng.integers(len(voices))]
        start = int(rng.integers(-(len(voice) // 2), CLIP_SAMPLES - len(voice) // 2))
        first, last = max(0, start), min(CLIP_SAMPLES, start + len(voice))
        wave[first:last] += rng.uniform(0.3, 1.0) * voice[first - start : last - start]
    return _unit(wave)


def random_noise(
    rng: np.random.Generator, voices: Sequence[np.ndarray] = (), slopes: Sequence[float] = SLOPES
) -> np.ndarray:
    """Return one noise of a kind drawn by the shares in `KINDS`; without `voices` no babble.

    Coloured noise has one of `slopes`, equalised and wobbling noise one between their extremes.
    """
    kind = rng.choice(list(KINDS), p=list(KINDS.values()))
    if kind == "coloured" or (kind == "babble" and not len(voices)):
        return coloured(rng, rng.choice(slopes))
    if kind == "babble":
        return babble(rng, voices)
    if kind in ("hum", "impacts"):
        return {"hum": hum, "impacts": impacts}[kind](rng)
    slope = rng.uniform(min(slopes), max(slopes))
    return {"equalised": equalised, "wobbling": wobbling}[kind](rng, slope)


def at_random_level(rng: np.random.Generator, wave: np.ndarray) -> np.ndarray:
    """Return a wave with a root mean square of 1 at -75 to -8 dB of full scale, as silence is."""
    wave = 10.0 ** (rng.uniform(-75.0, -8.0) / 20.0) * wave
    return np.clip(wave, -1.0, 1.0).astype(np.float32)


def silence(rng: np.random.Generator, voices: Sequence[np.ndarray] = ()) -> np.ndarray:
    """Return a second without a word: one or two noises at -75 to -8 dB of full scale."""
    level = 10.0 ** (rng.uniform(-75.0, -8.0) / 20.0)  # most rooms are quiet, none is digital zero
    wave = level * random_noise(rng, voices)
    if rng.random() < 0.3:
        wave = wave + level * rng.uniform(0.1, 1.0) * random_noise(rng, voices)
    return np.clip(wave, -1.0, 1.0).astype(np.float32)


def _unit(wave: np.ndarray) -> np.ndarray:
    return (wave / rms(wave)).astype(np.float32)
