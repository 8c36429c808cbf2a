"""A board on the desk: the plain C program as a sketch, and clips that are sent to it.

The sketch was compiled and run against stand-ins for Arduino's libraries, and was never tried on a
board. What it answers are the bytes of the same C under QEMU; how long it took, the board counts.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import quantize
from course_lib.micro import device
from course_lib.micro.device import pcm
from course_lib.micro.plain_c import Program
from course_lib.sound import features
from course_lib.sound.audio import CLIP_SAMPLES
from course_lib.sound.dataset import LABELS

_SKETCH = Path(__file__).parent / "plain_c" / "sketch" / "spotter.ino"
_LEFT_OUT = {"main.c", "desktop.c", "cortex_m4.c", "cortex_m4.ld", "device.h"}
_FIRST_WORD = 2  # the labels before it are silence and unknown
_THRESHOLD = 77  # int8: four fifths of the way from -128 to 127
_SETTINGS = """\
// What is this model's own: its labels, and how sure it has to be.

enum {{ kLabelCount = {0}, kFirstWord = {1}, kThreshold = {2} }};
static const char* const kLabels[kLabelCount] = {{{3}}};
"""
_BAUD = 115_200
_SECONDS = 15.0  # a clip takes 3 to arrive at that speed
_ANSWER = re.compile(r"clip((?: -?\d+)+) us (\d+)$")


class BoardError(OSError):
    """Say why there is no answer from a board, and what to do."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What a board said to n clips: the bytes (n, labels) int8, and milliseconds (n,) float."""

    stored: np.ndarray
    milliseconds: np.ndarray


def sketch(program: Program, labels: Sequence[str] = LABELS) -> Mapping[str, str]:
    """Return the sketch's sources by file name: put them into one folder called "spotter".

    Raises ValueError where the labels are not as many as the model's answers, or the model takes
    other features than the program computes.
    """
    if len(labels) != program.output_bytes:
        raise ValueError(f"The model gives {program.output_bytes} answers, not {len(labels)}.")
    if not program.takes_sound:
        raise ValueError("A board hears with the course's own features: this model takes others.")
    texts = ", ".join('"' + re.sub(r'(["\\])', r"\\\1", label) + '"' for label in labels)
    first = min(_FIRST_WORD, len(labels) - 1)
    settings = _SETTINGS.format(len(labels), first, _THRESHOLD, texts)
    files = {name: text for name, text in program.files.items() if name not in _LEFT_OUT}
    return files | {"spotter.ino": _SKETCH.read_text(encoding="utf-8"), "settings.h": settings}


def ports() -> tuple[str, ...]:
    """Return the serial ports of this computer that are on its USB; none without pyserial."""
    try:
        from serial.tools import list_ports
    except ImportError:
        return ()
    return tuple(port.device for port in list_ports.comports() if port.vid is not None)


def ask(port: str, waves: np.ndarray, seconds: float = _SECONDS) -> Answers:
    """Send clips (n, 16000), float in -1 to 1, to the sketch at `port`; return its answers.

    `seconds` is how long to wait for each. Raises BoardError where pyserial is missing, the port
    cannot be opened, or what answers is not the sketch; ValueError for clips of another shape.
    """
    waves = np.asarray(waves)
    if waves.ndim != 2 or waves.shape[1] != CLIP_SAMPLES or not len(waves):
        raise ValueError(f"Clips of shape (n, {CLIP_SAMPLES}) are wanted, not {waves.shape}.")
    with _opened(port, seconds) as line:
        line.write(b"R")
        if _said(line, r"ready$") is None:
            raise BoardError(
                f"Nothing at {port} says that it is ready: is the sketch on the board?"
            )
        rows = [_answer(line, port, clip.astype("<i2").tobytes()) for clip in pcm(waves)]
    stored = np.array([row[:-1] for row in rows], np.int8)
    return Answers(stored, np.array([row[-1] for row in rows]) / 1000)


@dataclass(frozen=True)
class Comparison:
    """A board's answers to n clips beside the integer layers' and beside QEMU's instructions.

    `milliseconds` is the board's median; `expected` (least, most) the estimate for `chip`.
    """

    port: str
    clips: int
    other_words: int
    different_bytes: int
    milliseconds: float
    chip: str
    expected: tuple[float, float]

    def __str__(self) -> str:
        least, most = self.expected
        clips = "1 clip" if self.clips == 1 else f"{self.clips} clips"
        return (
            f"{self.port}: {clips}, {self.other_words} with another word, "
            f"{self.different_bytes} other bytes; {self.milliseconds:.1f} ms a clip, where "
            f"{least:.0f} to {most:.0f} ms were estimated for the {self.chip}."
        )


def compare(port: str, model_bytes: bytes, waves: np.ndarray) -> Comparison:
    """Send clips to a board that runs this model; compare with this computer and with QEMU.

    Raises what `ask` raises, and BoardError where the board runs a model with other answers.
    """
    answers = ask(port, waves)
    theirs = quantize.run_integer(model_bytes, features.log_mel(pcm(waves) / np.float32(32768)))
    if answers.stored.shape != theirs.output.shape:
        shown = answers.stored.shape[1]
        raise BoardError(f"The board's model gives {shown} answers: put this one's sketch on it.")
    run, chip = device.on_cortex_m4(model_bytes, waves), device.CHIPS[0]
    counted = run.feature_instructions + run.model_instructions
    guess = device.estimate(chip, counted, run.flash_bytes, run.ram_bytes)
    return Comparison(
        port=port,
        clips=len(waves),
        other_words=int((answers.stored.argmax(1) != theirs.output.argmax(1)).sum()),
        different_bytes=int((answers.stored != theirs.output).sum()),
        milliseconds=float(np.median(answers.milliseconds)),
        chip=chip.name,
        expected=(1000 * guess.seconds[0], 1000 * guess.seconds[1]),
    )


def report(model_bytes: bytes, waves: np.ndarray) -> str:
    """Return a line for each board on this computer's USB: how it compares, or what is wrong."""
    lines = []
    for port in ports():
        try:
            lines.append(str(compare(port, model_bytes, waves)))
        except BoardError as error:
            lines.append(str(error))
    return "\n".join(lines) or "No board is plugged in here."


def _opened(port: str, seconds: float) -> Any:
    try:
        import serial
    except ImportError as error:
        raise BoardError("Boards are read with pyserial: pip install pyserial.") from error
    try:
        return serial.Serial(port, _BAUD, timeout=seconds, write_timeout=seconds)
    except (serial.SerialException, ValueError) as error:
        others = ", ".join(ports()) or "none is there"
        raise BoardError(f"{port} cannot be opened; ports with a board: {others}.") from error


def _answer(line: Any, port: str, clip: bytes) -> list[int]:
    """Send one clip; return the bytes of the answer and the microseconds."""
    line.write(b"C" + clip)
    said = _said(line, _ANSWER.pattern)
    if said is None:
        raise BoardError(f"{port} gives no answer to a clip: press the board's reset, try again.")
    return [int(number) for number in [*said[1].split(), said[2]]]


def _said(line: Any, pattern: str) -> re.Match | None:
    """Return the first line that fits, past what the microphone has to say; None if time is up."""
    while text := line.readline().decode("ascii", "replace").strip():
        if found := re.search(pattern, text):
            return found
    return None
