"""The words of one's own spotter: their clips, and who is for which split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from course_lib import project
from course_lib.project import recorder
from course_lib.sound import augmentation, dataset


def _beep(number: int) -> np.ndarray:
    return (0.3 * np.sin(np.arange(16_000) / (5 + number))).astype(np.float32)


def test_words_get_labels_of_their_own_and_the_rest_is_unknown() -> None:
    words = project.gather(["Down", " left "])
    assert words.labels == ("_silence_", "_unknown_", "down", "left")
    for split in dataset.SPLITS:
        clips = getattr(words, split)
        for word, label in zip(clips.words, clips.labels.tolist(), strict=True):
            expected = {"down": 2, "left": 3, "_silence_": 0}.get(word, 1)
            assert label == expected, (split, word)
    silence, unknown, *own = words.counts("test")
    assert unknown == sum(own) and silence == round(sum(own) / 2) and min(own) > 0
    voices = [set(getattr(words, split).voices) - {""} for split in dataset.SPLITS]
    said = [v - {voice for voice in v if "noise" in voice} for v in voices]
    assert not said[0] & said[2], "no voice of the test is trained on"
    assert words.test.files == project.gather(["down", "left"]).test.files, "the same every time"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["yes"], "Choose two to 6 words; these are 1"),
        (list("abcdefg"), "these are 7"),
        (["up", "UP"], "up is there twice"),
        (["up", "go2"], "'go2' cannot be a word"),
        (["up", "_silence_"], "cannot be a word"),
        ("up", "Give a list of words: ..up., .another"),
        (["up", "zebra"], r'0 clips of "zebra" for train, .* choose among down, go, left'),
        (["up", "house"], "record ten takes"),
    ],
)
def test_words_that_cannot_be_used_are_named(words, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        project.gather(words)


def test_takes_are_files_at_once_and_are_shared_out(tmp_path: Path) -> None:
    for number in range(10):
        path = recorder.save_take(tmp_path, "zebra", _beep(number))
        assert path.is_file() and path.name == f"me_{number + 1:03}.wav"
    words = project.gather(["up", "zebra"], own=tmp_path)
    mine = {
        split: [
            file
            for file, engine in zip(
                getattr(words, split).files, getattr(words, split).engines, strict=True
            )
            if engine == "recording"
        ]
        for split in dataset.SPLITS
    }
    assert {split: len(files) for split, files in mine.items()} == {
        "train": 6, "validation": 2, "test": 2,
    }  # fmt: skip
    assert len(set(sum(mine.values(), []))) == 10, "no take is in two splits"
    assert words.counts("train")[3] == 6
    assert project.gather(["up", "down"], own=tmp_path / "none").counts("train")[0] > 0


def test_varied_clips_are_drawn_by_the_recipe() -> None:
    words = project.gather(["up", "down", "left"])
    recipe = words.recipe()
    assert recipe.labels == pytest.approx((0.10, 0.30, 0.2, 0.2, 0.2))
    drawn = augmentation.chances(words.train, dataset.UNKNOWN, recipe)
    said = np.array(words.train.words, object)
    share = {word: drawn[said == word].sum() for word in ("no", "yes", "up")}
    times = (said == "no").sum() / (said == "yes").sum()
    assert share["no"] == pytest.approx(share["yes"] * times**0.5) and share["up"] == 0
