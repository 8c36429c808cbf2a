"""Two reports side by side as HTML: sizes, accuracy, latency, confusion matrices, flipped clips.

Pure functions from reports to text, quick enough to run on every move of a control. The HTML has
its own opaque ground and speaks in words and numbers wherever it speaks in colour.
"""

import html
import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from course_lib import measure, micro
from course_lib.measure import Report
from course_lib.views.confusion import TABLE, table_html
from course_lib.views.sizes import KIND_COLOURS
from course_lib.views.style import PALETTE, card

PARTS = ("size", "accuracy", "time and memory", "confusion", "flipped clips")
_MOST = 6  # flipped clips shown
_CELL = "padding:4px 10px;text-align:left;border-bottom:1px solid #d0d0d0"
_VERDICTS = {"noise": "no more than noise", "worse": "really worse", "better": "really better"}
_Row = tuple[str, str, str, str]  # a name, before, after, what changed


def page(
    before: Report,
    after: Report,
    reference: Report,
    parts: Sequence[str] = PARTS,
    player: Callable[[int], str] | None = None,
    words: Sequence[str] = (),
) -> str:
    """Return the HTML of the chosen `parts` for two reports on the same clips.

    `reference` is the float model that both are compared with. `player` returns the HTML that
    plays the clip at a place, and `words` holds what was said in each.
    """
    rows: list[_Row] = []
    if "size" in parts:
        rows += _size_rows(before, after)
    if "accuracy" in parts:
        rows += _accuracy_rows(before, after, reference)
    if "time and memory" in parts:
        rows += _cost_rows(before, after)
    pieces = [_table(before, after, rows)] if rows else []
    if "confusion" in parts:
        pieces.append(_confusions(before, after))
    if "flipped clips" in parts:
        pieces.append(_flipped(before, after, player, words))
    return card(
        "".join(pieces) or "Choose at least one part above.",
        f"{before.name} and {after.name} side by side",
    )


def flips(before: Report, after: Report) -> np.ndarray:
    """Return the places of the clips that the two models name differently, lost ones first."""
    places = np.flatnonzero(before.predictions != after.predictions)
    loss = before.right[places].astype(int) - after.right[places].astype(int)
    return places[np.argsort(-loss, kind="stable")]


def _flipped(
    before: Report, after: Report, player: Callable[[int], str] | None, words: Sequence[str]
) -> str:
    """Return HTML that lists the clips whose name changed, each with its player and its word."""
    places = flips(before, after)
    if not len(places):
        return "<p>No clip changed its name.</p>"
    lines = ""
    for place in places[:_MOST]:
        cells = [*_flip(before, after, place, words), player(place) if player else ""]
        lines += f"<tr>{_cells(cells)}</tr>"
    shown = "all" if len(places) <= _MOST else f"the first {_MOST}"
    return (
        f"<p><b>{len(places)} of {before.n} clips changed their name</b>, here are {shown}:"
        f"</p><table style='{TABLE}'>{lines}</table>"
    )


def _flip(before: Report, after: Report, place: int, words: Sequence[str]) -> list[str]:
    """Return what was said in a clip, both answers, and which of them was right."""
    said = html.escape(before.names[before.labels[place]])
    if len(words) and words[place] != said:
        said = f"{html.escape(words[place])}</b>, which is {said}<b>"
    verdicts = {(True, False): "lost", (False, True): "gained"}
    answers = [
        f"{html.escape(name)} ({each.probabilities[place].max():.0%})"
        for each in (before, after)
        for name in [each.names[each.predictions[place]]]
    ]
    right = bool(before.right[place]), bool(after.right[place])
    return [f"said: <b>{said}</b>", " &rarr; ".join(answers), verdicts.get(right, "wrong twice")]


def _cells(texts: Iterable[str]) -> str:
    return "".join(f"<td style='{_CELL}'>{text}</td>" for text in texts)


