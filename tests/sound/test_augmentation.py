"""Properties of every effect and noise, and of the training set that they make together."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.sound import augmentation, dataset, effects, features, noise

seeds = st.integers(0, 2**32 - 1)
lengths = st.integers(1, 24_000)


def word(samples: int) -> np.ndarray:
    """Return a made-up word: two tones under a swell."""
    time = np.arange(samples) / 16_000
    return (
        np.sin(2 * np.pi * 220 * time) * np.hanning(samples + 2)[1:-1] * 0.5
        + 0.1 * np.sin(2 * np.pi * 1_700 * time)
    ).astype(np.float32)


def good(wave: np.ndarray) -> bool:
    return wave.dtype == np.float32 and wave.ndim == 1 and bool(np.isfinite(wave).all())


@settings(max_examples=40, deadline=None)
@given(seeds, lengths)
def test_varied_words_are_seconds_in_range_and_repeatable(seed, samples):
    voices = [word(4_000), word(9_000)]
    first = augmentation.vary(word(samples), np.random.default_rng(seed), voices)
    second = augmentation.vary(word(samples), np.random.default_rng(seed), voices)
    assert first.shape == (16_000,) and good(first) and np.abs(first).max() <= 1
    assert np.array_equal(first, second)


@settings(max_examples=30, deadline=None)
@given(seeds, lengths, st.floats(0.0, 1.0))
def test_a_word_is_placed_whole_or_cut_by_a_quarter_at_most(seed, samples, cut_share):
    placed = effects.placed(np.ones(samples, np.float32), np.random.default_rng(seed), cut_share)
    assert placed.shape == (16_000,)
    heard = int(placed.sum())
    whole = min(samples, 16_000)
    assert whole - whole // 4 <= heard <= whole
    assert np.all(np.diff(np.flatnonzero(placed)) == 1)
    if cut_share == 0.0:
        assert heard == whole


@given(st.floats(0.8, 1.25), st.integers(10, 20_000))
def test_speed_changes_length_and_pitch_together(speed, samples):
    assert abs(len(effects.resampled(word(samples), speed)) - samples / speed) <= 1


def loudest_hz(wave: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(wave, 65_536)).argmax()) * 16_000 / 65_536


@pytest.mark.parametrize("factor", (0.75, 0.9, 1.0, 1.15, 1.3))
def test_stretching_keeps_the_pitch_and_speed_does_not(factor):
    wave = np.sin(2 * np.pi * 300 * np.arange(12_000) / 16_000).astype(np.float32)
    longer = effects.stretched(wave, factor)
    assert abs(len(longer) - 12_000 * factor) <= 1 and good(longer)
    assert abs(loudest_hz(longer) - 300) < 12
    assert 0.8 < noise.rms(longer) / noise.rms(wave) < 1.2
    assert abs(loudest_hz(effects.resampled(wave, factor)) - 300 * factor) < 3


@pytest.mark.parametrize("speed", (0.8, 0.93, 1.07, 1.25))
def test_speed_keeps_the_hiss_of_an_s(speed):
    hiss = np.sin(2 * np.pi * 6_300 * np.arange(9_001) / 16_000).astype(np.float32)
    middle = effects.resampled(hiss, speed)[1_000:-1_000]
    assert abs(noise.rms(middle) / noise.rms(hiss) - 1.0) < 0.02


@settings(max_examples=25, deadline=None)
@given(seeds, lengths)
def test_effects_keep_waves_finite_and_inputs_unchanged(seed, samples):
    before = word(samples)
    second = np.pad(before, (0, 16_000))[:16_000]
    shares = {"equaliser": 1.0, "low_pass": 1.0, "high_pass": 1.0, "room": 1.0}
    kept, kept_second = before.copy(), second.copy()
    assert good(effects.filtered(before, np.random.default_rng(seed), shares))
    for effect in (effects.gated, effects.coded, effects.clipped):
        changed = effect(second, np.random.default_rng(seed))
        assert good(changed) and changed.shape == (16_000,)
    assert good(effects.click(second, np.random.default_rng(seed), 0.1))
    assert np.array_equal(before, kept) and np.array_equal(second, kept_second)


def test_no_filter_is_no_change():
    assert effects.filtered(word(500), np.random.default_rng(0), {"room": 0.0}) is not None
    assert np.array_equal(effects.filtered(word(500), np.random.default_rng(0), {}), word(500))


def test_blocks_overlap_to_what_they_were_cut_from():
    wave = word(12_345)
    back = effects._overlapped(effects._blocks(wave), len(wave))
    assert np.abs(back - wave).max() < 1e-5


def test_a_low_pass_takes_the_top_away():
    rng = np.random.default_rng(0)
    white = noise.coloured(rng, 0.0)
    filtered = effects.filtered(white, rng, {"low_pass": 1.0})
    power = np.abs(np.fft.rfft(filtered)) ** 2
    assert power[7_000:].mean() < 0.2 * power[:2_000].mean()


def test_trimming_takes_zeros_only():
    assert np.array_equal(effects.trimmed(np.array([0, 0, 1, 0, 2, 0], np.float32)), [1, 0, 2])
    assert len(effects.trimmed(np.zeros(10, np.float32))) == 1


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_noises_are_seconds_of_equal_power(seed):
    rng = np.random.default_rng(seed)
    made = noise.random_noise(rng, [word(3_000), word(20_000)])
    assert made.shape == (16_000,) and good(made)
    assert abs(noise.rms(made) - 1.0) < 1e-3
    silence = noise.silence(rng)
    assert good(silence) and np.abs(silence).max() <= 1 and silence.any()


@pytest.mark.parametrize("slope", (0.0, 1.0, 2.0))
def test_coloured_noise_has_the_slope_it_states(slope):
    rng = np.random.default_rng(1)
    power = sum(np.abs(np.fft.rfft(noise.coloured(rng, slope))) ** 2 for _ in range(20))
    hz = np.arange(1, 8_000)
    fitted = np.polyfit(np.log(hz[100:]), np.log(power[1:8_000][100:]), 1)[0]
    assert abs(fitted + slope) < 0.1


def test_steeper_slopes_put_noise_where_rooms_hum():
    def share_above_2_khz(slopes: tuple[float, ...]) -> float:
        rng = np.random.default_rng(5)
        made = (noise.random_noise(rng, slopes=slopes) for _ in range(200))
        power = [np.abs(np.fft.rfft(wave)) ** 2 for wave in made]
        return float(np.mean([each[2_000:].sum() / each.sum() for each in power]))

    white, as_it_is, brown = map(share_above_2_khz, ((0.0,), noise.SLOPES, (2.0,)))
    assert white > 1.5 * as_it_is > 1.5 * brown
    steeper = share_above_2_khz(augmentation.RECIPE.noise_slopes)
    assert as_it_is > steeper > brown


@pytest.fixture(scope="module")
def clips():
    return dataset.bundled("train")


def test_the_training_set_has_the_shares_of_the_recipe(clips):
    made, labels = augmentation.training_set(clips, 200, seed=1, workers=1)
    assert made.shape == (200, 49, 40) and made.dtype == np.float32 and np.isfinite(made).all()
    assert np.bincount(labels).tolist() == [26, 94, 36, 44]
    assert len(set(labels[:30].tolist())) > 1  # mixed, not sorted


def test_workers_do_not_change_a_clip_and_seeds_do(clips):
    calls = []
    alone, labels = augmentation.training_set(
        clips, 1_001, 3, lambda *done: calls.append(done), workers=1
    )
    together, same_labels = augmentation.training_set(clips, 1_001, 3, workers=2)
    assert np.array_equal(alone, together) and np.array_equal(labels, same_labels)
    assert calls[-1] == (1_001, 1_001) and calls == sorted(calls)
    other, _ = augmentation.training_set(clips, 300, 4, workers=1)
    assert not np.array_equal(other[0], alone[0])


def test_without_processes_the_work_is_done_all_the_same(clips, monkeypatch):
    def refused(*given, **options):
        raise OSError("no semaphores here")

    monkeypatch.setattr(augmentation, "ProcessPoolExecutor", refused)
    assert len(augmentation.training_set(clips, 1_001, 3)[1]) == 1_001


def test_chances_follow_the_weights(clips):
    recipe = augmentation.RECIPE
    chance = augmentation.chances(clips, dataset.UNKNOWN, recipe)
    words = np.array(clips.words, object)
    assert abs(chance.sum() - 1) < 1e-9 and not chance[clips.labels != dataset.UNKNOWN].any()
    assert chance[words == "go"].sum() / chance[words == "bird"].sum() == pytest.approx(14)
    engines = np.array(clips.engines, object)
    of_yes = augmentation.chances(clips, 2, replace(recipe, engines={}))
    small, large = (of_yes[engines == name].sum() for name in ("flite", "espeak"))
    numbers = [int(((engines == name) & (words == "yes")).sum()) for name in ("flite", "espeak")]
    assert small / large == pytest.approx((numbers[0] / numbers[1]) ** 0.5)


def test_a_label_without_clips_is_told(clips):
    with pytest.raises(ValueError, match="no clip of yes"):
        augmentation.training_set(
            clips.where(label="no"),
            100,
            0,
            recipe=replace(augmentation.RECIPE, labels=(0.5, 0.0, 0.5, 0.0)),
        )


def test_silence_alone_needs_no_words(clips):
    recipe = replace(augmentation.RECIPE, labels=(1.0, 0.0, 0.0, 0.0))
    made, labels = augmentation.training_set(clips[:3], 20, 0, recipe=recipe)
    assert not labels.any() and features.FRAMES == made.shape[1]


_UNGUARDED = """
import numpy as np
from course_lib.sound import augmentation, dataset
clips = dataset.bundled("test")
beside = augmentation.training_set(clips, 1001, 3, workers=2)[0]
print(np.array_equal(beside, augmentation.training_set(clips, 1001, 3, workers=1)[0]))
"""


def test_workers_that_die_at_their_start_hang_nobody(tmp_path):
    """In a script without a guard, each worker runs the script again, and Python ends it."""
    script = tmp_path / "mine.py"
    script.write_text(_UNGUARDED)
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(
        [sys.executable, script], env=environ, capture_output=True, text=True, timeout=250
    )
    assert done.stdout == "True\n", done.stderr
    assert "if __name__ == '__main__'" in done.stderr  # Python's own advice
