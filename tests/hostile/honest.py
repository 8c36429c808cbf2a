"""What honest students, and the platforms that they use, do to a notebook in which all is right.

Each of `WRITING` changes how one answer is written down, each of `SAVING` how the whole notebook is
kept, each of `BESIDE` adds what has nothing to do with the answers. `check`, called where it stands
in the changed notebook, still calls every answer right: so each must earn its points.
"""

from __future__ import annotations

import ast
import copy
import json
import re
from collections.abc import Callable

from course_lib.exercises import core

FIRST = re.compile(r"^# Exercise (\S+).*\n?")


def solved(student: dict, answers: dict[str, str]) -> dict:
    """Return a student edition with these answers, their first lines included."""
    tree = json.loads(json.dumps(student))
    for cell in tree["cells"]:
        cell["source"] = "".join(cell["source"])
        if cell["metadata"].get("exercise") in answers:
            cell["stub"] = cell["source"]  # for those who keep it; taken out by `finished`
            cell["source"] = answers[cell["metadata"]["exercise"]]
    return tree


def finished(tree: dict) -> bytes:
    for cell in tree.get("cells", []):
        cell.pop("stub", None)
    return json.dumps(tree).encode()


class Answer:
    """One answer of a solved notebook: its cells and its code, to be written down otherwise."""

    def __init__(self, cells: list[dict], name: str) -> None:
        self.cells, self.name = cells, name
        self.cell = next(c for c in cells if c["metadata"].get("exercise") == name)
        self.check = next(c for c in cells if c["metadata"].get("check") == name)
        self.first = FIRST.match(self.cell["source"])[0].strip()
        self.code = FIRST.sub("", self.cell["source"])
        call = ast.parse(self.check["source"]).body[-1].value
        self.asked = ast.unparse(call.args[1])
        self.function = core.exercise(name).judge.probe is not None

    def add(self, text: str, after: dict, metadata: dict | None = None) -> dict:
        made = own(text, metadata)
        self.cells.insert(_where(self.cells, after) + 1, made)
        return made

    def write(self, code: str) -> None:
        self.cell["source"] = f"{self.first}\n{code}"

    def helper(self) -> tuple[str, str]:
        """Return the answer under another name, and what binds the name that is asked for."""
        other = f"helper_{self.name.replace('.', '_')}"
        return f"{self.code}\n{other} = {self.asked}\ndel {self.asked}", f"{self.asked} = {other}"


def own(text: str, metadata: dict | None = None) -> dict:
    own.count += 1
    return {
        "cell_type": "code",
        "id": f"new-{own.count}",
        "metadata": dict(metadata or {}),
        "source": text,
        "outputs": [],
        "execution_count": None,
    }


own.count = 0


def _where(cells: list[dict], cell: dict) -> int:
    return next(index for index, each in enumerate(cells) if each is cell)


def _as_it_is(answer):
    """Change nothing."""


def _helper_above(answer):
    helper, rest = answer.helper()
    answer.cells.insert(_where(answer.cells, answer.cell), own(helper))
    answer.write(rest)


def _helper_at_the_top(answer):
    if answer.function:
        helper, rest = answer.helper()
        answer.cells.insert(0, own(helper))
        answer.write(rest)


def _helper_in_a_course_cell(answer):
    helper, rest = answer.helper()
    place = _where(answer.cells, answer.cell)
    course = [
        cell
        for cell in answer.cells[:place]
        if cell["cell_type"] == "code" and not {"exercise", "check"} & set(cell["metadata"])
        if cell["id"].startswith(("code", "compare"))
    ]
    if course:
        course[-1]["source"] += f"\n\n{helper}"
        answer.write(rest)


def _helper_between_answer_and_check(answer):
    if answer.function and answer.code.startswith("def "):
        name = f"later_{answer.name.replace('.', '_')}"
        answer.write(f"def {answer.asked}(*given):\n    return {name}(*given)")
        answer.add(answer.code.replace(f"def {answer.asked}(", f"def {name}(", 1), answer.cell)


def _split(answer):
    parts = [ast.unparse(each) for each in ast.parse(answer.code).body]
    answer.write(parts[0] if parts[1:] else "import math")
    answer.add("\n".join(parts[1:] or parts), answer.cell)


