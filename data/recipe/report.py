"""Write data/speech/README.md: every figure in it is counted here, none is typed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template

from . import origins
from .choose import CERTAIN_NATS, MOST_NATS
from .engines import ENGINES
from .listen import Heard
from .words import COMMANDS, ENDINGS_ADDED, KEYWORDS, SPLITS, WORDS

__all__ = ["markdown", "readme"]

_TEMPLATE = Path(__file__).with_name("readme_template.md")


def markdown(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table; ValueError when a row's length differs from the head's."""
    head = list(head)
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in rows:
        cells = [str(cell) for cell in row]
        if len(cells) != len(head):
            raise ValueError(f"A row has {len(cells)} cells, the table has {len(head)} columns.")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def readme(rows: list[dict], total_bytes: int, heard: Mapping[str, Mapping[str, list[Heard]]]):
    """Return the README's text.

    `rows` are the manifest's rows; `heard` holds, for "candidates" and for "kept" clips and by
    engine, what the recogniser heard with whether it was right, as (word, Heard) pairs.
    """
    counts = Counter((row["engine"], row["split"]) for row in rows)
    voices = defaultdict(set)
    for row in rows:
        voices[row["engine"], row["split"]].add(row["voice"])
    engines = [name for name in ENGINES if any(key[0] == name for key in counts)]
    seconds = sum(row["samples"] for row in rows) / 16_000
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        clips=f"{len(rows):,}",
        words=len({row["word"] for row in rows}),
        voices=len({row["voice"] for row in rows}),
        megabytes=f"{total_bytes / 1e6:.1f}",
        minutes=f"{seconds / 60:.0f}",
        mean_seconds=f"{seconds / len(rows):.2f}",
        certain=f"{CERTAIN_NATS:.0f}",
        most=f"{MOST_NATS:.0f}",
        alike=", ".join(f'"{word}"' for word in ENDINGS_ADDED["no"]),
        by_engine=markdown(
            ["engine", *(f"{split}: clips (voices)" for split in SPLITS), "share"],
            [
                [
                    name,
                    *(f"{counts[name, s]} ({len(voices[name, s])})" for s in SPLITS),
                    f"{sum(counts[name, s] for s in SPLITS) / len(rows):.0%}",
                ]
                for name in engines
            ],
        ),
        by_word=_by_word(rows),
        recogniser=_recogniser(engines, heard),
        origins=markdown(
            ["engine", "part", "made by", "terms", "where the text is", "what lets it pass on"],
            origins.table({row["voice"] for row in rows}),
        ),
    )


def _by_word(rows: list[dict]) -> str:
    """Return a table of clips per word: commands one by one, the other words together."""
    counts = Counter((row["word"], row["split"]) for row in rows)
    lines = [[word, *(counts[word, split] for split in SPLITS)] for word in (*KEYWORDS, *COMMANDS)]
    others = [word for word in WORDS if word not in (*KEYWORDS, *COMMANDS)]
    lines.append(
        [f"{len(others)} other words", *(sum(counts[word, s] for word in others) for s in SPLITS)]
    )
    return markdown(["word", *SPLITS], lines)


def _recogniser(engines: list[str], heard) -> str:
    """Return a table of how often the recogniser heard the word, for candidates and kept clips."""
    lines = []
    for name in engines:
        line = [name]
        for group in ("candidates", "kept"):
            pairs = heard[group][name]
            right = sum(said.word == word for word, said in pairs)
            near = sum(said.lead <= CERTAIN_NATS for _, said in pairs)
            line += [len(pairs), f"{right / len(pairs):.0%}", f"{near / len(pairs):.0%}"]
        lines.append(line)
    head = ["engine", "candidates", "heard", "heard or near", "kept", "heard", "heard or near"]
    return markdown(head, lines)
