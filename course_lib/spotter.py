"""The keyword model: a small network that tells yes, no, other words and silence apart.

`build` makes it, `train` teaches it, `load` returns the one that is shipped, and `facts` says how
large that is: the only place where its architecture is written down is `build`.
`course_lib.train` runs the whole recipe, from the bundled clips to the files in data/models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import softmax

from course_lib import session
from course_lib.formats import checkpoint
from course_lib.sound.dataset import LABELS, UNKNOWN
from course_lib.sound.features import BANDS, FRAMES

if TYPE_CHECKING:
    import keras

FIRST_LAYER, LAST_LAYER = "listen", "decide"
WIDTHS = (12, 16, 28)  # channels: after the first layer, after the second, and from then on
BATCH = 128
EPOCHS = 8
PEAK_RATE = 3e-3
UNKNOWN_WEIGHT = 0.8  # below 1, because unknown words are many of the training clips
SMOOTHING = 0.05  # of a label goes to all classes alike: no answer is wholly certain
SHIPPED = {"averaged": True, "unknown_weight": 0.5, "favour": 0.25}  # what `train` is told for it
_WARM = 0.08  # of the steps, until the rate is at its peak
_LAST_RATE = 0.1  # of the peak: an averaged training ends with it, still moving about
_AVERAGED, _EVERY, _SETTLING = 1 / 8, 10, 200  # of the steps; one in so many; batches afterwards


def build(
    widths: tuple[int, int, int] = WIDTHS, seed: int = 0, classes: int = len(LABELS)
) -> keras.Model:
    """Return the untrained network: features (n, 49, 40, 1) to logits (n, classes) as in LABELS.

    Two layers look at small patches of time and frequency, one merges all bands, three follow how
    the sound goes on (each adds to what it was given), then everything is averaged over time and
    decided.
    """
    keras = session.import_tensorflow().keras
    keras.utils.set_random_seed(seed)
    few, some, many = widths
    inputs = keras.Input((FRAMES, BANDS, 1), name="features")
    x = _layer(inputs, FIRST_LAYER, few, (5, 5), strides=2)
    x = _layer(x, "combine", some, (3, 3), strides=(1, 2))
    x = _layer(x, "merge", many, (1, BANDS // 4), padding="valid")
    for number in (1, 2, 3):
        change = _layer(x, f"follow_{number}", many, (3, 1), relu=False)
        x = keras.layers.Add(name=f"add_{number}")([x, change])
        x = keras.layers.ReLU(name=f"add_{number}_relu")(x)
    x = keras.layers.GlobalAveragePooling2D(name="average")(x)
    x = keras.layers.Dropout(0.2, seed=seed, name="forget")(x)
    logits = keras.layers.Dense(classes, name=LAST_LAYER)(x)
    return keras.Model(inputs, logits, name="spotter")


def train(
    model: keras.Model,
    features: np.ndarray,
    labels: np.ndarray,
    epochs: int = EPOCHS,
    seed: int = 0,
    peak_rate: float = PEAK_RATE,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    averaged: bool = False,
    unknown_weight: float = UNKNOWN_WEIGHT,
    favour: float = 0.0,
) -> dict[str, list[float]]:
    """Train `model` in place and return what Keras measured after each epoch.

    `features` (n, 49, 40) float32; `labels` (n,) classes, or (n, classes) float32 shares of each,
    as a teacher gives them. Every batch is shifted in time and partly hidden, differently in
    every epoch. The same seed gives the same batches. With `averaged`, the model ends as the mean
    of what it was in the last eighth of the steps. `favour` is then added to the logits of every
    keyword: people say them less clearly than machines. Both happen before `callbacks` are told of
    the end. An unknown word counts `unknown_weight` in the loss, any other clip 1. Raises
    ValueError for fewer clips than one batch.
    """
    if len(features) != len(labels) or len(features) < BATCH:
        todo = f"as many of both, and at least one batch ({BATCH})."
        raise ValueError(f"{len(features)} features and {len(labels)} labels: {todo}")
    keras = session.import_tensorflow().keras
    steps, classes = epochs * (len(features) // BATCH), model.output_shape[-1]
    model.compile(
        _optimizer(steps, peak_rate, _LAST_RATE if averaged else 0.0),
        metrics=["accuracy"],
        jit_compile=False,  # compiling would take longer than it saves
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
    )
    if validation is not None:
        validation = validation[0][..., np.newaxis], _one_hot(validation[1], classes)
    keras.utils.set_random_seed(seed)
    shares = labels if labels.ndim > 1 else _one_hot(labels, classes)
    batches = _batches(features, shares, seed, unknown_weight)
    ends = [keras.callbacks.LambdaCallback(on_train_end=lambda logs: _favoured(model, favour))]
    if averaged:
        ends.insert(0, _averaging(batches, steps))
    settings = {"validation_data": validation, "validation_batch_size": 512}
    settings["callbacks"] = [*ends, *callbacks]  # ours come first: the others see what they leave
    return model.fit(batches, epochs=epochs, verbose=0, shuffle=False, **settings).history


def predict(model: keras.Model, features: np.ndarray) -> np.ndarray:
    """Return the probabilities, (n, classes) float32, of features (n, 49, 40)."""
    logits = model.predict(np.asarray(features)[..., np.newaxis], batch_size=512, verbose=0)
    return softmax(logits, axis=1)


def load() -> keras.Model:
    """Return the shipped model, trained."""
    keras = session.import_tensorflow().keras
    return keras.models.load_model(session.data_path("models", "spotter.keras"))


def checkpoint_folder() -> Path:
    """Return the folder with the checkpoints that the shipped model left while it was trained."""
    return session.data_path("models", "checkpoints")


@dataclass(frozen=True)
class Facts:
    """The shipped model in figures.

    `kernels` are the shapes of its kernels by layer, in order; `trained` counts the weights that
    training moves, `weights` the statistics of the normalisations too.
    """

    kernels: dict[str, tuple[int, ...]]
    trained: int
    weights: int


@lru_cache(maxsize=1)
def facts() -> Facts:
    """Return the figures of the shipped model, read from its files without TensorFlow."""
    tensors = checkpoint.contents(checkpoint_folder()).only("weights")
    named = ((tensor.name.partition("/"), tensor.shape) for tensor in tensors)
    kernels = {layer: shape for (layer, _, part), shape in named if part == "kernel"}
    trained = sum(tensor.count for tensor in tensors if "/moving_" not in tensor.name)
    return Facts(kernels, trained, sum(tensor.count for tensor in tensors))


def hidden(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shift each clip by up to 4 frames; set one stretch of time and of frequency to 0, the mean.

    (n, 49, 40) in, a new array out. Source: D. Park et al., SpecAugment, Interspeech 2019.
    """
    count, frames, bands = features.shape
    places = np.arange(frames) + rng.integers(-4, 5, (count, 1))
    shifted = features[np.arange(count)[:, np.newaxis], np.clip(places, 0, frames - 1)]
    when = _stripes(rng, count, frames, 16)[:, :, np.newaxis]
    return shifted * (when & _stripes(rng, count, bands, 14)[:, np.newaxis])


