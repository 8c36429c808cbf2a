"""The features against an independent formula, and the cache against damage."""

import math

import numpy as np
import pytest
import scipy.signal

from course_lib.sound import dataset, features


def oracle(wave: np.ndarray) -> np.ndarray:
    """Return (49, 40) float64: SciPy's STFT, triangles written out bin by bin."""
    centred = np.asarray(wave, np.float64) - np.mean(wave, dtype=np.float64)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(480) / 479)
    _, _, spectrum = scipy.signal.stft(
        centred, 16_000, window, 480, 160, 512, boundary=None, padded=False
    )
    powers = np.abs(spectrum.T * window.sum()) ** 2

    def mel(hz):
        return 1127.01048 * math.log(1 + hz / 700)

    def hertz(number):
        return 700 * (math.exp(number / 1127.01048) - 1)

    low, high = mel(60), mel(7600)
    corners = [hertz(low + (high - low) * k / 41) for k in range(42)]
    bands = np.zeros((257, 40))
    for bin_number in range(257):
        hz = bin_number * 31.25
        for band in range(40):
            a, b, c = corners[band : band + 3]
            if a < hz <= b:
                bands[bin_number, band] = (hz - a) / (b - a)
            elif b < hz < c:
                bands[bin_number, band] = (c - hz) / (c - b)
    logs = np.log(powers @ bands + 1e-7)
    return (logs - logs.mean()) / 3


def waves(count: int = 12) -> np.ndarray:
    rng = np.random.default_rng(5)
    noise = rng.standard_normal((count, 16_000)) * 10 ** rng.uniform(-4, 0, (count, 1))
    tones = np.sin(2 * np.pi * rng.uniform(60, 7_600, (count, 1)) * np.arange(16_000) / 16_000)
    return (0.3 * noise + 0.5 * tones + 0.1).astype(np.float32)


def test_the_formula_equals_an_independent_one():
    for wave in [*waves(), *dataset.bundled("test").waves[::40]]:
        assert np.abs(features.log_mel(wave) - oracle(wave)).max() < 2e-3


@pytest.mark.slow
def test_the_formula_equals_tensorflows_signal_library():
    from course_lib import session

    tf = session.import_tensorflow()
    x = waves()
    x = x - x.mean(axis=1, keepdims=True)
    stft = tf.signal.stft(x, 480, 320, 512, lambda n, dtype: tf.cast(np.hanning(n), dtype))
    mel = tf.signal.linear_to_mel_weight_matrix(40, 257, 16_000, 60.0, 7_600.0)
    logs = np.log((tf.abs(stft) ** 2).numpy() @ mel.numpy() + 1e-7)
    expected = (logs - logs.mean(axis=(1, 2), keepdims=True)) / 3
    # TensorFlow builds its triangles on the mel axis, ours are straight in hertz: close, not equal.
    assert np.abs(features.log_mel(waves()) - expected).mean() < 0.03


def test_one_and_many_agree_and_are_float32():
    many = features.log_mel(waves(3))
    assert many.shape == (3, 49, 40) and many.dtype == np.float32
    assert np.allclose(features.log_mel(waves(3)[1]), many[1], atol=1e-5)
    assert features.log_mel(np.empty((0, 16_000), np.float32)).shape == (0, 49, 40)


def test_the_stages_have_the_shapes_they_state():
    framed = features.frames(waves(1)[0])
    powers = features.power(framed)
    energies = features.mel_energies(powers)
    assert framed.shape == (features.FRAMES, features.WINDOW)
    assert powers.shape == (49, 257) and energies.shape == (49, 40)
    assert np.all(np.diff(features.band_edges_hz()) > 0)
    assert features.filters().max() <= 1 and (features.filters().sum(axis=0) > 0).all()


def test_loudness_and_offset_do_not_matter():
    wave = np.random.default_rng(0).uniform(-0.8, 0.8, 16_000).astype(np.float32)
    quiet = features.log_mel(wave * 0.1 + 0.2)
    assert np.abs(quiet - features.log_mel(wave)).max() < 1e-3


def test_digital_silence_is_finite_and_zero():
    assert np.abs(features.log_mel(np.zeros(16_000))).max() < 1e-5


def test_a_clip_of_another_length_is_refused():
    with pytest.raises(ValueError, match="audio.fit"):
        features.log_mel(np.zeros(15_999))


@pytest.fixture
def cached(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBOOK_CACHE", str(tmp_path))
    features._memory.clear()
    yield tmp_path
    features._memory.clear()


def test_features_are_cached_by_content(cached):
    clips = dataset.bundled("test")[:5]
    first = features.of(clips)
    assert features.of(clips) is first and not first.flags.writeable
    (file,) = cached.iterdir()
    features._memory.clear()
    file.write_bytes(b"damaged")
    assert np.array_equal(features.of(clips), first)
    features._memory.clear()
    assert np.array_equal(features.of(clips), first)
    features.of(dataset.bundled("test")[1:6])
    assert len(list(cached.iterdir())) == 2


def test_a_folder_that_cannot_be_written_does_no_harm(cached, monkeypatch):
    (cached / "a file").write_text("")
    monkeypatch.setenv("WORKBOOK_CACHE", str(cached / "a file"))
    assert features.of(dataset.bundled("test")[:2]).shape == (2, 49, 40)


def test_the_cache_lies_in_the_users_folder(monkeypatch):
    monkeypatch.delenv("WORKBOOK_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/some/where")
    assert features.cache_folder().as_posix() == "/some/where/tinyml-workbook"
