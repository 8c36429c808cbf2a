"""Time to a model: ours, and three peers by their own published recipes, from the bundled clips.

    make bench ARGS="recipes --clips FOLDER"
    python -m benchmarks.recipes NAME [--share 0.1] [--clips FOLDER]     one of them, as JSON

Each runs in a process of its own, so that its memory is known: features, network, optimizer, steps,
batch and what is varied are the recipe's; the clips, the four classes and the measuring are ours.
What the peers add as recorded background is the bundled silence. Real speech is looked at once a
model. `--share` shortens every training alike, in steps or clips.

Sources, besides the papers they cite:
tiny_conv: TensorFlow Lite Micro, examples/micro_speech/train (train_micro_speech_model.ipynb), and
TensorFlow's examples/speech_commands (train.py, models.py, input_data.py), whose defaults count.
simple_audio: TensorFlow's tutorial "Simple audio recognition: Recognizing keywords".
DS-CNN: MLPerf Tiny, mlcommons/tiny, benchmark/training/keyword_spotting (keras_model.py,
get_dataset.py, kws_util.py); C. Banbury et al., MLPerf Tiny Benchmark, NeurIPS 2021.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import Measured, Options, Ratio, number
from benchmarks.spotter import ds_cnn, tiny_conv
from course_lib import session, spotter, tflite, train
from course_lib.measure.model_card import COMMANDS
from course_lib.sound import audio, augmentation, dataset, features

TITLE = "Time to a model"
_CALIBRATION = 400
_SHIFT = audio.SAMPLE_RATE_HZ // 10  # 100 ms either way
_NOISY, _LOUDEST = 0.8, 0.1  # of the clips; of full scale
_TRIED = (
    "What stands in the way of being ahead in seconds and in memory, too: ours learns from far "
    "more clips than simple_audio and DS-CNN see, and holds them all in memory. Stopped after a "
    "sixth of them it is in the table as well: sooner there than DS-CNN and almost as right "
    "about the keywords of people, but more often wrong about other words, for which the rest "
    "is needed. Tried, and in use: clips are varied in two processes, features are computed "
    "many at a time, two threads train."
)

Heard = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Made:
    """A trained model, the features that it hears, and how it is converted to int8."""

    model: Any
    heard: Heard
    variant: str = "int8_per_channel"  # the converter's default


def ours(share: float) -> Made:
    """Return the shipped recipe's model."""
    count = max(2_000, int(share * train.CLIPS))
    varied, labels = augmentation.training_set(dataset.bundled("train"), count, 0)
    model = spotter.build()
    spotter.train(model, varied, labels, **spotter.SHIPPED)
    return Made(model, features.log_mel, "int8")


def micro_speech(share: float) -> Made:
    """Return tiny_conv: 12,000 steps of plain gradient descent at 0.001, 3,000 at 0.0001, of 100.

    Features are those of the micro front end: 30 ms every 20 ms, 40 channels, noise reduced, PCAN.
    Silence and unknown words are a quarter each of the wanted ones.
    """
    tf, model = session.import_tensorflow(), tiny_conv()
    model.compile(tf.keras.optimizers.SGD(0.001), _loss())
    batches = _batches(_front_end, (1 / 6, 1 / 6, 1 / 3, 1 / 3))
    for steps, rate in ((12_000, 0.001), (3_000, 0.0001)):
        model.optimizer.learning_rate.assign(rate)
        for _ in range(max(2, int(share * steps))):
            model.train_on_batch(*next(batches))
    return Made(model, _front_end)


