"""A page that hears: a model, the program that runs it, and some clips, in one HTML file.

The program is the plain C of `micro.plain_c` as WebAssembly, so the bytes that come out are those
of the chip. The page asks nobody for anything: it works from a double click, with the network off.
"""

import base64
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_lib import session
from course_lib.micro import device, plain_c, wasm
from course_lib.sound import dataset
from course_lib.sound.audio import CLIP_SAMPLES

_TEMPLATE = Path(__file__).with_name("hearing.html")
_HEIGHT_PIXELS = 420
THRESHOLD = 0.8
"""How sure the page has to be before it shows a word."""


@dataclass(frozen=True)
class Page:
    """One HTML document that hears; in a notebook it shows itself, in a frame of its own."""

    document: str

    def show(self) -> None:
        """Show the page below the cell."""
        from IPython.display import display

        display(self)

    def save(self, path: str | Path) -> Path:
        """Write the page as a file that works from a double click; return where it is."""
        session.write_atomically(Path(path), self.document)
        return Path(path)

    def _repr_html_(self) -> str:
        frame = f"width: 100%; max-width: 800px; height: {_HEIGHT_PIXELS}px; border: 0"
        return (
            f'<iframe title="A model that hears, in this page" allow="microphone" style="{frame}"'
            f' srcdoc="{html.escape(self.document)}"></iframe>'
        )

    def __repr__(self) -> str:
        return f"A page that hears, {len(self.document.encode()):,} bytes; .save(path) writes it."


def page(
    model_bytes: bytes,
    clips: Mapping[str, np.ndarray],
    labels: Sequence[str] = dataset.LABELS,
    threshold: float = THRESHOLD,
    shows_bytes: bool = False,
) -> Page:
    """Return a page with an int8 model and clips by the names of their buttons.

    `clips` are waves of (16000,), float32 from -1 to 1. A label that is no word (the first two
    of `labels`, silence and the rest) is never shown as heard. `shows_bytes` puts what the model
    stores, int8, beside each share. Raises ValueError where the labels
    are not as many as the model's answers, a clip is not a second long, the model takes other
    features than the course's, or there is no plain C for it.
    """
    program = plain_c.generate(model_bytes)
    if not program.takes_sound:
        raise ValueError("A page hears with the course's own features: this model takes others.")
    if len(labels) != program.output_bytes:
        raise ValueError(f"The model gives {program.output_bytes} answers, not {len(labels)}.")
    grid = program.plan.values[program.plan.outputs[0]].grid
    data = {
        "engine": _text(wasm.engine()),
        "model": _text(wasm.link(program)),
        "labels": list(labels),
        "words": list(labels[2:]),
        "scale": float(grid.scale),
        "zero_point": int(grid.zero_point),
        "threshold": threshold,
        "shows_bytes": shows_bytes,
        "clips": [
            {"name": name, "sound": _text(_stored(name, wave))} for name, wave in clips.items()
        ],
    }
    written = json.dumps(data).replace("<", "\\u003c")  # no text ends the script around it
    return Page(_TEMPLATE.read_text(encoding="utf-8").replace("DATA", written, 1))


def _stored(name: str, wave: np.ndarray) -> bytes:
    wave = np.asarray(wave)
    if wave.shape != (CLIP_SAMPLES,):
        raise ValueError(f"{name!r} has the shape {wave.shape}: give a second, ({CLIP_SAMPLES},).")
    return device.pcm(wave).astype("<i2").tobytes()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
