"""What a spotter answers: clips beside the shares that it gives to its four labels."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from course_lib.sound.audio import SAMPLE_RATE_HZ
from course_lib.sound.dataset import LABELS
from course_lib.views import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SPOKEN = {"_silence_": "silence", "_unknown_": "another word"}
_ENOUGH_SHARE = 0.72  # above it, a bar's number stands inside the bar


def spoken(label: str) -> str:
    """Return a label as one would say it: `_unknown_` is "another word"."""
    return _SPOKEN.get(label, f"“{label}”")


def gallery(
    waves: np.ndarray,
    answers: np.ndarray,
    words: Sequence[str],
    labels: Sequence[str] = LABELS,
) -> style.Picture:
    """Draw each clip of (n, 16000) beside its answer of (n, labels) shares, one below the other."""
    rows = len(words)
    options = {"width_ratios": [3, 2], "squeeze": False, "sharex": "col"}
    fig, axes = style.figure(9.5, 0.7 + 1.25 * rows, rows, 2, **options)
    for (sound, bars), wave, answer, word in zip(axes, waves, answers, words, strict=True):
        _sound(sound, wave, word)
        _bars(bars, answer, labels)
    axes[-1][0].set_xlabel("seconds")
    axes[-1][1].set_xlabel("share of the answer")
    heard = [spoken(labels[int(np.argmax(answer))]) for answer in answers]
    pairs = zip(words, heard, strict=True)
    said = ", ".join(f"{spoken(word)} heard as {what}" for word, what in pairs)
    return style.show(fig, f"{rows} clips and what the model answers: {said}")


def bars_html(answer: np.ndarray, labels: Sequence[str] = LABELS) -> str:
    """Return HTML of one answer's shares, one a label, as bars; the largest is marked twice."""
    best = int(np.argmax(answer))
    rows = []
    for row, (label, share) in enumerate(zip(labels, answer, strict=True)):
        colour = style.PALETTE["blue" if row == best else "grey"]
        text = f"{share:.0%}" + (" ◀" if row == best else "")
        rows.append(
            "<div style='display:flex;align-items:center;gap:8px;margin:3px 0'>"
            f"<span style='width:100px;text-align:right'>{html.escape(spoken(label))}</span>"
            f"<span style='width:{max(2, round(200 * float(share)))}px;height:16px;"
            f"background:{colour}'></span><span>{text}</span></div>"
        )
    return f"<div style='font-size:14px'>{''.join(rows)}</div>"


def _sound(axes: Axes, wave: np.ndarray, word: str) -> None:
    """Draw the samples of one clip; the word that was said is its title."""
    axes.plot(np.arange(len(wave)) / SAMPLE_RATE_HZ, wave, color=style.PALETTE["ink"], lw=0.5)
    axes.set(xlim=(0, 1), yticks=[], title=f"said: {spoken(word)}")
    axes.spines["left"].set_visible(False)


def _bars(axes: Axes, answer: np.ndarray, labels: Sequence[str]) -> None:
    """Draw the shares as bars; the largest is marked by an arrow as well as by its colour."""
    best = int(np.argmax(answer))
    for row, share in enumerate(answer):
        colour = style.PALETTE["blue" if row == best else "faint"]
        axes.barh(row, share, height=0.8, color=colour)
        inside = share > _ENOUGH_SHARE
        text = f"{share:.0%}" + (" ◀" if row == best else "")
        axes.annotate(
            text,
            (share, row),
            (-6 if inside else 6, 0),
            textcoords="offset points",
            ha="right" if inside else "left",
            va="center",
            color=style.PALETTE["paper" if inside else "ink"],
        )
    axes.set_yticks(range(len(labels)), [spoken(label) for label in labels])
    axes.set(xlim=(0, 1), xticks=[])
    axes.invert_yaxis()
