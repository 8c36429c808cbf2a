"""A small training run that can be killed and taken up again, to see what a checkpoint must hold.

Everything that decides the next step is in the checkpoint: the weights, the optimizer, the step
(from which the order of the data follows) and the dice of dropout.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import session

BATCH = 32
SAVE_EVERY = 10
_RATE = 1e-2


class Run:
    """Hold a model in training, and the `tf.train.Checkpoint` that saves all of its state.

    `state` is the checkpoint, `manager` writes it every ten steps and keeps the newest ones.
    The batches are those of `features` (n, 49, 40) and `labels` (n,), shuffled by epoch.
    """

    def __init__(
        self, folder: str | Path, features: np.ndarray, labels: np.ndarray, keep: int = 3
    ) -> None:
        """Build model and optimizer, always with the same first weights."""
        self.tf = tf = session.import_tensorflow()
        self.features, self.labels = features, labels
        self.model = small_model()
        self.optimizer = tf.keras.optimizers.Adam(_RATE)
        self.optimizer.build(self.model.trainable_variables)
        self.step = tf.Variable(0, dtype=tf.int64)
        self.trail: dict[int, np.ndarray] = {}
        self.saving_seconds = 0.0
        dice = self.model.get_layer("forget").seed_generator.state
        self.parts = {
            "model": self.model, "optimizer": self.optimizer, "step": self.step, "dice": dice,
        }  # fmt: skip
        self.state = tf.train.Checkpoint(**self.parts)
        self.manager = tf.train.CheckpointManager(self.state, str(folder), max_to_keep=keep)
        self._update = tf.function(self._update_once)

    def train(self, until: int) -> dict[int, float]:
        """Train up to step `until` and return the loss of every step.

        `trail[step]` keeps all weights after that step, to compare runs by.
        """
        losses = {}
        with session.quiet():
            while int(self.step) < until:
                chosen = self._batch(int(self.step))
                loss = self._update(self.features[chosen][..., np.newaxis], self.labels[chosen])
                number = int(self.step.assign_add(1))
                losses[number] = float(loss)
                self.trail[number] = self.weights()
                if number % SAVE_EVERY == 0:
                    started = time.perf_counter()
                    self.manager.save(checkpoint_number=number)
                    self.saving_seconds += time.perf_counter() - started
        return losses

    def restore(self, prefix: str | Path, leave_out: tuple[str, ...] = ()) -> Run:
        """Take up the state of a checkpoint and return self.

        `leave_out` names parts that stay as they are: "optimizer", "dice" or "step".
        """
        wanted = {name: part for name, part in self.parts.items() if name not in leave_out}
        with session.quiet():
            self.tf.train.Checkpoint(**wanted).read(str(prefix)).expect_partial()
        return self

    def weights(self) -> np.ndarray:
        """Return all weights of the model, one after the other, as float32."""
        return np.concatenate([np.ravel(each) for each in self.model.get_weights()])

    def _batch(self, step: int) -> np.ndarray:
        """Return the places of a step's clips: a new order in every epoch, from the step alone."""
        an_epoch = len(self.features) // BATCH
        epoch, place = divmod(step, an_epoch)
        order = np.random.default_rng([session.SEED, epoch]).permutation(len(self.features))
        return order[place * BATCH : (place + 1) * BATCH]

    def _update_once(self, features: Any, labels: Any) -> Any:
        tf = self.tf
        with tf.GradientTape() as tape:
            logits = self.model(features, training=True)
            loss = tf.keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
            loss = tf.reduce_mean(loss)
        weights = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        return loss


def small_model() -> Any:
    """Return a keyword model of about a thousand weights, with dropout, for quick experiments."""
    keras = session.import_tensorflow().keras
    keras.utils.set_random_seed(session.SEED)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((49, 40, 1), name="features"),
            layers.AveragePooling2D((2, 2), name="smooth"),
            layers.Conv2D(8, (8, 5), strides=(4, 3), activation="relu", name="listen"),
            layers.Flatten(name="flat"),
            layers.Dropout(0.3, seed=session.SEED, name="forget"),
            layers.Dense(4, name="decide"),
        ],
        name="small",
    )
