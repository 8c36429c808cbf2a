"""The command line, `python -m course_lib`: train, convert, evaluate, download, grade,
export, check-report.

Results go to stdout, progress and errors to stderr. Exit codes: 0 done (skipped files are named on
stderr and in the result), 2 wrong usage, 3 a file or folder that cannot be used, 4 nothing can be
written there, 5 some submissions could not be graded, 130 interrupted. Nothing heavy is imported
before it is needed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

DONE, USAGE, UNUSABLE, UNWRITABLE, INCOMPLETE, INTERRUPTED = 0, 2, 3, 4, 5, 130
_CODES = (
    "exit codes: 0 done, 2 wrong usage, 3 a file or folder that cannot be used, "
    "4 nothing can be written there, 5 some submissions could not be graded, "
    "130 interrupted"
)
_VARIANTS = (
    "float32",
    "dynamic_range",
    "float16",
    "int16x8",
    "int8",
    "int8_per_channel",
    "int8_float_io",
)  # tflite.VARIANTS, repeated so that --help needs no import


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; every expected error is one line on stderr."""
    options = parser().parse_args(arguments)
    try:
        return options.run(options) or DONE
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        return DONE  # the reader of our output, such as `head`, has seen enough
    except ValueError as error:
        _say(error)
        return UNUSABLE
    except OSError as error:
        _say(error)
        return UNUSABLE if isinstance(error, FileNotFoundError) else UNWRITABLE


def parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    root = argparse.ArgumentParser(
        prog="python -m course_lib",
        epilog=_CODES,
        description="Train, convert, measure and grade: the workbook on the command line.",
    )
    commands = root.add_subparsers(metavar="COMMAND", required=True)
    _train_command(commands)
    _convert_command(commands)
    _evaluate_command(commands)
    _download_command(commands)
    _grade_command(commands)
    _export_command(commands)
    _check_report_command(commands)
    return root


def _add(commands, name: str, run: Callable, text: str) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=_CODES
    )
    command.add_argument("--quiet", action="store_true", help="no progress on stderr")
    command.set_defaults(run=run)
    return command


def _train_command(commands) -> None:
    command = _add(
        commands,
        "train",
        _train,
        "train the keyword spotter on the bundled clips and save every model file",
    )
    command.add_argument(
        "--out",
        type=Path,
        default=Path("models"),
        metavar="DIR",
        help="where the models go (default: ./models)",
    )
    command.add_argument("--seed", type=int, default=0, help="default: 0, the shipped model's")
    command.add_argument(
        "--real",
        type=Path,
        metavar="DIR",
        help="recordings to measure with as well; nothing is learnt from them",
    )


def _convert_command(commands) -> None:
    command = _add(
        commands,
        "convert",
        _convert,
        "convert a .keras, a frozen .pb or a SavedModel folder to .tflite",
    )
    command.add_argument("model", type=Path, metavar="MODEL")
    command.add_argument(
        "--variant",
        choices=_VARIANTS,
        default="int8",
        metavar="VARIANT",
        help=f"one of {', '.join(_VARIANTS)} (default: int8)",
    )
    command.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="default: beside the model, as <model>_<variant>.tflite",
    )
    command.add_argument(
        "--clips",
        type=Path,
        metavar="DIR",
        help="folder of clips to calibrate on (default: bundled training clips)",
    )
    command.add_argument(
        "--strip",
        action="store_true",
        help="drop what no interpreter reads: names, minima, metadata",
    )


def _evaluate_command(commands) -> None:
    command = _add(
        commands,
        "evaluate",
        _evaluate,
        "measure a .tflite, .keras or frozen .pb on a folder of <label>/*.wav|flac",
    )
    command.add_argument("model", type=Path, metavar="MODEL")
    command.add_argument(
        "clips",
        type=Path,
        metavar="CLIPS_DIR",
        help="folders yes, no, _unknown_, _silence_; any other is an unknown word",
    )
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _download_command(commands) -> None:
    command = _add(
        commands,
        "download",
        _download,
        "fetch the real Speech Commands ahead of a lesson; a download that stopped goes on",
    )
    command.add_argument("source", choices=("mini", "full"), help="182 MB or 2.4 GB")
    command.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="the cache that lessons look in (default: $WORKBOOK_CACHE or the user's)",
    )


