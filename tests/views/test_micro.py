"""The pictures of lesson 08's models on a chip: what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from course_lib import micro
from course_lib.micro import record
from course_lib.micro.device import DeviceRun
from course_lib.micro.interpreter import ArenaRun
from course_lib.views import micro as draw


@pytest.fixture(scope="module")
def device() -> DeviceRun:
    return DeviceRun.from_dict(record.load()["device"], record.date_line())


def test_the_arena_s_parts_add_up_and_its_origin_is_named(texts) -> None:
    run = ArenaRun.from_dict(record.load()["arena"], record.date_line())
    said = texts(draw.arena, run)
    assert f"{run.smallest_bytes:,} bytes are enough (recorded on " in said
    shares = [line for line in said.splitlines() if line.endswith(" B")]
    assert sum(int(share[:-2].replace(",", "")) for share in shares) == run.allocations.total_bytes
    assert "tensors that come and go" in said


def test_layers_and_parts_show_their_numbers(texts, device: DeviceRun) -> None:
    said = texts(draw.layers, device)
    assert all(f"{count:,}" in said for count in device.instructions)
    assert f"{device.feature_instructions:,}" in said and "recorded on" in said
    assert f"{device.instructions[0] / device.layers[0].macs:.1f} a multiply" in said
    said = texts(draw.parts, device)
    assert f"flash: {device.flash_bytes:,} B" in said
    assert f"memory: {device.ram_bytes:,} B" in said


def test_chips_show_both_ends_of_an_estimate_and_their_sources(texts) -> None:
    chip = replace(micro.CHIPS[0], clock_hz=1e6, microamperes_per_mhz=50.0, volts=2.0)
    said = texts(draw.chips, [micro.estimate(chip, 7000, 1, 1)])
    assert "7 to 14" in said  # milliseconds
    assert "1 to 1" in said  # 7,000 cycles x 50 pC x 2 V are 0.7 microjoules, twice that 1.4
    assert chip.source in said and "not measurements" in said


def test_runtimes_are_a_table_of_every_two(texts) -> None:
    same = np.zeros((4, 4), np.int8)
    other = same.copy()
    other[0, 1] = 3
    compared = micro.Runtimes({"a": same, "b": other, "micro": same}, "made up")
    said = texts(draw.runtimes, compared)
    assert said.count("75.0% equal\n≤ 3 steps, 1 other word\n") + said.count("1 other word") >= 4
    assert "100.0% equal" in said and "micro: made up" in said
