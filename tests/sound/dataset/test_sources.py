"""Real Speech Commands, from a server that lays it out alike, and the switch between sources."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import zipfile
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import soundfile

from course_lib import cli
from course_lib.session import commands
from course_lib.sound import audio, augmentation, dataset, download
from course_lib.sound.dataset import sources
from tests.faulty_server import Faulty, served

WORDS = ("down", "go", "left", "no", "right", "stop", "up", "yes")
SPEAKERS = [hashlib.sha1(bytes([n])).hexdigest()[:8] for n in range(30)]
impatient = partial(download.fetch, tries=2, patience_seconds=0.4, pause=lambda seconds: None)


def wav(seconds: float = 1.0, rate_hz: int = 16_000, seed: int = 0, channels: int = 1) -> bytes:
    rng = np.random.default_rng(seed)
    wave = rng.uniform(-0.3, 0.3, (int(seconds * rate_hz), channels))
    buffer = io.BytesIO()
    soundfile.write(buffer, wave, rate_hz, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def words() -> dict[str, bytes]:
    """Thirty speakers who say each of eight words once, a little shorter than a second."""
    return {
        f"{word}/{speaker}_nohash_0.wav": wav(0.9, seed=place)
        for word in WORDS
        for place, speaker in enumerate(SPEAKERS)
    }


@pytest.fixture(scope="module")
def archives() -> dict[str, bytes]:
    """The full set with lists, licence and noises, as a .tar.gz, and the mini set as a .zip."""
    full = {
        **words(),
        "LICENSE": b"CC BY 4.0",
        "testing_list.txt": "".join(f"{w}/{SPEAKERS[0]}_nohash_0.wav\n" for w in WORDS).encode(),
        "validation_list.txt": "".join(
            f"{w}/{s}_nohash_0.wav\n" for w in WORDS for s in SPEAKERS[1:3]
        ).encode(),
        "_background_noise_/README.md": b"noises",
        **{f"_background_noise_/noise_{n}.wav": wav(20, seed=100 + n) for n in (1, 2)},
    }
    packed, zipped = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in full.items():
            about = tarfile.TarInfo(f"./{name}")
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))
    with zipfile.ZipFile(zipped, "w") as archive:
        for name, data in words().items():
            archive.writestr(f"mini_speech_commands/{name}", data)
            archive.writestr(f"__MACOSX/{name.replace('/', '/._')}", b"x")
        archive.writestr("mini_speech_commands/README.md", b"words")
    return {
        "speech_commands_v0.02.tar.gz": packed.getvalue(),
        "mini_speech_commands.zip": zipped.getvalue(),
    }


@pytest.fixture
def server(archives, tmp_path, monkeypatch):
    """The two archives on a server, in place of the real ones, and a cache of their own."""
    with served(dict(archives)) as running:
        for kind, archive in sources.ARCHIVES.items():
            data = archives[archive.remote.name]
            digest = hashlib.sha256(data).hexdigest()
            there = download.Remote(running.url(archive.remote.name), len(data), digest)
            monkeypatch.setitem(sources.ARCHIVES, kind, replace(archive, remote=there))
        monkeypatch.setenv("WORKBOOK_CACHE", str(tmp_path / "cache"))
        sources._fetched.cache_clear()
        yield running
        sources._fetched.cache_clear()


def test_the_real_archives_are_named_by_address_size_and_checksum():
    for archive in sources.ARCHIVES.values():
        assert archive.remote.url.startswith("https://storage.googleapis.com/")
        assert re.fullmatch("[0-9a-f]{64}", archive.remote.sha256)
        assert archive.remote.bytes < archive.most_bytes
    assert set(dataset.SOURCES) == {"bundled", "mini", "full"}


def test_the_full_set_comes_with_its_own_lists_and_noises(server: Faulty, tmp_path):
    clips = {split: dataset.load("full", split) for split in dataset.SPLITS}
    assert len(server.asked) == 1  # one download for all of them
    spoken = {
        split: {voice for voice in each.voices if voice != "noise"} for split, each in clips.items()
    }
    assert spoken["test"] == {SPEAKERS[0]} and spoken["validation"] == set(SPEAKERS[1:3])
    assert spoken["train"] == set(SPEAKERS[3:])
    for split, each in clips.items():
        count = 8 * len(spoken[split])
        assert each.waves.shape == (count + round(0.1 * count), 16_000)
        silence = each.where(label="_silence_")
        assert set(silence.engines) == {"background"} and set(silence.words) == {"_silence_"}
        assert len(each.where(label="yes")) == len(each.where(label="no")) == len(spoken[split])
        assert len(each.where(label="_unknown_")) == 6 * len(spoken[split])
    (folder,) = (tmp_path / "cache" / "speech_commands").iterdir()
    assert folder.is_dir()  # the archive is not kept, nor anything half done


def test_no_second_of_noise_is_in_two_splits(server):
    heard = {}
    folder = sources.words_folder(sources.ARCHIVES["full"])
    whole = [audio.read(path) for path in sorted((folder / "_background_noise_").glob("*.wav"))]
    for split in dataset.SPLITS:
        silence = dataset.load("full", split).where(label="_silence_")
        for wave, name in zip(silence.waves, silence.files, strict=True):
            noise = whole[int(name.split("noise_")[-1][0]) - 1]
            match = np.correlate(noise, wave[:200], "valid").argmax()
            heard.setdefault(split, []).append(match)
    assert max(heard["train"]) + 16_000 <= 256_000 + 1 <= min(heard["validation"]) + 1
    assert max(heard["validation"]) < 288_000 <= min(heard["test"])


def test_the_mini_set_is_split_by_the_rule_and_cached(server: Faulty):
    clips = {split: dataset.load("mini", split) for split in dataset.SPLITS}
    for split, each in clips.items():
        assert {sources.held_out(file) for file in each.files if "nohash" in file} == {split}
        assert set(each.where(label="_silence_").engines) == {"noise"}
    sources._fetched.cache_clear()
    again = dataset.load("mini", "test")
    assert again.files == clips["test"].files and len(server.asked) == 1


def test_the_rule_keeps_a_speaker_in_one_split_and_holds_out_a_tenth_each():
    names = [f"yes/{hashlib.md5(bytes([n % 256, n // 256])).hexdigest()[:8]}" for n in range(4_000)]
    split_of = {name: sources.held_out(f"{name}_nohash_0.wav") for name in names}
    for split in ("validation", "test"):
        assert 0.08 < list(split_of.values()).count(split) / len(names) < 0.12
    for name, split in split_of.items():
        assert sources.held_out(name.replace("yes", "no") + "_nohash_3.wav") == split
    # speakers of the published testing and validation lists
    assert sources.held_out("go/5e3dde6b_nohash_4.wav") == "test"
    assert sources.held_out("on/210f3aa9_nohash_1.wav") == "test"


def test_of_a_large_split_an_even_part_is_drawn_the_same_every_time(server):
    part = dataset.load("full", "train", most=100)
    assert len(part) == 110
    counts = {word: part.words.count(word) for word in WORDS}
    assert counts["yes"] == counts["no"] == 25
    assert all(8 <= counts[word] <= 9 for word in WORDS if word not in ("yes", "no"))
    sources._fetched.cache_clear()
    again = dataset.load("full", "train", most=100)
    assert again.files == part.files and np.array_equal(again.waves, part.waves)


@pytest.mark.parametrize("fault", ["cut", "stall", "500", "hangs up"])
def test_a_broken_download_is_one_sentence_and_goes_on(server: Faulty, tmp_path, fault):
    archive = sources.ARCHIVES["mini"]
    server.faults = ["cut", fault, *3 * ["hangs up"]]
    with pytest.raises(download.DownloadError, match="goes on from there"):
        sources.words_folder(archive, tmp_path, impatient)
    assert not (tmp_path / "speech_commands" / "mini_speech_commands").exists()
    server.faults.clear()
    folder = sources.words_folder(archive, tmp_path, impatient)
    assert int(server.asked[-1]["Range"][6:-1]) >= archive.remote.bytes // 2 - 2**16
    assert sum(map(len, sources.splits(folder).values())) == 240


@pytest.mark.parametrize("fault", ["404", "short", "long", "other content"])
def test_a_wrong_download_is_one_sentence_and_leaves_nothing(server: Faulty, tmp_path, fault):
    archive = sources.ARCHIVES["mini"]
    right = server.files[archive.remote.name]
    if fault == "other content":
        server.files[archive.remote.name] = right[:-1] + b"?"
    else:
        server.faults = [fault]
    with pytest.raises(download.DownloadError, match="bundled") as error:
        sources.words_folder(archive, tmp_path, impatient)
    assert "\n" not in str(error.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_dir() and "mini" in path.name]
    server.files[archive.remote.name] = right
    assert sources.words_folder(archive, tmp_path, impatient).is_dir()


def test_a_folder_that_lost_its_words_says_what_to_delete(server, tmp_path):
    (tmp_path / "speech_commands" / "mini_speech_commands").mkdir(parents=True)
    with pytest.raises(download.DownloadError, match="delete that folder"):
        sources.words_folder(sources.ARCHIVES["mini"], tmp_path)


def test_the_command_line_fetches_ahead_and_says_what_there_is(server: Faulty, tmp_path, capsys):
    server.faults = ["404"]
    assert cli.main(["download", "mini"]) == commands.UNUSABLE
    assert "HTTP 404" in capsys.readouterr().err
    assert cli.main(["download", "full", "--quiet", "--out", str(tmp_path / "there")]) == 0
    told = capsys.readouterr()
    assert "216 for train, 16 for validation, 8 for test" in told.out and told.err == ""
    assert (tmp_path / "there" / "speech_commands" / "speech_commands_v0.02").is_dir()


def test_the_switch_takes_only_what_there_is():
    assert dataset.load() is dataset.bundled("train")
    assert 50 < len(dataset.load("bundled", "test", most=100)) <= 100
    with pytest.raises(ValueError, match="choose one of bundled, mini, full"):
        dataset.load("large")
    with pytest.raises(ValueError, match="choose one of train"):
        dataset.load("mini", "testing")


def test_real_noise_becomes_half_of_the_silence_that_is_trained_on(server):
    """Silenced background noise gives silent clips: so many as are taken from it."""
    clips = dataset.load("full", "train", most=60)
    waves = clips.waves.copy()
    waves[np.array(clips.engines) == "background"] = 0
    silent = replace(clips, waves=waves)
    made, labels = augmentation.training_set(silent, 80, 0, workers=1)
    quiet = made[labels == dataset.SILENCE]
    flat = [np.ptp(clip) < 1e-3 for clip in quiet]
    assert len(quiet) == 10 and sum(flat) == 5
