"""Flip-books: what a widget shows in each of its states, recorded while there is a kernel.

    python -m tools.flipbook NOTEBOOK OUT

A driver walks the controls of any widget made of ipywidgets, state after state, and keeps what its
HTML children show. A page turns these leaves without a kernel: `flipbook.js` does it.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import io
import itertools
import json
import math
import os
import re
import sys
import tempfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from course_lib.session import files
from course_lib.views import shell

__all__ = ["Book", "Store", "record"]

MOST = 400  # states of a widget that differ in what they show
_MOST_STEPS = 1200  # of a slider that buttons walk, which would skip steps if it were thinned
_MOST_BYTES = 1_200_000  # of all that its states show, compressed
_FEWEST = 8
_DATA = re.compile(r'src="data:(?:image|audio)/(png|wav);base64,([A-Za-z0-9+/=]+)"')
_DEAD = re.compile(r' onclick="[^"]*"|cursor: ?pointer;?| aria-live="polite"')
_TRAINING = "<widget: a training, live>"  # what follows one is not recorded: no site waits for it
_OURS = "<widget: "


class Store:
    """Pictures and sounds, by a name that their bytes give them, each once."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._known: dict[str, str] = {}

    def put(self, text: str) -> str:
        """Return HTML whose pictures and sounds are files, and which nothing can be clicked in."""
        return _DATA.sub(self._filed, _DEAD.sub("", text))

    def _filed(self, found: re.Match[str]) -> str:
        kind, data = found.groups()
        if data not in self._known:
            content, ending = base64.b64decode(data), kind
            if kind == "png":
                content, ending = _webp(content), "webp"
            name = f"{hashlib.sha256(content).hexdigest()[:16]}.{ending}"
            self.files[name], self._known[data] = content, name
        return f'src="_static/flip/{self._known[data]}"'


@dataclass
class Book:
    """All that a page needs to turn the leaves of one widget.

    `skeleton` is HTML with places for `controls`, `buttons` and slots. `pieces` are what slots
    show, each once; a frame has one a slot. A state is a combination of the controls' values, the
    last control's turning fastest: `frame_of` says what it shows, `state_of` which it really is,
    where a control cannot have every value in it. `moves` gives the state that an action leads to
    from each. `left_out` says in words what is not here.
    """

    skeleton: str
    controls: list[dict[str, Any]]
    buttons: list[dict[str, Any]]
    start: int
    left_out: str
    pieces: list[str] = field(default_factory=list)
    frames: list[list[int]] = field(default_factory=list)
    frame_of: list[int] = field(default_factory=list)
    state_of: list[int] = field(default_factory=list)
    moves: dict[str, list[int]] = field(default_factory=dict)


def record(widget: Any, store: Store, most: int = MOST) -> Book | None:
    """Walk a widget of ipywidgets through its states; return None where nothing can be moved.

    At most `most` combinations of values are kept: boxes to tick are left as they are first, then
    sliders keep fewer values, evenly spread, and last lists are left as they are. A slider that
    buttons walk stays whole as long as it can. What has no few values (a text, a file) is left out.
    """
    return _Driver(widget, store, most).book()


class _Control:
    """One control with the values that are kept of it."""

    def __init__(self, widget: Any, kind: str) -> None:
        self.widget, self.kind = widget, kind
        self.trait = "index" if hasattr(widget, "options") else "value"
        self.start, self.moves, self.silent, self.walked = self.read(), False, False, False
        self.values = self.all = self._all()

    def read(self) -> Any:
        return getattr(self.widget, self.trait)

    def set(self, value: Any) -> None:
        if self.read() != value:
            setattr(self.widget, self.trait, value)

    def refresh(self) -> None:
        """Take over values that a larger bound has made possible."""
        now = self._all()
        if len(now) > len(self.all):
            self.values = self.all = now

    def thin(self, count: int) -> None:
        """Keep `count` values, evenly spread, the ends and the first one shown among them."""
        last = len(self.all) - 1
        places = {round(last * part / (count - 1)) for part in range(count)} if count > 1 else set()
        at = self.place(self.start)
        if at not in places:
            inner = sorted(places - {0, last}, key=lambda each: abs(each - at))
            places = places - set(inner[:1]) | {at}
        self.values = [self.all[place] for place in sorted(places)]

    def place(self, value: Any, before: Any = None) -> int:
        """Return where `value` is kept; one that is not goes on the way it went from `before`."""
        if value in self._places:
            return self._places[value]
        order = sorted(range(len(self.values)), key=lambda at: abs(self.values[at] - value))
        if before is not None:
            ahead = [at for at in order if (self.values[at] - value) * (value - before) > 0]
            return (ahead or order)[0]
        return order[0]

    @property
    def values(self) -> list[Any]:
        """What is kept, in order."""
        return self._values

    @values.setter
    def values(self, values: list[Any]) -> None:
        self._values, self._places = values, {value: at for at, value in enumerate(values)}

    def text(self, value: Any) -> str:
        if self.trait == "index":
            return str(self.widget._options_labels[value])
        return f"{value:.6g}"

    def _all(self) -> list[Any]:
        if self.kind == "tick":
            return [False, True]
        if self.trait == "index":
            return list(range(len(self.widget.options)))
        low, high, step = self.widget.min, self.widget.max, self.widget.step
        if not step or (high - low) / step > 100_000:
            return [self.start]
        values = [low + step * k for k in range(int((high - low) / step + 1e-9) + 1)]
        values = [each if isinstance(each, int) else round(each, 9) for each in values]
        near = min(values, key=lambda each: abs(each - self.start))
        if abs(near - self.start) < 1e-9:
            values.remove(near)
        return sorted([*values, self.start])


