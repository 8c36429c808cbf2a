"""Folders of sounds as people bring them: names, links, loops, and what is no sound."""

from __future__ import annotations

import os
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.sound import audio, dataset
from course_lib.sound.dataset import walk

SECOND = audio.wav_bytes([0.1] * 16_000)
ALIKE = {
    "yes": ["yes", "Yes", "YES", " yes ", "ｙｅｓ"],
    "_silence_": ["silence", "_silence_", "Silence", "_background_noise_", "Background Noise"],
    "_unknown_": ["unknown", "_unknown_", "UNKNOWN", "-unknown-"],
    "house": ["house", "House"],
    "_house_": ["_House_"],
}


@pytest.mark.parametrize("word", ALIKE)
def test_names_that_are_alike(word):
    assert {walk.word_of(name) for name in ALIKE[word]} == {word}


@given(st.text(min_size=1, max_size=8), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_a_words_forms_are_one_word(name, form):
    assert walk.word_of(unicodedata.normalize(form, name)) == walk.word_of(name)
    assert walk.word_of(walk.word_of(name)) == walk.word_of(name)


@pytest.mark.parametrize(
    "stem, word",
    [
        ("Yes 2", "yes"),
        ("yes_nohash_0", "yes"),
        ("_silence_1", "_silence_"),
        ("silence_1", "_silence_"),
        ("_background_noise_3", "_silence_"),
        ("e\u0301tude_1", "\u00e9tude"),
        ("001", "_unknown_"),
    ],
)
def test_the_word_in_a_files_name(stem, word):
    assert walk._word_in(stem) == word


@pytest.fixture
def tree(tmp_path):
    """Folders in upper case, links to a folder and a file, loops, hidden and broken things."""
    here, away = tmp_path / "clips", tmp_path / "away"
    for name in ("Yes/a.WAV", "yes/b.wav", "silence/c.wav", "_background_noise_/d.wav"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_bytes(SECOND)
    (away / "deeper").mkdir(parents=True)
    (away / "e.wav").write_bytes(SECOND)
    (here / "no").symlink_to(away)
    (here / "yes" / "linked.wav").symlink_to(away / "e.wav")
    (away / "deeper" / "up").symlink_to(here)
    (away / "deeper" / "same").symlink_to(away)
    (here / "yes" / "itself").symlink_to("itself")
    (here / "yes" / "gone.wav").symlink_to("nowhere")
    (here / "yes" / ".hidden.wav").write_bytes(SECOND)
    (here / "__MACOSX").mkdir()
    (here / "__MACOSX" / "f.wav").write_bytes(SECOND)
    (here / "yes" / "Thumbs.db").write_bytes(b"x")
    os.mkfifo(here / "yes" / "pipe.wav")
    return here


GOOD = {
    "Yes/a.WAV": "yes",
    "yes/b.wav": "yes",
    "yes/linked.wav": "yes",
    "no/e.wav": "no",
    "silence/c.wav": "_silence_",
    "_background_noise_/d.wav": "_silence_",
}
BAD = {"no/deeper/up", "no/deeper/same", "yes/itself", "yes/gone.wav", "yes/pipe.wav"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_links_are_followed_once_and_nothing_is_lost(tree):
    files = walk.found(tree)
    assert {each.name: each.word for each in files if not each.problem} == GOOD
    assert {each.name for each in files if each.problem} == BAD
    assert [each.name.split("/") for each in files] == sorted(
        each.name.split("/") for each in files
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
@pytest.mark.parametrize("read", [dataset.recordings, dataset.measurable])
def test_both_readers_see_the_same(tree, read):
    clips = read(tree)
    assert dict(zip(clips.clips.files, clips.clips.words, strict=True)) == GOOD
    assert {each.file for each in clips.left_out} == BAD
    places = {each: dataset.label_of(word) for each, word in GOOD.items()}
    assert dict(zip(clips.clips.files, clips.clips.labels.tolist(), strict=True)) == places


def test_folders_that_link_to_each_other_are_read_once(tmp_path):
    names = [f"word{place}" for place in range(9)]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.wav").write_bytes(SECOND)
        for other in names:
            (tmp_path / name / other).symlink_to(tmp_path / other)
    files = walk.found(tmp_path)
    assert len([each for each in files if each.depth == 1 and not each.problem]) == 9
    assert len(files) < 9 * 9 * 11


def test_a_folder_that_is_missing_or_closed_is_told(tmp_path):
    (missing,) = walk.found(tmp_path / "missing")
    assert "cannot be opened" in missing.problem and not missing.is_sound
