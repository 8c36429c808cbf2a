"""Listening without an end, against small cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib import micro, tflite
from course_lib.micro import Found, Spoken
from course_lib.sound import dataset


@pytest.fixture(scope="module")
def clips() -> dataset.Clips:
    return dataset.bundled("test")


@pytest.fixture(scope="module")
def recording(clips: dataset.Clips) -> micro.Recording:
    return micro.long_recording(clips, seconds=90, keywords=15, others=20)


def test_a_recording_holds_what_it_says(recording: micro.Recording, clips) -> None:
    assert recording.seconds == 90 and len(recording.words) == 35
    assert sum(word.label in ("yes", "no") for word in recording.words) == 15
    starts = [word.start for word in recording.words]
    assert min(np.diff(starts)) >= 1.0 and max(starts) <= 89  # no two words at once
    again = micro.long_recording(clips, seconds=90, keywords=15, others=20)
    assert np.array_equal(again.wave, recording.wave) and again.words == recording.words
    other = micro.long_recording(clips, seconds=90, keywords=15, others=20, seed=8)
    assert not np.array_equal(other.wave, recording.wave)
    with pytest.raises(ValueError, match="do not fit"):
        micro.long_recording(clips, seconds=20)


def test_words_are_louder_than_what_lies_between(recording: micro.Recording) -> None:
    parts = recording.wave.reshape(-1, 16000)
    loud = [parts[int(word.start)].std() for word in recording.words]
    assert np.median(loud) > 3 * np.median(parts.std(axis=1)[:1])


def test_windows_slide_and_are_answered_alone(clips) -> None:
    wave = np.concatenate(clips.waves[:3])
    model = tflite.load("spotter_int8")
    scores = micro.slide(model, wave, hop_seconds=0.5)
    assert scores.ends.tolist() == [1, 1.5, 2, 2.5, 3]
    from course_lib.sound import features

    assert np.array_equal(scores.shares[::2], tflite.run(model, features.log_mel(clips.waves[:3])))
    same = micro.slide(lambda rows: np.zeros((len(rows), 4)), wave, hop_seconds=0.5)
    assert same.shares.shape == scores.shares.shape
    with pytest.raises(ValueError, match="less than a second"):
        micro.slide(model, wave[:100])


def test_smoothing_knows_the_past_only() -> None:
    shares = np.array([[0.0], [3.0], [6.0], [0.0]])
    assert micro.smooth(shares, 1).ravel().tolist() == [0, 3, 6, 0]
    assert micro.smooth(shares, 2).ravel().tolist() == [0, 1.5, 4.5, 3]
    assert micro.smooth(shares, 9).ravel().tolist() == [0, 1.5, 3, 2.25]
    with pytest.raises(ValueError, match="take 1 or more"):
        micro.smooth(shares, 0)


def test_a_word_is_found_once() -> None:
    yes, rest = [0, 0, 0.9, 0.1], [0.5, 0.5, 0, 0]
    shares = np.array([rest, yes, yes, rest, yes, rest, rest, [0, 0, 0, 0.8]])
    ends = np.arange(1, 3, 0.25)
    found = micro.detect(ends, shares, 0.8)
    assert found == (Found(1.25, "yes", 0.9), Found(2.75, "no", 0.8))
    assert len(micro.detect(ends, shares, 0.8, deaf_seconds=0.5)) == 3
    assert micro.detect(ends, shares, 0.95) == ()


def test_hits_misses_and_false_alarms() -> None:
    spoken = [Spoken(1.0, "yes"), Spoken(5.0, "no"), Spoken(8.0, "_unknown_"), Spoken(11, "yes")]
    found = [
        Found(1.9, "yes", 0.9),  # a hit
        Found(2.9, "yes", 0.9),  # the same word again
        Found(5.5, "yes", 0.9),  # the wrong word
        Found(8.5, "no", 0.9),  # another word
        Found(13.1, "yes", 0.9),  # too late
    ]
    outcome = micro.judge(found, spoken, seconds=60)
    assert outcome.hits == (found[0],)
    assert outcome.false_alarms == tuple(found[1:])
    assert [word.start for word in outcome.missed] == [5.0, 11]
    assert outcome.hit_share == pytest.approx(1 / 3)
    assert outcome.false_alarms_per_hour == 240


def test_the_shipped_model_hears_words_in_noise(recording: micro.Recording) -> None:
    scores = micro.slide(tflite.load("spotter_int8"), recording.wave)
    found = micro.detect(scores.ends, micro.smooth(scores.shares, 2), 0.7)
    outcome = micro.judge(found, recording.words, recording.seconds)
    assert outcome.hit_share >= 0.6
    strict = micro.detect(scores.ends, micro.smooth(scores.shares, 2), 0.95)
    assert len(strict) <= len(found)
