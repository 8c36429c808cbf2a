"""Many varied clips out of a few: what makes synthetic words prepare a model for real people.

Each training clip is a base clip, said faster, slower, higher or lower, heard through a random
room and microphone, put somewhere into the second, and drowned in noise to some degree.
"""

import multiprocessing
import pickle
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from course_lib import session
from course_lib.sound import dataset, effects, features, noise

Progress = Callable[[int, int], None]

_LIKE_NO = tuple("dough toe low so show row hoe foe oh now new nor nine note nope snow".split())
_LIKE_YES = tuple("yet guess chess bless mess dress yell yep less".split())
_WORD_WEIGHTS = {
    **dict.fromkeys(_LIKE_NO, 0.7),
    **dict.fromkeys(_LIKE_YES, 0.6),
    **dict.fromkeys(("right", "on", "off", "stop"), 2.0),
    "go": 14.0, "down": 8.0, "left": 7.0, "up": 4.0,
}  # fmt: skip
_CHUNK = 250  # clips a worker makes at a time
_BABBLERS = 200  # clips that background voices are taken from


@dataclass(frozen=True)
class Recipe:
    """Say how much of everything there is. Shares are of clips, ranges are (lowest, highest).

    `labels` are the shares of silence, unknown words, yes and no; `words` and `engines` say how
    much more often than 1 an unknown word or a synthesizer is taken.
    """

    labels: tuple[float, ...] = (0.13, 0.47, 0.18, 0.22)
    words: Mapping[str, float] = field(default_factory=lambda: _WORD_WEIGHTS)
    engines: Mapping[str, float] = field(default_factory=lambda: {"kokoro": 2.5})
    speed: tuple[float, float] = (0.80, 1.25)
    stretch: tuple[float, float] = (0.75, 1.30)
    stretched: float = 0.5
    channel: Mapping[str, float] = field(
        default_factory=lambda: {"equaliser": 0.7, "room": 0.3, "low_pass": 0.05, "high_pass": 0.1}
    )
    cut: float = 0.2
    noisy: float = 0.95
    noise_db: tuple[float, float] = (14.0, 60.0)  # how far the noise lies below the word
    noise_slopes: tuple[float, ...] = (1.0, 1.5, 2.0, 2.0, 2.5)  # rooms hum more than they hiss
    second_noise: float = 0.15
    second_noise_db: tuple[float, float] = (14.0, 55.0)
    clicks: float = 0.1
    gated: float = 0.08
    coded: float = 0.1
    peak_db: tuple[float, float] = (-30.0, 0.0)
    clipped: float = 0.08
    floor_db: tuple[float, float] = (-120.0, -80.0)


RECIPE = Recipe()


def vary(
    wave: np.ndarray,
    rng: np.random.Generator,
    voices: Sequence[np.ndarray] = (),
    recipe: Recipe = RECIPE,
) -> np.ndarray:
    """Return one varied second, (16000,) float32 in -1 to 1, of a trimmed word at 16 kHz.

    `voices` are waves to make babble from. The same generator state gives the same second.
    """
    wave = effects.resampled(wave, rng.uniform(*recipe.speed))
    if rng.random() < recipe.stretched:
        wave = effects.stretched(wave, np.exp(rng.uniform(*np.log(recipe.stretch))))
    wave = effects.filtered(wave, rng, recipe.channel)
    level = noise.rms(wave)
    wave = effects.placed(wave, rng, recipe.cut)
    if rng.random() < recipe.noisy:
        first = noise.random_noise(rng, voices, recipe.noise_slopes)
        wave = wave + _below(level, rng, recipe.noise_db) * first
        if rng.random() < recipe.second_noise:
            second = noise.random_noise(rng, voices, recipe.noise_slopes)
            wave = wave + _below(level, rng, recipe.second_noise_db) * second
    if rng.random() < recipe.clicks:
        wave = effects.click(wave, rng, level)
    if rng.random() < recipe.gated:
        wave = effects.gated(wave, rng)
    if rng.random() < recipe.coded:
        wave = effects.coded(wave, rng)
    return _recorded(wave, rng, recipe)


def training_set(
    clips: dataset.Clips,
    count: int,
    seed: int,
    progress: Progress | None = None,
    recipe: Recipe = RECIPE,
    workers: int = 2,
) -> tuple[np.ndarray, np.ndarray]:
    """Return `count` varied clips as features (count, 49, 40) float32 and labels (count,) int64.

    Clip i of a seed is the same on every machine and for any number of `workers`, which are
    processes; where none can be started, this one does the work. `progress(done, count)` is
    called now and then. Silence is made from a formula, and half of it from the recorded
    background noise of `clips`, where there is any. Raises ValueError when a label that the
    recipe wants has no clip.
    """
    rng = np.random.default_rng([seed, count])
    numbers = [int(share * count) for share in recipe.labels]
    numbers[dataset.UNKNOWN] += count - sum(numbers)  # what rounding down has left
    labels = rng.permutation(np.repeat(np.arange(len(numbers), dtype=np.int64), numbers))
    places = np.full(count, -1)
    for label in set(labels.tolist()) - {dataset.SILENCE}:
        wanted = labels == label
        places[wanted] = rng.choice(len(clips), wanted.sum(), p=chances(clips, label, recipe))
    recorded = np.flatnonzero(np.array(clips.engines, object) == dataset.BACKGROUND)
    if len(recorded):  # half of the silence is real, where there is any
        quiet = np.flatnonzero(labels == dataset.SILENCE)[::2]
        places[quiet] = rng.choice(recorded, len(quiet))
    words = [
        wave if engine == dataset.BACKGROUND else effects.trimmed(wave)
        for wave, engine in zip(clips.waves, clips.engines, strict=True)
    ]
    strangers = np.flatnonzero(clips.labels == dataset.UNKNOWN)
    babblers = [words[place] for place in rng.permutation(strangers)[:_BABBLERS]]
    kitchen = _Kitchen(words, babblers, seed, recipe)
    chunks = (slice(start, start + _CHUNK) for start in range(0, count, _CHUNK))
    tasks = [(chunk.start, labels[chunk], places[chunk]) for chunk in chunks]
    made, done = np.empty((count, features.FRAMES, features.BANDS), np.float32), 0
    for part in _cooked(kitchen, tasks, workers):
        made[done : done + len(part)] = part
        done += len(part)
        if progress is not None:
            progress(done, count)
    return made, labels


