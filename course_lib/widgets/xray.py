"""The X-ray of a .tflite file: walk over its bytes, and change one of its weights.

Thin shells around `course_lib.tflite.xray` and `course_lib.views.xray`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from course_lib import tflite
from course_lib.formats.bytemap import Span
from course_lib.tflite import xray
from course_lib.views import bytes as draw_bytes
from course_lib.views import shell
from course_lib.views import xray as views
from course_lib.views.style import Picture, card

if TYPE_CHECKING:
    import ipywidgets

_HEX_ROWS = 9


class Explorer:
    """Walk over the parts of a file: one part after the other, by kind, or by a name."""

    def __init__(self, model_bytes: bytes, start: int = 0) -> None:
        self.rays = xray.Xray(model_bytes)
        self.map = self.rays.map
        self.image = draw_bytes.overview_png(self.map)
        last = len(self.map.spans) - 1
        self.slider = shell.slider("part", start, 0, last, on_change=self.go)
        self.kind = shell.dropdown("kind", list(self.map.shares), on_change=lambda _: self.next())
        self.text = _text("name", "conv, scale, 17 …", self.search)
        self.hits = shell.dropdown("found", [("nothing searched", start)], on_change=self.jump)
        self.strip, self.line, self.hexdump, self.way = (shell.html() for _ in range(4))
        self.widget = self._layout()
        self.go(start)

    def _layout(self) -> ipywidgets.Widget:
        """Return all controls and views in one column."""
        controls = shell.row(
            shell.button("◀ part", lambda: self.move(-1)),
            self.slider,
            shell.button("part ▶", lambda: self.move(1)),
            self.kind,
            shell.button("next of this kind", self.next),
        )
        return shell.column(
            shell.html(card(views.legend(self.map), "what the colours mean")),
            self.strip,
            controls,
            shell.row(self.text, self.hits),
            self.line,
            self.hexdump,
            self.way,
        )

    @property
    def span(self) -> Span:
        """Return the part that is looked at."""
        return self.map.spans[self.slider.value]

    def go(self, index: int) -> None:
        """Show part `index`: where it lies, its bytes, and the reads that lead to it."""
        span = self.map.spans[index]
        self.strip.value = card(views.overview(self.map, span, self.image), "the whole file")
        self.line.value = shell.note(
            f"{span.kind}: {xray.describe(span)}" + (f", at {span.path}" if span.path else "")
        )
        first = max(0, span.start - span.start % 16 - 32)
        dump = draw_bytes.hexdump_html(self.map, first, first + 16 * _HEX_ROWS, span.start)
        self.hexdump.value = card(views.clickable(dump), "bytes in hexadecimal")
        reads = xray.way(self.rays, span)
        title = f"{len(reads)} reads lead here" if reads else "No read leads here"
        self.way.value = card(views.steps(reads, title), "the way from the root")

    def move(self, step: int) -> None:
        """Go forward or back by some parts."""
        self.slider.value = min(max(self.slider.value + step, 0), self.slider.max)

    def next(self) -> None:
        """Go to the next part of the chosen kind, from the end on to the first one."""
        order = [*range(self.slider.value + 1, len(self.map.spans)), *range(self.slider.value + 1)]
        for index in order:
            if self.map.spans[index].kind == self.kind.value:
                self.slider.value = index
                return

    def search(self, text: str) -> None:
        """List the parts whose path, name or text holds `text`, or the part of that byte."""
        found = xray.search(self.map, text)[:200]
        self.hits.options = [
            (f"{span.kind} {span.path or span.name}: {xray.describe(span)}"[:90], index)
            for index, span in found
        ] or [("nothing found", self.slider.value)]
        self.jump(self.hits.value)

    def jump(self, index: int | None) -> None:
        """Go to a part that was found."""
        if index is not None:
            self.slider.value = index


class Patcher:
    """Change one stored number in place, see what the model answers, and put it back."""

    def __init__(
        self,
        model_bytes: bytes,
        features: np.ndarray,
        labels: np.ndarray,
        names: tuple[str, ...],
        clip: int = 0,
        tensor: str = "",
        index: int = 0,
    ) -> None:
        self.rays = xray.Xray(model_bytes)
        self.features, self.labels, self.names, self.clip = features, labels, names, clip
        self.before = tflite.run(model_bytes, features)
        self.logits = xray.logits(model_bytes, features[clip])
        self.data = self.rays.data
        stored = [
            each
            for each in self.rays.tensors
            if each.type in ("INT8", "FLOAT32") or each.type == "INT32" and each.scales
        ]
        chosen = self.rays[tensor] if tensor else max(stored, key=lambda each: each.count)
        self.tensor = shell.dropdown(
            "tensor",
            [(each.name, each) for each in stored],
            value=chosen,
            on_change=lambda _: self.choose(0),
        )
        self.index = shell.slider(
            "weight", index, 0, chosen.count - 1, on_change=lambda _: self.put_back()
        )
        self.number = self._number_slider(chosen)
        self.place, self.answers, self.score = (shell.html() for _ in range(3))
        self.controls = shell.row(
            self.tensor, self.index, self.number, shell.button("put it back", self.put_back)
        )
        self.widget = shell.column(self.controls, self.place, self.answers, self.score)
        self.put_back()

    def _number_slider(self, stored: xray.Stored) -> ipywidgets.Widget:
        """Return the slider for a tensor's stored numbers, let go before it acts."""
        if stored.type == "INT8":
            return shell.slider(
                "stored number", 0, -128, 127, on_change=self.change, continuous=False
            )
        limit = 4 * float(np.abs(self.rays.values(stored)).max()) or 1.0
        if stored.type == "INT32":
            whole = int(min(limit, 2**31 - 1))
            return shell.slider(
                "stored number", 0, -whole, whole, on_change=self.change, continuous=False
            )
        return shell.slider(
            "stored number",
            0.0,
            -limit,
            limit,
            limit / 100.0,
            on_change=self.change,
            continuous=False,
        )

    @property
    def stored(self) -> xray.Stored:
        """Return the tensor that is being changed."""
        return self.tensor.value

    def choose(self, index: int) -> None:
        """Turn to another tensor."""
        self.index.max = max(self.stored.count - 1, 0)
        self.index.value = min(index, self.index.max)
        self.number = self._number_slider(self.stored)
        children = list(self.controls.children)
        self.controls.children = [*children[:2], self.number, children[3]]
        self.put_back()

    def put_back(self) -> None:
        """Restore the original bytes."""
        original = self.rays.values(self.stored).flat[self.index.value].item()
        if self.number.value != original:
            self.number.value = original
        self.change(original)

    def change(self, number: float) -> None:
        """Write `number` into the file and show what follows."""
        at = self.index.value
        self.data = self.rays.patched(self.stored, at, number)
        after = tflite.run(self.data, self.features)
        self.place.value = card(self._where(at, number), "the bytes that change")
        self.answers.value = card(
            views.answer(
                self.names,
                self.before[self.clip],
                after[self.clip],
                (self.logits, xray.logits(self.data, self.features[self.clip])),
            ),
            "the answers",
        )
        right = [int((each.argmax(axis=1) == self.labels).sum()) for each in (self.before, after)]
        changed = int((self.before.argmax(axis=1) != after.argmax(axis=1)).sum())
        same = "the file is as shipped" if self.data == self.rays.data else "the file is patched"
        self.score.value = shell.note(
            f"{right[0]} of {len(self.labels)} clips right as shipped, {right[1]} now; "
            f"{changed} {'answer' if changed == 1 else 'answers'} changed; {same}."
        )

    def _where(self, at: int, number: float) -> str:
        """Return the place, the bytes before and after, and what the number stands for."""
        place, size = self.rays.place(self.stored, at), self.stored.dtype.itemsize
        old = self.rays.values(self.stored).flat[at].item()
        pairs = [(self.rays.data, old), (self.data, number)]
        told = " → ".join(
            f"<code>{data[place : place + size].hex(' ')}</code> (stored {value:g}, stands for "
            f"{self.rays.meaning(self.stored, at, value):+.4f})"
            for data, value in pairs
        )
        return f"<div style='font-size:14px'>byte {place} of {len(self.data)}: {told}</div>"


