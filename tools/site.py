"""Make the web site: every lesson as it was executed, the documents, and a page that hears.

    python -m tools.site [OUT]

Nothing on it asks another machine for anything; a folder on any server, or on a disk, will do.
Widgets with few states are flip-books, see `flipbook`; another's still picture stands there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib.instructor import authoring
from course_lib.instructor.authoring.editions import Project, read_project
from course_lib.instructor.authoring.source import Lesson
from tools import flipbook

__all__ = ["build", "main"]

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "_site"
_DOCUMENTS = (
    "glossary.md",
    "teaching.md",
    "grading.md",
    "board.md",
    "hub.md",
    "files.md",
    "design.md",
    "recipe.md",
)
_FRONT = """# From a Python program to the bytes on a microcontroller

An interactive workbook about what happens to a small neural network between the Python that
describes it and the bytes that a microcontroller executes. This is such a network. Press a word,
or let it listen and say "yes" or "no".

```{{raw}} html
<iframe title="A model that hears, in this page" allow="microphone" src="_static/hear.html"
 style="width: 100%; height: 420px; border: 0"></iframe>
```

Its file has {bytes:,} bytes, and it runs in your browser as it runs on a chip: nothing of what you
say leaves this page. The lessons say how it is trained, saved, frozen, converted, and cut to eight
bits, and measure what each step costs.

![From lesson 07: the bytes of each variant of the model, and its accuracy](dashboard.png)

## Lessons

| lesson | minutes | the question | |
|---|---|---|---|
{rows}

```{{toctree}}
:hidden:
:caption: Lessons

{lessons}
```

