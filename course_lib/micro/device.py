"""The model as plain C on a Cortex-M4: a run of it here under QEMU, else the recorded one."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import tflite
from course_lib.micro import plain_c, recorded
from course_lib.micro.plain_c import Layer, Part
from course_lib.sound import features
from course_lib.sound.audio import CLIP_SAMPLES


@dataclass(frozen=True)
class DeviceRun:
    """What a run on n clips showed, with stored features first and then with sound.

    `different_bytes` of `compared_bytes` differ from LiteRT's reference kernels; for sound,
    `feature_error` is the largest distance from Python's features and `other_words` counts the
    clips whose word changed. `instructions` holds the mean of each layer, `feature_instructions`
    that of the features. `where` says whether it was run here or when it was recorded.
    """

    clips: int
    compared_bytes: int
    different_bytes: int
    feature_error: float
    other_words: int
    loop: int
    feature_instructions: int
    instructions: tuple[int, ...]
    layers: tuple[Layer, ...]
    parts: tuple[Part, ...]
    whole: Part
    memory_bytes: int
    where: str

    @property
    def macs(self) -> int:
        """The multiply-accumulates of one inference."""
        return sum(layer.macs for layer in self.layers)

    @property
    def model_instructions(self) -> int:
        """The instructions of one inference, without the features."""
        return sum(self.instructions)

    @property
    def flash_bytes(self) -> int:
        """Bytes of flash: code, constants, the model, and what initialized memory starts with."""
        return self.whole.flash_bytes + self.whole.data_bytes

    @property
    def ram_bytes(self) -> int:
        """Bytes of memory, the stack of 4 kB included."""
        return self.whole.data_bytes + self.whole.zeroed_bytes

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for a JSON file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, kept: dict[str, Any], where: str) -> DeviceRun:
        """Return the run that `as_dict` wrote down."""
        kept = dict(kept, where=where, whole=Part(**kept["whole"]))
        kept["layers"] = tuple(Layer(**each) for each in kept["layers"])
        kept["parts"] = tuple(Part(**each) for each in kept["parts"])
        kept["instructions"] = tuple(kept["instructions"])
        return cls(**kept)


def pcm(waves: np.ndarray) -> np.ndarray:
    """Return waves in -1 to 1, (n, 16000), as the int16 samples that a microphone gives."""
    return np.clip(np.rint(np.asarray(waves) * 32768), -32768, 32767).astype(np.int16)


def on_cortex_m4(
    model_bytes: bytes, waves: np.ndarray, *, options: tuple[str, ...] = ("-O2",)
) -> DeviceRun:
    """Generate C from an int8 model, build it, run it under QEMU on clips, (n, 16000) float.

    About 0.06 s a clip. Where a tool is missing the recorded run of the shipped model is returned,
    and its `where` says so.
    """
    if plain_c.missing():
        return DeviceRun.from_dict(recorded.record()["device"], recorded.date_line())
    program = plain_c.generate(model_bytes)
    with tempfile.TemporaryDirectory() as folder:
        built = plain_c.build(program, Path(folder), options=options)
        return measured(model_bytes, program, built, np.asarray(waves))


def measured(
    model_bytes: bytes, program: plain_c.Program, built: plain_c.Built, waves: np.ndarray
) -> DeviceRun:
    """Run a built program on clips and compare it with Python and with the reference kernels."""
    if waves.ndim != 2 or waves.shape[1] != CLIP_SAMPLES or not len(waves):
        raise ValueError(f"Clips of shape (n, {CLIP_SAMPLES}) are wanted, not {waves.shape}.")
    sound = pcm(waves)
    heard = features.log_mel(sound / np.float32(32768))
    rows = program.plan.values[program.plan.inputs[0]].grid.quantize(heard)
    answers, spoken = plain_c.run(program, built, rows), plain_c.run(program, built, sound)
    kernel = tflite.Interpreter(model_bytes, reference=True)
    shape = kernel.inputs[0].shape
    theirs = np.concatenate([kernel.step(row.reshape(shape)) for row in rows])
    means = np.rint(spoken.instructions.mean(axis=0)).astype(int)
    return DeviceRun(
        clips=len(waves),
        compared_bytes=theirs.size,
        different_bytes=int((answers.stored != theirs).sum()),
        feature_error=float(abs(spoken.features - heard).max()),
        other_words=int((spoken.stored.argmax(1) != theirs.argmax(1)).sum()),
        loop=answers.loop,
        feature_instructions=int(means[0]),
        instructions=tuple(int(mean) for mean in means[1:]),
        layers=program.layers,
        parts=built.parts,
        whole=built.whole,
        memory_bytes=program.memory_bytes,
        where=recorded.HERE,
    )
