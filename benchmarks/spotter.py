"""Our spotter beside the field's small networks: accuracy against bytes against seconds.

All learn from the same varied clips with the same training, are converted to int8 per tensor,
stripped of names, and run by the kernels without a delegate. Then our network again, with one step
of its recipe taken back at a time:

    python -m benchmarks.spotter --seeds 3 --real FOLDER --rows spotter tiny_conv
    make bench ARGS="spotter --clips FOLDER"

FOLDER holds recordings in the layout of Speech Commands; without it, held-out voices are measured
alone. Networks: tiny_conv of TensorFlow's micro_speech example, DS-CNN of MLPerf Tiny v1.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from benchmarks.results import Measured, Options
from course_lib import session, spotter, tflite, train
from course_lib.graph import freezing
from course_lib.measure.model_card import COMMANDS
from course_lib.sound import augmentation, dataset, features, noise

TITLE = "What each step of the spotter's recipe gives"
WIDER = (16, 24, 32)


def tiny_conv() -> Any:
    """Return TensorFlow's micro_speech network: one convolution, one dense layer."""
    layers = session.import_tensorflow().keras.layers
    return _model(
        [
            layers.Conv2D(8, (10, 8), strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(len(dataset.LABELS)),
        ]
    )


def ds_cnn(bands: int = features.BANDS) -> Any:
    """Return MLPerf Tiny's keyword network: a convolution and four depthwise separable blocks."""
    layers = session.import_tensorflow().keras.layers
    stack = [layers.Conv2D(64, (10, 4), strides=2, padding="same"), *_norm(), layers.Dropout(0.2)]
    for _ in range(4):
        stack += [
            layers.DepthwiseConv2D(3, padding="same"),
            *_norm(),
            layers.Conv2D(64, 1),
            *_norm(),
        ]
    return _model(
        [
            *stack,
            layers.Dropout(0.4),
            layers.GlobalAveragePooling2D(),
            layers.Dense(len(dataset.LABELS)),
        ],
        bands,
    )


NETWORKS: dict[str, Callable[[int], Any]] = {
    "spotter": lambda seed: spotter.build(seed=seed),
    "spotter, wider": lambda seed: spotter.build(WIDER, seed=seed),
    "tiny_conv": lambda seed: tiny_conv(),
    "DS-CNN": lambda seed: ds_cnn(),
}


HISSING = replace(
    augmentation.RECIPE,
    noise_db=(4.0, 45.0),
    second_noise_db=(5.0, 40.0),
    noise_slopes=noise.SLOPES,
    floor_db=(-95.0, -60.0),
)
TRAININGS: dict[str, dict[str, Any]] = {  # of the spotter, each with one step taken back
    "spotter, not averaged": {**spotter.SHIPPED, "averaged": False},
    "spotter, keywords not favoured": {**spotter.SHIPPED, "favour": 0.0},
}
NOISY = "spotter, nearer and whiter noise"
ONCE = ("DS-CNN",)  # measured with the first seed alone: its training takes ten times as long
_TRIED = (
    "What stands in the way of 0.965 of people's keywords and silence and of 0.95 of their "
    "other words, at 18 kB: at this size each is bought with the other. A network half as large "
    "again and DS-CNN name more other words right and fewer keywords; so does a spotter that "
    "does not favour keywords. Tried, by row: wider layers, the mean of late weights, keywords "
    "favoured, noise nearer and whiter. What is left over is speech that no synthesizer says."
)


def main() -> None:
    print(measured(_options()))


def run(options: Options) -> Measured:
    """Measure every row with three seeds; `quick` one of them on few clips."""
    few = ["--seeds", "1", "--clips", "1000", "--epochs", "1", "--rows", "tiny_conv"]
    real = ["--real", str(options.clips)] if options.clips else []
    text = measured(_options([*(few if options.quick else ["--seeds", "3"]), *real]))
    return Measured(text.partition("\n\nMeasured on ")[2], remarks=[_TRIED])


def measured(options: argparse.Namespace) -> str:
    """Return what was measured as Markdown; every row is told on stderr as soon as it is known."""
    base = dataset.bundled("train")
    sets = {"held out": dataset.joined(dataset.bundled("validation"), dataset.bundled("test"))}
    if options.real:
        sets["real"] = dataset.recordings(options.real).clips
    rows = []
    for seed in range(options.seeds):
        for recipe in (augmentation.RECIPE, HISSING):
            names = [
                name
                for name in options.rows
                if (name == NOISY) == (recipe is HISSING) and not (seed and name in ONCE)
            ]
            if not names:
                continue
            varied = augmentation.training_set(base, options.clips, seed, recipe=recipe)
            for name in names:
                rows.append({"row": name, **_one(name, seed, varied, sets, options.epochs)})
                _tell(json.dumps(rows[-1]))
    return _report(rows, options)


def _one(
    name: str,
    seed: int,
    varied: tuple[np.ndarray, np.ndarray],
    sets: dict[str, dataset.Clips],
    epochs: int,
) -> dict[str, Any]:
    """Train one network, convert it and measure it; seconds are of processor time, over two."""
    session.import_tensorflow().keras.utils.set_random_seed(seed)
    model = NETWORKS.get(name, NETWORKS["spotter"])(seed)
    started = time.process_time()
    spotter.train(model, *varied, epochs, seed=seed, **TRAININGS.get(name, spotter.SHIPPED))
    row: dict[str, Any] = {
        "weights": model.count_params(),
        "seconds": round((time.process_time() - started) / 2),
    }
    frozen = freezing.frozen(model)
    data = tflite.strip(tflite.convert(frozen, "int8", varied[0][:400]))
    row["bytes"] = len(data)
    for kind, clips in sets.items():
        sound, words = features.of(clips), np.array(clips.words, object)
        right = {
            "float": _right(spotter.predict(model, sound), clips),
            "int8": _right(tflite.run(data, sound), clips),
        }
        for form, hits in right.items():
            row[f"{kind}, {form}"] = _share(hits[np.isin(words, dataset.LABELS)])
            row[f"{kind}, commands, {form}"] = _share(hits[np.isin(words, COMMANDS)])
    return row


def _right(answers: np.ndarray, clips: dataset.Clips) -> np.ndarray:
    return answers.argmax(axis=1) == clips.labels


def _share(hits: np.ndarray) -> float:
    return round(float(hits.mean()), 4)


def _report(rows: list[dict[str, Any]], options: argparse.Namespace) -> str:
    """Return a page in Markdown: the mean over the seeds of everything that was measured."""
    columns = [name for name in rows[0] if name != "row"]
    lines = [
        "# Our spotter, its peers, and what each step of its recipe gives",
        "",
        f"Measured on {date.today():%d %B %Y}: {options.clips:,} varied clips, {options.epochs} "
        f"epochs, the mean over the seeds from 0 up; {os.cpu_count()} cores "
        f"({platform.machine()}), Python {platform.python_version()}. Shares are of clips that "
        "were heard right; commands are words that have to be called unknown. Bytes are those of "
        "the int8 file without names; seconds are of two cores, for the training alone.",
        "",
        "| network | seeds | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 2) + "|",
    ]
    for name in dict.fromkeys(row["row"] for row in rows):
        own = [row for row in rows if row["row"] == name]
        told = " | ".join(
            _told(column, np.mean([row[column] for row in own])) for column in columns
        )
        lines.append(f"| {name} | {len(own)} | {told} |")
    if options.real:
        lines += ["", f"The real clips were looked at {len(rows)} times, once for each training."]
    return "\n".join(lines)


def _told(column: str, mean: float) -> str:
    return f"{mean:.3f}" if column.endswith(("float", "int8")) else f"{mean:,.0f}"


def _model(stack: list, bands: int = features.BANDS) -> Any:
    keras = session.import_tensorflow().keras
    inputs = keras.Input((features.FRAMES, bands, 1), name="features")
    x = inputs
    for layer in stack:
        x = layer(x)
    return keras.Model(inputs, x, name="peer")


def _norm() -> list:
    layers = session.import_tensorflow().keras.layers
    return [layers.BatchNormalization(momentum=0.97), layers.ReLU()]


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--clips", type=int, default=train.CLIPS)
    parser.add_argument("--epochs", type=int, default=spotter.EPOCHS)
    every = [*NETWORKS, *TRAININGS, NOISY]
    parser.add_argument("--rows", nargs="*", choices=every, default=every)
    parser.add_argument("--real", help="a folder of recordings to measure with")
    return parser.parse_args(arguments)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
