"""What is taken for what: confusion matrix, recalls, thresholds, to see and to hear."""

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from course_lib import measure
from course_lib.sound.dataset import LABELS, Clips
from course_lib.views import shell, style
from course_lib.views.style import PALETTE, Picture

TABLE = f"border-collapse:collapse;background:none;color:{PALETTE['ink']};margin:0 0 8px"
"""The look of a table in HTML."""

_MOST = 6  # players shown for a cell of the matrix or a voice
_MOST_ERRORS = 3  # players shown for each kind of error
_LEVELS = np.linspace(0, 1, 101)
_KEYWORDS = [place for place, label in enumerate(LABELS) if not label.startswith("_")]


def matrix(counts: np.ndarray, labels: Sequence[str] = LABELS, title: str = "") -> Picture:
    """Draw a confusion matrix (classes, classes): rows said, columns heard; share and count."""
    counts = np.asarray(counts)
    part = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    fig, axis = style.figure(6.4, 5.0)
    axis.imshow(part, cmap="Blues", vmin=0, vmax=1.2)
    for (row, column), count in np.ndenumerate(counts):
        text, dark = f"{part[row, column]:.0%}\n{count}", part[row, column] > 0.65
        weight = "bold" if row == column else "normal"
        look = {"fontweight": weight, "color": PALETTE["paper" if dark else "ink"]}
        axis.text(column, row, text, ha="center", va="center", fontsize=12, **look)
    axis.set_xticks(range(len(labels)), labels, rotation=0 if len(labels) < 5 else 25)
    axis.set_yticks(range(len(labels)), labels)
    axis.set(xlabel="heard as", ylabel="said", title=title)
    axis.spines[:].set_visible(False)
    right = counts.trace() / max(1, counts.sum())
    most = "most" if right > 0.5 else "fewer than half"
    name = f"confusion matrix{' of ' + title if title else ''}"
    return style.show(fig, f"{name}: rows said, columns heard, {most} on the diagonal")


def table_html(
    counts: np.ndarray, names: Sequence[str], differs: np.ndarray | None = None, corner: str = ""
) -> str:
    """Return a confusion matrix as HTML: the darker a count, the larger its share of the row.

    Counts that the mask `differs` chooses stand in a frame; `corner` is the text in front of the
    `names`.
    """

    def cell(count: int, share: float, differ: bool) -> str:
        ink = "#ffffff" if share > 0.55 else PALETTE["ink"]
        frame = f"3px solid {PALETTE['red']}" if differ else "1px solid #d0d0d0"
        return (
            f"<td style='padding:6px 12px;text-align:right;color:{ink};border:{frame};"
            f"background:rgba(0,114,178,{share:.2f})'>{count}</td>"
        )

    parts = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    marks = np.zeros_like(counts, bool) if differs is None else differs
    heads = (f"<th scope='col' style='padding:4px 8px'>{name}</th>" for name in (corner, *names))
    body = "".join(
        f"<tr><th scope='row' style='padding:4px 8px;text-align:right'>{name}</th>"
        f"{''.join(map(cell, *row))}</tr>"
        for name, *row in zip(names, counts, parts, marks, strict=True)
    )
    return f"<table style='{TABLE};font-size:15px'><tr>{''.join(heads)}</tr>{body}</table>"


def recalls(reports: Sequence[measure.Report], labels: Sequence[str] = LABELS) -> Picture:
    """Draw the share of each label that was found, with its 95 % interval, for some reports."""
    counts = {
        report.name: [(row[place], row.sum()) for place, row in enumerate(report.confusion)]
        for report in reports
    }
    return shares(labels, counts, "of each label, what share was found?")


def groups(report: measure.Report, names: Sequence[str], title: str, most: int = 14) -> Picture:
    """Draw the share right of each group of clips, the hardest group on top.

    `names` (n,) says which group a clip is in. Of more than `most` groups, the easier ones are put
    together in one row.
    """
    names = np.array(names, object)
    rights = {str(kind): report.right[names == kind] for kind in sorted(set(names))}
    rows = [(kind, int(right.sum()), len(right)) for kind, right in rights.items()]
    rows.sort(key=lambda row: (row[1] / row[2], -row[2]))
    count = len(rows)
    if count > most:
        rest = rows[most - 1 :]
        together = f"the other {len(rest)}", sum(r[1] for r in rest), sum(r[2] for r in rest)
        rows = [*rows[: most - 1], together]
    pairs = {report.name: [(right, n) for _, right, n in rows]}
    alt = f"{title} {report.name}: share right in each of {count} groups, hardest on top"
    return shares([kind for kind, _, _ in rows], pairs, title, alt)


