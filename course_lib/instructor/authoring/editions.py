"""Make a lesson's two notebooks, not yet executed: the student and the reference edition."""

from __future__ import annotations

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_lib.instructor.authoring.frame import Project, footer, header, setup_code
from course_lib.instructor.authoring.solutions import without_markers, without_solutions
from course_lib.instructor.authoring.source import Cell, Lesson

_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


def edition(lesson: Lesson, lessons: list[Lesson], facts: Project, solved: bool) -> NotebookNode:
    """Return a lesson's notebook without outputs: with solutions if `solved`, else with stubs."""
    checks = {cell.check: cell.text for cell in lesson.cells if cell.check}
    first, *others = lesson.cells
    cells = [_node(first, header(lesson, lessons, facts, solved))]
    for cell in others:
        text = cell.text
        if cell.kind == "setup":
            text = setup_code(lesson, facts)
        elif cell.exercise:
            needed = checks[cell.exercise]
            text = without_markers(text) if solved else without_solutions(text, needed)
        cells.append(_node(cell, text))
    if onward := footer(lesson, lessons, facts):
        cells.append(new_markdown_cell(onward, id="onward"))
    metadata = {**_METADATA, "workbook": {"edition": "reference" if solved else "student"}}
    notebook = new_notebook(cells=cells, metadata=metadata)
    notebook.nbformat_minor = 5
    return notebook


def serialized(notebook: NotebookNode) -> str:
    """Return a notebook as the text that is committed: sorted keys, one space, one last newline."""
    import nbformat

    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT, indent=1).rstrip("\n") + "\n"


def _node(cell: Cell, text: str) -> NotebookNode:
    """Return the notebook cell of `cell`, with `text` as its source."""
    metadata: dict = {}
    if cell.slide:
        metadata["slideshow"] = {"slide_type": cell.slide}
    if cell.tags:
        metadata["tags"] = list(cell.tags)
    if cell.exercise:
        metadata |= {"exercise": cell.exercise, "points": cell.points}
    if cell.check:
        metadata |= {"check": cell.check, "deletable": False}
    if cell.kind == "setup":
        metadata |= {"cellView": "form"}
    if cell.kind == "markdown":
        return new_markdown_cell(text, id=cell.id, metadata=metadata)
    return new_code_cell(text, id=cell.id, metadata=metadata)
