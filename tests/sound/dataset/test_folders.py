"""Folders of sounds as people bring them: names, links, loops, and what becomes of every file."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from course_lib.sound import audio, dataset
from course_lib.sound.dataset import folders

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
    assert {folders.word_of(name) for name in ALIKE[word]} == {word}


@given(st.text(min_size=1, max_size=8), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_a_words_forms_are_one_word(name, form):
    assert folders.word_of(unicodedata.normalize(form, name)) == folders.word_of(name)
    assert folders.word_of(folders.word_of(name)) == folders.word_of(name)


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
    assert folders._word_in(stem) == word


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
    files = folders.found(tree)
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
    files = folders.found(tmp_path)
    assert len([each for each in files if each.depth == 1 and not each.problem]) == 9
    assert len(files) < 9 * 9 * 11


def test_a_folder_that_is_missing_or_closed_is_told(tmp_path):
    (missing,) = folders.found(tmp_path / "missing")
    assert "cannot be opened" in missing.problem and not missing.is_sound


def make_folder(folder):
    wave = np.random.default_rng(0).uniform(-0.5, 0.5, 44_100)
    for word in ("yes", "house", "_silence_"):
        (folder / word).mkdir()
        soundfile.write(folder / word / "anna_nohash_0.wav", wave, 44_100)
    (folder / "yes" / "broken.flac").write_bytes(b"nothing")
    (folder / "yes" / "notes.txt").write_text("not a clip")
    return folder


def test_a_folder_of_any_recordings_is_read_and_nothing_is_dropped_silently(tmp_path):
    clips = dataset.recordings(make_folder(tmp_path)).clips
    labels = dict(zip(clips.words, clips.labels.tolist(), strict=True))
    assert labels == {"yes": 2, "house": 1, "_silence_": 0}
    assert set(clips.voices) == {"anna"} and clips.waves.shape == (3, 16_000)
    assert len(clips.skipped) == 1 and clips.skipped[0].startswith("yes/broken.flac")
    assert clips.files[0] == "_silence_/anna_nohash_0.wav"


@pytest.mark.parametrize(
    ("name", "kind", "subtype"), [("me.opus", "OGG", "OPUS"), ("me.caf", "CAF", "PCM_16")]
)
def test_what_telephones_and_messengers_write_is_read(tmp_path, name, kind, subtype):
    folder = make_folder(tmp_path)
    wave = np.random.default_rng(0).normal(size=16_000) * 0.1
    soundfile.write(folder / "yes" / name, wave, 16_000, format=kind, subtype=subtype)
    read = dataset.recordings(folder)
    (entry,) = (each for each in read.entries if "me" in each.file)
    assert entry not in read.left_out


def test_what_phones_write_is_named_and_not_passed_over(tmp_path):
    folder = make_folder(tmp_path)
    (folder / "yes" / "me.M4A").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(40))
    (left_out,) = (each for each in dataset.recordings(folder).left_out if "me" in each.file)
    assert "convert it to .wav" in left_out.done


@pytest.fixture
def own(tmp_path) -> Path:
    """One file of each kind that a student may bring."""
    rng = np.random.default_rng(1)
    (tmp_path / "yes").mkdir()
    (tmp_path / "Hello").mkdir()
    noise = rng.uniform(-0.2, 0.2, 200_000)
    soundfile.write(tmp_path / "yes" / "anna_1.wav", noise[:16_000], 16_000)
    soundfile.write(tmp_path / "yes" / "anna_2.flac", noise[:88_200].reshape(-1, 2), 44_100)
    soundfile.write(tmp_path / "yes" / "anna_3.ogg", noise[:24_000], 48_000)
    soundfile.write(tmp_path / "yes" / "anna_4.mp3", noise[:66_150], 22_050)
    soundfile.write(tmp_path / "Hello" / "ben_1.wav", noise[:4_000], 8_000)
    soundfile.write(tmp_path / "Hello" / "six.wav", noise[:96_000].reshape(-1, 6), 16_000)
    soundfile.write(tmp_path / "no 2.wav", np.clip(noise[:16_000] * 20, -1, 1), 16_000)
    soundfile.write(tmp_path / "_silence_1.wav", np.zeros(16_000), 16_000)
    (tmp_path / "yes" / "broken.mp3").write_bytes(b"ID3 is all there is")
    (tmp_path / "yes" / "empty.wav").write_bytes(b"")
    (tmp_path / "yes" / "notes.txt").write_text("no sound")
    (tmp_path / "yes" / "._anna_1.wav").write_bytes(b"what macOS leaves")
    return tmp_path


def test_every_file_is_read_and_told(own):
    read = dataset.recordings(own)
    told = {each.file: each for each in read.entries}
    assert len(read.clips) == 8 and len(told) == 10 and read.clips.waves.shape == (8, 16_000)
    assert told["yes/anna_1.wav"].done == "nothing"
    assert told["yes/anna_2.flac"].form == "1.00 s at 44,100 Hz, stereo"
    assert told["yes/anna_2.flac"].done == "channels averaged, resampled to 16,000 Hz"
    assert "centred in a second" in told["yes/anna_3.ogg"].done
    assert "loudest second" in told["yes/anna_4.mp3"].done
    assert "nothing above 4,000 Hz" in told["Hello/ben_1.wav"].done
    assert "6 channels" in told["Hello/six.wav"].form
    assert "too loud" in told["no 2.wav"].done
    assert "nothing but silence" in told["_silence_1.wav"].done
    assert not told["yes/broken.mp3"].used and "cannot be read" in told["yes/broken.mp3"].done
    assert not told["yes/empty.wav"].used and "is empty" in told["yes/empty.wav"].done
    assert len(read.clips.skipped) == 2


def test_the_words_come_from_folders_or_names(own):
    clips = dataset.recordings(own).clips
    word_of = dict(zip(clips.files, clips.words, strict=True))
    assert word_of["no 2.wav"] == "no" and word_of["_silence_1.wav"] == "_silence_"
    assert word_of["Hello/ben_1.wav"] == "hello" and word_of["yes/anna_4.mp3"] == "yes"
    labels = dict(zip(clips.words, clips.labels.tolist(), strict=True))
    assert labels == {"yes": 2, "no": 3, "hello": 1, "_silence_": 0}


def test_the_report_is_a_table_and_escapes_names(own):
    audio.write(own / "yes" / "<b>.wav", np.full(16_000, 0.1))
    read = dataset.recordings(own)
    table = read._repr_html_()
    assert "&lt;b&gt;.wav" in table and "<b>" not in table and "left out" in table
    assert repr(read) == "<9 clips from 11 files>"


def test_resampling_and_averaging_are_what_they_say(tmp_path):
    """A tone of 1 kHz stays a tone of 1 kHz; what is on one channel alone is halved."""
    time = np.arange(44_100) / 44_100
    tone = 0.5 * np.sin(2 * np.pi * 1_000 * time)
    soundfile.write(tmp_path / "yes.wav", np.stack([tone, 0 * tone], axis=1), 44_100)
    (wave,) = dataset.recordings(tmp_path).clips.waves
    spectrum = np.abs(np.fft.rfft(wave))
    assert spectrum.argmax() == 1_000
    assert np.sqrt(np.mean(wave**2)) == pytest.approx(0.25 / np.sqrt(2), rel=0.01)


def test_an_hour_is_not_read_whole(tmp_path, monkeypatch):
    """Of a long file only the beginning is looked at: the loud second behind it is not found."""
    monkeypatch.setattr("course_lib.sound.dataset.folders.MOST_SECONDS", 3.0)
    wave = np.full(5 * 16_000, 0.01)
    wave[16_000:32_000], wave[-16_000:] = 0.1, 0.9
    soundfile.write(tmp_path / "yes.wav", wave, 16_000)
    read = dataset.recordings(tmp_path)
    assert np.abs(read.clips.waves).max() == pytest.approx(0.1, abs=0.01)
    assert "looked at" in read.entries[0].done


def test_a_folder_without_sound_is_one_sentence(tmp_path):
    with pytest.raises(audio.AudioError, match="no folder"):
        dataset.recordings(tmp_path / "missing")
    with pytest.raises(audio.AudioError, match="0 files were tried"):
        dataset.recordings(tmp_path)
