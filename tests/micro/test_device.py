"""The model on a Cortex-M4 that is imitated, and what a real chip would take."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from course_lib import micro, tflite
from course_lib.micro import plain_c, record
from course_lib.micro.device import Chip, pcm

cortex_m4 = pytest.mark.skipif(bool(plain_c.missing()), reason="no tools for a Cortex-M4 here")


@pytest.fixture(scope="module")
def model() -> bytes:
    return tflite.load("spotter_int8")


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


def test_estimates_are_plain_arithmetic() -> None:
    chip = Chip("x", "Cortex-M4F", 100e6, 1000, 1000, 50.0, 2.0, "a document")
    guess = micro.estimate(chip, 10_000_000, 1000, 1000)
    assert guess.seconds == (0.1, 0.2) and guess.fits
    assert guess.joules == pytest.approx((1e-3, 2e-3))  # 5 mA at 2 V for 0.1 s
    assert guess.busy_share == pytest.approx(0.8)
    assert not micro.estimate(chip, 1, 1001, 0).fits
    assert not micro.estimate(chip, 1, 0, 1001).fits


def test_every_chip_has_a_source() -> None:
    assert len(micro.CHIPS) == 3
    assert all(len(chip.source) > 20 and chip.core == "Cortex-M4F" for chip in micro.CHIPS)
