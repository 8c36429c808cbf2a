"""The before/after dashboard: any two variants side by side, in the notebook.

`Dashboard` measures once and answers at once: a move of a control builds one piece of HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from course_lib import measure
from course_lib.measure import Report
from course_lib.views import comparison as side_by_side
from course_lib.views import dashboard as still

MOST_FLIPPED = 6
_SOUNDS = "flipped clips"


class Dashboard:
    """Reports on the same clips, and the HTML for any two of them.

    `reports` come from `measure.reports`, the float model first. With `clips`, which hold `waves`,
    flipped clips get a player.
    """

    def __init__(self, reports: Sequence[Report], clips: Any = None) -> None:
        if len(reports) < 2:
            raise ValueError("A comparison needs two models: give at least two reports.")
        self.reports = {report.name: report for report in reports}
        self.clips = clips if hasattr(clips, "waves") else None
        self._players: dict[int, str] = {}

    def html(self, before: str, after: str, parts: Sequence[str] = side_by_side.PARTS) -> str:
        """Return the comparison of two models by name, only the chosen `parts` of it."""
        pair = self.reports[before], self.reports[after]
        players = _Lazy(self._player) if self.clips is not None else ()
        reference = next(iter(self.reports.values()))
        words = getattr(self.clips, "words", ())
        return side_by_side.comparison(*pair, reference, parts, players, MOST_FLIPPED, words)

    def add(self, name: str, model: bytes) -> Report:
        """Measure one more .tflite file on the same clips. Raises ValueError where it can't run."""
        if self.clips is None:
            raise ValueError("A further model needs the clips: pass them to the dashboard.")
        self.reports[name] = measure.reports({name: model}, self.clips)[0]
        return self.reports[name]

    def show(self) -> None:
        """Display the controls and the comparison, with the still picture as its twin."""
        from course_lib.views import shell

        reports = list(self.reports.values())
        twin = still.show(reports)
        shell.show(self.widget(), twin, f"dashboard of {', '.join(self.reports)}")

    def widget(self) -> Any:
        """Return the widget: two lists, a button to open a file, a box a part, the comparison."""
        import ipywidgets

        from course_lib.views import shell

        names = list(self.reports)
        view, sounds, said = shell.html(), shell.html(), shell.html()

        def refresh(_: object = None) -> None:
            parts = [part for part, box in zip(side_by_side.PARTS, boxes, strict=True) if box.value]
            quick = [part for part in parts if part != _SOUNDS]  # players are heavy: figures first
            view.value = self.html(before.value, after.value, quick)
            sounds.value = self.html(before.value, after.value, [_SOUNDS]) if quick != parts else ""

        def opened(change: Mapping[str, Any]) -> None:
            for name, content in uploaded(change["new"]):
                said.value = shell.note(self._opened(name, content))
                chosen = before.value, name if name in self.reports else after.value
                before.options = after.options = list(self.reports)
                before.value, after.value = chosen

        before = shell.dropdown("Before", names, names[0], refresh)
        after = shell.dropdown("After", names, names[-1], refresh)
        upload = ipywidgets.FileUpload(accept=".tflite", description="Open a .tflite")
        upload.observe(opened, names="value")
        boxes = [_box(ipywidgets, part, refresh) for part in side_by_side.PARTS]
        top = (
            shell.row(before, after, upload) if self.clips is not None else shell.row(before, after)
        )
        refresh()
        return shell.column(top, shell.row(*boxes), said, view, sounds)

    def _opened(self, name: str, content: bytes) -> str:
        """Measure a file that somebody opened; return the sentence that tells what came of it."""
        try:
            report = self.add(name, content)
        except ValueError as error:
            return f"{name}: {error}"
        return f"{name} was measured on the same {report.n:,} clips."

    def _player(self, place: int) -> str:
        """Return the HTML that plays a clip, made on first use."""
        if place not in self._players:
            self._players[place] = self.clips.play(int(place)).html()
        return self._players[place]


def dashboard(models: Mapping[str, bytes | str | Path], clips: Any) -> Dashboard:
    """Measure .tflite files on labelled clips; return the dashboard, to end a cell with `.show()`.

    `models` maps a name to bytes or to a path: the files may be anybody's, as long as they take the
    same features. The first one is what the others are compared with.
    """
    contents = {
        name: model if isinstance(model, bytes) else Path(model).read_bytes()
        for name, model in models.items()
    }
    return Dashboard(measure.reports(contents, clips), clips)


def uploaded(value: Any) -> list[tuple[str, bytes]]:
    """Return name and content of each file in a FileUpload's value, of ipywidgets 7 or 8."""
    if isinstance(value, Mapping):  # 7: name -> {"content": bytes, ...}
        return [(name, bytes(each["content"])) for name, each in value.items()]
    return [(each["name"], bytes(each["content"])) for each in value]


class _Lazy(Sequence):
    """A sequence whose items are made when they are asked for."""

    def __init__(self, make) -> None:
        self.make = make

    def __getitem__(self, place):
        return self.make(place)

    def __len__(self) -> int:
        return 1


def _box(ipywidgets: Any, part: str, refresh) -> Any:
    box = ipywidgets.Checkbox(
        value=True,
        description=part,
        indent=False,
        layout=ipywidgets.Layout(width="auto", margin="0 16px 0 0"),
    )
    box.observe(refresh, names="value")
    return box
