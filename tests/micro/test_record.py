"""Runs made here and recorded ones: they tell the same, and say which they are."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from course_lib import micro, session, tflite
from course_lib.micro import __main__ as command
from course_lib.micro import plain_c, record
from course_lib.micro.__main__ import record_run
from course_lib.micro.device import pcm
from course_lib.micro.runtimes import MICRO, RUNTIMES, Difference, Runtimes
from course_lib.sound import dataset, features

cortex_m4 = pytest.mark.skipif(bool(plain_c.missing()), reason="no tools for a Cortex-M4 here")
with_micro = pytest.mark.skipif(not micro.available(), reason="tflite-micro is not installed")


@pytest.fixture(scope="module")
def model() -> bytes:
    return tflite.load("spotter_int8")


@pytest.fixture
def without_tools(monkeypatch) -> None:
    monkeypatch.setattr(plain_c.build.__globals__["shutil"], "which", lambda name: None)
    monkeypatch.setattr(micro.interpreter, "PACKAGE", "no_such_package")


def test_the_recorded_run_belongs_to_the_shipped_model(model: bytes) -> None:
    kept = record.load()
    assert kept["model"] == record.digest(model), f"Record it again: `{record._COMMAND}`."
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", kept["date"]) and len(kept["tools"]) == 3
    assert (session.data_path("micro") / "README.md").is_file()


def test_without_tools_the_recorded_run_is_shown_and_says_so(model: bytes, without_tools) -> None:
    clips = dataset.bundled("test")[:4]
    device = micro.on_cortex_m4(model, clips.waves)
    arena = micro.arena_of(model)
    runtimes = micro.compare_runtimes(model, features.log_mel(clips.waves))
    date = record.load()["date"]
    for run in (device, arena, runtimes):
        assert run.where.startswith(f"recorded on {date} with tflite-micro")
    assert device.clips >= 100 and device.different_bytes == 0 and device.other_words == 0
    assert device.flash_bytes > len(model) and len(device.instructions) == len(device.layers)
    assert arena.grown_bytes == 0 < arena.smallest_bytes
    assert runtimes.difference("LiteRT", MICRO).clips >= 1000
    assert runtimes.difference("LiteRT", "LiteRT, reference").clips == 4
    assert MICRO not in runtimes.answers and runtimes.names[-1] == MICRO


@with_micro
def test_the_recorded_arena_is_the_one_of_today(model: bytes) -> None:
    here = micro.arena_of(model, runs=3)
    kept = micro.ArenaRun.from_dict(record.load()["arena"], "")
    assert here.where == record.HERE
    assert (here.smallest_bytes, here.allocations) == (kept.smallest_bytes, kept.allocations)


@cortex_m4
def test_a_run_on_the_chip_is_close_to_the_recorded_one(model: bytes) -> None:
    """Another compiler gives other code, so instructions are compared within a factor."""
    here = micro.on_cortex_m4(model, micro.device_clips().waves[:3])
    kept = micro.DeviceRun.from_dict(record.load()["device"], "")
    assert here.where == record.HERE and here.clips == 3
    assert here.different_bytes == here.other_words == 0 and here.compared_bytes == 12
    assert here.layers == kept.layers and here.memory_bytes == kept.memory_bytes
    assert 0.5 < here.model_instructions / kept.model_instructions < 2
    assert here.macs == sum(layer.macs for layer in here.layers)
    assert micro.DeviceRun.from_dict(json.loads(json.dumps(_plain(here))), here.where) == here


def _plain(run: micro.DeviceRun) -> dict:
    kept = asdict(run)
    del kept["where"]
    return kept


@cortex_m4
def test_clips_of_another_length_are_refused(model: bytes) -> None:
    with pytest.raises(ValueError, match="16000"):
        micro.on_cortex_m4(model, np.zeros((1, 8000)))


def test_samples_of_a_microphone_saturate() -> None:
    waves = np.array([[0.0, 0.5, 1.0, -1.0, -2.0]])
    assert pcm(waves).tolist() == [[0, 16384, 32767, -32768, -32768]]


# Runtimes


@pytest.mark.skipif(not micro.available(), reason="tflite-micro is not installed")
def test_runtimes_are_compared_clip_by_clip(model: bytes) -> None:
    rows = features.of(dataset.bundled("test"))[:80]
    runtimes = micro.compare_runtimes(model, rows)
    assert runtimes.names == (*RUNTIMES, MICRO) and runtimes.where == record.HERE
    rounding = runtimes.difference("LiteRT, reference", MICRO)
    assert rounding.different <= 5 and rounding.decisions == 0
    fast = runtimes.difference("LiteRT", "LiteRT, reference")
    assert fast.different > rounding.different  # the delegate rounds in its own way
    assert runtimes.difference(MICRO, MICRO) == Difference(80, 0, 0, 0)
    with pytest.raises(LookupError, match="no 'TensorRT'"):
        runtimes.difference("LiteRT", "TensorRT")


def test_a_difference_counts_clips_steps_and_decisions() -> None:
    one = np.array([[10, -10], [0, 1], [5, 5], [100, -100]], np.int8)
    two = np.array([[10, -10], [1, 0], [5, 4], [-128, 127]], np.int8)
    found = Runtimes({"a": one, "b": two}, "").difference("a", "b")
    assert found == Difference(clips=4, different=3, largest=228, decisions=2)
    assert found.equal_share == 0.25


def test_enough_clips_are_compared() -> None:
    assert len(micro.compared_clips()) >= 1000
    assert 100 <= len(micro.device_clips()) <= 300
    assert set(micro.device_clips().labels) == {0, 1, 2, 3}


# The command


def test_recording_without_tools_says_what_is_missing(
    without_tools, tmp_path: Path, capsys, monkeypatch
) -> None:
    assert command.main(["record", "--folder", str(tmp_path)]) == 4
    assert "Linux" in capsys.readouterr().err and not list(tmp_path.iterdir())
    monkeypatch.undo()
    monkeypatch.setattr(plain_c.build.__globals__["shutil"], "which", lambda name: None)
    if micro.available():
        assert command.main(["record", "--folder", str(tmp_path)]) == 4
        assert "qemu-system-arm cannot be found" in capsys.readouterr().err


@cortex_m4
@with_micro
@pytest.mark.slow
def test_recording_is_one_command(tmp_path: Path, capsys) -> None:
    assert record_run(tmp_path) == tmp_path
    fresh = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    kept = record.load()
    assert fresh.keys() == kept.keys() and fresh["model"] == kept["model"]
    assert fresh["device"]["layers"] == kept["device"]["layers"]


def test_a_missing_record_says_how_to_make_it(monkeypatch, tmp_path: Path) -> None:
    record.load.cache_clear()
    monkeypatch.setattr(session, "data_path", lambda *parts: tmp_path.joinpath(*parts))
    with pytest.raises(FileNotFoundError, match="course_lib.micro record"):
        record.load()
    record.load.cache_clear()
