"""From a second of sound to 49 x 40 numbers: the log-mel features that the spotter hears.

The formula, stage by stage, for a clip x of 16,000 samples in -1 to 1:

1. x minus its mean, cut into 49 frames of 480 samples (30 ms), one every 320 (20 ms)
2. each frame times a Hann window, padded to 512, Fourier transform, squared magnitude: (49, 257)
3. times 40 triangles that are equally wide on the mel scale, 60 to 7,600 Hz: (49, 40)
4. log(energy + 1e-7)
5. minus the mean of all 1,960 numbers, divided by 3: loudness no longer matters

Source of the mel scale and the triangles: S. Young et al., The HTK Book 3.4, section 5.4,
mel = 2595 log10(1 + Hz / 700). Plain NumPy and SciPy, so that a microcontroller can repeat it.
"""

import hashlib
import io
import os
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache

import numpy as np
from scipy import fft

from course_lib import session
from course_lib.session import cache_folder
from course_lib.sound.audio import CLIP_SAMPLES, SAMPLE_RATE_HZ
from course_lib.sound.dataset import Clips

WINDOW = 480  # samples a frame: 30 ms
HOP = 320  # samples between the starts of two frames: 20 ms
FFT = 512  # the power of two above WINDOW
FRAMES = 1 + (CLIP_SAMPLES - WINDOW) // HOP  # 49
BANDS = 40
LOWEST_HZ, HIGHEST_HZ = 60.0, 7600.0
FLOOR = 1e-7  # added to every energy, so that digital silence has a logarithm
SCALE = 3.0
_BATCH = 128  # clips whose spectra are in memory at a time
_REMEMBERED = 8  # sets of clips whose features stay in memory
_memory: OrderedDict[str, np.ndarray] = OrderedDict()


def frames(waves: np.ndarray) -> np.ndarray:
    """Cut (..., 16000) into overlapping frames (..., 49, 480), after taking the mean away."""
    if np.shape(waves)[-1:] != (CLIP_SAMPLES,):
        raise ValueError(
            f"A clip of shape {np.shape(waves)} is not {CLIP_SAMPLES} samples long: use audio.fit."
        )
    centred = np.asarray(waves, np.float32)
    centred = centred - centred.mean(axis=-1, keepdims=True)
    return np.lib.stride_tricks.sliding_window_view(centred, WINDOW, axis=-1)[..., ::HOP, :]


@lru_cache(maxsize=1)
def window() -> np.ndarray:
    """Return the Hann window, (480,) float32: it fades a frame in and out."""
    return np.hanning(WINDOW).astype(np.float32)


def power(framed: np.ndarray) -> np.ndarray:
    """Return how much energy each frame (..., 480) has at each of 257 frequencies up to 8 kHz."""
    spectrum = fft.rfft(framed * window(), FFT, axis=-1)
    return np.square(spectrum.real) + np.square(spectrum.imag)


def band_edges_hz() -> np.ndarray:
    """Return the 42 edges of the 40 overlapping bands, (42,) float64: equal steps in mel."""
    lowest, highest = (2595 * np.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    return 700 * (10 ** (np.linspace(lowest, highest, BANDS + 2) / 2595) - 1)


@lru_cache(maxsize=1)
def filters() -> np.ndarray:
    """Return the triangles, (257, 40) float32: how much of each frequency each band takes."""
    edges, hz = band_edges_hz(), fft.rfftfreq(FFT, 1 / SAMPLE_RATE_HZ)[:, np.newaxis]
    left, peak, right = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (hz - left) / (peak - left), (right - hz) / (right - peak)
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


def mel_energies(powers: np.ndarray) -> np.ndarray:
    """Sum (..., 257) powers into (..., 40) bands, narrow for low tones and wide for high ones."""
    return powers @ filters()


def log_energies(energies: np.ndarray) -> np.ndarray:
    """Return log(energy + 1e-7): twice as loud adds the same amount wherever it starts."""
    return np.log(energies + np.float32(FLOOR))


def normalised(logs: np.ndarray) -> np.ndarray:
    """Take the mean over all cells of each (49, 40) away and divide by 3."""
    return (logs - logs.mean(axis=(-2, -1), keepdims=True)) / np.float32(SCALE)


def log_mel(waves: np.ndarray) -> np.ndarray:
    """Return the features of one clip or many: (16000,) or (n, 16000) to (49, 40) or (n, 49, 40).

    float32 throughout. Raises ValueError when a clip is not one second long.
    """
    waves = np.asarray(waves, np.float32)
    if waves.ndim > 1:  # part by part: the spectra of thousands of clips would fill the memory
        few = (waves[start : start + _BATCH] for start in range(0, len(waves), _BATCH))
        with ThreadPoolExecutor(os.cpu_count()) as threads:  # SciPy and NumPy let others work
            parts = list(threads.map(_of_few, few))
        return np.concatenate([np.empty((0, FRAMES, BANDS), np.float32), *parts])
    return _of_few(waves)


def _of_few(waves: np.ndarray) -> np.ndarray:
    return normalised(log_energies(mel_energies(power(frames(waves)))))


def of(clips: Clips) -> np.ndarray:
    """Return the features of labelled clips, (n, 49, 40) float32, read-only.

    They are kept in memory and, where it can be written, in `cache_folder()`, under a name made of
    the samples and the formula, so that what changed is computed anew.
    """
    key = _key(clips.waves)
    if key not in _memory:
        values = _from_disk(key, len(clips.waves))
        if values is None:
            values = log_mel(clips.waves)
            with suppress(OSError, RuntimeError):  # a full disk, no home folder: memory will do
                _to_disk(key, values)
        values.flags.writeable = False
        _memory[key] = values
        while len(_memory) > _REMEMBERED:
            _memory.popitem(last=False)
    _memory.move_to_end(key)
    return _memory[key]


def _key(waves: np.ndarray) -> str:
    formula = (WINDOW, HOP, FFT, BANDS, LOWEST_HZ, HIGHEST_HZ, FLOOR, SCALE, waves.shape)
    digest = hashlib.blake2b(repr(formula).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(waves, np.float32))
    return digest.hexdigest()


def _from_disk(key: str, count: int) -> np.ndarray | None:
    """Return the cached features, or None where there are none or the file is damaged."""
    try:
        values = np.load(cache_folder() / f"log_mel-{key}.npy", allow_pickle=False)
    except (OSError, ValueError, EOFError, RuntimeError):  # RuntimeError: there is no home folder
        return None
    fits = values.shape == (count, FRAMES, BANDS) and values.dtype == np.float32
    return values if fits else None


def _to_disk(key: str, values: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, values)
    session.write_atomically(cache_folder() / f"log_mel-{key}.npy", buffer.getvalue())
