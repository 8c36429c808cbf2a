"""A confusion matrix whose cells play the clips behind them."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np

from course_lib import measure
from course_lib.sound import dataset
from course_lib.views import confusion as draw

MOST = 6  # players shown for a cell
_WIDTH = "92px"


class Confusion:
    """A report, the clips it was measured on, and for each cell of its matrix who is behind it."""

    def __init__(
        self,
        report: measure.Report,
        clips: dataset.Clips,
        labels: Sequence[str] = dataset.LABELS,
    ) -> None:
        if not np.array_equal(report.labels, clips.labels):
            raise ValueError(f"{report.name} was measured on other clips: pass those.")
        self.report, self.clips, self.labels = report, clips, tuple(labels)

    def behind(self, said: int, heard: int) -> np.ndarray:
        """Return the places of the clips in a cell, (k,), the surest answers first."""
        sure = self.report.probabilities[:, heard]
        found = (self.report.labels == said) & (self.report.predictions == heard)
        places = np.flatnonzero(found)
        return places[np.argsort(-sure[places], kind="stable")]

    def worst(self) -> tuple[int, int]:
        """Return the cell off the diagonal that has most clips: (said, heard)."""
        counts = self.report.confusion.copy()
        np.fill_diagonal(counts, -1)
        said, heard = np.unravel_index(counts.argmax(), counts.shape)
        return int(said), int(heard)

    def html(self, said: int, heard: int) -> str:
        """Return a sentence on a cell and players for its first clips."""
        places = self.behind(said, heard)
        names = self.labels[said], self.labels[heard]
        lines = [
            f'<div role="status" aria-live="polite">said {names[0]}, heard as {names[1]}: '
            f"{len(places)} clips{f', the {MOST} surest' if len(places) > MOST else ''}</div>"
        ]
        for place in places[:MOST]:
            told = (
                f"{self.clips.words[place]}, {self.clips.voices[place]}, "
                f"{self.report.probabilities[place, heard]:.0%} sure"
            )
            lines.append(f"<div>{self.clips.play(place).html()} {html.escape(told)}</div>")
        return "".join(lines)

    def widget(self) -> Any:
        """Return the widget: a grid of buttons, one a cell, and the players of the pressed one."""
        import ipywidgets

        from course_lib.views import shell

        view = shell.html(self.html(*self.worst()), "clips behind a cell")
        fixed = ipywidgets.Layout(width=_WIDTH)
        cells = [ipywidgets.HTML("said \\ heard", layout=fixed)]
        cells += [ipywidgets.HTML(f"<b>{name}</b>", layout=fixed) for name in self.labels]
        for said, name in enumerate(self.labels):
            cells.append(ipywidgets.HTML(f"<b>{name}</b>", layout=fixed))
            cells += [self._button(said, heard, view) for heard in range(len(self.labels))]
        grid = ipywidgets.GridBox(
            cells,
            layout=ipywidgets.Layout(
                grid_template_columns=f"repeat({len(self.labels) + 1}, {_WIDTH})"
            ),
        )
        return shell.column(grid, view)

    def show(self) -> None:
        """Display the grid, with the picture of the matrix as its twin."""
        from course_lib.views import shell

        shell.show(self.widget(), draw.matrix(self.report.confusion, self.labels, self.report.name))

    def _button(self, said: int, heard: int, view: Any) -> Any:
        from course_lib.views import shell

        def press() -> None:
            view.value = self.html(said, heard)

        count = int(self.report.confusion[said, heard])
        told = f"said {self.labels[said]}, heard as {self.labels[heard]}: {count} clips"
        button = shell.button(str(count), press, told)
        button.layout.width = _WIDTH
        button.disabled = count == 0
        button.button_style = ("success" if said == heard else "warning") if count else ""
        return button


def confusion(
    report: measure.Report, clips: dataset.Clips, labels: Sequence[str] = dataset.LABELS
) -> Confusion:
    """Return the matrix of a report on `clips`, to end a cell with `.show()`."""
    return Confusion(report, clips, labels)
