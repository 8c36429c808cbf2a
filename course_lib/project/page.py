"""The report as one page of HTML that needs nothing else: pictures inside, light and dark."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from course_lib.experiments.ledger import Claim, Ledger
from course_lib.views.style import Picture

_STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fdfdfb; --line: #b8b8b8;
  --soft: #f0f0ec; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececec; --paper: #16181b; --line: #5a5d62; --soft: #24272b; } }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; }
table { border-collapse: collapse; margin: 0.5rem 0 1.5rem; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: 0.35rem 0.6rem; text-align: left;
  vertical-align: top; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.chosen { background: var(--soft); font-weight: 600; }
small { opacity: 0.85; }
code { font-size: 0.85rem; overflow-wrap: anywhere; }
img { background: #fdfdfb; border-radius: 4px; }
figure { margin: 1rem 0; }
@media print { body { margin: 0; max-width: none; } }
"""


def page(made: Mapping[str, Any], pictures: Sequence[Picture] = ()) -> str:
    """Return the HTML of a report and some pictures; it loads nothing from anywhere."""
    words = ", ".join(f"“{word}”" for word in made["words"])
    chosen = next(each for each in made["models"] if each["name"] == made["chosen"])
    claims = Ledger(tuple(map(Claim.from_dict, made["claims"])))
    figures = "".join(f"<figure>{picture.html()}</figure>" for picture in pictures)
    return (
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>A spotter for {html.escape(words)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>A spotter for {html.escape(words)}</h1>"
        f"<p>{html.escape(_summary(made, chosen))}</p>"
        f"<h2>The model in every form</h2>{_models(made)}{figures}"
        f"<h2>The clips</h2>{_clips(made)}"
        f"<h2>What is often said, tested in this run</h2>{claims.html()}"
        f"<h2>The files</h2>{_files(made)}</body></html>\n"
    )


def _summary(made: Mapping[str, Any], chosen: Mapping[str, Any]) -> str:
    training, run = made["training"], made["micro"]
    told = (
        f"{chosen['bytes']:,} bytes ({chosen['name']}) are right about {chosen['right']} of "
        f"{chosen['n']} clips that they were not trained on: {chosen['share']:.0%}, and the true "
        f"share is somewhere from {chosen['low']:.0%} to {chosen['high']:.0%}. On the clips for "
        f"choosing, {training['after']} of {training['epochs']} epochs led to "
        f"{training['from_checkpoint']:.0%} from a checkpoint, and to "
        f"{training['from_nothing']:.0%} from nothing."
    )
    if run is None:
        return f"{told} TensorFlow Lite Micro was not installed where this ran."
    return (
        f"{told} TensorFlow Lite Micro runs it in an arena of {run['arena_bytes']:,} bytes and "
        f"says the same word as LiteRT for {run['same_words']} of {run['n']} clips."
    )


def _models(made: Mapping[str, Any]) -> str:
    first = made["models"][0]["bytes"]
    rows = [
        (
            each["name"],
            f"{each['bytes']:,}" if each["bytes"] else "–",
            f"{first / each['bytes']:.2f} ×" if first and each["bytes"] else "–",
            f"{each['weight_bytes']:,}" if each["weight_bytes"] else "–",
            f"{each['share']:.1%}",
            f"{each['low']:.0%} to {each['high']:.0%}",
        )
        for each in made["models"]
    ]
    places = [each["name"] for each in made["models"]]
    heads = ("model", "bytes", "smaller", "of weights", "right", "95 % interval")
    return _table(heads, rows, places.index(made["chosen"]))


def _clips(made: Mapping[str, Any]) -> str:
    splits = ("train", "validation", "test")
    rows = [
        (label, *(f"{made['clips'][split][place]:,}" for split in splits))
        for place, label in enumerate(made["labels"])
    ]
    own = f"<p>{made['clips']['own']} of the clips are own recordings.</p>"
    return _table(("label", *splits), rows) + own


def _files(made: Mapping[str, Any]) -> str:
    lines = "".join(
        f"<tr><td>{html.escape(name)}</td><td class='number'>{about['bytes']:,}</td>"
        f"<td><code>{html.escape(about['sha256'])}</code></td></tr>"
        for name, about in made["files"].items()
    )
    return _framed(("file", "bytes", "SHA-256"), lines)


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]], marked: int = -1) -> str:
    """Return a table whose first column is text and the others are numbers."""
    lines = "".join(
        f"<tr{' class=chosen' if place == marked else ''}><th scope='row'>{html.escape(name)}</th>"
        + "".join(f"<td class='number'>{html.escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for place, (name, *cells) in enumerate(rows)
    )
    return _framed(heads, lines, " class='number'")


def _framed(heads: Iterable[str], lines: str, numbers: str = "") -> str:
    """Return a table; `numbers` is the attribute of every head but the first."""
    top = "".join(
        f"<th scope='col'{numbers if place else ''}>{html.escape(head)}</th>"
        for place, head in enumerate(heads)
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"
