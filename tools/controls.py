"""The controls of ipywidgets as a flip-book has them: few values each, and what they are called."""

from __future__ import annotations

from typing import Any

__all__ = ["Control", "kind"]


class Control:
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


def kind(widget: Any) -> str:
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
