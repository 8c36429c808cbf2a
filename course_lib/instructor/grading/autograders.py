"""What grades where students hand in: Gradescope's autograder zip, what GitHub runs and shows."""

import io
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from course_lib.instructor.authoring import editions
from course_lib.instructor.grading.marks import graded_lessons, read_results
from course_lib.instructor.grading.results import Result
from course_lib.session import data_path, write_atomically
from course_lib.session.files import PACKAGE

_TEMPLATES = Path(__file__).parent / "templates"
_NOT_NEEDED = ("jupyterlab",)  # nobody looks at a notebook there
_PROGRAM, _FILE = 0o100755, 0o100644


def write_gradescope(
    out: Path,
    root: Path,
    lessons: Sequence[str],
    reference: Path | None = None,
    exercises: Path | None = None,
) -> Path:
    """Write `out`/autograder.zip, which grades `lessons` (their two digits; all by default).

    It holds this package, its data, the lessons' notebooks of the clone at `root` or beside
    `reference`, what is needed in the versions installed here, and Gradescope's two scripts.
    Raises ValueError for a lesson without a reference notebook.
    """
    reference = reference or root / "notebooks" / "reference"
    wanted = [
        path for each in lessons or ("??",) for path in sorted(reference.glob(f"{each}_*.ipynb"))
    ]
    missing = {*lessons} - {path.name[:2] for path in wanted}
    if missing or not wanted:
        named = f"of lesson {min(missing)} " if missing else ""
        raise ValueError(f"There is no reference notebook {named}in {reference}: build it first.")
    python = ".".join(map(str, sys.version_info[:2]))
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, mode, data in (
            ("setup.sh", _PROGRAM, _template("setup.sh", PYTHON=python).encode()),
            ("run_autograder", _PROGRAM, _template("run_autograder.sh").encode()),
            ("requirements.txt", _FILE, "\n".join([*_pinned(root), ""]).encode()),
            *_tree(PACKAGE, "course_lib"),
            *_tree(data_path(), "data"),
            *_notebooks(wanted),
            *(_tree(exercises, "course_lib/exercises") if exercises else ()),
        ):
            entry = ZipInfo(name)
            entry.external_attr, entry.compress_type = mode << 16, ZIP_DEFLATED
            entry.create_system = 3  # Unix: else the modes do not count
            archive.writestr(entry, data)
    return write_atomically(out / "autograder.zip", buffer.getvalue())


def write_github(out: Path, root: Path, course: str = "") -> Path:
    """Write `out`/.github/workflows/grade.yml, to be committed in the students' repositories.

    `course` names the repository that holds the course, OWNER/NAME; by default this project's.
    """
    facts = editions.read_project(root)
    course = course or "/".join(facts.repository.rstrip("/").split("/")[-2:])
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", course):
        raise ValueError(f"{course} is no repository of GitHub: name it OWNER/NAME.")
    text = _template("grade.yml", COURSE=course, REF=facts.branch)
    return write_atomically(out / ".github" / "workflows" / "grade.yml", text)


def summarize(out: Path) -> tuple[str, str, float]:
    """Return a job's summary, lines for its log that GitHub Classroom reads, and percent earned.

    It is about all lessons in `out`. Raises CollectError where nothing was graded.
    """
    parts, results = [], []
    for lesson in graded_lessons(out):
        found, missing = read_results(out, lesson)
        results += [result for result, _ in found]
        parts += [f"Lesson {lesson} is not graded: run the grading again."] if missing else []
    earned = sum(result.earned for result in results)
    points = sum(result.points for result in results)
    parts = [f"# {earned:g} of {points:g} points", *parts, *map(_told, results)]
    notices = (  # as the Classroom's own reporter leaves them on a run
        f"::notice title=Autograding complete::Points {earned:g}/{points:g}\n"
        f'::notice title=Autograding report::{{"totalPoints":{earned:g},"maxPoints":{points:g}}}'
    )
    return "\n\n".join(parts) + "\n", notices, 100 * earned / points if points else 0.0


def _template(name: str, **values: str) -> str:
    text = (_TEMPLATES / name).read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text


def _pinned(root: Path) -> Iterator[str]:
    """Yield what grading needs, each in the version that is installed here, else its range."""
    facts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    lines = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for line in [*lines, *facts["project"]["optional-dependencies"]["grade"]]:
        name = re.match(r"[\w.-]*", line)[0]
        if not name or name.startswith(_NOT_NEEDED):
            continue
        _, semicolon, marker = line.partition(";")
        try:
            yield f"{name}=={version(name)}{semicolon}{marker}"
        except PackageNotFoundError:
            yield line


def _tree(folder: Path, prefix: str) -> Iterator[tuple[str, int, bytes]]:
    """Yield the files below a folder, without what Python made."""
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if path.is_file() and "__pycache__" not in inner.parts and inner.parts[0] != "_data":
            yield f"{prefix}/{inner.as_posix()}", _FILE, path.read_bytes()


def _notebooks(references: Sequence[Path]) -> Iterator[tuple[str, int, bytes]]:
    """Yield reference notebooks, and the students' editions that tell which answers are tried."""
    for path in references:
        yield f"notebooks/reference/{path.name}", _FILE, path.read_bytes()
        if (student := path.parent.parent / path.name).is_file():
            yield f"notebooks/{path.name}", _FILE, student.read_bytes()


def _told(result: Result) -> str:
    """Return one lesson's heading, table and notes."""
    rows = [("Exercise", "Points", "State", "What to know"), ("---",) * 4]
    for each in result.exercises:
        share = f"{each.earned:g} of {each.points:g}"
        rows.append((each.id, share, each.state, _plain(each.message)))
    return "\n".join(
        [
            f"## Lesson {result.lesson}: {result.earned:g} of {result.points:g}\n",
            *(f"| {' | '.join(row)} |" for row in rows),
            "",
            *(f"- {_plain(note)}" for note in (result.ended, *result.notes) if note),
            f"- Sandbox: {result.sandbox}.",
        ]
    )


def _plain(text: str) -> str:
    """Return a text as one line in which nothing is Markdown or HTML: students' code wrote it."""
    line = " ".join(text.encode("utf-8", "replace").decode("utf-8").split())
    return re.sub(r"([\\`*_{}\[\]#|~@!:])", r"\\\1", escape(line, quote=False))
