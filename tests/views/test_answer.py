"""The first thing a newcomer does: pick a clip, or say a word, and see the answer."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib import tflite
from course_lib.sound import audio, dataset
from course_lib.sound.dataset import Clips
from course_lib.views import answer, microphone

SPARE = np.linspace(-0.5, 0.5, 16000, dtype=np.float32)


@pytest.fixture(scope="module")
def clips() -> Clips:
    """Three seconds of made-up sound: quiet, a tone, noise."""
    rng = np.random.default_rng(3)
    tone = np.sin(np.arange(audio.CLIP_SAMPLES) * 0.3)
    waves = np.stack([np.zeros_like(tone), 0.5 * tone, rng.normal(0, 0.1, len(tone))])
    words = ("_silence_", "yes", "go")
    names = ("a", "b", "c")
    labels = np.array([0, 2, 1])
    return Clips(waves.astype(np.float32), labels, words, names, names, names)


def test_choosing_a_clip_shows_its_own_page(clips: Clips) -> None:
    listener = answer.Listen(tflite.load("spotter_int8"), clips)
    clip, view = listener.controls().children
    first = view.value
    clip.value = 1
    assert view.value != first
    assert view.value == listener.page(1)
    assert "said: “yes”" in view.value and "<audio" in view.value
    np.testing.assert_allclose(listener.answers.sum(axis=1), 1, atol=0.02)  # 8-bit shares


def test_bars_mark_the_largest_share_by_more_than_colour() -> None:
    html = answer.bars_html(np.array([0.1, 0.2, 0.65, 0.05]))
    rows = html.split("</div>")
    names = ("silence", "another word", "“yes”", "“no”")
    assert all(name in row for name, row in zip(names, rows, strict=False))
    assert [("◀" in row) for row in rows[:4]] == [False, False, True, False]


def test_gallery_says_what_was_heard(clips: Clips) -> None:
    picture = answer.gallery(clips.waves, np.eye(4)[[0, 2, 1]], clips.words)
    assert "silence heard as silence" in picture.alt
    assert "“go” heard as another word" in picture.alt
    assert picture.png.startswith(b"\x89PNG")


def test_a_page_says_whose_sound_it_is() -> None:
    answers = {"answer": np.array([[0.1, 0.1, 0.7, 0.1]])}
    speak = answer.Speak(lambda rows: answers["answer"], SPARE, "yes")
    speak.last = microphone.Take(SPARE)
    mine = speak.page()
    assert "Your recording. Heard: “yes”." in mine and "<audio" in mine
    answers["answer"] = answers["answer"][:, ::-1]
    speak.last = microphone.Take(SPARE, microphone.REASONS["silent"])
    assert "is it muted? This is a bundled clip. Heard: another word." in speak.page()


def test_the_answer_follows_each_recording() -> None:
    loud = dataset.bundled("test").where(label="no").waves[0]
    heard = []

    def respond(rows: np.ndarray) -> np.ndarray:
        heard.append(rows.shape)
        return np.array([[0.0, 0.0, 0.2, 0.8]])

    speak = answer.Speak(respond, SPARE, "yes")
    assert "No microphone was used" in speak.view.value
    speak._recorded(np.asarray(loud, "<f4").tobytes(), "")
    assert "Your recording. Heard: “no”." in speak.view.value and heard == [(1, 49, 40)] * 2
    speak._recorded(b"", "NotFoundError")
    assert microphone.REASONS["NotFoundError"] in speak.view.value
