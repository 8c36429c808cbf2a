"""Any sound file in, one second at 16 kHz out; what cannot be used is told in one sentence."""

import io
import wave as wave_module

import numpy as np
import pytest
import soundfile

from course_lib.sound import audio

RATES_HZ = (8_000, 11_025, 22_050, 44_100, 48_000)


def tone(rate_hz: int, seconds: float = 0.5, tone_hz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * tone_hz * np.arange(int(rate_hz * seconds)) / rate_hz)).astype(
        np.float32
    )


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("channels", (1, 2))
@pytest.mark.parametrize("suffix", (".wav", ".flac"))
def test_any_rate_and_channels_become_16_khz_mono(tmp_path, rate_hz, channels, suffix):
    path = tmp_path / f"clip{suffix}"
    soundfile.write(path, np.stack([tone(rate_hz)] * channels, axis=1), rate_hz)
    read = audio.read(path)
    assert read.dtype == np.float32 and read.ndim == 1
    assert abs(len(read) - 8_000) <= 1
    middle = slice(1_000, 7_000)
    expected = tone(audio.SAMPLE_RATE_HZ)
    assert np.abs(read[middle] - expected[middle]).max() < 0.01


def test_stereo_is_averaged(tmp_path):
    left, right = tone(16_000), -tone(16_000)
    soundfile.write(tmp_path / "x.wav", np.stack([left, right], axis=1), 16_000)
    assert np.abs(audio.read(tmp_path / "x.wav")).max() < 1e-3


def test_tones_above_8_khz_are_not_folded_back():
    assert np.abs(audio.resample(tone(48_000, tone_hz=11_000.0), 48_000))[200:-200].max() < 0.01


@pytest.mark.parametrize("suffix", (".ogg", ".mp3"))
def test_compressed_files_are_read(tmp_path, suffix):
    soundfile.write(tmp_path / f"x{suffix}", tone(16_000), 16_000)
    assert len(audio.read(tmp_path / f"x{suffix}")) > 4_000


@pytest.mark.parametrize("suffix", (".wav", ".flac"))
def test_what_was_written_is_read_back(tmp_path, suffix):
    wave = np.random.default_rng(0).uniform(-1, 1, 5_000).astype(np.float32)
    back = audio.read(audio.write(tmp_path / f"x{suffix}", wave))
    assert np.abs(back - wave).max() <= 1.5 / 32_767


def test_wav_bytes_are_what_the_standard_library_reads():
    wave = tone(16_000)
    with wave_module.open(io.BytesIO(audio.wav_bytes(wave))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert np.array_equal(pcm, np.round(wave * 32_767))


def broken_files(folder):
    whole = folder / "whole.flac"
    soundfile.write(whole, np.random.default_rng(0).uniform(-1, 1, 16_000), 16_000)
    wav = audio.wav_bytes(tone(16_000))
    not_numbers = np.full(100, np.nan, np.float32)
    yield "empty.wav", b"", "empty"
    yield "cut.wav", wav[:5_000], "cut short"
    yield "cut.flac", whole.read_bytes()[:9_000], "damaged|cut short"
    yield "text.wav", b"this is a text, no sound at all" * 20, "cannot be read"
    yield "head.wav", wav[:30], "cut short"
    yield "nothing.wav", audio.wav_bytes(np.zeros(0)), "holds no sound"
    buffer = io.BytesIO()
    soundfile.write(buffer, not_numbers, 16_000, format="WAV", subtype="FLOAT")
    yield "nan.wav", buffer.getvalue(), "no numbers"


def test_unusable_files_are_told_in_one_sentence(tmp_path):
    for name, content, part in broken_files(tmp_path):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(audio.AudioError, match=part) as caught:
            audio.read(tmp_path / name)
        message = str(caught.value)
        assert message.startswith(name) and message.endswith(".") and message.count("\n") == 0
    with pytest.raises(audio.AudioError, match="no file"):
        audio.read(tmp_path / "missing.wav")
    with pytest.raises(audio.AudioError, match="suffix"):
        audio.write(tmp_path / "x.docx", tone(16_000))


def test_an_impossible_rate_is_refused():
    with pytest.raises(audio.AudioError, match="impossible"):
        audio.resample(tone(16_000), 0)


@pytest.mark.parametrize("samples", (1, 2, 999, 15_999, 16_000, 16_001, 50_000))
def test_fit_gives_one_second_and_keeps_the_sound(samples):
    wave = np.zeros(samples, np.float32)
    wave[samples // 2] = 1.0
    fitted = audio.fit(wave)
    assert fitted.shape == (16_000,) and fitted.dtype == np.float32
    assert fitted.sum() == 1.0
    if samples < 16_000:
        assert abs(int(fitted.argmax()) - 8_000) <= 1


def test_a_player_has_a_stable_text_and_holds_its_sound():
    sound = audio.play(np.zeros(8_000), "yes, <voice>")
    assert repr(sound) == "<sound: yes, <voice>, 0.50 s>"
    assert "data:audio/wav;base64," in sound._repr_html_()
    assert "<voice>" not in sound._repr_html_()
