"""Pictures of sound on its way to features: one frame through all stages, and maps side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from course_lib.sound import features
from course_lib.sound.audio import SAMPLE_RATE_HZ
from course_lib.views import style
from course_lib.views.style import PALETTE, Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STAGES = ("sound", "frame", "spectrum", "bands", "map")
_COLOURS = "cividis"  # even in brightness, and the same for every kind of colour vision
_KHZ = 1000.0


def stages(wave: np.ndarray, frame: int = 24, label: str = "", last: int = 5) -> Picture:
    """Draw one frame of a clip (16000,) on its way: sound, windowed frame, spectrum, bands, map.

    `frame` counts from 0 to 48; `last`, from 2 to 5, is how many of the five stages are drawn.
    Raises ValueError for a frame or a stage that there is not.
    """
    if not 0 <= frame < features.FRAMES:
        raise ValueError(f"There is no frame {frame}: they count from 0 to {features.FRAMES - 1}.")
    if not 2 <= last <= len(_STAGES):
        raise ValueError(f"There is no stage {last}: they count from 2 to {len(_STAGES)}.")
    style.use()
    from matplotlib.figure import Figure

    middle = list(_STAGES[1 : min(last, 4)])
    rows = [["sound"] * len(middle), middle] + [["map"] * len(middle)] * (last == 5)
    heights = [1.0, 1.3, 1.5][: len(rows)]
    fig = Figure(figsize=(9.5, 1.9 * sum(heights)), layout="constrained")
    axes = fig.subplot_mosaic(rows, height_ratios=heights)
    framed = features.frames(wave)
    powers = features.power(framed[frame])
    draw = {
        "sound": lambda axis: _sound(axis, wave, frame),
        "frame": lambda axis: _frame(axis, framed[frame] * features.window()),
        "spectrum": lambda axis: _spectrum(axis, powers, last > 3),
        "bands": lambda axis: _bands(axis, features.log_energies(features.mel_energies(powers))),
        "map": lambda axis: _map(axis, features.log_mel(wave), frame),
    }
    for name, axis in axes.items():
        draw[name](axis)
    start_ms = frame * features.HOP * 1000 // SAMPLE_RATE_HZ
    name = f" of {label}" if label else ""
    told = ("its samples under the window", "its spectrum", "its 40 bands", "its column among 49")
    return style.show(
        fig, f"frame {frame}{name}, from {start_ms} ms: {', '.join(told[: last - 1])}"
    )


def waveform(wave: np.ndarray, label: str = "") -> Picture:
    """Draw the samples of a clip (n,) over time, and beside it ten milliseconds of it."""
    fig, (whole, close) = style.figure(9.5, 2.6, 1, 2, width_ratios=[2, 1])
    seconds = np.arange(len(wave)) / SAMPLE_RATE_HZ
    whole.plot(seconds, wave, color=PALETTE["blue"], linewidth=0.6)
    whole.set(xlabel="seconds", ylabel="sample", title="all of it", xlim=(0, seconds[-1]))
    first = max(0, min(int(np.abs(wave).argmax()) - 80, len(wave) - 160))
    near = slice(first, first + 160)
    whole.axvspan(seconds[near.start], seconds[near.stop - 1], color=PALETTE["orange"], alpha=0.6)
    close.plot(
        1000 * seconds[near], wave[near], "o-", color=PALETTE["orange"], markersize=2, linewidth=0.8
    )
    close.set(xlabel="milliseconds", title="ten milliseconds of it")
    return style.show(fig, f"waveform of {label or 'a clip'}, whole and ten milliseconds of it")


def maps(sounds: np.ndarray, labels: Sequence[str], columns: int = 4) -> Picture:
    """Draw the features of some clips, (n, 49, 40), each under its label, on one scale."""
    rows = -(-len(sounds) // columns)
    fig, axes = style.figure(
        9.5, 0.5 + 2.1 * rows, rows, columns, squeeze=False, sharex=True, sharey=True
    )
    low, high = np.quantile(sounds, (0.01, 0.995))
    for place, axis in enumerate(axes.flat):
        if place >= len(sounds):
            axis.set_axis_off()
            continue
        axis.imshow(
            sounds[place].T, origin="lower", aspect="auto", cmap=_COLOURS, vmin=low, vmax=high
        )
        axis.set_title(labels[place])
    fig.supxlabel("frame", fontsize=12)
    fig.supylabel("band", fontsize=12)
    return style.show(fig, f"features of {', '.join(labels)}")


def _sound(axis: Axes, wave: np.ndarray, frame: int) -> None:
    seconds = np.arange(len(wave)) / SAMPLE_RATE_HZ
    axis.plot(seconds, wave, color=PALETTE["blue"], linewidth=0.6)
    start = frame * features.HOP
    axis.axvspan(
        seconds[start], seconds[start + features.WINDOW - 1], color=PALETTE["orange"], alpha=0.6
    )
    axis.set(title=f"1  sound: 16,000 samples, frame {frame} marked", xlabel="seconds", xlim=(0, 1))


def _frame(axis: Axes, windowed: np.ndarray) -> None:
    milliseconds = np.arange(features.WINDOW) * 1000 / SAMPLE_RATE_HZ
    reach = np.abs(windowed).max() + 1e-9
    axis.plot(milliseconds, windowed, color=PALETTE["orange"], linewidth=1.0)
    axis.plot(milliseconds, reach * features.window(), "--", color=PALETTE["grey"], linewidth=1.0)
    axis.set(title="2  30 ms, faded", xlabel="milliseconds", ylim=(-1.15 * reach, 1.15 * reach))


def _spectrum(axis: Axes, powers: np.ndarray, with_bands: bool) -> None:
    khz = np.fft.rfftfreq(features.FFT, 1 / SAMPLE_RATE_HZ) / _KHZ
    axis.plot(khz, 10 * np.log10(powers + features.FLOOR), color=PALETTE["green"], linewidth=1.2)
    if with_bands:
        axis.vlines(
            features.band_edges_hz() / _KHZ,
            0,
            0.06,
            transform=axis.get_xaxis_transform(),
            color=PALETTE["ink"],
            linewidth=0.7,
        )
    title = "3  spectrum, bands" if with_bands else "3  spectrum"
    axis.set(title=title, xlabel="kHz", ylabel="dB", xlim=(0, 8))


def _bands(axis: Axes, logs: np.ndarray) -> None:
    axis.bar(
        np.arange(features.BANDS),
        logs - np.log(features.FLOOR),
        color=PALETTE["sky"],
        edgecolor=PALETTE["ink"],
        linewidth=0.3,
    )
    axis.set(title="4  40 log energies", xlabel="band", ylabel="above the floor")


def _map(axis: Axes, sound: np.ndarray, frame: int) -> None:
    image = axis.imshow(sound.T, origin="lower", aspect="auto", cmap=_COLOURS)
    axis.axvspan(frame - 0.5, frame + 0.5, fill=False, edgecolor=PALETTE["orange"], linewidth=2.5)
    axis.set(
        title="5  features: 49 frames x 40 bands, mean taken away", xlabel="frame", ylabel="band"
    )
    axis.figure.colorbar(image, ax=axis, pad=0.01)
