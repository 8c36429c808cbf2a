"""Flip-books: what a widget shows in each of its states, recorded while there is a kernel.

    python -m tools.flipbook NOTEBOOK OUT

A driver walks the controls of any widget made of ipywidgets, state after state, and keeps what its
HTML children show. A page turns these leaves without a kernel: `flipbook.js` does it.
"""

from __future__ import annotations

import ast
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from course_lib.session import files
from course_lib.views import shell

__all__ = ["Book", "Store", "lay", "main", "packed", "record", "run", "shown"]

MOST = 400  # states of a widget that differ in what they show
_MOST_STEPS = 1200  # of a slider that buttons walk, which would skip steps if it were thinned
_MOST_BYTES = 1_200_000  # of all that its states show, compressed
_FEWEST = 8
_DATA = re.compile(r'src="data:(?:image|audio)/(png|wav);base64,([A-Za-z0-9+/=]+)"')
_DEAD = re.compile(r' onclick="[^"]*"|cursor: ?pointer;?| aria-live="polite"')
_WAITING = tuple(
    f"<widget: {name}" for name in ("a training, live", "a recorder", "a button that records")
)


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

    def refresh(self) -> bool:
        """Take over values that a larger bound makes possible; return whether bounds differ."""
        now, before = self._all(), self.all
        if len(now) > len(before):
            self.values = self.all = now
        return now != before

    def thin(self, count: int) -> None:
        """Keep `count` values, evenly spread, the ends and the first one shown among them."""
        last = len(self.all) - 1
        places = {round(last * part / (count - 1)) for part in range(count)} if count > 1 else set()
        at = self.all.index(self.start)
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
        if looks is None:
            return None
        choosers = [] if self._movable() else choosers
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

    def _others(self, control: _Control) -> list[Any]:
        return [each.read() for each in self.controls if each is not control]

    def _movable(self) -> list[_Control]:
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

    def _is_live(self, button: Any, shown: Sequence[_Control]) -> bool:
        return not button.disabled and bool(shown) and not self._heeds_silent(button)

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


def run(notebook: NotebookNode, store: Store) -> tuple[dict[str, list[Book | None]], list[str]]:
    """Execute what a notebook's widgets need; return the books by cell, and what went wrong.

    Each cell that shows widgets has a list, an entry a widget. A widget that needs a training, or
    somebody who speaks, is left out. What cells print is dropped.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    slices = [
        needed([cell.source for cell in cells[: at + 1]])
        for at, cell in enumerate(cells)
        if shown(cell)
    ]
    kept = [
        places
        for places in slices
        if not any(_text(each).startswith(_WAITING) for at in places for each in shown(cells[at]))
    ]
    ends = {max(places) for places in kept}
    books: dict[str, list[Book | None]] = {}
    problems: list[str] = []
    names: dict[str, Any] = {"__name__": "__main__"}
    for at in sorted({at for places in kept for at in places}):
        widgets: list[Any] = []
        try:
            with _watched(widgets), redirect_stdout(io.StringIO()):
                exec(compile(cells[at].source, f"<cell {cells[at].id}>", "exec"), names)
        except Exception as error:  # whatever a lesson's cell raises: its still picture stays
            problems.append(f"{cells[at].id}: {type(error).__name__}: {error}")
        if at in ends and len(widgets) == len(shown(cells[at])):
            books[cells[at].id] = [record(widget, store) for widget in widgets]
    return books, problems


def needed(sources: Sequence[str]) -> list[int]:
    """Return the places of the cells that the last one needs, itself among them, in order.

    Those are the first, and each that binds a name which is needed later, or whose statement is a
    call of that name's method.
    """
    trees = [list(ast.walk(ast.parse(source))) for source in sources]
    modules = {name for tree in trees for name in _imported(tree)}
    wanted: set[str] = set()
    places = []
    for at, nodes in reversed(list(enumerate(trees))):
        names = [node for node in nodes if isinstance(node, ast.Name)]
        bound = {node.id for node in names if isinstance(node.ctx, ast.Store)} | _imported(nodes)
        bound |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        bound |= {_called(node) for node in nodes} - modules
        if at in (0, len(trees) - 1) or bound & wanted:
            places.append(at)
            wanted |= {node.id for node in names}
    return places[::-1]


def _imported(nodes: Sequence[ast.AST]) -> set[str]:
    imports = [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]
    return {each.asname or each.name.partition(".")[0] for node in imports for each in node.names}


def _called(node: ast.AST) -> str:
    """Return the name whose method a statement calls; empty where it is none."""
    call = node.value if isinstance(node, ast.Expr) else None
    method = call.func if isinstance(call, ast.Call) else None
    owner = method.value if isinstance(method, ast.Attribute) else None
    return owner.id if isinstance(owner, ast.Name) else ""


def shown(cell: NotebookNode) -> list[NotebookNode]:
    """Return the outputs of a cell that were widgets when it was executed."""
    return [each for each in cell.get("outputs", ()) if _text(each).startswith("<widget: ")]


def lay(cell: NotebookNode, names: Sequence[str]) -> None:
    """Put the places of flip-books into a cell, each after the still picture of its widget."""
    for output, name in zip(shown(cell), names, strict=False):
        if name:
            place = {"text/html": f'<div data-flipbook="{name}"></div>'}
            at = next(at for at, each in enumerate(cell.outputs) if each is output)
            cell.outputs.insert(at + 1, nbformat.v4.new_output("display_data", place))


def packed(name: str, book: Book) -> str:
    """Return the script that brings a book to its page."""
    text = json.dumps(vars(book), separators=(",", ":"), ensure_ascii=False).encode()
    data = base64.b64encode(gzip.compress(text, mtime=0)).decode("ascii")
    return f'flipbook("{name}","{data}");\n'


def main(arguments: list[str]) -> int:
    """Record the flip-books of a notebook into a folder, and print their names by cell as JSON."""
    path, out = (Path(argument).resolve() for argument in arguments)
    notebook, store = nbformat.read(path, as_version=nbformat.NO_CONVERT), Store()
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # a lesson writes into the folder that it runs in
        books, problems = run(notebook, store)
        os.chdir(here)
    names = {cell: _written(f"{path.stem[:2]}-{cell}", each, out) for cell, each in books.items()}
    for name, content in store.files.items():
        files.write_atomically(out / name, content)
    print(*(f"{path.stem}, {problem}" for problem in problems), sep="\n", file=sys.stderr)
    print(json.dumps(names))
    return 0


def _written(cell: str, books: Sequence[Book | None], out: Path) -> list[str]:
    """Write books into a folder; return their names, empty where a widget has none."""
    names = [f"{cell}-{place}" if book else "" for place, book in enumerate(books)]
    for name, book in zip(names, books, strict=True):
        if book:
            files.write_atomically(out / f"{name}.js", packed(name, book))
    return names


def _text(output: NotebookNode) -> str:
    return output.get("data", {}).get("text/plain", "")


@contextmanager
def _watched(widgets: list[Any]) -> Iterator[None]:
    """Collect the widgets that views show, instead of showing them."""
    original = shell.show
    shell.show = lambda widget, static, label="": widgets.append(widget)
    try:
        yield
    finally:
        shell.show = original


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
