"""Pictures of what is taken for what: confusion matrix, recalls, thresholds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course_lib import measure
from course_lib.sound.dataset import LABELS
from course_lib.views import style
from course_lib.views.style import PALETTE, Picture


def matrix(counts: np.ndarray, labels: Sequence[str] = LABELS, title: str = "") -> Picture:
    """Draw a confusion matrix (classes, classes): rows said, columns heard; share and count."""
    counts = np.asarray(counts)
    part = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    fig, axis = style.figure(6.4, 5.0)
    axis.imshow(part, cmap="Blues", vmin=0, vmax=1.2)
    for (row, column), count in np.ndenumerate(counts):
        axis.text(
            column,
            row,
            f"{part[row, column]:.0%}\n{count}",
            ha="center",
            va="center",
            fontsize=12,
            fontweight="bold" if row == column else "normal",
            color=PALETTE["paper"] if part[row, column] > 0.65 else PALETTE["ink"],
        )
    axis.set(
        xticks=range(len(labels)),
        xticklabels=labels,
        yticks=range(len(labels)),
        yticklabels=labels,
        xlabel="heard as",
        ylabel="said",
        title=title,
    )
    axis.spines[:].set_visible(False)
    right = counts.trace() / max(1, counts.sum())
    return style.show(
        fig,
        f"confusion matrix{' of ' + title if title else ''}: rows said, columns "
        f"heard, {'most' if right > 0.5 else 'fewer than half'} on the diagonal",
    )


def recalls(reports: Sequence[measure.Report], labels: Sequence[str] = LABELS) -> Picture:
    """Draw the share of each class that was found, with its 95 % interval, for some reports."""
    named = {
        report.name: [
            (int(row[place]), int(row.sum())) for place, row in enumerate(report.confusion)
        ]
        for report in reports
    }
    return shares(labels, named, "of each class, what share was found?")


def groups(report: measure.Report, names: Sequence[str], title: str, most: int = 14) -> Picture:
    """Draw the share right of each group of clips, the hardest group on top.

    `names` (n,) says which group a clip is in. Of more than `most` groups, the easier ones are put
    together in one row.
    """
    names = np.array(names, object)
    rows = [
        (str(kind), int(report.right[names == kind].sum()), int((names == kind).sum()))
        for kind in sorted(set(names))
    ]
    rows.sort(key=lambda row: (row[1] / row[2], -row[2]))
    count = len(rows)
    if count > most:
        rest = rows[most - 1 :]
        together = f"the other {len(rest)}", sum(r[1] for r in rest), sum(r[2] for r in rest)
        rows = [*rows[: most - 1], together]
    kinds = [kind for kind, _, _ in rows]
    pairs = [(right, n) for _, right, n in rows]
    told = f"{title} {report.name}: share right in each of {count} groups, hardest on top"
    return shares(kinds, {report.name: pairs}, title, told)


def shares(
    names: Sequence[str],
    counts: dict[str, Sequence[tuple[int, int]]],
    title: str,
    alt: str = "",
) -> Picture:
    """Draw shares with their 95 % intervals: `counts` maps a series to (right, all) per name."""
    fig, axis = style.figure(8.0, 1.2 + 0.42 * len(names) * max(1, 0.6 * len(counts)))
    for turn, (series, pairs) in enumerate(counts.items()):
        places = np.arange(len(names)) + 0.28 * (turn - (len(counts) - 1) / 2)
        middle = np.array([right / max(1, n) for right, n in pairs])
        bounds = np.array([measure.wilson(right, n) if n else (0, 0) for right, n in pairs])
        reach = np.abs(bounds.T - middle)
        axis.errorbar(
            middle,
            places,
            xerr=reach,
            fmt="os^D"[turn % 4],
            capsize=4,
            label=series,
            color=style.CYCLE[turn],
            markersize=7,
        )
    axis.set(
        yticks=range(len(names)),
        yticklabels=names,
        xlabel="share right, 95 % interval",
        title=title,
    )
    axis.set_xlim(right=1.01)
    axis.invert_yaxis()
    axis.grid(axis="x")
    if len(counts) > 1:
        axis.legend(loc="best")
    return style.show(fig, alt or f"{title} {', '.join(counts)}: {', '.join(names)}")


def thresholds(
    levels: np.ndarray, missed: np.ndarray, false_alarms: np.ndarray, chosen: float | None = None
) -> Picture:
    """Draw the shares of missed keywords and of false alarms, (n,), against the threshold."""
    fig, axis = style.figure(8.0, 3.8)
    axis.plot(levels, missed, color=PALETTE["blue"], label="keywords missed")
    axis.plot(levels, false_alarms, "--", color=PALETTE["red"], label="false alarms")
    if chosen is not None:
        axis.axvline(chosen, color=PALETTE["ink"], linewidth=1.2)
        axis.annotate(f" {chosen:.2f}", (chosen, axis.get_ylim()[1]), va="top", fontsize=12)
    axis.set(xlabel="threshold: say a keyword only above it", ylabel="share of clips")
    axis.yaxis.set_major_formatter("{x:.0%}")
    axis.grid()
    axis.legend()
    return style.show(fig, "keywords missed rise and false alarms fall as the threshold rises")
