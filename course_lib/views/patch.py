"""One stored number of a .tflite file, changed in place, and what the model then answers."""

import html
from collections.abc import Sequence
from typing import Any

import numpy as np

from course_lib import tflite
from course_lib.tflite import xray
from course_lib.views import shell
from course_lib.views.style import PALETTE, card

_Pair = tuple[np.ndarray, np.ndarray]  # (classes,) before a change and after it


class BytePatch(shell.View):
    """A stored number to change in place and to put back, and what the model answers.

    `features` (n, frames, bins) float32 and `labels` (n,) int are what accuracy is counted on,
    `names` the classes; `clip` is the one whose answer is shown. `tensor` and `index` say which
    number, without `tensor` one of the largest. The still shows one change, to `number`.
    """

    label = "one weight of a .tflite file, to be changed in place"

    def __init__(
        self,
        model_bytes: bytes,
        features: np.ndarray,
        labels: np.ndarray,
        names: tuple[str, ...],
        clip: int = 0,
        tensor: str = "",
        index: int = 0,
        number: float | None = None,
    ) -> None:
        self.rays = xray.Xray(model_bytes)
        self.features, self.labels, self.names, self.clip = features, labels, names, clip
        self.example = number
        self.before = tflite.run(tflite.vouch(model_bytes, features), features)
        self.logits = xray.logits(model_bytes, features[clip])
        self.data = self.rays.data
        stored = [
            one
            for one in self.rays.tensors
            if (one.type in ("INT8", "FLOAT32") or one.type == "INT32" and one.scales)
            and not (one.problem or one.others)
        ]
        if not stored:
            raise ValueError("No tensor of this file holds numbers that can be changed in place.")
        chosen = self.rays[tensor] if tensor else max(stored, key=lambda one: one.count)
        options = [(one.name, one) for one in stored]
        self.tensor = shell.dropdown("tensor", options, chosen, lambda _: self.choose(0))
        last = chosen.count - 1
        self.index = shell.slider("weight", index, 0, last, on_change=lambda _: self.put_back())
        self.number = self._number_slider(chosen)
        self.place, self.answers, self.score = (shell.html() for _ in range(3))
        back = shell.button("put it back", self.put_back)
        self.bar = shell.row(self.tensor, self.index, self.number, back)
        self.widget = shell.column(self.bar, self.place, self.answers, self.score)
        self.put_back()

    def _number_slider(self, stored: xray.Stored) -> Any:
        """Return the slider for a tensor's stored numbers, let go before it acts."""
        low, high, step = -128, 127, 1
        if stored.type != "INT8":  # a bias or a float32 weight: four times as far as the largest
            high = 4 * float(np.abs(self.rays.values(stored)).max()) or 1.0
            step = high / 100.0
            if stored.type == "INT32":
                high, step = int(min(high, 2**31 - 1)), 1
            low = -high
        zero = type(low)(0)  # whole numbers all four make a slider of whole numbers
        return shell.slider("stored number", zero, low, high, step, self.change, continuous=False)

    def still(self) -> str:
        """Return what the views say about the example, as HTML; then it is undone."""
        original = self.number.value
        if self.example is not None:
            self.change(self.example)
        views = self.place.value + self.answers.value + self.score.value
        self.change(original)
        return views

    @property
    def stored(self) -> xray.Stored:
        """The tensor that is being changed."""
        return self.tensor.value

    def choose(self, index: int) -> None:
        """Turn to another tensor."""
        self.index.max = max(self.stored.count - 1, 0)
        self.index.value = min(index, self.index.max)
        self.number = self._number_slider(self.stored)
        children = list(self.bar.children)
        self.bar.children = [*children[:2], self.number, children[3]]
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
        logits = self.logits, xray.logits(self.data, self.features[self.clip])
        table = _answers_html(self.names, (self.before[self.clip], after[self.clip]), logits)
        self.answers.value = card(table, "the answers")
        answers = [shares.argmax(axis=1) for shares in (self.before, after)]
        right = [int((answer == self.labels).sum()) for answer in answers]
        changed = int((answers[0] != answers[1]).sum())
        same = "the file is as shipped" if self.data == self.rays.data else "the file is patched"
        self.score.value = shell.note(
            f"{right[0]} of {len(self.labels)} clips right as shipped, {right[1]} now; "
            f"{changed} {'answer' if changed == 1 else 'answers'} changed; {same}. "
            f"{getattr(self.data, 'why', '')}".strip()
        )

    def _where(self, at: int, number: float) -> str:
        """Return the place, the bytes before and after, and what the number stands for."""
        place, size = self.rays.place(self.stored, at), self.stored.dtype.itemsize
        old = self.rays.values(self.stored).flat[at].item()
        pairs = [(self.rays.data, old), (self.data, number)]
        descriptions = " → ".join(
            f"<code>{data[place : place + size].hex(' ')}</code> (stored {value:g}, stands for "
            f"{self.rays.meaning(self.stored, at, value):+.4f})"
            for data, value in pairs
        )
        return f"<div style='font-size:14px'>byte {place} of {len(self.data)}: {descriptions}</div>"


def _answers_html(
    labels: Sequence[str], shares: _Pair, logits: tuple[np.ndarray | None, np.ndarray | None]
) -> str:
    """Return a table of probabilities, with bars, and of the logits that a softmax makes them."""
    has_logits = all(values is not None and len(values) == len(labels) for values in logits)
    head = "<th></th><th colspan=2>as shipped</th><th colspan=2>as patched</th>"
    head += "<th>logits</th>" * has_logits
    rows = []
    for index, label in enumerate(labels):
        cells = "".join(
            _bar(values[index], index == int(values.argmax()), colour)
            for values, colour in zip(shares, ("sky", "orange"), strict=True)
        )
        if has_logits:
            cells += f"<td>{logits[0][index]:+.2f} → {logits[1][index]:+.2f}</td>"
        rows.append(f"<tr><td style='text-align:left'>{html.escape(label)}</td>{cells}</tr>")
    return (
        "<table style='font-size:14px;border-collapse:separate;border-spacing:8px 2px'>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _bar(share: float, largest: bool, colour: str) -> str:
    """Return two cells: a bar for a probability and its number, bold for the model's answer."""
    number = f"<b>{share:.3f} ◀</b>" if largest else f"{share:.3f}"
    return (
        "<td style='width:110px;text-align:left'><div style='height:12px;width:"
        f"{max(1, round(110 * float(share)))}px;background:{PALETTE[colour]};"
        f"border:1px solid #000'></div></td><td style='text-align:left'>{number}</td>"
    )