def _split_by_jupyter(answer):
    """Both halves of a cell that is split have its metadata."""
    _split(answer)
    answer.cells[_where(answer.cells, answer.cell) + 1]["metadata"] = dict(answer.cell["metadata"])


def _below_the_stub(answer):
    answer.cell["source"] = answer.cell["stub"]
    answer.add(answer.code, answer.cell)


def _below_the_check(answer):
    answer.cell["source"] = answer.cell["stub"]
    answer.add(answer.code, answer.check)


def _below_the_check_and_checked(answer):
    answer.cell["source"] = answer.cell["stub"]
    answer.add(f"{answer.code}\n\n{answer.check['source']}", answer.check)


def _above_the_stub(answer):
    """Both cells were run, the stub first: `check` came after."""
    answer.cell["source"] = answer.cell["stub"]
    answer.cells.insert(_where(answer.cells, answer.cell), own(f"{answer.first}\n{answer.code}"))


def _corrected_in_a_copy(answer):
    answer.write(f"{answer.asked} = 'wrong'")
    metadata = answer.cell["metadata"]
    made = answer.add(f"{answer.first}\n{answer.code}", answer.check, metadata)
    answer.add(answer.check["source"], made, answer.check["metadata"])


def _corrected_and_split(answer):
    answer.write(f"{answer.asked} = 'wrong'")
    made = answer.add(f"{answer.first} again\nimport math", answer.check)
    answer.add(answer.code, made)


def _corrected_below(answer):
    """The new cell was run, and then the same check again."""
    answer.write(f"{answer.asked} = 'wrong'")
    answer.add(answer.code, answer.check)


def _corrected_below_and_used_again(answer):
    _corrected_below(answer)
    place = _where(answer.cells, answer.check) + 1
    answer.add(f"{answer.asked} = 'something else'", answer.cells[place])


def _copied_as_it_was(answer):
    answer.add(answer.cell["stub"], answer.check, answer.cell["metadata"])


def _check_in_the_answer(answer):
    answer.cell["source"] += f"\n\n{answer.check['source']}"
    answer.cells.pop(_where(answer.cells, answer.check))


def _written_into_the_check(answer):
    answer.cell["source"] = answer.cell["stub"]
    answer.check["source"] = f"{answer.code}\n{answer.check['source']}"


def _checked_by_another_name(answer):
    """The name that the course asks for is never bound, or to something else."""
    other = f"mine_{answer.name.replace('.', '_')}"
    answer.write(f"{answer.code}\n{other} = {answer.asked}\n{answer.asked} = 'wrong'")
    answer.check["source"] = f"check({answer.name!r}, {other})"


def _checked_with_keywords(answer):
    other = f"mine_{answer.name.replace('.', '_')}"
    answer.write(f"{answer.code}\n{other} = {answer.asked}\ndel {answer.asked}")
    text = f"from course_lib import exercises\nexercises.check(answer={other}, "
    answer.check["source"] = f"{text}identifier={answer.name!r})"


def _another_name_below_the_check(answer):
    other = f"mine_{answer.name.replace('.', '_')}"
    answer.cell["source"] = answer.cell["stub"]
    code = f"{answer.code}\n{other} = {answer.asked}\n{answer.asked} = ...\n"
    answer.add(f"{code}result = check({answer.name!r}, {other})", answer.check)


def _moved_down(answer):
    if answer.function:
        for cell in (answer.cell, answer.check):
            answer.cells.pop(_where(answer.cells, cell))
            answer.cells.append(cell)


def _name_used_again(answer):
    answer.add(f"{answer.asked} = 'something else'", answer.check)


def _prepared_above_the_first_line(answer):
    answer.cell["source"] = f"import math\n\n{answer.cell['source']}"


WRITING: dict[str, Callable[[Answer], None]] = {
    name.strip("_").replace("_", " "): function
    for name, function in list(globals().items())
    if getattr(function, "__code__", None) and function.__code__.co_varnames[:1] == ("answer",)
}
# After the last `check`, only what is known by more than its name is the answer.
NEEDS_MARKS = {"corrected and split"}
NEEDS_CHECKS = {"name used again", "written into the check", "checked by another name",
                "checked with keywords", "corrected below",
                "corrected below and used again"}  # fmt: skip