def shares(
    names: Sequence[str], counts: Mapping[str, Sequence[tuple[int, int]]], title: str, alt: str = ""
) -> Picture:
    """Draw shares with their 95 % intervals: `counts` maps a series to (right, all) per name."""
    fig, axis = style.figure(8.0, 1.2 + 0.42 * len(names) * max(1, 0.6 * len(counts)))
    for turn, (series, pairs) in enumerate(counts.items()):
        places = np.arange(len(names)) + 0.28 * (turn - (len(counts) - 1) / 2)
        middle = np.array([right / max(1, n) for right, n in pairs])
        bounds = np.array([measure.wilson(right, n) if n else (0, 0) for right, n in pairs])
        look = {"fmt": "os^D"[turn % 4], "color": style.CYCLE[turn], "markersize": 7}
        reach = np.abs(bounds.T - middle)
        axis.errorbar(middle, places, xerr=reach, capsize=4, label=series, **look)
    style.name_rows(axis, names)
    axis.set(xlabel="share right, 95 % interval", title=title)
    axis.set_xlim(right=1.01)
    axis.grid(axis="x")
    if len(counts) > 1:
        axis.legend(loc="best")
    return style.show(fig, alt or f"{title} {', '.join(counts)}: {', '.join(names)}")


def thresholds(
    levels: np.ndarray, missed: np.ndarray, false_alarms: np.ndarray, chosen: float | None = None
) -> Picture:
    """Draw the shares of missed keywords and of false alarms, (n,), against the threshold."""
    return _Thresholds(levels, missed, false_alarms).picture(chosen)


class _Thresholds:
    """Both curves, drawn once; a line for the chosen threshold each time."""

    def __init__(self, levels: np.ndarray, missed: np.ndarray, false_alarms: np.ndarray) -> None:
        fig, axis = style.figure(8.0, 3.8)
        axis.plot(levels, missed, color=PALETTE["blue"], label="keywords missed")
        axis.plot(levels, false_alarms, "--", color=PALETTE["red"], label="false alarms")
        axis.set(xlabel="threshold: say a keyword only above it", ylabel="share of clips")
        axis.yaxis.set_major_formatter("{x:.0%}")
        axis.grid()
        axis.legend()
        axis.autoscale(False)
        self.axis, self.drawn = axis, style.Redrawn(fig)

    def picture(self, chosen: float | None) -> Picture:
        moving, axis = [], self.axis
        if chosen is not None:
            moving.append(axis.axvline(chosen, color=PALETTE["ink"], linewidth=1.2))
            top = chosen, axis.get_ylim()[1]
            moving.append(axis.annotate(f" {chosen:.2f}", top, va="top", fontsize=12))
        alt = "keywords missed rise and false alarms fall as the threshold rises"
        return self.drawn.picture(moving, alt)


class _Heard(shell.View):
    """A report beside the clips it was measured on, (n,), which can be played."""

    def __init__(self, report: measure.Report, clips: Clips) -> None:
        if not np.array_equal(report.labels, clips.labels):
            raise ValueError(f"{report.name} was measured on other clips: pass those.")
        self.report, self.clips = report, clips

    def _players(self, places: Sequence[int], text: Callable[[int], str]) -> str:
        """Return the HTML of a player a clip, with `text(place)` beside it."""
        return "".join(
            f"<div>{self.clips.play(place).html()} {html.escape(text(place))}</div>"
            for place in places
        )


class Confusion(_Heard):
    """A confusion matrix whose cells play the clips behind them."""

    def __init__(
        self, report: measure.Report, clips: Clips, labels: Sequence[str] = LABELS
    ) -> None:
        super().__init__(report, clips)
        self.labels = tuple(labels)

    def behind(self, said: int, heard: int) -> np.ndarray:
        """Return the places of the clips in a cell, (k,), the surest answers first."""
        inside = (self.report.labels == said) & (self.report.predictions == heard)
        return _surest(inside, self.report.probabilities[:, heard])

    def worst(self) -> tuple[int, int]:
        """Return the cell off the diagonal that has most clips: (said, heard)."""
        counts = self.report.confusion.copy()
        np.fill_diagonal(counts, -1)
        said, heard = np.unravel_index(counts.argmax(), counts.shape)
        return int(said), int(heard)

    def html(self, said: int, heard: int) -> str:
        """Return a sentence on a cell and players for its first clips."""
        places = self.behind(said, heard)
        surest = f", the {_MOST} surest" if len(places) > _MOST else ""

        def text(place: int) -> str:
            sure = f"{self.report.probabilities[place, heard]:.0%} sure"
            return f"{self.clips.words[place]}, {self.clips.voices[place]}, {sure}"

        return shell.note(f"{self._title(said, heard)}: {len(places)} clips{surest}") + (
            self._players(places[:_MOST], text)
        )

    def controls(self) -> Any:
        import ipywidgets

        view = shell.html(self.html(*self.worst()))
        fixed, classes = ipywidgets.Layout(width="92px"), range(len(self.labels))

        def head(text: str) -> Any:
            return ipywidgets.HTML(text, layout=fixed)

        cells = [head("said \\ heard"), *(head(f"<b>{name}</b>") for name in self.labels)]
        for said, name in enumerate(self.labels):
            row = [self._button(said, heard, view, fixed.width) for heard in classes]
            cells += [head(f"<b>{name}</b>"), *row]
        columns = f"repeat({len(cells) // (len(classes) + 1)}, {fixed.width})"
        grid = ipywidgets.GridBox(cells, layout=ipywidgets.Layout(grid_template_columns=columns))
        return shell.column(grid, view)

    def still(self) -> Picture:
        return matrix(self.report.confusion, self.labels, self.report.name)

    def _title(self, said: int, heard: int) -> str:
        return f"said {self.labels[said]}, heard as {self.labels[heard]}"

    def _button(self, said: int, heard: int, view: Any, width: str) -> Any:
        def press() -> None:
            view.value = self.html(said, heard)

        count = int(self.report.confusion[said, heard])
        button = shell.button(str(count), press, f"{self._title(said, heard)}: {count} clips")
        button.layout.width = width
        button.disabled = count == 0
        button.button_style = ("success" if said == heard else "warning") if count else ""
        return button