def _table(before: Report, after: Report, rows: Sequence[_Row]) -> str:
    head = "".join(
        f"<th scope='col' style='{_CELL}'>{html.escape(text)}</th>"
        for text in ("", before.name, after.name, "change")
    )
    body = "".join(
        f"<tr><th scope='row' style='{_CELL};font-weight:600'>{name}</th>{_cells(cells)}</tr>"
        for name, *cells in rows
    )
    return (
        f"<table style='{TABLE};font-size:16px'>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _size_rows(before: Report, after: Report) -> list[_Row]:
    widest = max(before.bytes, after.bytes, 1)
    change = _factor(before.bytes, after.bytes)
    rows = [("file", _bar(before, widest), _bar(after, widest), change)]
    for kind, colour in KIND_COLOURS.items():
        square = (
            f"<span style='display:inline-block;width:12px;height:12px;background:{colour}'>"
            f"</span> {kind}"
        )
        old, new = (each.kinds.get(kind, 0) for each in (before, after))
        rows.append((square, f"{old:,} B", f"{new:,} B", _factor(old, new)))
    return rows


def _bar(report: Report, widest: int) -> str:
    """Return a bar cut into kinds, 200 pixels for the larger file, with the bytes in words."""
    cuts = "".join(
        f"<span style='display:inline-block;height:14px;background:{colour};"
        f"width:{200 * report.kinds.get(kind, 0) / widest:.1f}px'></span>"
        for kind, colour in KIND_COLOURS.items()
    )
    return f"<b>{report.bytes:,} B</b><br><span style='white-space:nowrap'>{cuts}</span>"


def _accuracy_rows(before: Report, after: Report, reference: Report) -> list[_Row]:
    change = measure.mcnemar(before, after)
    points = 100 * (after.accuracy - before.accuracy)
    same = f"same answer as {html.escape(reference.name)}"
    agreements = (f"{measure.agreement(reference, each):.1%}" for each in (before, after))
    mutual = f"{measure.agreement(before, after):.1%} same as each other"
    verdict = f"<b>{_VERDICTS[change.verdict]}</b> (p = {change.p_value:.2g})"
    return [
        ("accuracy", _interval(before), _interval(after), f"{points:+.1f} points"),
        (same, *agreements, mutual),
        ("a real change?", f"{change.lost} clips lost", f"{change.gained} gained", verdict),
    ]


def _interval(report: Report) -> str:
    low, high = report.interval
    return (
        f"<b>{report.accuracy:.1%}</b> of {report.n:,}<br>"
        f"<span style='color:{PALETTE['grey']}'>{low:.1%} to {high:.1%}</span>"
    )


def _cost_rows(before: Report, after: Report) -> list[_Row]:
    names = "time for a clip", "memory on a microcontroller"
    if math.isnan(ratio := after.seconds / before.seconds):
        return [(name, "not measured", "not measured", "") for name in names]
    sizes = before.arena_bytes, after.arena_bytes
    nothing = "does not run there" if micro.available() else "not measured"
    texts = (f"{size:,} B" if size else nothing for size in sizes)
    return [
        (names[0], "1", f"{ratio:.2f}", f"{ratio:.2f} times as long, on this machine"),
        (names[1], *texts, _factor(*sizes) if all(sizes) else ""),
    ]


def _confusions(before: Report, after: Report) -> str:
    differs = before.confusion != after.confusion
    names = before.names
    pair = "".join(
        f"<div><b>{html.escape(each.name)}</b>{table_html(each.confusion, names, differs)}</div>"
        for each in (before, after)
    )
    return (
        f"<p>Rows: what was said. Columns: what was heard. "
        f"A frame marks a count that differs.</p>"
        f"<div style='display:flex;gap:32px;flex-wrap:wrap'>{pair}</div>"
    )


def _factor(before: int, after: int) -> str:
    if not before or not after or before == after:
        return "same" if before == after else f"{after - before:+,} B"
    smaller = before > after
    return f"{max(before, after) / min(before, after):.2f}x {'smaller' if smaller else 'larger'}"