```{{toctree}}
:hidden:
:caption: Documents

{documents}
```
"""
_CONF = """
project = "From graphs to bytes"
author = "the authors of the workbook"
extensions = ["myst_nb"]
html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_js_files = ["reach.js", "flipbook.js"]
html_css_files = ["flipbook.css"]
html_copy_source = False
html_show_sourcelink = False
nb_execution_mode = "off"
nb_ipywidgets_js = {}
myst_enable_extensions = []
myst_heading_anchors = 3
nb_merge_streams = True
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
"""

_REACH = """// Text that is wider than its place is scrolled by keys, too; a caption says its level.
const reach = () => {
  for (const text of document.querySelectorAll("pre"))
    if (text.scrollWidth > text.clientWidth) text.tabIndex = 0;
  for (const caption of document.querySelectorAll("[role=heading]:not([aria-level])"))
    caption.setAttribute("aria-level", 2);
};
for (const when of ["load", "resize", "toggle"]) addEventListener(when, reach, true);
"""


def build(out: Path = OUT, alive: Collection[str] | None = None) -> Path:
    """Write the site into `out`, anew; return that folder.

    `alive` are the numbers of lessons whose widgets become flip-books, by default of all. The site
    that was there stays until the new one is complete. Raises RuntimeError where Sphinx does, or
    where a lesson cannot be executed.
    """
    lessons = authoring.lessons(ROOT)
    with tempfile.TemporaryDirectory() as name:
        source, made = Path(name, "source"), Path(name, "made")
        chosen = [each for each in lessons if alive is None or each.number in alive]
        _write(source, lessons, _recorded(chosen, source / "_static" / "flip"))
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
        run = subprocess.run([*command, source, made], capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f"The site cannot be made:\n{run.stderr[-3000:]}")
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(made, out, ignore=shutil.ignore_patterns(".doctrees", ".buildinfo"))
    return out


def main(arguments: list[str]) -> int:
    """Write the site and say where it is."""
    print(build(Path(arguments[0]) if arguments else OUT) / "index.html")
    return 0


def _recorded(lessons: Sequence[Lesson], folder: Path) -> dict[str, list[str]]:
    """Record the flip-books of lessons, two lessons at a time; return their names by cell."""
    folder.mkdir(parents=True)

    def one(lesson: Lesson) -> dict[str, list[str]]:
        command = [sys.executable, "-m", "tools.flipbook", str(_reference(lesson)), str(folder)]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        run = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(f"The widgets of {lesson.name} do not run:\n{run.stderr[-3000:]}")
        print(run.stderr.strip(), end="\n" * bool(run.stderr.strip()), file=sys.stderr)
        return json.loads(run.stdout)

    with ThreadPoolExecutor(2) as pool:
        return {cell: names for each in pool.map(one, lessons) for cell, names in each.items()}


def _write(source: Path, lessons: list[Lesson], books: Mapping[str, Sequence[str]]) -> None:
    """Put together what Sphinx reads; `books` are the names of flip-books by cell."""
    from course_lib import tflite
    from course_lib.sound import dataset
    from course_lib.views import hearing

    facts = read_project(ROOT)
    for kind in ("js", "css"):
        shutil.copy(Path(flipbook.__file__).with_suffix(f".{kind}"), source / "_static")
    for lesson in lessons:
        nbformat.write(_page(lesson, facts, books), source / f"{lesson.name}.ipynb")
    for name in _DOCUMENTS:
        text = (ROOT / "docs" / name).read_text(encoding="utf-8").replace("(../notebooks/", "(")
        text = re.sub(r"\(\.\./([^)]+)\)", lambda found: f"({facts.page(found[1])})", text)
        (source / name).write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "docs" / "dashboard.png", source)
    model, clips = tflite.load("spotter_int8"), dataset.bundled("test")
    waves = {word: clips.waves[clips.words.index(word)] for word in ("yes", "no", "happy")}
    hearing.page(model, waves).save(source / "_static" / "hear.html")
    rows = "\n".join(_row(lesson, facts) for lesson in lessons)
    names = "\n".join(f"{each.number} {each.title} <{each.name}>" for each in lessons)
    documents = "\n".join(name.removesuffix(".md") for name in _DOCUMENTS)
    front = _FRONT.format(bytes=len(model), rows=rows, lessons=names, documents=documents)
    (source / "index.md").write_text(front, encoding="utf-8")
    (source / "conf.py").write_text(_CONF, encoding="utf-8")
    (source / "_static" / "reach.js").write_text(_REACH, encoding="utf-8")


def _row(lesson: Lesson, facts: Project) -> str:
    """Return a lesson's row of the table on the front page."""
    link = f"[{lesson.number} {lesson.title}]({lesson.name})"
    colab = f"[open in Colab]({facts.colab(lesson)})"
    mark = "*further:* " if lesson.further else ""
    return f"| {mark}{link} | {lesson.minutes} | {lesson.question} | {colab} |"


def _reference(lesson: Lesson) -> Path:
    return ROOT / "notebooks" / "reference" / f"{lesson.name}.ipynb"


def _page(lesson: Lesson, facts: Project, books: Mapping[str, Sequence[str]]) -> NotebookNode:
    """Return a lesson as it was executed; the code of set-up and solutions unfolds on a click.

    After the still picture of each widget comes the place of its flip-book, which hides it.
    """
    notebook = nbformat.read(_reference(lesson), as_version=nbformat.NO_CONVERT)
    title = notebook.cells[0].source.partition("\n")[0]
    text = notebook.cells[0].source.partition(".ipynb).")[2]
    open_it = f"Executed, with its solutions folded. [Work in it yourself]({facts.colab(lesson)})."
    notebook.cells[0].source = f"{title}\n\n{open_it}{text}"
    for cell in notebook.cells:
        pictures = [
            each.metadata
            for each in cell.get("outputs", ())
            if "image/png" in each.get("metadata", ())
        ]
        if len(pictures) == 1 and "alt" in pictures[0]["image/png"]:  # MyST-NB takes one a cell
            cell.metadata["mystnb"] = {"image": {"alt": pictures[0]["image/png"]["alt"]}}
        flipbook.lay(cell, books.get(cell.id, ()))
        if cell.id == "setup" or cell.metadata.get("exercise"):
            cell.metadata["tags"] = [*cell.metadata.get("tags", ()), "hide-input"]
    return notebook


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
