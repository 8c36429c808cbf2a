"""What a microphone may send, and how Colab is asked for it."""

from __future__ import annotations

import base64
import sys

import numpy as np

from course_lib.views import microphone

SPARE = np.linspace(-0.5, 0.5, 16000, dtype=np.float32)


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


def test_colab_is_asked_in_its_own_way(colab) -> None:
    beep = np.sin(np.arange(16000) / 5).astype("<f4")
    said = base64.b64encode(beep.tobytes()).decode()
    sys.modules["google.colab"].output.answers.insert(0, said)
    got = []
    button = microphone.record_button(lambda samples, problem: got.append((samples, problem)))
    button.click()
    button.click()
    assert got == [(beep.tobytes(), ""), (b"", "NotAllowedError")]
    asked = [each["script"] for each in colab() if each["called"] == "eval_js"]
    assert len(asked) == 2 and "getUserMedia" in asked[0] and "export" not in asked[0]
