"""The pictures and controls of lesson 08: what they say, and what a microphone may send."""

from __future__ import annotations

import base64
import sys
import types
from dataclasses import replace

import numpy as np
import pytest

from course_lib import micro, session
from course_lib.micro import Found, Outcome, Recording, Scores, Spoken, record
from course_lib.micro.arena import ArenaRun
from course_lib.micro.device import DeviceRun
from course_lib.sound import dataset
from course_lib.views import listening, microphone, speak
from course_lib.views import micro as draw
from course_lib.widgets.listening import Detector

SPARE = np.linspace(-0.5, 0.5, 16000, dtype=np.float32)


@pytest.fixture(scope="module")
def device() -> DeviceRun:
    return DeviceRun.from_dict(record.load()["device"], record.date_line())


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch):
    """Return a function that draws a picture and returns every text in it."""
    from course_lib.views import style

    figures = []
    monkeypatch.setattr(style, "show", lambda fig, alt: figures.append((fig, alt)))

    def read(function, *given) -> str:
        import matplotlib.pyplot as plt
        from matplotlib.text import Text

        function(*given)
        fig, alt = figures.pop()
        assert alt
        assert all(axes.has_data() for axes in fig.axes)
        found = [text.get_text() for text in fig.findobj(Text)]
        plt.close(fig)
        return "\n".join(found)

    return read


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


@pytest.fixture(scope="module")
def small() -> tuple[Recording, Scores]:
    """Eight seconds: a yes that is heard, a no that is not, a yes that nobody said."""
    words = (Spoken(1.0, "yes"), Spoken(3.0, "no"), Spoken(5.0, "_unknown_"))
    ends = np.arange(1, 8.01, 0.25)
    shares = np.tile(np.array([[0.9, 0.1, 0.0, 0.0]]), (len(ends), 1))
    shares[np.isclose(ends, 2.0)] = shares[np.isclose(ends, 6.0)] = [0, 0, 1, 0]
    return Recording(np.zeros(8 * 16000, np.float32), words), Scores(ends, shares)


def test_an_outcome_in_one_sentence(small) -> None:
    result = listening.outcome(*small, windows=1, threshold=0.7)
    assert [found.end for found in result.hits] == [2.0]
    assert listening.sentence(result) == (
        "1 of 2 words found, 1 missed, 1 false alarm: 450 an hour."
    )
    calm = listening.outcome(*small, windows=2, threshold=0.7)
    assert not calm.hits and not calm.false_alarms  # a single window is halved
    assert "nan" not in listening.sentence(Outcome((), (Found(1.0, "no", 0.8),), (), 60.0))


def test_the_curve_marks_hits_and_false_alarms(texts, small) -> None:
    said = texts(listening.curve, *small, 1, 0.7, 0.0, 8.0)
    assert "yes ✓" in said and "yes ✗" in said and "no" in said.splitlines()
    assert "% of the words found" in texts(listening.trade, *small)


def test_sliders_change_the_sentence(small) -> None:
    made = Detector(*small, windows=1, threshold=0.7)
    assert "1 of 2 words found" in made.status.value
    made.windows.value = 2
    assert "0 of 2 words found" in made.status.value
    made.windows.value, made.threshold.value = 1, 0.3
    assert "1 of 2 words found" in made.status.value


def test_what_a_microphone_sends_is_taken_or_refused_with_a_reason() -> None:
    beep = np.sin(np.arange(16000) / 5).astype("<f4")
    assert np.array_equal(microphone.take(beep.tobytes(), "", SPARE).wave, beep)
    short = microphone.take(beep[:9000].tobytes() + b"\1\2", "", SPARE)  # half a number is dropped
    assert short.wave.shape == (16000,) and not short.problem
    broken = beep.copy()
    broken[5] = np.nan
    refused = [
        (b"", "", "none"),
        (np.zeros(16000, "<f4").tobytes(), "", "silent"),
        (broken.tobytes(), "", "silent"),
        (beep.tobytes(), "NotAllowedError", "NotAllowedError"),
    ]
    for samples, problem, reason in refused:
        took = microphone.take(samples, problem, SPARE)
        assert took.problem == microphone.REASONS[reason] and took.wave is SPARE
    assert "(OddError)" in microphone.take(b"", "OddError", SPARE).problem


def test_a_page_says_whose_sound_it_is() -> None:
    shares = np.array([0.1, 0.1, 0.7, 0.1])
    mine = speak.page(microphone.Take(SPARE), shares)
    assert "Your recording. Heard: “yes”." in mine and "<audio" in mine
    theirs = speak.page(microphone.Take(SPARE, microphone.REASONS["silent"]), shares[::-1])
    assert "is it muted? This is a bundled clip. Heard: another word." in theirs


def test_the_answer_follows_each_recording() -> None:
    loud = dataset.bundled("test").where(label="no").waves[0]
    heard = []

    def answer(rows: np.ndarray) -> np.ndarray:
        heard.append(rows.shape)
        return np.array([[0.0, 0.0, 0.2, 0.8]])

    made = speak.Speaker(answer, SPARE)
    assert "No microphone was used" in made.view.value
    made._recorded(np.asarray(loud, "<f4").tobytes(), "")
    assert "Your recording. Heard: “no”." in made.view.value and heard == [(1, 49, 40)] * 2
    made._recorded(b"", "NotFoundError")
    assert microphone.REASONS["NotFoundError"] in made.view.value


def test_colab_is_asked_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    beep = np.sin(np.arange(16000) / 5).astype("<f4")
    said, asked = [base64.b64encode(beep.tobytes()).decode(), "!NotAllowedError"], []
    output = types.SimpleNamespace(eval_js=lambda code: asked.append(code) or said.pop(0))
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    colab = types.ModuleType("google.colab")
    colab.output = output
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    monkeypatch.setattr(session, "in_colab", lambda: True)
    got = []
    button = microphone.microphone(lambda samples, problem: got.append((samples, problem)))
    button.click()
    button.click()
    assert got == [(beep.tobytes(), ""), (b"", "NotAllowedError")]
    assert "getUserMedia" in asked[0] and "export" not in asked[0]
