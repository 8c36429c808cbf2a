"""What a spotter answers: clips beside the shares that it gives to its labels, to see and to hear.

The clips are bundled ones to choose from (`Listen`), or what a microphone gave (`Speak`).
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from course_lib import tflite
from course_lib.sound import audio, features
from course_lib.sound.dataset import LABELS, Clips
from course_lib.views import shell, style
from course_lib.views.microphone import REASONS, Take, record_button, take

_SPOKEN = {"_silence_": "silence", "_unknown_": "another word"}
_ENOUGH_SHARE = 0.72  # above it, a bar's number stands inside the bar


def spoken(label: str) -> str:
    """Return a label as one would say it: `_unknown_` is "another word"."""
    return _SPOKEN.get(label, f"“{label}”")


def gallery(
    waves: np.ndarray, answers: np.ndarray, words: Sequence[str], labels: Sequence[str] = LABELS
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
    names = [spoken(label) for label in labels]
    return share_bars(answer, names, best, ("blue", " ◀"), widths=(100, 200))


def share_bars(
    shares: np.ndarray,
    names: Sequence[str],
    marked: int,
    mark: tuple[str, str],
    widths: tuple[int, int],
) -> str:
    """Return HTML of shares as bars. `mark` is the colour and the text of the `marked` one.

    `widths` are the pixels of a name and of a bar that is full.
    """
    rows = []
    for row, (name, share) in enumerate(zip(names, shares, strict=True)):
        colour, text = mark if row == marked else ("grey", "")
        rows.append(
            "<div style='display:flex;align-items:center;gap:8px;margin:3px 0'>"
            f"<span style='width:{widths[0]}px;text-align:right'>{html.escape(name)}</span>"
            f"<span style='width:{max(2, round(widths[1] * float(share)))}px;height:16px;"
            f"background:{style.PALETTE[colour]}'></span><span>{share:.0%}{text}</span></div>"
        )
    return f"<div style='font-size:14px'>{''.join(rows)}</div>"


class Listen(shell.View):
    """A list of clips and the page of the chosen one; every answer is computed at the start."""

    def __init__(self, model_bytes: bytes, clips: Clips) -> None:
        self.clips = clips
        self.label = f"{len(clips)} clips to listen to, with the model's answers"
        heard = features.log_mel(clips.waves)
        self.answers = tflite.run(tflite.vouch(model_bytes, heard), heard)
        names = [
            f"{spoken(word)}, {voice}" if word != voice else spoken(word)
            for word, voice in zip(clips.words, clips.voices, strict=True)
        ]
        self.names = [(f"{place + 1}: {name}", place) for place, name in enumerate(names)]

    def page(self, place: int) -> str:
        """Return the HTML of one clip: a player, what was heard, the shares as bars."""
        answer = self.answers[place]
        heard = spoken(LABELS[int(answer.argmax())])
        note = shell.note(f"Heard: {heard}, said: {spoken(self.clips.words[place])}.")
        content = self.clips.play(place).html() + note + bars_html(answer)
        return style.card(content, "the answer to one clip")

    def controls(self) -> Any:
        return shell.live(self.page, shell.dropdown("clip", self.names))

    def still(self) -> style.Picture:
        return gallery(self.clips.waves, self.answers, self.clips.words)


class Speak(shell.View):
    """A record button and the answer to what was recorded; before that, to the spare clip.

    `answer` is a function from features (1, 49, 40) to shares (1, classes); `word` is what the
    `spare` clip says.
    """

    label = "a button that records one second, and the model's answer"

    def __init__(
        self,
        answer: Callable[[np.ndarray], np.ndarray],
        spare: np.ndarray,
        word: str,
        labels: Sequence[str] = LABELS,
    ) -> None:
        self.answer, self.spare, self.word, self.labels = answer, spare, word, tuple(labels)
        self.last = Take(spare, REASONS["none"])
        self.button = record_button(self._recorded)
        self.view = shell.html(self.page())

    def page(self) -> str:
        """Return the HTML of the last take: a player, where it came from, what was heard."""
        shares, problem = self.shares(), self.last.problem
        heard = spoken(self.labels[int(np.argmax(shares))])
        origin = f"{problem} This is a bundled clip. " if problem else "Your recording. "
        content = audio.play(self.last.wave).html() + shell.note(f"{origin}Heard: {heard}.")
        return style.card(content + bars_html(shares, self.labels), "the answer to one recording")

    def shares(self) -> np.ndarray:
        """Return the model's shares, (classes,), for the last take."""
        return self.answer(features.log_mel(self.last.wave[np.newaxis]))[0]

    def controls(self) -> Any:
        return shell.column(self.button, self.view)

    def still(self) -> style.Picture:
        wave, shares = self.last.wave[np.newaxis], self.shares()[np.newaxis]
        return gallery(wave, shares, [self.word], self.labels)

    def _recorded(self, samples: bytes, problem: str) -> None:
        self.last = take(samples, problem, self.spare)
        self.view.value = self.page()


def _sound(axes: style.Axes, wave: np.ndarray, word: str) -> None:
    """Draw the samples of one clip; the word that was said is its title."""
    axes.plot(np.arange(len(wave)) / audio.SAMPLE_RATE_HZ, wave, color=style.PALETTE["ink"], lw=0.5)
    axes.set(xlim=(0, 1), yticks=[], title=f"said: {spoken(word)}")
    axes.spines["left"].set_visible(False)


def _bars(axes: style.Axes, answer: np.ndarray, labels: Sequence[str]) -> None:
    """Draw the shares as bars; the largest is marked by an arrow as well as by its colour."""
    best = int(np.argmax(answer))
    for row, share in enumerate(answer):
        axes.barh(row, share, height=0.8, color=style.PALETTE["blue" if row == best else "faint"])
        gap, side, ink = (-6, "right", "paper") if share > _ENOUGH_SHARE else (6, "left", "ink")
        text = f"{share:.0%}" + (" ◀" if row == best else "")
        style.beside(axes, row, share, text, gap, ha=side, color=style.PALETTE[ink])
    axes.set(xlim=(0, 1), xticks=[])
    style.name_rows(axes, [spoken(label) for label in labels])
