"""Compile a generated C program, weigh its parts, and run it on clips.

On the desktop it runs natively; for a Cortex-M4, on one that QEMU imitates.
"""

import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_lib.micro.plain_c.generation import Program
from course_lib.sound import features
from course_lib.sound.audio import CLIP_SAMPLES

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

LOOP_INSTRUCTIONS = 30_000  # of a loop that the program counts before it begins
_RUN_SECONDS = 300
_QEMU = (  # icount ties its clock to instructions: every run counts the same
    "qemu-system-arm -M mps2-an386 -cpu cortex-m4 -nographic -monitor none -serial none "
    "-icount shift=6 -semihosting-config enable=on,target=native -kernel"
).split()


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


@dataclass(frozen=True, eq=False)
class Answers:
    """What a program left behind for n clips.

    `stored` (n, classes) int8; `features` (n, 49, 40) float32 where it was given sound, else None;
    `instructions` (n, 1 + layers) int64, those of the features first, all 0 on the desktop;
    `loop` what a loop of `LOOP_INSTRUCTIONS` was counted as. The few instructions that counting
    itself takes, which that loop tells, are taken away from the others.
    """

    stored: np.ndarray
    features: np.ndarray | None
    instructions: np.ndarray
    loop: int


def missing(target: str = "cortex-m4") -> tuple[str, ...]:
    """Return the programs that a target needs and that are not here."""
    return tuple(name for name in PROGRAMS[target] if not shutil.which(name))


def build(
    program: Program, folder: Path, target: str = "cortex-m4", options: tuple[str, ...] = ("-O2",)
) -> Built:
    """Write the sources into `folder`, compile and link them; takes a second or two.

    `options` go to the compiler, such as "-Os" for small code. Raises NoToolError
    where a program is missing or fails.
    """
    if lacking := missing(target):
        raise NoToolError(
            f"{' and '.join(lacking)} cannot be found: install what builds and runs for {target}."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in program.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    if target == "desktop":
        sources = [*_sources(program), "desktop.c"]
        _call(folder, "cc", *_WARNINGS, *options, *sources, "-lm", "-o", "spotter")
        return Built(target, folder / "spotter")
    compiler, flags = "arm-none-eabi-gcc", (*_WARNINGS, *_CORTEX_M4, *options)
    sources = (*_sources(program), "cortex_m4.c")
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(lambda name: _call(folder, compiler, *flags, "-c", name), sources))
    objects = [source.replace(".c", ".o") for source in sources]
    linking = (*_CORTEX_M4, *_LINK, "-Tcortex_m4.ld", *objects, "-lm", "-o", "spotter.elf")
    _call(folder, compiler, *linking)
    sizes = _sizes(_call(folder, "arm-none-eabi-size", *objects, "spotter.elf"))
    return Built(target, folder / "spotter.elf", sizes[:-1], sizes[-1])


def run(program: Program, built: Built, clips: np.ndarray) -> Answers:
    """Run on int8 features (n, …) as the model takes them, or on int16 sound (n, 16000).

    Raises ValueError for another type or shape and NoToolError where the program fails.
    """
    clips = np.asarray(clips)
    sound = clips.dtype == np.int16 and clips.shape[1:] == (CLIP_SAMPLES,)
    size = int(np.prod(program.plan.values[program.plan.inputs[0]].shape))
    if not sound and (clips.dtype != np.int8 or clips.size != len(clips) * size):
        raise ValueError(
            f"This program takes int8 features, {size} a clip, or int16 sound, {CLIP_SAMPLES} a "
            f"clip: it was given {clips.dtype} of shape {clips.shape}."
        )
    if sound and not program.takes_sound:
        raise ValueError(
            "This model takes other features than the program computes: give it those."
        )
    file = str(built.file.resolve())
    command = [file] if built.target == "desktop" else [*_QEMU, file]
    with tempfile.TemporaryDirectory() as name:  # of its own: two runs may go on at a time
        folder = Path(name)
        (folder / "in.bin").write_bytes((b"S" if sound else b"F") + clips.tobytes())
        (folder / "out.bin").write_bytes(b"")
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, timeout=_RUN_SECONDS)
        except (OSError, subprocess.SubprocessError) as error:
            raise NoToolError(f"The program could not be run: {error}.") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()[-300:]
            raise NoToolError(f"The program ended with code {done.returncode}. {said}")
        return _answers(program, (folder / "out.bin").read_bytes(), len(clips), sound)


def _sources(program: Program) -> tuple[str, ...]:
    """Return what is compiled for both targets: some models need one file more."""
    return _COMMON + tuple(name for name in ("grouped_conv2d.c",) if name in program.files)


def _sizes(table: str) -> tuple[Part, ...]:
    """Read what `size` prints: text, data, bss, their sum twice, a name."""
    rows = [line.split() for line in table.splitlines()[1:]]
    return tuple(Part(Path(row[5]).stem, *(int(number) for number in row[:3])) for row in rows)


def _call(folder: Path, *command: str) -> str:
    """Run a tool in a folder and return what it prints."""
    options = {"cwd": folder, "capture_output": True, "text": True, "timeout": _SECONDS}
    try:
        return subprocess.run(command, check=True, **options).stdout
    except subprocess.CalledProcessError as error:
        first = next((line for line in error.stderr.splitlines() if "error" in line), error.stderr)
        raise NoToolError(f"{command[0]} failed: {first.strip()}") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise NoToolError(f"{command[0]} failed: {error}.") from error


def _answers(program: Program, data: bytes, count: int, sound: bool) -> Answers:
    """Take what was written apart."""
    fields = [("stored", np.int8, program.output_bytes)]
    if sound:
        fields.append(("features", "<f4", (features.FRAMES, features.BANDS)))
    fields.append(("instructions", "<u4", len(program.layers) + 1))
    kind = np.dtype(fields)
    if len(data) != 4 + count * kind.itemsize:
        raise NoToolError(f"The program answered {len(data)} bytes: it stopped before its end.")
    rows = np.frombuffer(data, kind, offset=4)
    loop = int.from_bytes(data[:4], "little")
    counting = max(0, loop - LOOP_INSTRUCTIONS)
    heard = rows["features"].astype(np.float32) if sound else None
    instructions = np.maximum(rows["instructions"].astype(np.int64) - counting, 0)
    return Answers(rows["stored"].copy(), heard, instructions, loop)
