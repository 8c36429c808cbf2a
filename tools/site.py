"""Make the web site: every lesson as it was executed, the documents, and a page that hears.

    python -m tools.site [OUT]

Nothing on it asks another machine for anything; a folder on any server, or on a disk, will do.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_lib.instructor import authoring
from course_lib.instructor.authoring.editions import Project, read_project
from course_lib.instructor.authoring.source import Lesson

__all__ = ["build", "main"]

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "_site"
_DOCUMENTS = ("glossary.md", "teaching.md", "grading.md", "board.md", "hub.md")
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

glossary
teaching
grading
board
hub
```
"""
_CONF = """
project = "From graphs to bytes"
author = "the authors of the workbook"
extensions = ["myst_nb"]
html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_js_files = ["reach.js"]
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


def build(out: Path = OUT) -> Path:
    """Write the site into `out`, anew; return that folder. Raises RuntimeError where Sphinx does.

    The site that was there stays until the new one is complete.
    """
    lessons = authoring.lessons(ROOT)
    with tempfile.TemporaryDirectory() as name:
        source, made = Path(name, "source"), Path(name, "made")
        _write(source, lessons)
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


def _write(source: Path, lessons: list[Lesson]) -> None:
    """Put together what Sphinx reads."""
    from course_lib import tflite
    from course_lib.sound import dataset
    from course_lib.views import hearing

    facts = read_project(ROOT)
    (source / "_static").mkdir(parents=True)
    for lesson in lessons:
        nbformat.write(_page(lesson, facts), source / f"{lesson.name}.ipynb")
    for name in _DOCUMENTS:
        text = (ROOT / "docs" / name).read_text(encoding="utf-8").replace("(../notebooks/", "(")
        for page in ("CONTRIBUTING.md", "CHANGELOG.md"):
            text = text.replace(f"(../{page})", f"({facts.page(page)})")
        (source / name).write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "docs" / "dashboard.png", source)
    model, clips = tflite.load("spotter_int8"), dataset.bundled("test")
    waves = {word: clips.waves[clips.words.index(word)] for word in ("yes", "no", "happy")}
    hearing.page(model, waves).save(source / "_static" / "hear.html")
    rows = "\n".join(_row(lesson, facts) for lesson in lessons)
    names = "\n".join(f"{each.number} {each.title} <{each.name}>" for each in lessons)
    front = _FRONT.format(bytes=len(model), rows=rows, lessons=names)
    (source / "index.md").write_text(front, encoding="utf-8")
    (source / "conf.py").write_text(_CONF, encoding="utf-8")
    (source / "_static" / "reach.js").write_text(_REACH, encoding="utf-8")


def _row(lesson: Lesson, facts: Project) -> str:
    """Return a lesson's row of the table on the front page."""
    link = f"[{lesson.number} {lesson.title}]({lesson.name})"
    colab = f"[open in Colab]({facts.colab(lesson)})"
    mark = "*further:* " if lesson.further else ""
    return f"| {mark}{link} | {lesson.minutes} | {lesson.question} | {colab} |"


def _page(lesson: Lesson, facts: Project) -> NotebookNode:
    """Return a lesson as it was executed; the code of set-up and solutions unfolds on a click."""
    path = ROOT / "notebooks" / "reference" / f"{lesson.name}.ipynb"
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    title = notebook.cells[0].source.partition("\n")[0]
    text = notebook.cells[0].source.partition(".ipynb).")[2]
    open_it = f"Executed, with its solutions folded. [Work in it yourself]({facts.colab(lesson)})."
    notebook.cells[0].source = f"{title}\n\n{open_it}{text}"
    for cell in notebook.cells:
        if cell.id == "setup" or cell.metadata.get("exercise"):
            cell.metadata["tags"] = [*cell.metadata.get("tags", ()), "hide-input"]
    return notebook


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
