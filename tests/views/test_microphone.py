"""What a microphone may send, and how Colab is asked for it."""

from __future__ import annotations

import base64
import sys
import types

import numpy as np
import pytest

from course_lib import session
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
    button = microphone.record_button(lambda samples, problem: got.append((samples, problem)))
    button.click()
    button.click()
    assert got == [(beep.tobytes(), ""), (b"", "NotAllowedError")]
    assert "getUserMedia" in asked[0] and "export" not in asked[0]