class _Driver:
    """The walk over one widget."""

    def __init__(self, widget: Any, store: Store, most: int) -> None:
        self.widget, self.store, self.most = widget, store, most
        self.controls: list[_Control] = []
        self.buttons: list[Any] = []
        self.slots: list[Any] = []
        self.others: list[str] = []
        self.skeleton = self._read(widget)
        self.leaves = _leaves(widget)

    def book(self) -> Book | None:
        """Return what was recorded; None where there is nothing to move."""
        self.initial, self.first = self._values(), self._look()
        choosers = self._probe_buttons()
        looks = self._probe_controls()
        if not choosers or self._movable():
            choosers = []
        self._choose(looks)
        shown = self._movable()
        live = [b for b in self.buttons if b in choosers or self._is_live(b, shown)]
        if not (shown or choosers):
            return None
        book = Book(
            self.skeleton,
            [self._described(control) for control in self.controls],
            [{"label": b.description, "title": b.tooltip or "", "shown": b in live,
              "off": bool(b.disabled)} for b in self.buttons],
            0, self._left_out(),
        )  # fmt: skip
        self._walk(book, choosers)
        self._follow(book, [b for b in live if b not in choosers])
        self._restore(self.initial)
        return book

    def _read(self, widget: Any) -> str:
        """Return the HTML of a widget, with a place for each leaf, and note its leaves."""
        if hasattr(widget, "children"):
            inner = "".join(map(self._read, widget.children))
            name = type(widget).__name__
            if columns := getattr(widget.layout, "grid_template_columns", None):
                return (
                    f'<div class="flip-grid" style="grid-template-columns:{columns}">{inner}</div>'
                )
            return f'<div class="flip-{"row" if name == "HBox" else "column"}">{inner}</div>'
        if kind := _kind(widget):
            self.controls.append(_Control(widget, kind))
            return f'<span data-control="{len(self.controls) - 1}"></span>'
        if hasattr(widget, "on_click"):
            self.buttons.append(widget)
            return f'<span data-button="{len(self.buttons) - 1}"></span>'
        if type(widget).__name__ in ("HTML", "HTMLMath", "Label"):
            self.slots.append(widget)
            return f'<div data-slot="{len(self.slots) - 1}"></div>'
        if getattr(widget, "description", ""):
            self.others.append(widget.description)
        return ""

    def _values(self) -> tuple[Any, ...]:
        return tuple(control.read() for control in self.controls)

    def _look(self) -> tuple[str, ...]:
        return tuple(self.store.put(_content(slot)) for slot in self.slots)

    def _restore(self, values: Sequence[Any], but: Any = None) -> None:
        """Set the controls; twice and more, as one may move another."""
        for _ in range(4):
            wrong = [
                (control, value)
                for control, value in zip(self.controls, values, strict=True)
                if control is not but and control.read() != value
            ]
            for control, value in wrong:
                control.set(value)
            if not wrong:
                return

    def _probe_buttons(self) -> list[Any]:
        """Find what buttons walk; return those that change what is shown and no control."""
        choosers = []
        for button in self.buttons:
            self._restore(self.initial)
            before = self._look()
            button.click()
            now = self._values()
            if now == self.initial and self._look() != before:
                choosers.append(button)
            for control, value, first in zip(self.controls, now, self.initial, strict=True):
                control.walked |= control.kind == "range" and value != first
        self._restore(self.initial)
        return choosers

    def _probe_controls(self) -> set[tuple[str, ...]]:
        """Find which controls move others, show nothing, or change what controls there are."""
        looks = {self.first}
        for control in self.controls:
            ends = control.all if control.kind != "range" else {*control.all[:2], control.all[-1]}
            same = True
            for value in ends:
                self._restore(self.initial)
                control.set(value)
                if _leaves(self.widget) != self.leaves:  # a new child: the walk would lose its way
                    control.values = [control.start]
                    break
                looks.add(self._look())
                control.moves |= any(
                    other is not control and other.read() != first
                    for other, first in zip(self.controls, self.initial, strict=True)
                )
                for other in self.controls:
                    other.refresh()
                self._restore(self.initial, but=control)
                same = same and self._look() == self.first
            control.silent = control.moves and same and control.kind == "list"
            self._restore(self.initial)
        return looks

    def _movable(self) -> list[_Control]:
        return [control for control in self.controls if len(control.values) > 1]

    def _choose(self, looks: set[tuple[str, ...]]) -> None:
        """Keep as many values of each control as the number and the bytes of states allow."""
        room = max(_FEWEST, int(_MOST_BYTES / self._bytes_each(looks)))
        loud = [control for control in self.controls if not control.silent]
        for control in loud:
            if control.walked and len(control.all) > min(room, _MOST_STEPS):
                control.thin(min(room, _MOST_STEPS))
        walked = math.prod(len(control.values) for control in loud if control.walked)
        room = min(room, max(self.most, walked))
        for kinds, walks in (("tick", False), ("range", False), ("list", False), ("range", True)):
            chosen = [c for c in loud if c.kind == kinds and c.walked == walks]
            while math.prod(len(c.values) for c in loud) > room and any(
                len(c.values) > (2 if kinds == "range" else 1) for c in chosen
            ):
                largest = max(chosen, key=lambda c: len(c.values))
                largest.thin(len(largest.values) - 1 if kinds == "range" else 1)
            if math.prod(len(c.values) for c in loud) > room and kinds == "range" and not walks:
                for control in chosen:
                    if math.prod(len(c.values) for c in loud) > room:
                        control.thin(1)

    def _bytes_each(self, looks: set[tuple[str, ...]]) -> float:
        """Return about how many bytes one more state takes: text compressed, pictures as files."""
        parts = [piece for look in sorted(looks) for piece in dict.fromkeys(look)]
        pieces = list(dict.fromkeys(parts))
        once = list(dict.fromkeys(self.first))
        names = re.compile(r"_static/flip/([0-9a-f]+\.\w+)")

        def size(texts: Sequence[str]) -> int:
            text = "".join(texts)
            used = {name for name in names.findall(text)}
            heavy = sum(len(self.store.files[name]) for name in used)
            return len(zlib.compress(text.encode())) + heavy

        return max(1.0, (size(pieces) - size(once)) / max(1, len(looks) - 1))

    def _is_live(self, button: Any, shown: Sequence[_Control]) -> bool:
        return not button.disabled and bool(shown)

    def _described(self, control: _Control) -> dict[str, Any]:
        """Return a control as the script reads it: its kind, label, and a text for each value."""
        texts = [control.text(value) for value in control.values]
        return {"kind": control.kind, "label": control.widget.description, "texts": texts}

    def _left_out(self) -> str:
        """Return in a sentence what the widget can do and these pages cannot; empty for nothing."""
        parts = []
        for control in self.controls:
            kept, every = len(control.values), len(control.all)
            if 1 < kept < every:
                parts.append(f"{kept} of {every} values of {control.widget.description}")
            elif kept == 1 < every:
                parts.append(f"{control.widget.description} stays as it is")
        parts += [f"no {name}" for name in self.others]
        return "; ".join(parts)

    def _walk(self, book: Book, choosers: Sequence[Any]) -> None:
        """Record what every state shows."""
        sizes = [len(control.values) for control in self.controls]
        pieces: dict[str, int] = {}
        frames: dict[tuple[int, ...], int] = {}
        recorded: dict[tuple[int, ...], tuple[int, tuple[int, ...]]] = {}

        def kept() -> int:
            look = tuple(pieces.setdefault(piece, len(pieces)) for piece in self._look())
            return frames.setdefault(look, len(frames))

        for places in itertools.product(*map(range, sizes)):
            loud = tuple(
                control.place(control.start) if control.silent else place
                for control, place in zip(self.controls, places, strict=True)
            )
            if loud not in recorded:
                self._restore(self._at(loud))
                recorded[loud] = kept(), self._places()
            frame, real = recorded[loud]
            real = tuple(
                place if control.silent else there
                for control, place, there in zip(self.controls, places, real, strict=True)
            )
            book.frame_of.append(frame)
            book.state_of.append(self._number(real))
        for _ in range(2):  # a state may stand for one that stands for another
            book.state_of = [book.state_of[state] for state in book.state_of]
        book.start = self._number([c.place(c.start) for c in self.controls])
        if choosers:  # there is nothing else to move: state 0 is the first look, 1 the first button
            for number, button in enumerate(choosers, start=1):
                button.click()
                book.frame_of.append(kept())
                book.state_of.append(number)
            for number, button in enumerate(choosers, start=1):
                key = f"b{self.buttons.index(button)}"
                book.moves[key] = [number] * len(book.state_of)
        book.pieces, book.frames = list(pieces), [list(frame) for frame in frames]

    def _follow(self, book: Book, buttons: Sequence[Any]) -> None:
        """Record where buttons, and the controls that move others, lead from every state."""
        actions: list[tuple[str, Callable[[], None], _Control | None, bool]] = []
        for button in buttons:
            free = self._heeds_no_silent(button)
            actions.append((f"b{self.buttons.index(button)}", button.click, None, free))
        for number, control in enumerate(self.controls):
            if control.moves and len(control.values) > 1:
                for place, value in enumerate(control.values):
                    act = lambda control=control, value=value: control.set(value)  # noqa: E731
                    actions.append((f"{number}={place}", act, control, control.silent))
        sizes = [len(control.values) for control in self.controls]
        for key, act, own, free in actions:
            known: dict[tuple[int, ...], tuple[int, ...]] = {}
            moves = book.moves[key] = []
            for number, places in enumerate(itertools.product(*map(range, sizes))):
                if book.state_of[number] != number:
                    moves.append(book.state_of[number])
                    continue
                same = tuple(
                    -1 if control.silent and free else place
                    for control, place in zip(self.controls, places, strict=True)
                )
                if same not in known:
                    known[same] = self._led(places, act, own)
                to = tuple(
                    place if control.silent and free and control is not own else there
                    for control, place, there in zip(
                        self.controls, places, known[same], strict=True
                    )
                )
                moves.append(book.state_of[self._number(to)])

    def _led(
        self, places: Sequence[int], act: Callable[[], None], own: _Control | None
    ) -> tuple[int, ...]:
        """Return the places of the controls after an action in a state."""
        values = self._at(places)
        if own is not None and own.silent:  # from another value, or nothing would be chosen
            wanted = int(own.values.index(own.read()) == 0) if own.read() in own.values else 0
            values = tuple(
                own.values[wanted] if control is own else value
                for control, value in zip(self.controls, values, strict=True)
            )
        self._restore(values)
        act()
        return self._places(values)

    def _heeds_no_silent(self, button: Any) -> bool:
        """Return whether a button leads to the same from every value of the silent controls."""
        led = set()
        for control in self.controls:
            for value in control.values if control.silent else ():
                start = tuple(
                    value if each is control else first
                    for each, first in zip(self.controls, self.initial, strict=True)
                )
                self._restore(start)
                button.click()
                led.add(tuple(c.read() for c in self.controls if not c.silent))
        return len(led) <= 1

    def _at(self, places: Sequence[int]) -> tuple[Any, ...]:
        return tuple(c.values[place] for c, place in zip(self.controls, places, strict=True))

    def _places(self, before: Sequence[Any] | None = None) -> tuple[int, ...]:
        """Return which of the kept values the controls have, or are nearest to."""
        before = before or [None] * len(self.controls)
        return tuple(c.place(c.read(), was) for c, was in zip(self.controls, before, strict=True))

    def _number(self, places: Sequence[int]) -> int:
        number = 0
        for control, place in zip(self.controls, places, strict=True):
            number = number * len(control.values) + place
        return number


def _kind(widget: Any) -> str:
    """Return the kind of control that a widget is, as the page shows it; empty for another."""
    name = type(widget).__name__
    if "Progress" in name or name == "Play":
        return ""
    if hasattr(widget, "options") and isinstance(getattr(widget, "index", None), int):
        return "range" if name == "SelectionSlider" else "list"
    if isinstance(getattr(widget, "value", None), bool):
        return "tick"
    number = isinstance(getattr(widget, "value", None), (int, float))
    return "range" if number and hasattr(widget, "step") and hasattr(widget, "max") else ""


def _leaves(widget: Any) -> list[Any]:
    """Return what a widget is made of, less the boxes."""
    children = getattr(widget, "children", None)
    return [widget] if children is None else [leaf for each in children for leaf in _leaves(each)]


def _content(slot: Any) -> str:
    """Return what a widget shows, as HTML."""
    return html.escape(slot.value) if type(slot).__name__ == "Label" else slot.value


def _webp(png: bytes) -> bytes:
    """Return a picture without loss in about half of the bytes."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).save(buffer, "webp", lossless=True, method=2)
    return buffer.getvalue()
