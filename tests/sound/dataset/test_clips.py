"""Labelled clips, such as the bundled ones, which are split by voice."""

import tracemalloc

import numpy as np
import pytest

from course_lib.sound import dataset


@pytest.fixture(scope="module")
def splits():
    return {name: dataset.bundled(name) for name in dataset.SPLITS}


def test_no_voice_and_no_file_is_in_two_splits(splits):
    voices = [set(clips.voices) - {"noise"} for clips in splits.values()]
    files = [set(clips.files) for clips in splits.values()]
    for sets in (voices, files):
        assert all(sets)
        assert len(set.union(*sets)) == sum(len(each) for each in sets)


def test_clips_are_seconds_of_sound_with_labels(splits):
    for clips in splits.values():
        assert clips.waves.shape == (len(clips), 16_000) and clips.waves.dtype == np.float32
        assert np.abs(clips.waves).max() <= 1.0 and np.isfinite(clips.waves).all()
        assert [dataset.label_of(word) for word in clips.words] == clips.labels.tolist()
        assert set(clips.labels) == {0, 1, 2, 3}
        assert {len(getattr(clips, name)) for name in ("words", "voices", "engines", "files")} == {
            len(clips)
        }


def test_silence_is_the_same_every_time_and_differs_between_splits(splits):
    quiet = {name: clips.where(label="_silence_").waves for name, clips in splits.items()}
    dataset.bundled.cache_clear()
    assert np.array_equal(dataset.bundled("test").where(label="_silence_").waves, quiet["test"])
    assert not np.array_equal(quiet["test"][0], quiet["validation"][0])
    assert 0.05 < len(quiet["train"]) / len(splits["train"]) < 0.15


def test_know_is_no_unknown_word(splits):
    assert not {"know", "noe"} & {word for clips in splits.values() for word in clips.words}


def test_choosing_clips(splits):
    clips = splits["test"]
    yes = clips.where(label="yes")
    assert set(yes.words) == {"yes"} and set(yes.labels) == {2}
    assert len(clips[3]) == 1 and clips[3].files == (clips.files[3],)
    assert clips[2:5].files == clips.files[2:5]
    assert len(clips[clips.labels == 3]) == int((clips.labels == 3).sum())
    assert len(clips.where(word="go", engine="no such engine")) == 0
    assert len(dataset.joined(yes, clips[:2])) == len(yes) + 2


def test_a_table_says_what_there_is(splits):
    clips = splits["test"]
    table = clips._repr_html_()
    assert all(label in table for label in dataset.LABELS)
    assert repr(clips).startswith(f"<{len(clips):,} clips")


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="choose one of train"):
        dataset.bundled("training")


def test_the_clips_are_in_memory_once_while_they_are_read():
    tracemalloc.start()
    clips = dataset.bundled.__wrapped__("test")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert clips.waves.nbytes < most < 1.5 * clips.waves.nbytes


def test_as_many_whole_seconds_as_words_are_wanted():
    second, names = np.zeros(16_000), ("yes", "no")
    made = dataset.Clips.labelled((second for _ in names), names, names, names, names)
    assert made.waves.shape == (2, 16_000) and made.labels.tolist() == [2, 3]
    for waves in ([second], [second] * 3, [second, second[1:]]):
        with pytest.raises(ValueError):
            dataset.Clips.labelled(waves, names, names, names, names)
