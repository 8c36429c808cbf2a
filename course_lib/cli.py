"""The command line, `python -m course_lib`: one thin door to all rooms.

Results go to stdout, progress and errors to stderr; `session.commands` holds the exit codes, and
skipped files are named on stderr and in the result. A command imports what it needs when it runs,
so that `--help` is instant; whoever adds one begins with `_command`.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import click

from course_lib.instructor import cli as instructor
from course_lib.session import commands
from course_lib.session.commands import DONE, INCOMPLETE, UNUSABLE

_PATH, _option = commands.PATH, commands.option
_progress, _say = commands.progress, commands.say


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; every expected error is one line on stderr."""
    try:
        return _root.main(arguments, prog_name="python -m course_lib", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code


class _Variant(click.ParamType):
    """A row of `tflite.VARIANTS`, which is looked at only where somebody asks for one."""

    name = "variant"

    def get_metavar(self, *_: Any, **__: Any) -> str:
        return f"[{'|'.join(self._names())}]"

    def convert(self, value: Any, param: Any, context: Any) -> str:
        if value not in self._names():
            self.fail(f"{value!r} is not one of {', '.join(self._names())}.", param, context)
        return value

    @staticmethod
    def _names() -> tuple[str, ...]:
        from course_lib import tflite

        return tuple(tflite.VARIANTS)


class _Root(click.Group):
    """The group of all commands, in the order of this file."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Root, epilog=commands.CODES, context_settings={"max_content_width": 100})
def _root() -> None:
    """Train, convert, measure and grade: the workbook on the command line."""


def _command(name: str) -> Callable[[Callable], commands.Command]:
    """Return the decorator that makes a command and adds it to the root."""

    def add(function: Callable) -> commands.Command:
        made = commands.command(name)(function)
        _root.add_command(made)
        return made

    return add


@_command("train")
@_option("--out", type=_PATH, default=Path("models"), metavar="DIR", help="Where the models go.")
@_option("--seed", type=int, default=0, help="The shipped model's is 0.")
@_option("--real", type=_PATH, metavar="DIR", help="Recordings to measure with, not to learn from.")
def _train(out: Path, seed: int, real: Path | None, quiet: bool) -> None:
    """Train the spotter on the bundled clips; save every form of it."""
    from course_lib import train

    if out.is_dir() and any(out.iterdir()) and not (out / "spotter.keras").is_file():
        raise ValueError(
            f"{out} holds other things, and training replaces the whole folder: name a new one "
            "with --out."
        )
    with _Stages(quiet) as stages:
        train.make(out, seed, stages.report, real=real)
    print(f"{out}: the trained model in every form, see README.md there")


@_command("convert")
@click.argument("model", type=_PATH)
@_option("--variant", type=_Variant(), default="int8", help="What it is converted to.")
@_option("--out", type=_PATH, metavar="FILE", help="Else beside it: <model>_<variant>.tflite.")
@_option("--clips", type=_PATH, metavar="DIR", help="Clips to calibrate on; else bundled ones.")
@_option("--strip", is_flag=True, help="Drop what no interpreter reads: names, minima, metadata.")
def _convert(
    model: Path, variant: str, out: Path | None, clips: Path | None, strip: bool, quiet: bool
) -> None:
    """Convert a .keras, a frozen .pb or a SavedModel to .tflite."""
    from course_lib import session, tflite
    from course_lib.measure import saved
    from course_lib.tflite import runtimes

    trained = saved.trainable_or_frozen(model)
    needs_clips = tflite.VARIANTS[variant].needs_clips
    shown = _calibration(clips, quiet) if needs_clips else None
    try:
        data = tflite.convert(trained, variant, shown)
    except Exception as error:  # TensorFlow's ConverterError is no ValueError
        reason = runtimes.excerpt(error)
        raise ValueError(f"{model} cannot be converted to {variant}: {reason}") from error
    data = tflite.strip(data) if strip else data
    beside = model.parent / f"{model.resolve().with_suffix('').name}_{variant}.tflite"
    if not out and beside.is_file() and beside.read_bytes() != data:
        raise ValueError(f"{beside} is another model already: name it with --out to replace it.")
    out = out or beside
    session.write_atomically(out, data)
    print(f"{out}: {len(data):,} bytes, {variant}")


def _calibration(folder: Path | None, quiet: bool) -> Any:
    """Return features that show the converter the ranges to expect, (n, 49, 40) float32."""
    from course_lib.sound import dataset, features

    if folder is None:
        return features.of(dataset.bundled("train"))
    recordings = dataset.measurable(folder, _progress(quiet, "reading"))
    _report_skipped(recordings.left_out)
    return features.of(recordings.clips)


@_command("evaluate")
@click.argument("model", type=_PATH)
@click.argument("clips", type=_PATH, metavar="CLIPS_DIR")
@_option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def _evaluate(model: Path, clips: Path, as_json: bool, quiet: bool) -> None:
    """Measure a saved model on a folder of labelled clips.

    The model is a .tflite, .keras, frozen .pb or SavedModel, a clip CLIPS_DIR/<label>/*.wav (or
    .flac, .ogg, .opus, .caf). Labels are the model's own, of ours the folders yes, no, _unknown_,
    _silence_; others are unknown words. A labels.txt beside another model names its classes.
    """
    from course_lib.measure import evaluation

    measured = evaluation.evaluate(model, clips, _progress(quiet, "reading"))
    _report_skipped(measured.skipped)
    result = measured.as_dict()
    print(json.dumps(result, indent=2) if as_json else evaluation.table(result))


def _labels(text: str) -> tuple[str, ...]:
    """Return labels from a list with commas; those of the shipped model where there is none."""
    from course_lib.sound.dataset import LABELS

    return tuple(text.split(",")) if text else LABELS


@_command("page")
@click.argument("model", type=_PATH)
@_option("--out", type=_PATH, default=Path("spotter.html"), metavar="FILE", help="The page.")
@_option("--labels", default="", metavar="A,B,...", help="What the model tells apart, in order.")
def _page(model: Path, out: Path, labels: str, quiet: bool) -> None:
    """Put an int8 .tflite into a page that hears, in any browser, with the network off."""
    from course_lib.views import hearing

    page = hearing.page(model.read_bytes(), {}, _labels(labels))
    print(f"{page.save(out)}: open it, allow the microphone")


@_command("sketch")
@click.argument("model", type=_PATH)
@click.argument("folder", type=_PATH)
@_option("--labels", default="", metavar="A,B,...", help="What the model tells apart, in order.")
def _sketch(model: Path, folder: Path, labels: str, quiet: bool) -> None:
    """Turn an int8 .tflite into a sketch for a board: docs/board.md says how to flash it."""
    from course_lib import session
    from course_lib.micro import board, plain_c

    if folder.is_dir() and any(folder.iterdir()) and not (folder / "spotter.ino").is_file():
        raise ValueError(f"{folder} holds other things: name a new folder.")
    for name, text in board.sketch(plain_c.generate(model.read_bytes()), _labels(labels)).items():
        session.write_atomically(folder / name, text)
    print(f"{folder}: open spotter.ino there in the Arduino IDE")


@_command("ask-board")
@_option("--port", default="", metavar="PORT", help="Where there is more than one board.")
@_option("--model", type=_PATH, metavar="FILE", help="What is on it; else the shipped model.")
@_option("--clips", type=int, default=10, help="How many bundled clips, three seconds each.")
def _ask_board(port: str, model: Path | None, clips: int, quiet: bool) -> None:
    """Send clips to a board with the sketch; compare its bytes and its milliseconds."""
    from course_lib import tflite
    from course_lib.micro import board
    from course_lib.sound import dataset

    found = board.ports()
    if not port and len(found) != 1:
        there = f"there are {', '.join(found)}: name one" if found else "none is plugged in"
        raise ValueError(f"Ports with a board: {there} (--port; it needs pyserial).")
    model_bytes = model.read_bytes() if model else tflite.load("spotter_int8")
    heard = dataset.bundled("test")
    waves = heard.waves[:: max(1, len(heard) // max(1, clips))][:clips]
    print(board.compare(port or found[0], model_bytes, waves))


@_command("download")
@click.argument("source", type=click.Choice(("mini", "full")))
@_option("--out", type=_PATH, metavar="DIR", help="Else $WORKBOOK_CACHE or the user's cache.")
def _download(source: str, out: Path | None, quiet: bool) -> None:
    """Fetch the real Speech Commands ahead of a lesson.

    They are 182 MB (mini) or 2.4 GB (full). A download that stopped goes on where it was.
    """
    from course_lib.sound.dataset import sources

    folder = sources.words_folder(sources.ARCHIVES[source], out, quiet=quiet)
    counts = {split: len(files) for split, files in sources.splits(folder).items()}
    print(f"{folder}: {', '.join(f'{count:,} for {split}' for split, count in counts.items())}")


@_command("grade")
@click.argument("submissions", type=_PATH, nargs=-1, required=True)
@_option("--out", type=_PATH, default=Path("grades"), metavar="DIR", help="Where reports go.")
@_option("--roster", type=_PATH, metavar="CSV", help="Students: name, id, email, login.")
@_option("--students", "mapping", type=_PATH, metavar="CSV", help="Whose is what: file, student.")
@_option("--seed", default="", metavar="TEXT", help="Decides the unseen inputs; else kept in DIR.")
@_option("--reference", type=_PATH, metavar="DIR", help="Reference notebooks; else this clone's.")
@_option("--exercises", type=_PATH, metavar="DIR", help="Folder of more lesson_NN.py modules.")
@_option("--scheduler", default="", metavar="tcp://…", help="A Dask scheduler to send work to.")
@_option("--workers", type=int, default=0, metavar="N", help="Sandboxes at a time; 0: one a core.")
@_option("--all-cells", is_flag=True, help="Run also the cells that no answer depends on.")
@_option("--seconds", type=float, default=300.0, metavar="S", help="Longest time of a submission.")
@_option(
    "--accept-weak-sandbox",
    is_flag=True,
    help="Grade without bubblewrap: what is handed in can then read, change and delete your files "
    "and use the network.",
)
def _grade(
    submissions: tuple[Path, ...],
    out: Path,
    all_cells: bool,
    seconds: float,
    accept_weak_sandbox: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Grade notebooks, folders or zips; each runs in a sandbox."""
    from course_lib.instructor.grading import campaign, watch

    rows, notes, kind = campaign.grade(
        list(submissions),
        out,
        everything=all_cells,
        limits=watch.Limits(wall_seconds=seconds),
        accept_weak=accept_weak_sandbox,
        progress=None if quiet else _progress(quiet, "grading"),
        **options,
    )
    for note in notes:
        _say(note)
    print(f"{len(rows)} students, sandbox: {kind}, see {out / 'class.html'}")
    return INCOMPLETE if any(note.startswith("Not graded") for note in notes) else DONE


for _each in instructor.COMMANDS:
    _root.add_command(_each)


@_command("check-report")
@click.argument("reports", type=_PATH, nargs=-1, required=True)
def _check_report(reports: tuple[Path, ...], quiet: bool) -> int:
    """Check what lesson 09 hands in: form, figures, files, model.

    A REPORT is a zip of lesson 09, or the report.json in it.
    """
    from course_lib import project

    wrong = 0
    for path in reports:
        again = ""
        try:
            report, files = project.read(path)
            problems = project.problems(report, files or None)
            if files and not problems:
                again = project.again(report, files[project.MODEL])
        except (ValueError, FileNotFoundError) as error:
            problems = [str(error)]
        wrong += bool(problems)
        print(f"{path}: {'; '.join(problems) or 'right'}{f'; {again}' if again else ''}")
    return UNUSABLE if wrong else DONE


def _report_skipped(skipped: Sequence) -> None:
    """Name every skipped file on stderr."""
    for each in skipped:
        _say(f"skipped {each.file}: {each.done}")


class _Stages:
    """Show stages of a long piece of work on stderr, one bar after the other."""

    def __init__(self, quiet: bool) -> None:
        self.quiet, self.bar, self.stage = quiet, None, ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def report(self, stage: str, done: int, total: int) -> None:
        """Move the bar of `stage` to `done` of `total`; a new stage begins a new bar."""
        if self.quiet:
            return
        if stage != self.stage:
            self.__exit__()
            self.bar, self.stage = commands.bar(desc=stage, total=total), stage
        self.bar.update(done - self.bar.n)
