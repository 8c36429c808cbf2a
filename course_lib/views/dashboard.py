"""The before/after dashboard: any two variants side by side, and all of them in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import measure
from course_lib.measure import Report
from course_lib.views import comparison, shell, style
from course_lib.views.sizes import stacked

_FONT_POINTS = 15  # read from the last row of a lecture hall
_SOUNDS = "flipped clips"


def picture(reports: Sequence[Report]) -> style.Picture:
    """Draw bytes by kind on the left, accuracy with its interval on the right.

    The first report is what the others are compared with.
    """
    fig, (sizes, scores) = style.figure(
        13, 1.9 + 0.72 * len(reports), 1, 2, sharey=True, width_ratios=[1.45, 1]
    )
    names = [report.name.replace("_", " ") for report in reports]
    stacked(sizes, [report.kinds for report in reports], _after_bar(reports), _FONT_POINTS)
    sizes.set_yticks(range(len(names)), names, fontsize=_FONT_POINTS + 1)
    sizes.set_title("What it weighs: bytes of the file", fontsize=_FONT_POINTS + 2)
    _accuracies(scores, reports)
    sizes.invert_yaxis()
    # The same text for any measured values: stored outputs stay equal.
    named = ", ".join(report.name for report in reports)
    return style.show(fig, f"file size by kind of byte, and accuracy with its interval, of {named}")


class Dashboard(shell.View):
    """Models measured on the same clips, and the comparison of any two of them.

    `models` maps names to .tflite files, as bytes or as a path: they may be anybody's, as long as
    they take the same features. They are measured once; reports of `measure.reports` are taken as
    they are. The first is what the others are compared with. With `clips`, which hold `waves`,
    flipped clips get a player.
    """

    def __init__(
        self, models: Mapping[str, bytes | str | Path] | Sequence[Report], clips: Any = None
    ) -> None:
        reports = _measured(models, clips) if isinstance(models, Mapping) else models
        if len(reports) < 2:
            raise ValueError("A comparison needs two models: give at least two reports.")
        _check_classes(reports)
        self.reports = {report.name: report for report in reports}
        self.clips = clips if hasattr(clips, "waves") else None
        self._players: dict[int, str] = {}

    @property
    def label(self) -> str:
        """The stable text of the output."""
        return f"dashboard of {', '.join(self.reports)}"

    def html(self, before: str, after: str, parts: Sequence[str] = comparison.PARTS) -> str:
        """Return the comparison of two models by name, only the chosen `parts` of it."""
        reports = self.reports[before], self.reports[after], next(iter(self.reports.values()))
        player = None if self.clips is None else self._player
        return comparison.page(*reports, parts, player, getattr(self.clips, "words", ()))

    def add(self, name: str, model: bytes) -> Report:
        """Measure one more .tflite file on the same clips. Raises ValueError where it can't run."""
        if self.clips is None:
            raise ValueError("A further model needs the clips: pass them to the dashboard.")
        (report,) = measure.reports({name: model}, self.clips, foreign=True)
        _check_classes([*self.reports.values(), report])
        self.reports[name] = report
        return self.reports[name]

    def still(self) -> style.Picture:
        return picture(list(self.reports.values()))

    def controls(self) -> Any:
        """Return two lists, a button to open a file, a box a part, and the comparison."""
        import ipywidgets

        names = list(self.reports)
        view, sounds, status = shell.html(), shell.html(), shell.html()

        def refresh(_: object = None) -> None:
            parts = [box.description for box in boxes if box.value]
            quick = [part for part in parts if part != _SOUNDS]  # players are heavy: figures first
            view.value = self.html(before.value, after.value, quick)
            sounds.value = self.html(before.value, after.value, [_SOUNDS]) if quick != parts else ""

        def opened(change: Mapping[str, Any]) -> None:
            for name, content in uploaded(change["new"]):
                status.value = shell.note(self._opened(name, content))
                chosen = before.value, name if name in self.reports else after.value
                before.options = after.options = list(self.reports)
                before.value, after.value = chosen

        before = shell.dropdown("Before", names, names[0], refresh)
        after = shell.dropdown("After", names, _telling(list(self.reports.values())), refresh)
        upload = ipywidgets.FileUpload(
            accept=".tflite", description="Open a .tflite", layout={"width": "auto"}
        )
        upload.tooltip = "Measure a model of your own on the same clips"  # no trait in ipywidgets 7
        upload.observe(opened, names="value")
        look = {"indent": False, "layout": {"width": "auto", "margin": "0 16px 0 0"}}
        boxes = [ipywidgets.Checkbox(True, description=part, **look) for part in comparison.PARTS]
        for box in boxes:
            box.observe(refresh, names="value")
        refresh()
        top = (before, after) if self.clips is None else (before, after, upload)
        return shell.column(shell.row(*top), shell.row(*boxes), status, view, sounds)

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


