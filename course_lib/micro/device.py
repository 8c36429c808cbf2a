"""The model as plain C on a Cortex-M4: a run under QEMU, else the recorded one; three real chips.

Nothing was measured on a chip. What one would take is an estimate from instructions, clock and
current. A Cortex-M4 takes a cycle for most instructions and two for many loads and branches (Arm,
Cortex-M4 Technical Reference Manual, section 3.3), and waits for its flash now and then: so
between one and two cycles an instruction are assumed.
"""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from course_lib import tflite
from course_lib.micro import plain_c, record
from course_lib.micro.plain_c import Layer, Part
from course_lib.sound import dataset, features
from course_lib.sound.audio import CLIP_SAMPLES

_CYCLES_PER_INSTRUCTION = (1.0, 2.0)


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

    @classmethod
    def from_dict(cls, kept: dict[str, Any], where: str) -> Self:
        """Return a run of which `asdict` was written down."""
        kept = dict(kept, where=where, whole=Part(**kept["whole"]))
        kept["layers"] = tuple(Layer(**each) for each in kept["layers"])
        kept["parts"] = tuple(Part(**each) for each in kept["parts"])
        kept["instructions"] = tuple(kept["instructions"])
        return cls(**kept)


def pcm(waves: np.ndarray) -> np.ndarray:
    """Return waves in -1 to 1, (n, 16000), as the int16 samples that a microphone gives."""
    return np.clip(np.rint(np.asarray(waves) * 32768), -32768, 32767).astype(np.int16)


def on_cortex_m4(model_bytes: bytes, waves: np.ndarray) -> DeviceRun:
    """Generate C from an int8 model, build it, run it under QEMU on clips, (n, 16000) float.

    About 0.06 s a clip. Where a tool is missing the recorded run of the shipped model is returned,
    and its `where` says so.
    """
    if plain_c.missing():
        return DeviceRun.from_dict(record.load()["device"], record.date_line())
    program = plain_c.generate(model_bytes)
    with tempfile.TemporaryDirectory() as folder:
        built = plain_c.build(program, Path(folder))
        return _measured(model_bytes, program, built, np.asarray(waves))


def device_clips() -> dataset.Clips:
    """Return the clips that the emulated chip hears: more than a hundred, of every label."""
    unseen = dataset.bundled("test")
    return unseen[:: max(1, len(unseen) // 120)]


def _measured(
    model_bytes: bytes, program: plain_c.Program, built: plain_c.Built, waves: np.ndarray
) -> DeviceRun:
    """Run a built program on clips and compare it with Python and with the reference kernels."""
    if waves.ndim != 2 or waves.shape[1] != CLIP_SAMPLES or not len(waves):
        raise ValueError(f"Clips of shape (n, {CLIP_SAMPLES}) are wanted, not {waves.shape}.")
    sound = pcm(waves)
    heard = features.log_mel(sound / np.float32(32768))
    rows = program.plan.values[program.plan.inputs[0]].grid.quantize(heard)
    with ThreadPoolExecutor(2) as threads:
        answers, spoken = threads.map(partial(plain_c.run, program, built), (rows, sound))
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
        where=record.HERE,
    )


@dataclass(frozen=True)
class Chip:
    """A chip by its maker's figures: clock in Hz, memories in bytes, current per MHz, supply.

    `microamperes_per_mhz` is the core running from flash; `source` says where the figures stand.
    """

    name: str
    core: str
    clock_hz: float
    flash_bytes: int
    ram_bytes: int
    microamperes_per_mhz: float
    volts: float
    source: str


_CORE = "Cortex-M4F"
_NORDIC = "Nordic Semiconductor, nRF52840 Product Specification v1.1, key features"
_ST = "STMicroelectronics, STM32L4R5xx datasheet DS12023, first page (LDO mode)"
_AMBIQ = "Ambiq Micro, Apollo3 Blue MCU Datasheet, features"
CHIPS = (
    Chip("nRF52840 (Arduino Nano 33 BLE)", _CORE, 64e6, 1 << 20, 256 << 10, 52.0, 3.0, _NORDIC),
    Chip("STM32L4R5 (Nucleo-L4R5ZI)", _CORE, 120e6, 2 << 20, 640 << 10, 110.0, 3.3, _ST),
    Chip("Apollo3 Blue (SparkFun Edge)", _CORE, 48e6, 1 << 20, 384 << 10, 6.0, 3.3, _AMBIQ),
)
"""Three chips with the core that is imitated here, from makers' documents."""


@dataclass(frozen=True)
class Estimate:
    """What one answer would take on a chip, as (least, most) seconds and joules, and if it fits.

    `busy_share` is the share of time that listening four times a second would take, at most.
    """

    chip: Chip
    seconds: tuple[float, float]
    joules: tuple[float, float]
    fits: bool

    @property
    def busy_share(self) -> float:
        """The share of its time that a chip works when it answers four times a second."""
        return 4 * self.seconds[1]


def estimate(chip: Chip, instructions: int, flash_bytes: int, ram_bytes: int) -> Estimate:
    """Return an estimate for one answer of so many instructions.

    Charge is current times time: x microamperes per MHz are x picocoulombs a cycle.
    """
    cycles = tuple(instructions * each for each in _CYCLES_PER_INSTRUCTION)
    seconds = tuple(each / chip.clock_hz for each in cycles)
    joules = tuple(each * chip.microamperes_per_mhz * 1e-12 * chip.volts for each in cycles)
    fits = flash_bytes <= chip.flash_bytes and ram_bytes <= chip.ram_bytes
    return Estimate(chip, seconds, joules, fits)
