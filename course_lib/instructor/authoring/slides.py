"""Say where slides begin in a lesson: one idea on each, and no more than a projector shows.

Nothing is executed: what a cell says decides. `tools.slides` writes slides by it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from course_lib.instructor.authoring.source import Cell

if TYPE_CHECKING:
    from markdown_it.token import Token

MOST_LINES = 11  # of prose, on a slide: 30 px of 720, with air between
FULL_LINES = 15  # of what belongs together: a heading and what follows, a list and its beginning
_ACROSS = 72  # characters in such a line
_OPENS = re.compile(r"\*\*(Predict|Read on)\b")


@dataclass(frozen=True)
class Block:
    """A heading, a paragraph, an item of a list, a table or a listing, as HTML.

    `lines` is its height on a slide in lines of prose; `opens`, whether it begins a slide; `item`,
    whether it is of a list; `title` is the text of a heading.
    """

    html: str
    lines: float
    opens: bool
    item: bool = False
    title: str = ""


def groups(text: str) -> list[list[Block]]:
    """Return the blocks of a Markdown text, those together that belong on one slide if they can.

    What follows a heading stays with it, a list with the paragraph before it. What is longer than
    a slide is cut between blocks.
    """
    found: list[list[Block]] = []
    for block in blocks(text):
        last = found[-1] if found else []
        joins = block.item or (last and last[-1].title)
        if joins and last and sum(each.lines for each in (*last, block)) <= FULL_LINES:
            last.append(block)
        else:
            found.append([block])
    return found


def blocks(text: str) -> list[Block]:
    """Return the blocks of a Markdown text, a list item by item.

    Links to other notebooks become plain text: a slide opens nothing beside itself.
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    text = re.sub(r"\[([^]]+)\]\([^):]+\.ipynb\)", r"\1", text)
    return [_block(tokens, parser) for tokens in _parted(parser.parse(text))]


def types(cells: Iterable[Cell]) -> list[str | None]:
    """Return each cell's slide type: "slide" opens a section, "subslide" a slide of it.

    None goes on where the cell before it stands, "skip" stands nowhere. What a source says itself
    wins.
    """
    found: list[str | None] = []
    used = math.inf  # lines of prose on the slide, more than any where the last cell was code
    alone = False  # a heading that waits for what follows
    for cell in cells:
        parts = blocks(cell.text) if cell.kind == "markdown" else []
        lines = sum(part.lines for part in parts)
        if cell.slide:
            kind = cell.slide
        elif parts:
            kind = "subslide" if parts[0].opens or used + lines > MOST_LINES else None
        else:
            kind = None if alone or cell.check or is_guess(cell) else "subslide"
        alone = len(parts) == 1 and bool(parts[0].title)
        used = math.inf if not parts else lines if kind else used + lines
        found.append(kind)
    return found


def is_guess(cell: Cell) -> bool:
    """Tell whether a cell waits for a student's guess."""
    return cell.id.startswith("predict-")


def _parted(tokens: list[Token]) -> Iterator[list[Token]]:
    """Yield the tokens of each block; of a list those of each item, in a list of its own."""
    from markdown_it.token import Token

    gathered: list[Token] = []
    for token in tokens:
        if token.level == 0 and token.type.endswith("_list_open"):
            opening, count = token, int(token.attrGet("start") or 1)
        elif token.level == 0 and token.type.endswith("_list_close"):
            continue
        else:
            gathered.append(token)
            if token.type == "list_item_close" and token.level == 1:
                first = Token(opening.type, opening.tag, 1, attrs={"start": count})
                count += 1
                yield [first, *gathered, Token("list_close", opening.tag, -1)]
                gathered = []
            elif token.level == 0 and token.nesting <= 0:
                yield gathered
                gathered = []


def _block(tokens: list[Token], parser: Any) -> Block:
    """Return the block that some tokens are."""
    first = tokens[0]
    said = "".join(_plain(token) for token in tokens if token.type == "inline")
    lines = math.ceil(len(said) / _ACROSS) + 0.4
    if first.type == "table_open":
        lines = 1.5 * sum(token.type == "tr_open" for token in tokens)
    elif first.type == "fence":
        lines = first.content.count("\n") + 1
    elif first.type == "heading_open":
        lines = 1.6
    heading = said if first.type == "heading_open" else ""
    inline = next((token.content for token in tokens if token.type == "inline"), "")
    opens = bool(heading or _OPENS.match(inline))
    html = parser.renderer.render(tokens, parser.options, {})
    return Block(html, lines, opens, first.type.endswith("_list_open"), heading)


def _plain(token: Token) -> str:
    """Return what a reader sees of inline text."""
    return "".join(
        " " if "break" in child.type else child.content for child in token.children or ()
    )