def simple_audio(share: float) -> Made:
    """Return the tutorial's network: at most 10 epochs of 64, Adam, a fifth of the clips held back.

    Features are spectrograms of 255 samples every 128, resized to 32 x 32 and normalised inside;
    nothing is varied, and training stops when two epochs in a row are no better.
    """
    keras = session.import_tensorflow().keras
    clips = dataset.bundled("train")
    order = np.random.default_rng(0).permutation(len(clips))
    order = order[: max(640, int(share * len(clips)))]
    heard, labels = _spectrograms(clips.waves[order]), clips.labels[order]
    kept = len(order) * 4 // 5
    normalise = keras.layers.Normalization(axis=None)
    normalise.adapt(keras.layers.Resizing(32, 32)(heard[:1_000]))
    model = keras.Sequential(
        [
            keras.Input(heard.shape[1:]),
            keras.layers.Resizing(32, 32),
            normalise,
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Dropout(0.25),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(len(dataset.LABELS)),
        ]
    )
    model.compile(keras.optimizers.Adam(), _loss(), metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping(patience=2)
    validation = heard[kept:], labels[kept:]
    settings = {"batch_size": 64, "epochs": 10, "callbacks": [stop], "verbose": 0}
    model.fit(heard[:kept], labels[:kept], validation_data=validation, **settings)
    return Made(model, _spectrograms)


def mlperf_tiny(share: float) -> Made:
    """Return DS-CNN: 36 epochs of 100, Adam at 0.0005, 0.0001 and 0.00002, 12 epochs each.

    Features are 10 MFCCs of 30 ms every 20 ms. Silence and unknown words are a tenth each of the
    wanted ones; an epoch has as many clips as the bundled set.
    """
    keras, model = session.import_tensorflow().keras, ds_cnn(bands=10)
    model.compile(keras.optimizers.Adam(0.0005), _loss())
    batches = _batches(_mfccs, (1 / 12, 1 / 12, 5 / 12, 5 / 12))
    steps = 36 * len(dataset.bundled("train")) // 100
    for rate in (0.0005, 0.0001, 0.00002):
        model.optimizer.learning_rate.assign(rate)
        for _ in range(max(2, int(share * steps / 3))):
            model.train_on_batch(*next(batches))
    return Made(model, _mfccs)


RECIPES: dict[str, Callable[[float], Made]] = {
    "ours": ours,
    "ours, a sixth": lambda share: ours(share / 6),
    "tiny_conv": micro_speech,
    "simple_audio": simple_audio,
    "DS-CNN": mlperf_tiny,
}


def run(options: Options) -> Measured:
    """Train every model, each in a process of its own, and measure it."""
    share = 0.002 if options.quick else options.share
    rows = [_alone(name, share, options.clips) for name in RECIPES]
    columns = list(rows[0])[1:]
    lines = [("model", *columns)]
    lines += [(row["model"], *(_told(name, row[name]) for name in columns)) for row in rows]
    first = rows[0]
    better = [_ahead(first, row, columns) for row in rows if not row["model"].startswith("ours")]
    whole = "whole" if share == 1 else f"shortened to {share:g} of their steps, ours of its clips"
    return Measured(
        f"The bundled clips, each model by its own recipe ({whole}), one seed. Seconds are of wall "
        "clock and processor, from clips to a trained model, features included; memory is the "
        "process's at most. Shares are of held-out voices, and of real speech where it was given, "
        "that the int8 file hears right; commands are words that must be called unknown.",
        [Ratio("figures in which a peer is ahead of ours", better, 1)],
        {"Each model": lines},
        [_TRIED],
    )


def _ahead(first: dict[str, Any], other: dict[str, Any], columns: list[str]) -> int:
    """Return in how many figures a peer is better."""
    return sum(
        (other[name] > first[name])
        if name.startswith(("held", "real"))
        else other[name] < first[name]
        for name in columns
        if name != "processor s"
    )


def _told(name: str, value: float) -> str:
    return f"{value:.3f}" if name.startswith(("held", "real")) else number(value)


def _alone(name: str, share: float, clips: Path | None) -> dict[str, Any]:
    call = [sys.executable, "-m", "benchmarks.recipes", name, "--share", str(share)]
    call += ["--clips", str(clips)] if clips else []
    done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout.splitlines()[-1], file=sys.stderr, flush=True)
    return json.loads(done.stdout.splitlines()[-1])


