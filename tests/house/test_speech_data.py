"""The bundled clips are what their manifest says, and the recipe's parts do what it needs."""

from __future__ import annotations

import csv
import hashlib
import random
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from data.recipe import choose, keep, make_speech, origins, publish, report, sound, words
from data.recipe.engines import ENGINES, Request, base
from data.recipe.engines.kokoro import Kokoro
from data.recipe.listen import Heard

SPEECH = Path(__file__).resolve().parents[2] / "data" / "speech"
README = (SPEECH / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with open(SPEECH / "manifest.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def clips(rows) -> dict[str, np.ndarray]:
    return {row["file"]: soundfile.read(SPEECH / row["file"], dtype="int16")[0] for row in rows}


# the bundled clips


def test_the_manifest_names_every_file_and_no_other(rows):
    assert tuple(rows[0]) == publish.COLUMNS
    named = [row["file"] for row in rows]
    found = sorted(path.relative_to(SPEECH).as_posix() for path in SPEECH.rglob("*.flac"))
    assert sorted(named) == found and len(set(named)) == len(named)
    strangers = [
        path.name for path in SPEECH.rglob("*") if path.is_file() and path.suffix != ".flac"
    ]
    assert sorted(strangers) == ["README.md", "manifest.csv"]


def test_every_clip_has_the_bytes_and_the_length_that_the_manifest_says(rows, clips):
    for row in rows:
        data = (SPEECH / row["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"], row["file"]
        assert len(clips[row["file"]]) == int(row["samples"]), row["file"]


def test_every_clip_is_16_khz_mono_16_bit_flac(rows):
    for row in rows:
        info = soundfile.info(SPEECH / row["file"])
        assert (info.format, info.subtype, info.samplerate, info.channels) == (
            "FLAC",
            "PCM_16",
            16_000,
            1,
        ), row["file"]


def test_names_are_plain_and_tell_word_and_voice(rows):
    for row in rows:
        assert re.fullmatch(r"[a-z]+/[a-z0-9-]+_nohash_\d+\.flac", row["file"])
        assert row["file"].startswith(f"{row['word']}/{row['voice']}_nohash_")
        assert row["voice"].startswith(f"{row['engine']}-")


def test_no_voice_is_in_two_splits_and_every_engine_is_in_each(rows):
    splits = defaultdict(set)
    for row in rows:
        splits[row["voice"]].add(row["split"])
    assert {len(found) for found in splits.values()} == {1}
    assert {(row["engine"], row["split"]) for row in rows} == {
        (engine, split) for engine in ENGINES for split in words.SPLITS
    }


def test_blends_are_made_of_training_voices_only(rows):
    train = {voice.replace("_", "-") for voice in Kokoro.voices["train"]}
    held_out = {
        voice.replace("_", "-")
        for split in ("validation", "test")
        for voice in Kokoro.voices[split]
    }
    assert not train & held_out
    for row in rows:
        if row["engine"] == "kokoro":
            inside = {name for name in train | held_out if name in row["voice"]}
            assert inside <= train if row["split"] == "train" else row["voice"][7:] in held_out


def test_a_person_whom_two_engines_know_is_in_one_split(rows):
    splits = defaultdict(set)
    for row in rows:
        for person in ("kal", "slt", "awb", "rms", "ked"):
            if row["engine"] in ("flite", "festival") and person in row["voice"]:
                splits[person].add(row["split"])
    assert set(splits) == {"kal", "slt", "awb", "rms", "ked"}
    assert {len(found) for found in splits.values()} == {1}


def test_the_set_is_small_and_mostly_the_engine_that_sounds_like_people(rows):
    assert 2_300 <= len(rows) <= 2_600
    assert sum((SPEECH / row["file"]).stat().st_size for row in rows) <= 25_000_000
    engines, splits = (Counter(row[name] for row in rows) for name in ("engine", "split"))
    assert engines["kokoro"] > len(rows) / 2
    assert all(0.08 < splits[name] / len(rows) < 0.13 for name in ("validation", "test"))


def test_every_word_is_there_and_know_is_not(rows):
    found = Counter(row["word"] for row in rows if row["split"] == "train")
    assert set(found) == set(words.WORDS) and len(set(found) - {"yes", "no"}) >= 78
    assert "know" not in found and not words.SAME_SOUND & set(words.WORDS)
    assert found["yes"] >= 280 and found["no"] >= 370 and found["go"] >= 115
    assert min(found[word] for word in ("down", "left")) >= 80 and found["up"] >= 60
    assert min(found[word] for word in words.COMMANDS) >= 35 and min(found.values()) >= 5
    for split in ("validation", "test"):
        held = Counter(row["word"] for row in rows if row["split"] == split)
        assert held["yes"] >= 40 and held["no"] >= 50
        assert all(held[word] >= 6 for word in words.COMMANDS)


def test_clips_are_trimmed_words_at_one_level(rows, clips):
    for name, samples in clips.items():
        assert 0.15 <= len(samples) / 16_000 <= 1.1, name
        wave = samples / 32_768
        assert np.abs(wave).max() == pytest.approx(sound.PEAK, abs=1e-3), name
        assert abs(wave.mean()) < 0.02, name
        assert np.sqrt(np.mean(wave**2)) > 0.01, name
        frames = wave[: len(wave) // 160 * 160].reshape(-1, 160)
        level = np.sqrt((frames**2).mean(axis=1))
        assert np.argmax(level > 0.015 * level.max()) <= 5, f"{name} begins with silence"
        assert np.argmax(level[::-1] > 0.015 * level.max()) <= 8, f"{name} ends with silence"


def test_no_clip_is_there_twice(rows):
    assert len({row["sha256"] for row in rows}) == len(rows)


def test_the_readme_tells_every_origin_and_true_figures(rows):
    table = origins.table({row["voice"] for row in rows})
    assert {row[0] for row in table} == set(ENGINES)
    for row in table:
        assert "| " + " | ".join(row) + " |" in README
    assert f"{len(rows):,} clips of {len({row['word'] for row in rows})} spoken words" in README
    for engine in ENGINES:
        count = sum(row["engine"] == engine and row["split"] == "train" for row in rows)
        assert f"| {engine} | {count} (" in README


# the recipe


def test_trim_keeps_the_sound_and_short_margins():
    wave = np.zeros(16_000, np.float32)
    wave[6_000:9_000] = np.sin(np.arange(3_000) * 0.3)
    kept = sound.trim(wave)
    assert 3_000 + 480 + 800 <= len(kept) <= 3_000 + 480 + 800 + 320
    assert not kept[:400].any() and not kept[-700:].any()
    assert len(sound.trim(np.ones(4_000, np.float32))) == 4_000


@pytest.mark.parametrize("nothing", [np.zeros(16_000, np.float32), np.zeros(0, np.float32)])
def test_trim_refuses_silence(nothing):
    with pytest.raises(sound.Unusable, match="silent"):
        sound.trim(nothing)


def test_clip_resamples_and_levels_and_refuses_what_is_no_word():
    tone = np.sin(2 * np.pi * 440 * np.arange(12_000) / 24_000).astype(np.float32)
    made = sound.clip(tone, 24_000)
    assert made.dtype == np.int16 and 7_900 <= len(made) <= 8_100
    assert np.abs(made).max() == round(sound.PEAK * 32_767)
    with pytest.raises(sound.Unusable, match=r"lasts 2\.\d+ s"):
        sound.clip(np.tile(tone, 4), 24_000)
    with pytest.raises(ValueError, match="sample rate of 0 Hz"):
        sound.resample(tone, 0)


def test_flac_bytes_are_lossless():
    import io

    samples = np.random.default_rng(0).integers(-9_000, 9_000, 4_000).astype(np.int16)
    back, rate_hz = soundfile.read(io.BytesIO(sound.flac_bytes(samples)), dtype="int16")
    assert rate_hz == 16_000 and np.array_equal(back, samples)


def test_wanted_counts_and_their_wrong_cases():
    assert words.wanted("no", "train") == 400 and words.wanted("stop", "test") == 8
    assert sum(words.wanted(word, split) for word in words.WORDS for split in words.SPLITS) <= 2_600
    with pytest.raises(ValueError, match="no word 'know'"):
        words.wanted("know", "train")
    with pytest.raises(ValueError, match="no split 'dev'"):
        words.wanted("no", "dev")


def test_share_out_keeps_every_sum_and_follows_the_shares():
    dealt = choose.share_out({"no": 100, "a": 1, "b": 1, "c": 2}, {"x": 3, "y": 1})
    assert {key: sum(found.values()) for key, found in dealt.items()} == {
        "no": 100,
        "a": 1,
        "b": 1,
        "c": 2,
    }
    assert dealt["no"] == {"x": 75, "y": 25}
    assert sum(dealt[key]["y"] for key in "abc") == 1
    with pytest.raises(ValueError, match="positive"):
        choose.share_out({"no": 1}, {"x": 0.0})


def test_places_scale_and_refuse_a_senseless_scale():
    small = choose.places(["espeak", "flite"], 0.02)
    assert {place.word for place in small} == set(words.WORDS)
    assert sum(place.count for place in small) < 400
    with pytest.raises(ValueError, match="scale of 0"):
        choose.places(["espeak"], 0)


def rivals_of(place: choose.Place, number: int) -> list[choose.Candidate]:
    return [
        choose.Candidate(place, turn, Request(place.engine, "m1", place.word, {"n": turn}))
        for turn in range(number)
    ]


def test_best_takes_what_was_heard_in_turn_then_the_nearest_and_no_stranger():
    place = choose.Place("train", "no", "espeak", 3)
    rivals = rivals_of(place, 6)
    keys = [rival.request.key for rival in rivals]
    leads = dict(zip(keys, [99.0, 0.0, 121.0, 10.0, 40.0, 0.0], strict=True))
    assert [c.turn for c in choose.best(rivals, leads, place)] == [1, 3, 5]
    del leads[keys[1]]  # as when it has no usable sound
    assert [c.turn for c in choose.best(rivals, leads, place)] == [3, 4, 5]
    assert choose.best(rivals, {keys[2]: 121.0}, place) == []
    assert [c.turn for c in choose.best(rivals[:1] * 3, leads, place)] == [0]
    with pytest.raises(ValueError, match="positive count"):
        choose.best(rivals, leads, choose.Place("train", "no", "espeak", 0))


def test_candidates_are_the_same_in_every_run(tmp_path):
    place = choose.Place("validation", "go", "espeak", 4)
    one, two = (choose.candidates(place, ENGINES["espeak"](tmp_path)) for _ in range(2))
    assert one == two and len(one) > 4
    assert len({c.request.key for c in one}) == len(one)
    assert {c.request.voice for c in one} <= set(ENGINES["espeak"].voices["validation"])


def test_safe_names_and_their_wrong_cases():
    assert choose.safe_name("kokoro", "af_bella-am_adam-40", 3) == (
        "kokoro-af-bella-am-adam-40_nohash_3.flac"
    )
    for voice, number in (("../", 0), ("é", 0), ("m1", -1)):
        with pytest.raises(ValueError, match="gives no file name"):
            choose.safe_name("espeak", voice, number)


def test_every_voice_of_every_engine_has_an_origin_and_others_have_none():
    for name, engine in ENGINES.items():
        for voice in (v for voices in engine.voices.values() for v in voices):
            speaker = choose.safe_name(name, voice, 0).partition("_nohash_")[0]
            assert origins.origin_of(speaker).engine == name
    for stranger in ("festival-kal", "mbrola-us1", "kokoro"):
        with pytest.raises(ValueError, match="has no origin"):
            origins.origin_of(stranger)


def test_a_table_refuses_a_row_of_another_width():
    assert report.markdown(["a", "b"], [[1, 2]]).splitlines()[-1] == "| 1 | 2 |"
    with pytest.raises(ValueError, match="1 cells"):
        report.markdown(["a", "b"], [[1]])


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    target = tmp_path / "a" / "clip.flac"
    keep.write(target, b"first")

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(keep.os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        keep.write(target, b"second")
    assert target.read_bytes() == b"first"
    assert [path.name for path in target.parent.iterdir()] == ["clip.flac"]


def chosen_and_heard(cache: Path) -> tuple[list[choose.Candidate], dict]:
    """Two clips of noise that nobody spoke, as if an engine had spoken them."""
    place = choose.Place("train", "no", "espeak", 2)
    chosen = rivals_of(place, 2)
    for seed, candidate in enumerate(chosen):
        noise = np.random.default_rng(seed).integers(-9_000, 9_000, 8_000)
        keep.store(cache, candidate.request.key, noise.astype(np.int16))
    pairs = {"espeak": [("no", Heard("no", 0.0)), ("no", Heard("note", 30.0))]}
    return chosen, {"candidates": pairs, "kept": pairs}


def test_publishing_replaces_the_old_set_in_one_step(tmp_path):
    chosen, heard = chosen_and_heard(tmp_path / "cache")
    out = tmp_path / "speech"
    (out / "old").mkdir(parents=True)
    assert publish.publish(out, chosen, tmp_path / "cache", heard) == 2
    assert sorted(path.name for path in out.rglob("*") if path.is_file()) == [
        "README.md",
        "espeak-m1_nohash_0.flac",
        "espeak-m1_nohash_1.flac",
        "manifest.csv",
    ]
    assert "| espeak | 2 | 50% | 50% | 2 | 50% | 50% |" in (out / "README.md").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "speech"]


def test_a_set_that_is_too_large_leaves_the_old_one(tmp_path, monkeypatch):
    chosen, heard = chosen_and_heard(tmp_path / "cache")
    out = tmp_path / "speech"
    out.mkdir()
    (out / "README.md").write_text("old")
    monkeypatch.setattr(publish, "MOST_BYTES", 10)
    with pytest.raises(ValueError, match="ask for fewer"):
        publish.publish(out, chosen, tmp_path / "cache", heard)
    assert (out / "README.md").read_text() == "old"


def test_a_missing_engine_is_told_in_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(base.shutil, "which", lambda _: None)
    code = make_speech.main(
        ["--out", str(tmp_path / "x"), "--engines", "espeak", "--cache", str(tmp_path)]
    )
    said = capsys.readouterr().err.strip()
    assert code == 1 and said == (
        "make_speech: espeak-ng is missing: install it with `apt-get install espeak-ng`."
    )
    assert not (tmp_path / "x").exists()


def test_a_program_that_fails_says_why():
    with pytest.raises(OSError, match="python3 stopped with code 3: no voice"):
        base.run("python3", "-c", "import sys; print('no voice', file=sys.stderr); sys.exit(3)")


def test_kokoro_blends_in_training_only_and_stretches_vowels(tmp_path):
    engine = Kokoro(tmp_path)
    engine.__dict__["_lexicons"] = {"us": {"no": "nˈO"}, "gb": {"no": "nˈQ"}}
    asked = [
        engine.request("no", split, random.Random(seed))
        for split in words.SPLITS
        for seed in range(60)
    ]
    for request in asked:
        text = request.settings["lead"] + request.settings["phonemes"]
        assert len(request.settings["extra_frames"]) == len(text) + 2
    assert all(not request.settings["other"] for request in asked[60:])
    assert sum(bool(request.settings["other"]) for request in asked[:60]) > 20
    assert max(max(request.settings["extra_frames"]) for request in asked) == 4
    with pytest.raises(ValueError, match="No lexicon has 'xyzzy'"):
        engine.phonemes("xyzzy", "us")


def test_only_kokoros_graph_can_be_edited():
    onnx = pytest.importorskip("onnx")
    from data.recipe.engines import kokoro_graph

    kind = onnx.TensorProto.FLOAT
    values = [
        onnx.helper.make_tensor_value_info(n, kind, [1, None]) for n in ("x", kokoro_graph.FRAMES)
    ]
    nodes = [
        onnx.helper.make_node("Round", ["x"], ["/encoder/Round_output_0"]),
        onnx.helper.make_node("Clip", ["/encoder/Round_output_0"], [kokoro_graph.FRAMES]),
    ]
    graph = onnx.helper.make_graph(nodes, "g", values[:1], values[1:])
    edited = onnx.load_from_string(
        kokoro_graph.with_extra_frames(onnx.helper.make_model(graph).SerializeToString())
    )
    assert [node.op_type for node in edited.graph.node] == ["Round", "Add", "Clip"]
    assert edited.graph.node[2].input[0] == edited.graph.node[1].output[0]
    assert [value.name for value in edited.graph.input] == ["x", kokoro_graph.EXTRA_FRAMES]
    other = onnx.helper.make_graph(nodes[1:], "g", values[:1], values[1:])
    with pytest.raises(ValueError, match="no Kokoro graph"):
        kokoro_graph.with_extra_frames(onnx.helper.make_model(other).SerializeToString())
