"""Any widget of ipywidgets walked through its states, and what its HTML children show in each."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import itertools
import math
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tools.controls import Control, kind

__all__ = ["Book", "Store", "record"]

MOST = 400  # states of a widget that differ in what they show
_MOST_STEPS = 1200  # of a slider that buttons walk, which would skip steps if it were thinned
_MOST_BYTES = 3_000_000  # of all that its states show, compressed
_FEWEST = 8
_DATA = re.compile(r'src="data:(?:image|audio)/(png|wav);base64,([A-Za-z0-9+/=]+)"')
_DEAD = re.compile(r' onclick="[^"]*"|cursor: ?pointer;?| aria-live="polite"')


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


class _Driver:
    """The walk over one widget."""

    def __init__(self, widget: Any, store: Store, most: int) -> None:
        self.widget, self.store, self.most = widget, store, most
        self.controls: list[Control] = []
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
        if looks is None:
            return None
        choosers = [] if self._movable() else choosers
        self._choose(looks)
        if not (choosers or self._movable()):
            return None
        book = Book(
            self.skeleton,
            [self._described(control) for control in self.controls],
            [{"label": b.description, "title": b.tooltip, "off": b.disabled} for b in self.buttons],
            0,
            self._left_out(),
        )
        free = [] if choosers else [b for b in self.buttons if not b.disabled]
        self._walk(book, choosers)
        self._follow(book, [b for b in free if not self._heeds_silent(b)])
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
        if what := kind(widget):
            self.controls.append(Control(widget, what))
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
        for button in (each for each in self.buttons if not each.disabled):
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

    def _probe_controls(self) -> set[tuple[str, ...]] | None:
        """Find which controls move others, and which show nothing; return what was seen.

        None where a control changes what controls there are: a walk would lose its way.
        """
        looks = {self.first}
        for control in self.controls:
            ends = control.all if control.kind != "range" else {*control.all[:2], control.all[-1]}
            far = [control.start if c is control else c.all[-1] for c in self.controls]
            same = True
            for base, value in itertools.product((self.initial, far), ends):
                self._restore(base)
                before = self._others(control)
                control.set(value)
                if _leaves(self.widget) != self.leaves:
                    return None
                looks.add(self._look())
                control.moves |= self._others(control) != before
                for other in self.controls:
                    same = not other.refresh() and same
                self._restore(self.initial, but=control)
                same = same and self._look() == self.first
            if control.moves and same and control.kind == "list":
                control.values, control.silent = [control.start], True  # it only leads elsewhere
            self._restore(self.initial)
        return looks

    def _others(self, control: Control) -> list[Any]:
        return [each.read() for each in self.controls if each is not control]

    def _movable(self) -> list[Control]:
        return [control for control in self.controls if len(control.values) > 1]

    def _choose(self, looks: set[tuple[str, ...]]) -> None:
        """Keep as many values of each control as the number and the bytes of states allow."""
        room = max(_FEWEST, int(_MOST_BYTES / self._bytes_each(looks)))
        loud = self._movable()
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
            heavy = sum(len(self.store.files[name]) for name in set(names.findall(text)))
            return len(zlib.compress(text.encode())) + heavy

        return max(1.0, (size(pieces) - size(once)) / max(1, len(looks) - 1))

    def _described(self, control: Control) -> dict[str, Any]:
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
        return f"Without a kernel: {'; '.join(parts)}." if parts else ""

    def _walk(self, book: Book, choosers: Sequence[Any]) -> None:
        """Record what every state shows."""
        sizes = [len(control.values) for control in self.controls]
        pieces: dict[str, int] = {}
        frames: dict[tuple[int, ...], int] = {}

        def kept(look: Sequence[str]) -> int:
            frame = tuple(pieces.setdefault(piece, len(pieces)) for piece in look)
            return frames.setdefault(frame, len(frames))

        for places in itertools.product(*map(range, sizes)):
            self._restore(self._at(places))
            book.frame_of.append(kept(self.first if choosers else self._look()))
            book.state_of.append(self._number(self._places()))
        for _ in range(2):  # a state may stand for one that stands for another
            book.state_of = [book.state_of[state] for state in book.state_of]
        book.start = self._number([c.place(c.start) for c in self.controls])
        if choosers:  # there is nothing else to move: state 0 is the first look, 1 the first button
            for number, button in enumerate(choosers, start=1):
                button.click()
                book.frame_of.append(kept(self._look()))
                book.state_of.append(number)
            for number, button in enumerate(choosers, start=1):
                key = f"b{self.buttons.index(button)}"
                book.moves[key] = [number] * len(book.state_of)
        book.pieces, book.frames = list(pieces), [list(frame) for frame in frames]

    def _follow(self, book: Book, buttons: Sequence[Any]) -> None:
        """Record where buttons, and the controls that move others, lead from every state."""
        actions: list[tuple[str, Callable[[], None]]] = [
            (f"b{self.buttons.index(button)}", button.click) for button in buttons
        ]
        for number, control in enumerate(self.controls):
            if control.moves:
                actions += [
                    (f"{number}={place}", partial(control.set, value))
                    for place, value in enumerate(control.values)
                ]
        every = list(itertools.product(*(range(len(c.values)) for c in self.controls)))
        for key, act in actions:
            moves = book.moves[key] = list(book.state_of)
            for number, places in enumerate(every):
                if book.state_of[number] == number:
                    values = self._at(places)
                    self._restore(values)
                    act()
                    moves[number] = book.state_of[self._number(self._places(values))]

    def _heeds_silent(self, button: Any) -> bool:
        """Return whether where a button leads depends on a control that is left out."""
        led = set()
        for control in self.controls:
            for value in control.all if control.silent else ():
                self._restore(self.initial)
                control.set(value)
                self._restore(self.initial, but=control)
                button.click()
                led.add(tuple(c.read() for c in self.controls if not c.silent))
        self._restore(self.initial)
        return len(led) > 1

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


def _leaves(widget: Any) -> list[Any]:
    """Return what a widget is made of, less the boxes."""
    children = getattr(widget, "children", None)
    return [widget] if children is None else [leaf for each in children for leaf in _leaves(each)]


def _content(slot: Any) -> str:
    """Return what a widget shows, as HTML."""
    return html.escape(slot.value) if type(slot).__name__ == "Label" else slot.value


def _webp(png: bytes) -> bytes:
    """Return a picture in 128 colours, in about a third of the bytes."""
    from PIL import Image

    picture, buffer = Image.open(io.BytesIO(png)).convert("RGB"), io.BytesIO()
    few = picture.quantize(128, dither=Image.Dither.NONE).convert("RGB")
    few.save(buffer, "webp", lossless=True)
    return buffer.getvalue()