def measured(name: str, share: float, folder: Path | None) -> dict[str, Any]:
    """Train one model; return its row."""
    session.import_tensorflow().keras.utils.set_random_seed(0)
    start = time.perf_counter()
    made = RECIPES[name](share)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    row = {
        "model": name,
        "wall s": time.perf_counter() - start,
        "processor s": sum(each.ru_utime + each.ru_stime for each in used),
        "memory, MB": max(each.ru_maxrss for each in used) / 1e3,
    }
    base = dataset.bundled("train")
    examples = made.heard(base.waves[:: len(base) // _CALIBRATION])
    data = tflite.strip(tflite.convert(made.model, made.variant, examples))
    row["int8 bytes"] = len(data)
    sets = {"held out": dataset.joined(dataset.bundled("validation"), dataset.bundled("test"))}
    if folder:
        sets["real"] = dataset.recordings(folder).clips
    for kind, clips in sets.items():
        answers = tflite.run(data, made.heard(clips.waves))
        hits, words = answers.argmax(axis=1) == clips.labels, np.array(clips.words, object)
        row[kind] = float(hits[np.isin(words, dataset.LABELS)].mean())
        row[f"{kind}, commands"] = float(hits[np.isin(words, COMMANDS)].mean())
    return row


def _loss() -> Any:
    keras = session.import_tensorflow().keras
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def _batches(heard: Heard, shares: tuple[float, ...]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield batches of 100 for ever: shifted, with background, in these shares of the labels."""
    clips, rng = dataset.bundled("train"), np.random.default_rng(0)
    places = [np.flatnonzero(clips.labels == label) for label in range(len(dataset.LABELS))]
    quiet = places[dataset.LABELS.index("_silence_")]
    while True:
        labels = rng.choice(len(shares), 100, p=shares)
        waves = clips.waves[[rng.choice(places[label]) for label in labels]]
        shifts = rng.integers(-_SHIFT, _SHIFT + 1, len(waves))
        waves = np.stack([_shifted(w, by) for w, by in zip(waves, shifts, strict=True)])
        noise = clips.waves[rng.choice(quiet, len(waves))]
        noise = noise / (np.abs(noise).max(axis=1, keepdims=True) + 1e-9)
        loud = rng.uniform(0, _LOUDEST, (len(waves), 1)) * (rng.random((len(waves), 1)) < _NOISY)
        yield heard(np.clip(waves + loud.astype(np.float32) * noise, -1, 1)), labels


def _shifted(wave: np.ndarray, by: int) -> np.ndarray:
    moved = np.roll(wave, by)
    moved[: max(0, by)] = 0
    moved[len(moved) + min(0, by) :] = 0
    return moved


def _front_end(waves: np.ndarray) -> np.ndarray:
    """Return the micro front end's features, (n, 49, 40, 1) float32, as in speech_commands."""
    from tensorflow.lite.experimental.microfrontend.python.ops import audio_microfrontend_op as op

    tf = session.import_tensorflow()

    def one(wave: Any) -> Any:
        settings = {"window_size": 30, "window_step": 20, "num_channels": 40, "out_scale": 1}
        return op.audio_microfrontend(wave, 16_000, out_type=tf.float32, **settings) * (10 / 256)

    whole = tf.constant((waves * 32_767).astype(np.int16))
    return tf.map_fn(one, whole, fn_output_signature=tf.float32).numpy()[..., np.newaxis]


def _mfccs(waves: np.ndarray) -> np.ndarray:
    """Return ten MFCCs, (n, 49, 10, 1) float32, of MLPerf Tiny's settings."""
    signal, parts = session.import_tensorflow().signal, []
    weights = signal.linear_to_mel_weight_matrix(40, 257, 16_000, 20.0, 4_000.0)
    loudest = np.abs(waves).max(axis=1, keepdims=True) + 1e-9
    for start in range(0, len(waves), 256):
        part = (waves / loudest)[start : start + 256]
        energies = np.abs(signal.stft(part, 480, 320, 512)) @ weights.numpy()
        parts.append(signal.mfccs_from_log_mel_spectrograms(np.log(energies + 1e-6))[..., :10])
    return np.concatenate(parts)[..., np.newaxis]


def _spectrograms(waves: np.ndarray) -> np.ndarray:
    """Return magnitudes, (n, 124, 129, 1) float32, of the tutorial's settings."""
    signal = session.import_tensorflow().signal
    parts = range(0, len(waves), 256)
    made = [np.abs(signal.stft(waves[start : start + 256], 255, 128)) for start in parts]
    return np.concatenate(made)[..., np.newaxis]


def main() -> None:
    """Train and measure one model; print its row as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--share", type=float, default=1.0, help="of the training")
    parser.add_argument("--clips", type=Path, help="a folder of real speech")
    chosen = parser.parse_args()
    print(json.dumps(measured(chosen.name, chosen.share, chosen.clips)))


if __name__ == "__main__":
    main()