def _grade_command(commands) -> None:
    command = _add(
        commands,
        "grade",
        _grade,
        "grade notebooks, folders or zips into reports; each runs in a sandbox",
    )
    command.add_argument("submissions", type=Path, nargs="+", metavar="SUBMISSION")
    command.add_argument(
        "--out",
        type=Path,
        default=Path("grades"),
        metavar="DIR",
        help="where reports and results go (default: ./grades)",
    )
    command.add_argument(
        "--roster", type=Path, metavar="CSV", help="students: columns called name, id, email, login"
    )
    command.add_argument(
        "--seed",
        default="",
        metavar="TEXT",
        help="decides the unseen inputs (default: drawn once, kept in DIR)",
    )
    command.add_argument(
        "--reference",
        type=Path,
        metavar="DIR",
        help="reference notebooks (default: notebooks/reference of this clone)",
    )
    command.add_argument(
        "--exercises", type=Path, metavar="DIR", help="folder of more lesson_NN.py modules"
    )
    command.add_argument(
        "--scheduler", default="", metavar="tcp://…", help="a Dask scheduler to send the work to"
    )
    command.add_argument(
        "--workers",
        type=int,
        default=0,
        metavar="N",
        help="sandboxes at a time (default: one a core)",
    )
    command.add_argument(
        "--all-cells", action="store_true", help="run also the cells that no answer depends on"
    )
    command.add_argument(
        "--seconds",
        type=float,
        default=300.0,
        metavar="S",
        help="longest time for one submission (default: 300)",
    )
    command.add_argument(
        "--accept-weak-sandbox",
        action="store_true",
        help="grade without bubblewrap: submissions can then read your files",
    )


def _export_command(commands) -> None:
    command = _add(
        commands,
        "export",
        _export,
        "build assignments for nbgrader or Otter from the lessons' sources",
    )
    command.add_argument("--for", dest="kind", choices=("nbgrader", "otter"), required=True)
    command.add_argument("out", type=Path, metavar="DIR")
    command.add_argument(
        "--lesson",
        action="append",
        default=[],
        metavar="NN",
        help="a lesson's two digits; may be repeated (default: all)",
    )
    command.add_argument(
        "--source",
        type=Path,
        metavar="DIR",
        help="the sources (default: notebooks/source of this clone)",
    )


def _check_report_command(commands) -> None:
    command = _add(
        commands,
        "check-report",
        _check_report,
        "check reports of lesson 09: their form, their figures, their files, their model",
    )
    command.add_argument(
        "reports", nargs="+", type=Path, metavar="REPORT", help="a zip of lesson 09, or report.json"
    )


def _train(options: argparse.Namespace) -> None:
    from course_lib import spotter

    if (
        options.out.is_dir()
        and any(options.out.iterdir())
        and not (options.out / "spotter.keras").is_file()
    ):
        raise ValueError(
            f"{options.out} holds other things, and training replaces the whole "
            "folder: name a new one with --out."
        )
    with _Stages(options.quiet) as stages:
        spotter.make(options.out, options.seed, stages.report, real=options.real)
    print(f"{options.out}: the trained model in every form, see README.md there")


def _convert(options: argparse.Namespace) -> None:
    from course_lib import session, tflite
    from course_lib.measure import saved

    model = saved.trainable_or_frozen(options.model)
    rows = None
    if options.variant not in ("float32", "dynamic_range", "float16"):
        rows = _calibration(options)
    data = tflite.convert(model, options.variant, rows)
    data = tflite.strip(data) if options.strip else data
    name = options.model.resolve().with_suffix("").name
    out = options.out or options.model.parent / f"{name}_{options.variant}.tflite"
    session.write_atomically(out, data)
    print(f"{out}: {len(data):,} bytes, {options.variant}")


def _calibration(options: argparse.Namespace):
    """Return features that show the converter the ranges to expect, (n, 49, 40) float32."""
    from course_lib.measure import evaluate
    from course_lib.sound import dataset, features

    if options.clips is None:
        return features.of(dataset.bundled("train"))
    clips, skipped = evaluate.read_folder(options.clips, _progress(options, "reading"))
    _report_skipped(skipped)
    return features.of(clips)


def _evaluate(options: argparse.Namespace) -> None:
    import json

    from course_lib.measure import evaluate

    found = evaluate.evaluate(options.model, options.clips, _progress(options, "reading"))
    _report_skipped(found.skipped)
    result = found.as_dict()
    print(json.dumps(result, indent=2) if options.json else _table(result))


def _download(options: argparse.Namespace) -> None:
    from course_lib.sound.dataset import speech_commands
    from course_lib.sound.download import progress

    archive = speech_commands.ARCHIVES[options.source]
    bar = progress.silent if options.quiet else progress.shown
    folder = speech_commands.folder(archive, options.out, bar=bar)
    files = {split: len(each) for split, each in speech_commands.splits(folder).items()}
    told = ", ".join(f"{count:,} for {split}" for split, count in files.items())
    print(f"{folder}: {told}")


