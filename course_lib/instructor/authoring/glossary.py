"""Collect the words that lessons explain: each stands in bold where it is explained first."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from course_lib.instructor.authoring.source import Cell, Lesson

_UNSAID = re.compile(r"```.*?```|`[^`]*`|\]\([^)]*\)", re.DOTALL)  # code, addresses
_BOLD = re.compile(r"\*\*([^*`\n]+?)\*\*")
_PARAGRAPHS = re.compile(r"\n\s*\n|(?:^|\n)#[^\n]*\n|\n(?=[-*] |\d+\. |\|)")
_MARK = re.compile(r"^(?:[-*] |#+ |\d+\. )+")
_SENTENCES = re.compile(r"(?:(?<=[.!?:])|(?<=[.!?:]\*\*)|(?<=[.!?]\)))\s+(?=[A-Z`*(])")
_EVERYDAY = ("array", "scale", "table")  # which earlier prose uses in the sense that all know
_HEAD = """# Words

Each stands in bold where a lesson first explains it, in these words. Generated from the lessons.

| word | lesson | |
|---|---|---|
"""


@dataclass(frozen=True)
class Word:
    """A word, the lesson and the cell that explain it, and the sentence in which they do."""

    word: str
    lesson: Lesson
    cell: Cell
    sentence: str


def words(lessons: Iterable[Lesson]) -> Iterator[Word]:
    """Yield what is bold in the prose of lessons, in their order; a bold sentence is no word."""
    for lesson in lessons:
        for cell in lesson.cells[1:]:
            if cell.kind != "markdown":
                continue
            for paragraph in _PARAGRAPHS.split(cell.text):
                for sentence in _SENTENCES.split(" ".join(paragraph.split())):
                    said = _UNSAID.sub(lambda code: "`" * len(code[0]), sentence)
                    for found in _BOLD.finditer(said):
                        if found[1][-1] not in ".?!:":
                            yield Word(found[1], lesson, cell, _MARK.sub("", sentence))


def table(lessons: Iterable[Lesson]) -> str:
    """Return the page with all words in the order of the alphabet, as Markdown."""
    rows = sorted(words(lessons), key=lambda each: (each.word.casefold(), each.lesson.number))
    lines = []
    for each in rows:
        link = f"[{each.lesson.number}](../notebooks/{each.lesson.name}.ipynb)"
        said = each.sentence.replace("**", "").replace("|", "\\|")
        lines.append(f"| **{each.word}** | {link} | {said} |")
    return _HEAD + "\n".join(lines) + "\n"


def used_before(every: list[Lesson]) -> list[str]:
    """Return one sentence for each word that a lesson's prose uses before it is explained.

    Who reads a lesson has read those on the way to it, and none that goes further. What a lesson's
    first cell announces does not count.
    """
    wanted = {each.word for each in words(every)}.difference(_EVERYDAY)
    uses = {word: re.compile(rf"(?<![\w-]){re.escape(word)}s?(?![\w-])", re.I) for word in wanted}
    complaints = []
    for lesson in every:
        way = [other for other in every if not other.further and other.chapter <= lesson.chapter]
        known = {each.word for each in words(way) if each.lesson is not lesson}
        own = list(words([lesson]))
        for cell in lesson.cells[1:]:
            known |= {each.word for each in own if each.cell is cell}
            prose = _UNSAID.sub(" ", cell.text) if cell.kind == "markdown" else ""
            early = [word for word in sorted(wanted - known) if uses[word].search(prose)]
            known.update(early)
            complaints += [f"{word}: {lesson.number} {cell.id} uses it too soon." for word in early]
    return complaints
