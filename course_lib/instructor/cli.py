"""The instructor's commands beside `grade`: bring marks back, and grade where students hand in."""

from pathlib import Path

import click

from course_lib.session.commands import DONE, FEWER, INCOMPLETE, PATH, command, option, say


@command("marks")
@option(
    "--for", "kind", type=click.Choice(("moodle", "canvas", "github")), required=True, help="Whose."
)
@click.argument("out", type=PATH)
@click.argument("sheet", type=PATH, required=False)
@option("--to", type=PATH, metavar="FILE", help="Where they go; else marks.csv or .md in OUT.")
@option("--lesson", default="", metavar="NN", help="Needed where OUT holds several lessons.")
@option("--column", default="", metavar="NAME", help="Canvas: the assignment; else the only one.")
@option("--pass-at", type=float, default=0.0, metavar="%", help="GitHub: exit with 1 below this.")
def _marks(
    kind: str,
    out: Path,
    sheet: Path | None,
    to: Path | None,
    lesson: str,
    column: str,
    pass_at: float,
    quiet: bool,
) -> int:
    """Write the marks of a graded folder OUT into the file that a platform imports.

    SHEET is what the platform exported: Moodle's grading worksheet or Canvas's gradebook, as CSV.
    It stays as it is. For GitHub there is none, and a summary of the points is written.
    """
    from course_lib.instructor.grading import autograders, marks
    from course_lib.session import write_atomically

    if kind == "github":
        text, notices, percent = autograders.summarize(out)
        write_atomically(to or out / "marks.md", text)
        print(notices)
        return FEWER if percent < pass_at else DONE
    if sheet is None:
        raise click.UsageError(f"Name the CSV that {kind.title()} exported after {out}.")
    filled = marks.fill(kind, out, sheet, lesson, column)
    to = to or out / "marks.csv"
    write_atomically(to, filled.data)
    for note in filled.notes:
        say(note)
    print(f"{to}: {filled.marked} of {filled.lines} lines have a mark now")
    return DONE if filled.complete else INCOMPLETE


@command("export")
@option(
    "--for",
    "kind",
    type=click.Choice(("nbgrader", "otter", "gradescope", "github")),
    required=True,
    help="For whom.",
)
@click.argument("out", type=PATH)
@option("--lesson", multiple=True, metavar="NN", help="A lesson's two digits; else all.")
@option("--source", type=PATH, metavar="DIR", help="nbgrader, Otter: sources; else this clone's.")
@option("--reference", type=PATH, metavar="DIR", help="Gradescope: notebooks; else this clone's.")
@option("--exercises", type=PATH, metavar="DIR", help="Gradescope: more lesson_NN.py modules.")
@option("--course", default="", metavar="OWNER/NAME", help="GitHub: where the course lies.")
def _export(
    kind: str,
    out: Path,
    lesson: tuple[str, ...],
    source: Path | None,
    reference: Path | None,
    exercises: Path | None,
    course: str,
    quiet: bool,
) -> None:
    """Build what grades where students hand in: nbgrader, Otter, Gradescope or GitHub."""
    from course_lib.instructor.grading import assignments, autograders
    from course_lib.session.files import PACKAGE

    root = PACKAGE.parent
    if kind == "gradescope":
        written = [autograders.write_gradescope(out, root, lesson, reference, exercises)]
    elif kind == "github":
        written = [autograders.write_github(out, root, course)]
    else:
        written = assignments.write_assignments(kind, out, root, lesson, source)
    for path in written:
        print(path)


COMMANDS = (_marks, _export)
"""In the order in which the root's help shows them."""