def _grade(options: argparse.Namespace) -> int:
    from course_lib.instructor.grading import campaign, watch

    limits = watch.Limits(wall_seconds=options.seconds)
    rows, notes, kind = campaign.grade(
        options.submissions,
        options.out,
        roster=options.roster,
        seed=options.seed,
        reference=options.reference,
        exercises=options.exercises,
        scheduler=options.scheduler,
        workers=options.workers,
        everything=options.all_cells,
        limits=limits,
        accept_weak=options.accept_weak_sandbox,
        progress=None if options.quiet else _progress(options, "grading"),
    )
    for note in notes:
        _say(note)
    print(f"{len(rows)} students, sandbox: {kind}, see {options.out / 'class.html'}")
    return INCOMPLETE if any(note.startswith("Not graded") for note in notes) else DONE


def _export(options: argparse.Namespace) -> None:
    from course_lib.instructor.grading import assignments

    root = Path(__file__).resolve().parent.parent
    for path in assignments.write_assignments(
        options.kind, options.out, root, tuple(options.lesson), options.source
    ):
        print(path)


def _check_report(options: argparse.Namespace) -> int:
    from course_lib import project

    wrong = 0
    for path in options.reports:
        try:
            made, files = project.read(path)
            found = project.problems(made, files or None)
            told = "" if found or not files else project.again(made, files[project.MODEL])
        except (ValueError, FileNotFoundError) as error:
            found, told = [str(error)], ""
        wrong += bool(found)
        print(f"{path}: {'; '.join(found) or 'right'}{f'; {told}' if told else ''}")
    return UNUSABLE if wrong else DONE


def _table(result: dict) -> str:
    """Return an evaluation as text of a few lines."""
    labels = result["confusion"]["labels"]
    lines = [f"{result['model']}: {result['bytes']:,} bytes", f"accuracy  {_percent(result)}"]
    if result["real4"]["n"] not in (0, result["n"]):
        lines.append(f"four labels' folders alone  {_percent(result['real4'])}")
    lines.append(
        "recall    "
        + "  ".join(f"{label} {_share(value)}" for label, value in result["recall"].items())
    )
    lines.append(f"{'true / predicted':>17}" + "".join(f"{label:>11}" for label in labels))
    for label, row in zip(labels, result["confusion"]["counts"], strict=True):
        lines.append(f"{label:>17}" + "".join(f"{count:>11}" for count in row))
    others = result["other_words"]
    if others["n"]:
        lines.append(f"other words called unknown  {_percent(others, 'called_unknown')}")
        lines.append(
            "  ".join(
                f"{word} {_share(each['called_unknown'])}" for word, each in others["words"].items()
            )
        )
    lines.append(f"skipped files  {result['skipped']['count']}")
    return "\n".join(lines)


def _percent(result: dict, name: str = "accuracy") -> str:
    if result["n"] == 0:
        return "no clips"
    low, high = result["interval"]
    return (
        f"{result[name]:.1%} ({low:.1%} to {high:.1%}), "
        f"{result['correct']:,} of {result['n']:,} clips"
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _report_skipped(skipped: Sequence) -> None:
    """Name every skipped file on stderr."""
    for each in skipped:
        _say(f"skipped {each.file}: {each.reason}")


def _progress(options: argparse.Namespace, words: str) -> Callable[[Iterable], Iterable]:
    """Return a wrapper that shows progress on stderr; in a log file it does so more rarely."""
    if options.quiet:
        return iter
    from functools import partial

    from tqdm import tqdm

    seconds = 0.1 if sys.stderr.isatty() else 5.0
    return partial(tqdm, desc=words, file=sys.stderr, mininterval=seconds)


class _Stages:
    """Show stages of a long piece of work on stderr, one bar after the other."""

    def __init__(self, quiet: bool) -> None:
        self.quiet, self.bar, self.stage = quiet, None, ""

    def __enter__(self) -> _Stages:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def report(self, stage: str, done: int, total: int) -> None:
        """Move the bar of `stage` to `done` of `total`; a new stage begins a new bar."""
        if self.quiet:
            return
        if stage != self.stage:
            from tqdm import tqdm

            self.__exit__()
            seconds = 0.1 if sys.stderr.isatty() else 5.0
            self.bar, self.stage = (
                tqdm(desc=stage, total=total, file=sys.stderr, mininterval=seconds),
                stage,
            )
        self.bar.update(done - self.bar.n)


def _say(message: object) -> None:
    """Write one line to stderr; names of files may hold anything, so only what can be printed."""
    line = " ".join(str(message).split())
    line = "".join(each if each.isprintable() else "?" for each in line)
    print(f"course_lib: {line}", file=sys.stderr)
