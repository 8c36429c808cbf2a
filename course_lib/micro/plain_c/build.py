"""Compile a generated C program, for the desktop or for a Cortex-M4, and weigh its parts."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from course_lib.micro.plain_c.generate import Program

PROGRAMS = {
    "cortex-m4": ("arm-none-eabi-gcc", "arm-none-eabi-size", "qemu-system-arm"),
    "desktop": ("cc",),
}
"""What each target needs. On Debian and Ubuntu the first come with the packages
gcc-arm-none-eabi, libnewlib-arm-none-eabi and qemu-system-arm."""

_WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-fno-math-errno")
_CORTEX_M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
_CORTEX_M4 += ("-ffunction-sections", "-fdata-sections", "-ffreestanding")
_LINK = ("-nostartfiles", "--specs=nano.specs", "-Wl,--gc-sections")
_SECONDS = 120
_COMMON = ("main.c", "model.c", "layers.c", "softmax.c", "log_mel.c", "log_mel_tables.c")


class NoToolError(OSError):
    """Say which program is missing here, or that one failed."""


@dataclass(frozen=True)
class Part:
    """One object file: bytes of code and constants, of initialized and of zeroed memory."""

    name: str
    flash_bytes: int
    data_bytes: int
    zeroed_bytes: int


@dataclass(frozen=True)
class Built:
    """A program that can be run: the file, the sizes of its parts, and those of the whole.

    On the desktop nothing is weighed: `parts` is empty and `whole` is None.
    """

    target: str
    file: Path
    parts: tuple[Part, ...] = ()
    whole: Part | None = None


def missing(target: str = "cortex-m4") -> tuple[str, ...]:
    """Return the programs that a target needs and that are not here."""
    return tuple(name for name in PROGRAMS[target] if not shutil.which(name))


def build(
    program: Program, folder: Path, target: str = "cortex-m4", options: tuple[str, ...] = ("-O2",)
) -> Built:
    """Write the sources into `folder`, compile and link them; takes a second or two.

    `options` go to the compiler, such as "-Os" for small code.

    Raises NoToolError where a program is missing or fails.
    """
    if lacking := missing(target):
        raise NoToolError(
            f"{' and '.join(lacking)} cannot be found: install what builds and runs for {target}."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in program.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    if target == "desktop":
        sources = [*_COMMON, "desktop.c"]
        _call(folder, "cc", *_WARNINGS, *options, *sources, "-lm", "-o", "spotter")
        return Built(target, folder / "spotter")
    compiler, objects = "arm-none-eabi-gcc", []
    for source in (*_COMMON, "cortex_m4.c"):
        objects.append(source.replace(".c", ".o"))
        flags = (*_WARNINGS, *_CORTEX_M4, *options)
        _call(folder, compiler, *flags, "-c", source, "-o", objects[-1])
    _call(
        folder,
        compiler,
        *_CORTEX_M4,
        *_LINK,
        "-Tcortex_m4.ld",
        *objects,
        "-lm",
        "-o",
        "spotter.elf",
    )
    sizes = _sizes(_call(folder, "arm-none-eabi-size", *objects, "spotter.elf"))
    return Built(target, folder / "spotter.elf", sizes[:-1], sizes[-1])


def _sizes(table: str) -> tuple[Part, ...]:
    """Read what `size` prints: text, data, bss, their sum twice, a name."""
    rows = [line.split() for line in table.splitlines()[1:]]
    return tuple(Part(Path(row[5]).stem, *(int(number) for number in row[:3])) for row in rows)


def _call(folder: Path, *command: str) -> str:
    """Run a tool in a folder and return what it prints."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except subprocess.CalledProcessError as error:
        first = next((line for line in error.stderr.splitlines() if "error" in line), error.stderr)
        raise NoToolError(f"{command[0]} failed: {first.strip()}") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise NoToolError(f"{command[0]} failed: {error}.") from error
    return done.stdout
