"""Runs made here and recorded ones: they tell the same, and say which they are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from course_lib import micro, session, tflite
from course_lib.micro import __main__ as command
from course_lib.micro import plain_c, record
from course_lib.micro.__main__ import record_run
from course_lib.micro.runtimes import MICRO
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