def _stripes(rng: np.random.Generator, count: int, length: int, widest: int) -> np.ndarray:
    """Return (count, length) bool that is False in one random stripe of each row."""
    width = rng.uniform(0, widest, (count, 1))
    start = rng.uniform(-widest / 2, length, (count, 1))  # so that the edges are hidden as often
    place = np.arange(length)
    return (place < start) | (place >= start + width)


def _optimizer(steps: int, peak_rate: float, last: float) -> keras.optimizers.Optimizer:
    """Return AdamW: its rate warms up to `peak_rate`, then follows a cosine to `last` of it."""
    keras = session.import_tensorflow().keras
    warm = max(1, int(_WARM * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm), alpha=last, warmup_target=peak_rate, warmup_steps=warm
    )
    adam = keras.optimizers.AdamW(rate, weight_decay=0.02)
    adam.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return adam


def _batches(features: np.ndarray, shares: np.ndarray, seed: int, unknown_weight: float):
    """Return the training batches as Keras takes them: features, soft labels, weights."""
    keras = session.import_tensorflow().keras
    weights = 1.0 + (unknown_weight - 1.0) * shares[:, UNKNOWN]
    targets = ((1 - SMOOTHING) * shares + SMOOTHING / shares.shape[1]).astype(np.float32)

    class Batches(keras.utils.PyDataset):
        epoch = 0
        order = np.random.default_rng([seed, 0]).permutation(len(features))

        def __len__(self) -> int:
            return len(features) // BATCH

        def __getitem__(self, step: int):
            chosen = self.order[step * BATCH : (step + 1) * BATCH]
            varied = hidden(features[chosen], np.random.default_rng([seed, self.epoch, step]))
            return varied[..., np.newaxis], targets[chosen], weights[chosen].astype(np.float32)

        def on_epoch_end(self) -> None:
            self.epoch += 1
            self.order = np.random.default_rng([seed, self.epoch]).permutation(len(features))

    return Batches()


def _averaging(batches: Sequence, steps: int) -> keras.callbacks.Callback:
    """Return a callback that ends a training of `steps` with the mean of the late weights.

    Source: P. Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization,
    UAI 2018. What the normalisations remember is measured anew, because it was that of one of them.
    """
    keras = session.import_tensorflow().keras

    class Averaging(keras.callbacks.Callback):
        def on_train_begin(self, logs: dict | None = None) -> None:
            self.step, self.taken = 0, []

        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            self.step += 1
            left = steps - self.step
            if left < _AVERAGED * steps and left % _EVERY == 0:
                self.taken.append([each.numpy() for each in self.model.trainable_variables])

        def on_train_end(self, logs: dict | None = None) -> None:
            if not self.taken:  # it was stopped before
                return
            for variable, *values in zip(self.model.trainable_variables, *self.taken, strict=True):
                variable.assign(np.mean(values, axis=0))
            for step in range(_SETTLING):
                self.model(batches[step % len(batches)][0], training=True)

    return Averaging()


def _favoured(model: keras.Model, amount: float) -> None:
    """Add `amount` to what the last layer says of the keywords, which come after UNKNOWN."""
    bias = model.layers[-1].bias
    bias.assign_add(amount * (np.arange(bias.shape[0]) > UNKNOWN))


def _layer(x, name: str, channels: int, size, relu: bool = True, strides=1, padding="same"):
    """Add a convolution without bias, its normalisation, and a ReLU where wanted."""
    layers = session.import_tensorflow().keras.layers
    x = layers.Conv2D(channels, size, strides, padding, use_bias=False, name=name)(x)
    x = layers.BatchNormalization(momentum=0.97, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def _one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[labels]
