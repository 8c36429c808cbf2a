"""Sound on its way to features: one frame through all stages, and maps side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from course_lib.sound import audio, features
from course_lib.sound.audio import SAMPLE_RATE_HZ
from course_lib.sound.dataset import Clips
from course_lib.views import shell, style
from course_lib.views.style import PALETTE, Picture

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
    samples = features.frames(wave)[frame]
    powers = features.power(samples)
    _sound(axes["sound"], wave, frame)
    _frame(axes["frame"], samples * features.window())
    if last > 2:
        _spectrum(axes["spectrum"], powers, last > 3)
    if last > 3:
        _bands(axes["bands"], features.log_energies(features.mel_energies(powers)))
    if last > 4:
        _map(axes["map"], features.log_mel(wave), frame)
    name = f" of {label}" if label else ""
    parts = ("its samples under the window", "its spectrum", "its 40 bands", "its column among 49")
    start_ms = frame * features.HOP * 1000 // SAMPLE_RATE_HZ
    alt = f"frame {frame}{name}, from {start_ms} ms: {', '.join(parts[: last - 1])}"
    return style.show(fig, alt)


def maps(sounds: np.ndarray, labels: Sequence[str], columns: int = 4) -> Picture:
    """Draw the features of some clips, (n, 49, 40), each under its label, on one scale."""
    rows = -(-len(sounds) // columns)
    shared = {"squeeze": False, "sharex": True, "sharey": True}
    fig, axes = style.figure(9.5, 0.5 + 2.1 * rows, rows, columns, **shared)
    low, high = np.quantile(sounds, (0.01, 0.995))
    scale = {"cmap": _COLOURS, "vmin": low, "vmax": high}
    for axis, sound, label in zip(axes.flat, sounds, labels, strict=False):
        axis.imshow(sound.T, origin="lower", aspect="auto", **scale)
        axis.set_title(label)
    for axis in axes.flat[len(sounds) :]:
        axis.set_axis_off()
    fig.supxlabel("frame", fontsize=12)
    fig.supylabel("band", fontsize=12)
    return style.show(fig, f"features of {', '.join(labels)}")


class FrameExplorer(shell.View):
    """Some clips to choose from, and the stages of each frame of the chosen one.

    `last`, from 2 to 5, is how many of the stages to features are shown.
    """

    def __init__(self, clips: Clips, frame: int = 24, last: int = 5) -> None:
        if not len(clips):
            raise ValueError("There is no clip to look at: choose at least one.")
        self.clips, self.frame, self.last = clips, frame, last

    def picture(self, place: int, frame: int) -> Picture:
        """Return the picture of one frame of clip number `place`."""
        return stages(self.clips.waves[place], frame, self.clips.words[place], self.last)

    def html(self, place: int, frame: int) -> str:
        """Return the picture, and a player under it, as HTML."""
        return self.picture(place, frame).html() + self.clips.play(place)._repr_html_()

    def controls(self) -> Any:
        spoken = zip(self.clips.words, self.clips.voices, strict=True)
        names = [(f"{word}, {voice}", place) for place, (word, voice) in enumerate(spoken)]
        last = features.FRAMES - 1
        frame = shell.slider("Frame", self.frame, 0, last, continuous=False)
        return shell.live(self.html, shell.dropdown("Clip", names), frame)

    def still(self) -> Picture:
        return self.picture(0, self.frame)


class FeatureGallery(shell.View):
    """The features of some clips (16000,), and a player for each."""

    def __init__(self, waves: Sequence[np.ndarray], labels: Sequence[str]) -> None:
        self.waves, self.labels = waves, labels

    def controls(self) -> Any:
        clips = zip(self.waves, self.labels, strict=True)
        players = "".join(audio.play(wave, label)._repr_html_() for wave, label in clips)
        return shell.html(self.still().html() + players)

    def still(self) -> Picture:
        return maps(features.log_mel(np.stack(self.waves)), self.labels)


def _sound(axis: style.Axes, wave: np.ndarray, frame: int) -> None:
    seconds = np.arange(len(wave)) / SAMPLE_RATE_HZ
    axis.plot(seconds, wave, color=PALETTE["blue"], linewidth=0.6)
    first = frame * features.HOP
    ends = seconds[first], seconds[first + features.WINDOW - 1]
    axis.axvspan(*ends, color=PALETTE["orange"], alpha=0.6)
    axis.set(title=f"1  sound: 16,000 samples, frame {frame} marked", xlabel="seconds", xlim=(0, 1))


def _frame(axis: style.Axes, windowed: np.ndarray) -> None:
    milliseconds = np.arange(features.WINDOW) * 1000 / SAMPLE_RATE_HZ
    reach = np.abs(windowed).max() + 1e-9
    axis.plot(milliseconds, windowed, color=PALETTE["orange"], linewidth=1.0)
    axis.plot(milliseconds, reach * features.window(), "--", color=PALETTE["grey"], linewidth=1.0)
    axis.set(title="2  30 ms, faded", xlabel="milliseconds", ylim=(-1.15 * reach, 1.15 * reach))


def _spectrum(axis: style.Axes, powers: np.ndarray, with_bands: bool) -> None:
    khz = np.fft.rfftfreq(features.FFT, 1 / SAMPLE_RATE_HZ) / _KHZ
    axis.plot(khz, 10 * np.log10(powers + features.FLOOR), color=PALETTE["green"], linewidth=1.2)
    if with_bands:
        edges, height = features.band_edges_hz() / _KHZ, axis.get_xaxis_transform()
        axis.vlines(edges, 0, 0.06, transform=height, color=PALETTE["ink"], linewidth=0.7)
    title = "3  spectrum, bands" if with_bands else "3  spectrum"
    axis.set(title=title, xlabel="kHz", ylabel="dB", xlim=(0, 8))


def _bands(axis: style.Axes, logs: np.ndarray) -> None:
    look = {"color": PALETTE["sky"], "edgecolor": PALETTE["ink"], "linewidth": 0.3}
    axis.bar(np.arange(features.BANDS), logs - np.log(features.FLOOR), **look)
    axis.set(title="4  40 log energies", xlabel="band", ylabel="above the floor")


def _map(axis: style.Axes, sound: np.ndarray, frame: int) -> None:
    image = axis.imshow(sound.T, origin="lower", aspect="auto", cmap=_COLOURS)
    axis.axvspan(frame - 0.5, frame + 0.5, fill=False, edgecolor=PALETTE["orange"], linewidth=2.5)
    axis.set(title="5  features: 49 frames x 40 bands, mean taken away")
    axis.set(xlabel="frame", ylabel="band")
    axis.figure.colorbar(image, ax=axis, pad=0.01)