class Threshold(_Heard):
    """A slider on a threshold: which keywords are missed below it, what sets off an alarm above."""

    def __init__(self, report: measure.Report, clips: Clips, level: float = 0.5) -> None:
        super().__init__(report, clips)
        self.level = level
        self.sure = report.probabilities[:, _KEYWORDS].max(axis=1)
        self.keyword = np.isin(report.labels, _KEYWORDS)
        words, others = max(1, self.keyword.sum()), max(1, (~self.keyword).sum())
        missed = np.array([len(self.missed(each)) / words for each in _LEVELS])
        alarms = np.array([len(self.alarms(each)) / others for each in _LEVELS])
        self._curves = _Thresholds(_LEVELS, missed, alarms)

    def missed(self, level: float) -> np.ndarray:
        """Return the places of the keywords that are not surer than `level`, the surest first."""
        return _surest(self.keyword & (self.sure <= level), self.sure)

    def alarms(self, level: float) -> np.ndarray:
        """Return the places of the false alarms above `level`, the surest first."""
        return _surest(~self.keyword & (self.sure > level), self.sure)

    def picture(self, level: float) -> Picture:
        """Return the curves of both errors with the threshold marked."""
        return self._curves.picture(level)

    def html(self, level: float) -> str:
        """Return what happens at a threshold, and players for some of the errors."""
        kinds = {"missed": self.missed(level), "false alarm": self.alarms(level)}
        missed, alarms = map(len, kinds.values())
        sentence = shell.note(
            f"At {level:.2f}: {missed} of {self.keyword.sum()} keywords are missed, and "
            f"{alarms} of {(~self.keyword).sum()} other clips set off an alarm."
        )
        return sentence + "".join(
            self._players(
                places[:_MOST_ERRORS],
                lambda place, kind=kind: (
                    f"{kind}: {self.clips.words[place]}, {self.sure[place]:.0%} sure"
                ),
            )
            for kind, places in kinds.items()
        )

    def controls(self) -> Any:
        slider = shell.slider("Threshold", self.level, 0.0, 1.0, 0.01, continuous=False)
        return shell.live(lambda level: self.picture(level).html() + self.html(level), slider)

    def still(self) -> Picture:
        return self.picture(self.level)


class Voices(_Heard):
    """Who is understood? Choose a voice and hear what it was taken for; the hardest comes first."""

    def __init__(self, report: measure.Report, clips: Clips) -> None:
        super().__init__(report, clips)
        names = np.array(clips.voices, object)
        self.places = {voice: np.flatnonzero(names == voice) for voice in set(clips.voices)}
        self.order = sorted(self.places, key=lambda voice: (self.share(voice), voice))

    def share(self, voice: str) -> float:
        """Return the share of a voice's clips that were named correctly."""
        return float(self.report.right[self.places[voice]].mean())

    def mistaken(self, voice: str) -> np.ndarray:
        """Return the places of a voice's clips that were named wrongly, the surest first."""
        wrong = np.zeros(self.report.n, bool)
        wrong[self.places[voice]] = ~self.report.right[self.places[voice]]
        return _surest(wrong, self.report.probabilities.max(axis=1))

    def html(self, voice: str) -> str:
        """Return a sentence on a voice, and players for what was taken for something else."""
        wrong, places = self.mistaken(voice), self.places[voice]

        def text(place: int) -> str:
            heard = f"heard as {self.report.names[self.report.predictions[place]]}"
            return f"said {self.clips.words[place]}, {heard if len(wrong) else 'understood'}"

        count = f"{len(places) - len(wrong)} of {len(places)} clips of {voice} were understood"
        shown = wrong[:_MOST] if len(wrong) else places[:2]
        return shell.note(count) + self._players(shown, text)

    def controls(self) -> Any:
        names = [(f"{voice}: {self.share(voice):.0%}", voice) for voice in self.order]
        players = shell.live(self.html, shell.dropdown("Voice", names))
        return shell.column(shell.html(self.still().html()), *players.children)

    def still(self) -> Picture:
        return groups(self.report, self.clips.voices, "who is understood?")


def _surest(wanted: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """Return the places where `wanted`, (n,) bool, holds, the surest first."""
    places = np.flatnonzero(wanted)
    return places[np.argsort(-sure[places], kind="stable")]