def chances(clips: dataset.Clips, label: int, recipe: Recipe = RECIPE) -> np.ndarray:
    """Return how likely each clip is drawn for a label, (n,) summing to 1.

    Words count by their weight; within a word, engines by the root of how many clips they have
    (times the recipe's weight), so that a small engine is heard too; within an engine, every clip
    alike.
    """
    keys = [
        (word, engine) if own == label else None
        for word, engine, own in zip(clips.words, clips.engines, clips.labels.tolist(), strict=True)
    ]
    counts = {key: keys.count(key) for key in set(keys) - {None}}
    if not counts:
        known = dataset.LABELS[label] if label < len(dataset.LABELS) else f"class {label}"
        raise ValueError(f"There is no clip of {known}: add some to learn it from.")
    shares = {key: number**0.5 * recipe.engines.get(key[1], 1.0) for key, number in counts.items()}
    of_word: dict[str, float] = {}
    for (word, _), share in shares.items():
        of_word[word] = of_word.get(word, 0.0) + share
    weight_of = {None: 0.0}
    for key, share in shares.items():
        weight_of[key] = recipe.words.get(key[0], 1.0) * share / of_word[key[0]] / counts[key]
    weights = np.array([weight_of[key] for key in keys])
    return weights / weights.sum()


def _below(level: float, rng: np.random.Generator, range_db: tuple[float, float]) -> float:
    return level * 10.0 ** (-rng.uniform(*range_db) / 20.0)


def _recorded(wave: np.ndarray, rng: np.random.Generator, recipe: Recipe) -> np.ndarray:
    """Set the loudness, clip now and then, and add the hiss that every recording has."""
    loudest = float(np.abs(wave).max()) + 1e-9
    wave = wave * (10.0 ** (rng.uniform(*recipe.peak_db) / 20.0) / loudest)
    if rng.random() < recipe.clipped:
        wave = effects.clipped(wave, rng)
    hiss = 10.0 ** (rng.uniform(*recipe.floor_db) / 20.0)
    wave = wave + hiss * rng.standard_normal(len(wave), np.float32)
    return np.clip(wave, -1.0, 1.0).astype(np.float32)


@dataclass(frozen=True)
class _Kitchen:
    """What a worker needs: trimmed words, those that babble, the seed and the recipe."""

    words: list[np.ndarray]
    babblers: list[np.ndarray]
    seed: int
    recipe: Recipe

    def cook(self, task: tuple[int, np.ndarray, np.ndarray]) -> np.ndarray:
        """Make the features of one chunk; every clip has a generator of its own."""
        first, labels, places = task
        waves = []
        for number, (label, place) in enumerate(zip(labels, places, strict=True), start=first):
            rng = np.random.default_rng([self.seed, number])
            if label != dataset.SILENCE:
                waves.append(vary(self.words[place], rng, self.babblers, self.recipe))
                continue
            if place < 0:
                wave = noise.silence(rng, self.babblers)
            else:
                recorded = self.words[place]
                wave = noise.at_random_level(rng, recorded / noise.rms(recorded))
            waves.append(effects.coded(wave, rng) if rng.random() < 0.15 else wave)
        return features.log_mel(np.stack(waves))


def _cooked(kitchen: _Kitchen, tasks: list, workers: int) -> Iterator[np.ndarray]:
    """Yield what the tasks make, in order: in other processes, or here where those fail."""
    done = 0
    if workers > 1 and len(tasks) > 3:
        try:
            for made in _cooked_beside(kitchen, tasks, workers):
                yield made
                done += 1
        except (ImportError, OSError, BrokenProcessPool):
            pass  # no semaphores, as in some sandboxes, or a worker that the system has ended
    yield from map(kitchen.cook, tasks[done:])


def _cooked_beside(kitchen: _Kitchen, tasks: list, workers: int) -> Iterator[np.ndarray]:
    """Yield what fresh processes make: a fork of a process that runs TensorFlow may hang.

    They read the kitchen from a file. Through the pipe that starts a process, it would hang this
    one for good where that process ends before it has read everything.
    """
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kitchen")
        with path.open("wb") as file:
            pickle.dump(kitchen, file)
        with ProcessPoolExecutor(workers, context, _open_kitchen, (path,)) as pool:
            yield from pool.map(_cook, tasks)


_kitchen: _Kitchen | None = None  # of a worker: sent once, not with every task


def _open_kitchen(path: Path) -> None:
    global _kitchen
    session.keep_freed_memory()
    _kitchen = pickle.loads(path.read_bytes())


def _cook(task: tuple[int, np.ndarray, np.ndarray]) -> np.ndarray:
    return _kitchen.cook(task)