def _ids_dropped(tree):
    for cell in tree["cells"]:
        cell.pop("id")
    tree["nbformat_minor"] = 0


def _new_ids(tree):
    for number, cell in enumerate(tree["cells"]):
        cell["id"] = f"vs{number}"
        cell["metadata"]["vscode"] = {"languageId": "python"}


def _metadata_dropped(tree):
    for cell in tree["cells"]:
        cell["metadata"] = {}


def _colab(tree):
    _ids_dropped(tree)
    for number, cell in enumerate(tree["cells"]):
        cell["metadata"] = {"id": f"Xy{number}", "colab": {"base_uri": "https://localhost:8080/"}}


def _ids_in_metadata(tree):
    for cell in tree["cells"]:
        cell["metadata"] = {"id": cell.pop("id")}


def _format_3(tree):
    cells = [
        {
            "cell_type": cell["cell_type"],
            "metadata": {},
            "input" if cell["cell_type"] == "code" else "source": "".join(cell["source"]),
        }
        for cell in tree.pop("cells")
    ]
    tree |= {"worksheets": [{"cells": cells}], "nbformat": 3, "nbformat_minor": 0}


def _lines_as_list(tree):
    for cell in tree["cells"]:
        cell["source"] = cell["source"].splitlines(True)


def _windows(tree):
    for cell in tree["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n")


def _words_in_first_lines(tree):
    for cell in tree["cells"]:
        line = "#exercise {}: done — by me, with love" if own.count % 2 else "## Exercise {} — Ann"
        if match := FIRST.match(cell["source"]):
            cell["source"] = line.format(match[1]) + "\n" + FIRST.sub("", cell["source"])


def _first_lines_dropped(tree):
    for cell in tree["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = FIRST.sub("", cell["source"])


def _prose_dropped(tree):
    tree["cells"] = [cell for cell in tree["cells"] if cell["cell_type"] == "code"]


def _course_cells_dropped(tree):
    ours = ("code-", "compare-", "predict-", "setup")
    tree["cells"] = [
        cell
        for cell in tree["cells"]
        if not cell["id"].startswith(ours) or "helper_" in cell["source"]
    ]


def _checks_dropped(tree):
    tree["cells"] = [cell for cell in tree["cells"] if "check" not in cell["metadata"]]


SAVING: dict[str, Callable[[dict], None]] = {
    name.strip("_").replace("_", " "): function
    for name, function in list(globals().items())
    if getattr(function, "__code__", None) and function.__code__.co_varnames[:1] == ("tree",)
}
# Each keeps something that the others take away: this is the order in which they apply.
ORDER = ("course cells dropped", "checks dropped", "prose dropped", "words in first lines",
         "first lines dropped", "metadata dropped", "ids dropped", "new ids", "ids in metadata",
         "colab", "windows", "lines as list", "format 3")  # fmt: skip
NO_MARKS = (
    {"first lines dropped", "metadata dropped", "ids dropped"},
    {"first lines dropped", "metadata dropped", "new ids"},
    {"first lines dropped", "colab"},
    {"first lines dropped", "format 3"},
)

BESIDE = (
    "%pip install -q numpy\n!pip install \\\n   scipy",
    "from google.colab import drive, files\ndrive.mount('/content/drive')",
    "raise SystemExit",
    "this is no Python, only a thought",
    "1 / 0",
    "import numpy as np\nnp.set_printoptions(precision=3)",
    "scratch = [each for each in range(10)]\nscratch.append(scratch)",
    "%matplotlib inline",
    "print('Exercise 1.2 was hard')",
    "# Exercise 88.1 is from another lesson\nx = 5",
    "check = 5",
    "from math import *",
)


def saved(tree: dict, names: set[str]) -> dict:
    """Return a notebook as it is after these ways of saving it."""
    tree = copy.deepcopy(tree)
    for cell in tree["cells"]:
        cell.pop("stub", None)
    gone = {"ids dropped", "colab", "ids in metadata", "new ids"} & names
    for name in ORDER:
        if name in names and (name not in gone or name == min(gone, key=ORDER.index)):
            SAVING[name](tree)
    return tree
