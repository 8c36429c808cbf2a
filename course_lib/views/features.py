"""Sound on its way to features: one frame through all stages, and maps side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
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
    return _Stages(wave, label, last).picture(frame)


class _Stages:
    """The stages of one clip: scales and the whole sound are drawn once, a frame each time."""

    def __init__(self, wave: np.ndarray, label: str, last: int) -> None:
        if not 2 <= last <= len(_STAGES):
            raise ValueError(f"There is no stage {last}: they count from 2 to {len(_STAGES)}.")
        style.use()
        from matplotlib.figure import Figure

        self.label, self.last = label, last
        middle = list(_STAGES[1 : min(last, 4)])
        rows = [["sound"] * len(middle), middle] + [["map"] * len(middle)] * (last == 5)
        heights = [1.0, 1.3, 1.5][: len(rows)]
        fig = Figure(figsize=(9.5, 1.9 * sum(heights)), layout="constrained")
        self.axes = fig.subplot_mosaic(rows, height_ratios=heights)
        self.windowed = features.frames(wave) * features.window()
        self.powers = features.power(features.frames(wave))
        _sound(self.axes["sound"], wave)
        _frame(self.axes["frame"], np.abs(self.windowed).max())
        if last > 2:
            _spectrum(self.axes["spectrum"], self.decibels(slice(None)), last > 3)
        if last > 3:
            _bands(self.axes["bands"], self.bands(slice(None)).max())
        if last > 4:
            _map(self.axes["map"], features.log_mel(wave))
        self.drawn = style.Redrawn(fig)

    def decibels(self, frame: int | slice) -> np.ndarray:
        return 10 * np.log10(self.powers[frame] + features.FLOOR)

    def bands(self, frame: int | slice) -> np.ndarray:
        """Return 40 log energies, counted from the floor."""
        logs = features.log_energies(features.mel_energies(self.powers[frame]))
        return logs - np.log(features.FLOOR)

    def picture(self, frame: int) -> Picture:
        if not 0 <= frame < features.FRAMES:
            last = features.FRAMES - 1
            raise ValueError(f"There is no frame {frame}: they count from 0 to {last}.")
        name = f" of {self.label}" if self.label else ""
        parts = "its samples under the window", "its spectrum", "its 40 bands"
        parts = ", ".join((*parts, "its column among 49")[: self.last - 1])
        start_ms = frame * features.HOP * 1000 // SAMPLE_RATE_HZ
        alt = f"frame {frame}{name}, from {start_ms} ms: {parts}"
        return self.drawn.picture(self._moving(frame), alt)

    def _moving(self, frame: int) -> list[Any]:
        """Draw what belongs to one frame."""
        axes, windowed, kinds = self.axes, self.windowed[frame], PALETTE
        first, milliseconds = frame * features.HOP, _frame_ms()
        ends = first / SAMPLE_RATE_HZ, (first + features.WINDOW - 1) / SAMPLE_RATE_HZ
        envelope = np.abs(windowed).max() * features.window()
        dashed = {"color": kinds["grey"], "linewidth": 1.0, "linestyle": "--"}
        moving = [
            axes["sound"].axvspan(*ends, color=kinds["orange"], alpha=0.6),
            *axes["frame"].plot(milliseconds, windowed, color=kinds["orange"], linewidth=1.0),
            *axes["frame"].plot(milliseconds, envelope, **dashed),
        ]
        if self.last > 2:
            look = {"color": kinds["green"], "linewidth": 1.2}
            moving += axes["spectrum"].plot(_khz(), self.decibels(frame), **look)
        if self.last > 3:
            look = {"color": kinds["sky"], "edgecolor": kinds["ink"], "linewidth": 0.3}
            moving += axes["bands"].bar(np.arange(features.BANDS), self.bands(frame), **look)
        if self.last > 4:
            look = {"fill": False, "edgecolor": kinds["orange"], "linewidth": 2.5}
            moving.append(axes["map"].axvspan(frame - 0.5, frame + 0.5, **look))
        return moving


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
        self._of = cache(lambda place: _Stages(clips.waves[place], clips.words[place], last))

    def picture(self, place: int, frame: int) -> Picture:
        """Return the picture of one frame of clip number `place`."""
        return self._of(place).picture(frame)

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


def _khz() -> np.ndarray:
    return np.fft.rfftfreq(features.FFT, 1 / SAMPLE_RATE_HZ) / _KHZ


def _frame_ms() -> np.ndarray:
    return np.arange(features.WINDOW) * 1000 / SAMPLE_RATE_HZ


def _sound(axis: style.Axes, wave: np.ndarray) -> None:
    axis.plot(np.arange(len(wave)) / SAMPLE_RATE_HZ, wave, color=PALETTE["blue"], linewidth=0.6)
    axis.set(title="1  sound: 16,000 samples, the frame marked", xlabel="seconds", xlim=(0, 1))


def _frame(axis: style.Axes, reach: float) -> None:
    reach = 1.15 * reach + 1e-9
    axis.set(title="2  30 ms, faded", xlabel="milliseconds", xlim=(-1, 31), ylim=(-reach, reach))


def _spectrum(axis: style.Axes, decibels: np.ndarray, with_bands: bool) -> None:
    if with_bands:
        edges, height = features.band_edges_hz() / _KHZ, axis.get_xaxis_transform()
        axis.vlines(edges, 0, 0.06, transform=height, color=PALETTE["ink"], linewidth=0.7)
    title = "3  spectrum, bands" if with_bands else "3  spectrum"
    scale = decibels.min() - 6, decibels.max() + 3
    axis.set(title=title, xlabel="kHz", ylabel="dB", xlim=(0, 8), ylim=scale)


def _bands(axis: style.Axes, highest: float) -> None:
    axis.set(title="4  40 log energies", xlabel="band", ylabel="above the floor")
    axis.set(xlim=(-1, features.BANDS), ylim=(0, 1.05 * highest + 1e-6))


def _map(axis: style.Axes, sound: np.ndarray) -> None:
    image = axis.imshow(sound.T, origin="lower", aspect="auto", cmap=_COLOURS)
    axis.set(title="5  features: 49 frames x 40 bands, mean taken away")
    axis.set(xlabel="frame", ylabel="band", autoscale_on=False)
    axis.figure.colorbar(image, ax=axis, pad=0.01)