def explore(model_bytes: bytes, start: int = 0, title: str = "") -> None:
    """Display the X-ray of a .tflite file; its static twin is the overview with its legend.

    `start` is the part (counted in the order of the bytes) to begin at.
    """
    explorer = Explorer(model_bytes, start)
    twin: Picture = draw_bytes.overview(explorer.map, title or "a .tflite file")
    shell.show(explorer.widget, twin, "X-ray of a .tflite file")


def patch(
    model_bytes: bytes,
    features: np.ndarray,
    labels: np.ndarray,
    names: tuple[str, ...],
    clip: int = 0,
    tensor: str = "",
    index: int = 0,
    number: float | None = None,
) -> None:
    """Display a weight of a model that can be changed; the twin shows one change, `number`.

    `features` (n, 49, 40) and `labels` (n,) are what accuracy is counted on; `clip` is the
    one whose answer is shown.
    """
    patcher = Patcher(model_bytes, features, labels, names, clip, tensor, index)
    original = patcher.number.value
    if number is not None:
        patcher.change(number)
    twin = patcher.place.value + patcher.answers.value + patcher.score.value
    patcher.change(original)
    shell.show(patcher.widget, twin, "one weight of a .tflite file, to be changed in place")


def _text(label: str, placeholder: str, on_change) -> ipywidgets.Text:
    """Return a line to type into; Enter or leaving it starts the search."""
    import ipywidgets

    line = ipywidgets.Text(
        description=label,
        placeholder=placeholder,
        continuous_update=False,
        style={"description_width": "initial"},
    )
    line.observe(lambda change: on_change(change["new"]), names="value")
    return line
