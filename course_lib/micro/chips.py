"""What a run would take on three chips: an estimate from instructions, clock and current.

Nothing here was measured on a chip. A Cortex-M4 takes a cycle for most instructions and two for
many loads and branches (Arm, Cortex-M4 Technical Reference Manual, section 3.3), and waits for its
flash now and then: so between one and two cycles an instruction are assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

CYCLES_PER_INSTRUCTION = (1.0, 2.0)


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


CHIPS = (
    Chip(
        "nRF52840 (Arduino Nano 33 BLE)",
        "Cortex-M4F",
        64e6,
        1 << 20,
        256 << 10,
        52.0,
        3.0,
        "Nordic Semiconductor, nRF52840 Product Specification v1.1, key features",
    ),
    Chip(
        "STM32L4R5 (Nucleo-L4R5ZI)",
        "Cortex-M4F",
        120e6,
        2 << 20,
        640 << 10,
        110.0,
        3.3,
        "STMicroelectronics, STM32L4R5xx datasheet DS12023, first page (LDO mode)",
    ),
    Chip(
        "Apollo3 Blue (SparkFun Edge)",
        "Cortex-M4F",
        48e6,
        1 << 20,
        384 << 10,
        6.0,
        3.3,
        "Ambiq Micro, Apollo3 Blue MCU Datasheet, features",
    ),
)
"""Three chips with the core that is imitated here, from makers' documents."""


@dataclass(frozen=True)
class Estimate:
    """What one answer would take on a chip: (least, most) seconds and joules; does it fit?

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
    cycles = tuple(instructions * each for each in CYCLES_PER_INSTRUCTION)
    seconds = tuple(each / chip.clock_hz for each in cycles)
    joules = tuple(each * chip.microamperes_per_mhz * 1e-12 * chip.volts for each in cycles)
    fits = flash_bytes <= chip.flash_bytes and ram_bytes <= chip.ram_bytes
    return Estimate(chip, seconds, joules, fits)
