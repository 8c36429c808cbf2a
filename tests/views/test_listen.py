"""The first thing a newcomer does: pick a clip, see the answer, look at the map."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib import tflite
from course_lib.sound import audio
from course_lib.sound.dataset import Clips
from course_lib.views import answer, listen


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
    listener = listen.Listener(tflite.load("spotter_int8"), clips)
    first = listener.view.value
    listener.clip.value = 1
    assert listener.view.value != first
    assert listener.view.value == listen.page(clips, listener.answers, 1)
    assert "said: “yes”" in listener.view.value and "<audio" in listener.view.value
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
