"""The recorder of one's own words: every take is saved at once, or the page says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from course_lib.project import recorder
from course_lib.sound import audio
from course_lib.views.microphone import REASONS


def _sine(number: int) -> np.ndarray:
    return (0.3 * np.sin(np.arange(16_000) / (5 + number))).astype(np.float32)


def _sound(seconds: float = 1.6) -> bytes:
    wave = 0.01 * np.sin(np.arange(round(16_000 * seconds)) / 5)
    wave[4_000:12_000] *= 30  # the word lies here
    return wave.astype("<f4").tobytes()


def test_a_take_is_a_file_as_soon_as_it_is_made(tmp_path: Path) -> None:
    made = recorder.Recorder(tmp_path, ["up", "down"])
    assert "0 of 10" in made.view.value and "<audio" not in made.view.value
    made.recorded(_sound(), "")
    (path,) = (tmp_path / "up").iterdir()
    assert f"Saved as {path.as_posix()}" in made.view.value and "<audio" in made.view.value
    wave = audio.read(path)
    assert wave.shape == (16_000,) and np.abs(wave[:16_000]).max() == pytest.approx(0.3, abs=0.01)
    made.chooser.value = "down"
    for _ in range(10):
        made.recorded(_sound(), "")
    assert "1 of 10" in made.view.value and "10 of 10 ✔" in made.view.value
    assert recorder.Recorder(tmp_path, ["up", "down"]).view.value.count("<audio") == 1, (
        "still there"
    )


@pytest.mark.parametrize("problem", ["NotAllowedError", "NotFoundError", ""])
def test_nothing_is_saved_without_a_sound(tmp_path: Path, problem: str) -> None:
    made = recorder.Recorder(tmp_path, ["up", "down"])
    made.recorded(b"" if problem else np.zeros(16_000, "<f4").tobytes(), problem)
    assert f"{REASONS[problem or 'silent']} Nothing was saved." in made.view.value
    assert list(tmp_path.iterdir()) == []


def test_no_words_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a list of words: these are none"):
        recorder.Recorder(tmp_path, [])


def test_a_take_can_be_taken_back(tmp_path: Path) -> None:
    made = recorder.Recorder(tmp_path, ["up", "down"])
    made.undo.click()
    assert "There is no take to delete." in made.view.value
    made.recorded(_sound(), "")
    made.recorded(_sound(), "")
    made.undo.click()
    assert "me_002.wav is deleted" in made.view.value
    assert [path.name for path in recorder.takes_of(tmp_path, ["up"])["up"]] == ["me_001.wav"]


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    made = recorder.Recorder(tmp_path, ["up", "down"])
    made.recorded(_sound(), "")
    monkeypatch.setattr(recorder, "save_take", full)
    made.recorded(_sound(), "")
    assert "could not be saved (No space left on device)" in made.view.value
    assert "1 of 10" in made.view.value, "what was there stays"


def test_the_twin_is_the_same_whatever_was_recorded(tmp_path: Path, capsys) -> None:
    recorder.Recorder(tmp_path, ["up", "down"]).show()
    empty = capsys.readouterr().out.partition("model_id")[0]
    recorder.Recorder(tmp_path, ["up", "down"]).recorded(_sound(), "")
    recorder.Recorder(tmp_path, ["up", "down"]).show()
    assert capsys.readouterr().out.partition("model_id")[0] == empty


def test_the_last_take_is_taken_back_and_no_other(tmp_path: Path) -> None:
    assert recorder.remove_last_take(tmp_path, "up") is None
    first, second = (recorder.save_take(tmp_path, "up", _sine(number)) for number in (1, 2))
    second.rename(second.with_name("me_1000.wav"))  # past three digits, still the newest
    assert recorder.remove_last_take(tmp_path, "up").name == "me_1000.wav"
    assert recorder.takes_of(tmp_path, ["up", "down"]) == {"up": [first], "down": []}
    assert recorder.save_take(tmp_path, "up", _sine(3)).name == "me_002.wav"
    assert np.allclose(audio.read(first), _sine(1), atol=1e-4)