def uploaded(value: Any) -> list[tuple[str, bytes]]:
    """Return name and content of each file in a FileUpload's value, of ipywidgets 7 or 8."""
    if isinstance(value, Mapping):  # 7: name -> {"content": bytes, ...}
        return [(name, bytes(each["content"])) for name, each in value.items()]
    return [(each["name"], bytes(each["content"])) for each in value]


def _measured(models: Mapping[str, bytes | str | Path], clips: Any) -> Sequence[Report]:
    contents = {
        name: model if isinstance(model, bytes) else Path(model).read_bytes()
        for name, model in models.items()
    }
    return measure.reports(contents, clips, foreign=True)


def _telling(reports: Sequence[Report]) -> str:
    """Return the last model that answers some clip otherwise than the first; else the last."""
    first = reports[0].predictions
    others = (each.name for each in reports[:0:-1] if (each.predictions != first).any())
    return next(others, reports[-1].name)


def _check_classes(reports: Sequence[Report]) -> None:
    """Raise ValueError unless all models give as many values a clip as the first."""
    for each in reports:
        if len(each.names) != len(reports[0].names):
            raise ValueError(
                f"{each.name} gives {len(each.names)} values a clip and {reports[0].name} "
                f"{len(reports[0].names)}: only models of the same classes can be compared."
            )


def _after_bar(reports: Sequence[Report]) -> list[str]:
    """Return what stands behind each bar: the size, and how much smaller it is."""
    first = reports[0].bytes

    def change(size: int) -> str:
        if size == first:
            return "the same size"
        times, words = max(size / first, first / size), "larger" if size > first else "smaller"
        return f"{times:.1f}x {words}" if times >= 1.05 else f"a little {words}"

    texts = [f"{report.bytes / 1000:.1f} kB, {change(report.bytes)}" for report in reports[1:]]
    return [f"{first / 1000:.1f} kB", *texts]


def _accuracies(axes: style.Axes, reports: Sequence[Report]) -> None:
    """Draw a dot and its 95 % interval a row, and a band that carries the first one's down."""
    rows = np.arange(len(reports))
    shares = 100 * np.array([report.accuracy for report in reports])
    bounds = 100 * np.array([report.interval for report in reports])
    axes.axvspan(*bounds[0], color=style.PALETTE["sky"], alpha=0.25, linewidth=0)
    look = {"fmt": "o", "markersize": 10, "capsize": 6, "linewidth": 2.5}
    reach = np.abs(bounds.T - shares)
    axes.errorbar(shares, rows, xerr=reach, color=style.PALETTE["blue"], **look)
    above = {"textcoords": "offset points", "ha": "center", "fontsize": _FONT_POINTS}
    for row, share in zip(rows, shares, strict=True):
        axes.annotate(f"{share:.1f} %", (share, row), (0, 11), **above)
    lowest = bounds.min()
    axes.set_xlim(lowest - 0.1 * (100 - lowest), 100 + 0.04 * (100 - lowest))
    axes.tick_params(axis="x", labelsize=_FONT_POINTS - 1)
    axes.tick_params(axis="y", length=0)
    axes.set_title(f"What it knows: {reports[0].n:,} clips", fontsize=_FONT_POINTS + 2)
    axes.set_xlabel("per cent right, with its 95 % interval", fontsize=_FONT_POINTS)
