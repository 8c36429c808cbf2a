"""The course that submissions are graded against, and what a sandbox may see of it."""

import compileall
import hashlib
import json
import shutil
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import course_lib
import course_lib.exercises
from course_lib.exercises import core
from course_lib.instructor.grading import scopes
from course_lib.session import data_path

_HIDDEN = {"instructor", "exercises", "_data", "__pycache__"}
_SEEN_EXERCISES = ("answers.py", "material.py")
_STUB = '''"""Exercises inside the grader's sandbox: nothing is judged here."""


def check(*_, **__):
    """Do nothing: answers are judged elsewhere."""


hint = solution = predict = compare = progress = check


def yours(identifier, answer, ours):
    """Return what is ours: no cell of the course depends on an answer."""
    return ours
'''
# What students of Colab import, drive.mount(…) for one; it does nothing and gives itself.
_COLAB_STUB = """class _Nothing:
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_, **__):
        return self


def __getattr__(name):
    return _Nothing().__getattr__(name)
"""


class CourseError(ValueError):
    """Say in one sentence what the course lacks for grading."""


@dataclass(frozen=True)
class Question:
    """One exercise as it stands in a reference notebook.

    `expression` is what the check cell passes on; `stub` is the student edition's text, where the
    student edition is at hand.
    """

    id: str
    cell: str
    points: float
    expression: str
    stub: str = ""


@dataclass(frozen=True)
class Reference:
    """A lesson's reference notebook: `cells` as in the file, and its questions in order."""

    lesson: str
    name: str
    cells: tuple[dict, ...] = field(repr=False)
    questions: tuple[Question, ...] = ()

    @property
    def points(self) -> float:
        """Return the points of all questions together."""
        return sum(question.points for question in self.questions)


@dataclass(frozen=True)
class Course:
    """Where the reference notebooks lie; `exercises` is a folder of more lesson_NN.py modules."""

    references: Path
    exercises: Path | None = None

    @cached_property
    def lessons(self) -> dict[str, Reference]:
        """Return every lesson that asks something, by its two digits. Raises CourseError."""
        places = course_lib.exercises.__path__  # exercises may lie in another folder, too
        if self.exercises is not None and str(self.exercises) not in places:
            places.append(str(self.exercises))
        references = map(_reference, sorted(self.references.glob("[0-9][0-9]_*.ipynb")))
        lessons = {each.lesson: each for each in references if each.questions}
        if not lessons:
            raise CourseError(
                f"There is no reference notebook with exercises in {self.references}:"
                " build them, or name their folder with --reference."
            )
        return lessons

    @cached_property
    def digest(self) -> str:
        """Return a digest of everything that points depend on, apart from the seed."""
        parts = sorted(Path(core.__file__).parent.glob("*.py"))
        parts += sorted(self.references.glob("[0-9][0-9]_*.ipynb"))
        parts += sorted(self.exercises.glob("lesson_*.py")) if self.exercises else []
        joined = b"".join(hashlib.sha256(part.read_bytes()).digest() for part in parts)
        return hashlib.sha256(joined).hexdigest()[:16]


def _reference(path: Path) -> Reference:
    """Read a reference notebook, and beside it (one folder up) the student edition's stubs."""
    cells = _cells(path)
    student = path.parent.parent / path.name
    stubs = _texts(_cells(student), "exercise") if student.is_file() else {}
    checks = _texts(cells, "check")
    questions = []
    for cell in cells:
        identifier = cell["metadata"].get("exercise")
        if identifier is None:
            continue
        if identifier not in checks:
            missing = "has no check cell, so there is nothing to ask for."
            raise CourseError(f"{path.name}: exercise {identifier} {missing}")
        points = float(cell["metadata"].get("points", 1))
        expression = _expression(checks[identifier], identifier, path.name)
        stub = stubs.get(identifier, "")
        questions.append(Question(identifier, cell.get("id", ""), points, expression, stub))
    return Reference(path.name[:2], path.name, tuple(cells), tuple(questions))


def _cells(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def _texts(cells: list[dict], role: str) -> dict[str, str]:
    """Return the texts of the cells with this role, "exercise" or "check", by exercise ids."""
    return {cell["metadata"][role]: text_of(cell) for cell in cells if role in cell["metadata"]}


def text_of(cell: dict) -> str:
    """Return the text of a notebook's cell, which is kept whole or as a list of lines."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _expression(check: str, identifier: str, name: str) -> str:
    """Return the source of the second argument of `check(identifier, …)`."""
    if expression := scopes.checked(check).get(identifier):
        return expression
    raise CourseError(
        f'{name}: the check cell of {identifier} does not call check("{identifier}", answer).'
    )


def make_view(folder: Path) -> Path:
    """Copy into `folder` what a sandbox may see of course_lib: no solution, no judge, no grader.

    Returns the folder to put on the import path. The bundled data is not copied: an empty `data`
    folder is to be covered by a read-only mount, and without mounts a link leads there.
    """
    package = Path(course_lib.__file__).parent
    target = folder / "course_lib"
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(
        package,
        target,
        ignore=lambda place, names: [
            name
            for name in names
            if Path(place) == package and name in _HIDDEN or name == "__pycache__"
        ],
    )
    (target / "_data").symlink_to(data_path())
    (target / "exercises").mkdir()
    (target / "exercises" / "__init__.py").write_text(_STUB, encoding="utf-8")
    for name in _SEEN_EXERCISES:
        shutil.copyfile(package / "exercises" / name, target / "exercises" / name)
    grading = target / "instructor" / "grading"
    for each in (grading.parent, grading):
        each.mkdir()
        (each / "__init__.py").write_text('"""Nothing of the instructor\'s is here."""\n', "utf-8")
    shutil.copytree(
        package / "instructor" / "grading" / "inside",
        grading / "inside",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (folder / "data").mkdir(exist_ok=True)
    colab = folder / "google" / "colab"  # a part of the namespace that protobuf lies in, too
    colab.mkdir(parents=True, exist_ok=True)
    for name in ("__init__", "drive", "files", "output", "patches", "userdata"):
        (colab / f"{name}.py").write_text(_COLAB_STUB, encoding="utf-8")
    compileall.compile_dir(target, quiet=2)  # once here, and not in every sandbox again
    return folder
