"""Run a built C program on clips: natively, or on a Cortex-M4 that QEMU imitates."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

import numpy as np

from course_lib.micro.plain_c.build import Built, NoToolError
from course_lib.micro.plain_c.generate import Program
from course_lib.sound import features
from course_lib.sound.audio import CLIP_SAMPLES

LOOP_INSTRUCTIONS = 30_000  # of a loop that the program counts before it begins
_SECONDS = 300
_QEMU = (
    "qemu-system-arm -M mps2-an386 -cpu cortex-m4 -nographic -monitor none -serial none "
    "-icount shift=6 -semihosting-config enable=on,target=native -kernel"
).split()


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
    folder = built.file.parent
    (folder / "in.bin").write_bytes((b"S" if sound else b"F") + clips.tobytes())
    (folder / "out.bin").write_bytes(b"")
    file = str(built.file.resolve())
    command = [file] if built.target == "desktop" else [*_QEMU, file]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoToolError(f"The program could not be run: {error}.") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()[-300:]
        raise NoToolError(f"The program ended with code {done.returncode}. {said}")
    return _answers(program, (folder / "out.bin").read_bytes(), len(clips), sound)


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
    return Answers(
        rows["stored"].copy(),
        rows["features"].astype(np.float32) if sound else None,
        np.maximum(rows["instructions"].astype(np.int64) - counting, 0),
        loop,
    )
