"""Our spotter beside the field's small networks: accuracy against bytes against seconds.

All learn from the same varied clips with the same training, are converted to int8 per tensor,
stripped of names, and run by the kernels without a delegate:

    python benchmarks/spotter.py --seeds 3 --real FOLDER --out build/spotter.json

FOLDER holds recordings in the layout of Speech Commands; without it, held-out voices are measured
alone. Networks: tiny_conv of TensorFlow's micro_speech example, DS-CNN of MLPerf Tiny v1.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import augment, dataset, features, freeze, session, shipping, spotter, tflite
from course_lib.modelcard import COMMANDS

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


def ds_cnn() -> Any:
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
        ]
    )


NETWORKS: dict[str, Callable[[int], Any]] = {
    "spotter": lambda seed: spotter.build(seed=seed),
    "spotter, wider": lambda seed: spotter.build(WIDER, seed=seed),
    "tiny_conv": lambda seed: tiny_conv(),
    "DS-CNN": lambda seed: ds_cnn(),
}


def main() -> None:
    options = _options()
    base = dataset.bundled("train")
    sets = {"held out": dataset.joined(dataset.bundled("validation"), dataset.bundled("test"))}
    if options.real:
        sets["real"] = dataset.from_folder(options.real)
    rows = []
    for seed in range(options.seeds):
        started = time.perf_counter()
        sounds, labels = augment.training_set(base, options.clips, seed)
        _tell(f"seed {seed}: {options.clips:,} clips in {time.perf_counter() - started:.0f} s")
        for name in options.networks or NETWORKS:
            rows.append(
                {
                    "network": name,
                    "seed": seed,
                    **_one(name, seed, sounds, labels, sets, options.epochs),
                }
            )
            _tell(json.dumps(rows[-1]))
    print(_table(rows))
    if options.out:
        session.write_atomically(Path(options.out), json.dumps(rows, indent=1) + "\n")


def _one(
    name: str,
    seed: int,
    sounds: np.ndarray,
    labels: np.ndarray,
    sets: dict[str, dataset.Clips],
    epochs: int,
) -> dict[str, Any]:
    """Train one network, convert it and measure it; seconds are of processor time, over two."""
    session.import_tensorflow().keras.utils.set_random_seed(seed)
    model = NETWORKS[name](seed)
    started = time.process_time()
    spotter.train(model, sounds, labels, epochs, seed=seed, **spotter.SHIPPED)
    row: dict[str, Any] = {
        "weights": model.count_params(),
        "seconds": round((time.process_time() - started) / 2),
    }
    frozen = freeze.frozen(model)
    data = tflite.strip(tflite.convert(frozen, "int8", sounds[:400]))
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


def _table(rows: list[dict[str, Any]]) -> str:
    """Return a Markdown table: the mean over the seeds of everything that was measured."""
    columns = [name for name in rows[0] if name not in ("network", "seed")]
    lines = ["| network | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for network in dict.fromkeys(row["network"] for row in rows):
        own = [row for row in rows if row["network"] == network]
        means = [np.mean([row[column] for row in own]) for column in columns]
        lines.append(
            f"| {network} | "
            + " | ".join(f"{mean:,.0f}" if mean > 2 else f"{mean:.3f}" for mean in means)
            + " |"
        )
    return "\n".join(lines)


def _model(stack: list) -> Any:
    keras = session.import_tensorflow().keras
    inputs = keras.Input((features.FRAMES, features.BANDS, 1), name="features")
    x = inputs
    for layer in stack:
        x = layer(x)
    return keras.Model(inputs, x, name="peer")


def _norm() -> list:
    layers = session.import_tensorflow().keras.layers
    return [layers.BatchNormalization(momentum=0.97), layers.ReLU()]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--clips", type=int, default=shipping.CLIPS)
    parser.add_argument("--epochs", type=int, default=spotter.EPOCHS)
    parser.add_argument("--networks", nargs="*", choices=list(NETWORKS))
    parser.add_argument("--real", help="a folder of recordings to measure with")
    parser.add_argument("--out", help="a JSON file to write every row to")
    return parser.parse_args()


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
