"""Submissions per minute: this grader, `nbgrader autograde` and `otter run`; and how it scales.

    python -m benchmarks.peers                         once: the peers' own environments
    python -m benchmarks.grading [--lesson 06] [--submissions 20] [--out benchmarks/grading.md]

All three grade the same exercises of the same lesson, from the same source, on this machine, one
after the other. Every submission is different (a comment in each answer), all are right. nbgrader
and Otter run every cell and use neither a sandbox nor unseen inputs of the instructor's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from benchmarks import peers
from benchmarks.results import Measured, Options, Ratio
from course_lib.instructor.grading import assignments, campaign, collection, course, trial

__all__ = ["TITLE", "main", "run"]

TITLE = "Grading"


def main() -> None:
    """Measure and print a table, and what 100,000 submissions would take."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lesson", default="06")
    parser.add_argument("--submissions", type=int, default=20)
    parser.add_argument("--nbgrader", type=int, default=12, help="how many of them it gets")
    parser.add_argument("--otter", type=int, default=3, help="how many of them Otter gets")
    parser.add_argument("--out", type=Path, help="write what was measured as Markdown, too")
    options = parser.parse_args()
    text = _report(*measured(options), options)
    print(text)
    if options.out:
        options.out.write_text(f"{text}\n", encoding="utf-8")


def run(options: Options) -> Measured:
    """Measure as the command does, with its defaults; the text is a section of the page."""
    count, nbgrader, otter = (2, 2, 1) if options.quick else (40, 12, 2)
    chosen = argparse.Namespace(
        lesson="06", submissions=count, nbgrader=nbgrader, otter=otter, out=None
    )
    reference, seconds, lessons = measured(chosen)
    text = _report(reference, seconds, lessons, chosen).partition("\nMeasured on ")[2]
    one, two = seconds["this grader, 1 at a time"], seconds["this grader, 2 at a time"]
    ratios = [Ratio("submissions an hour, two at a time over one", [one / two], 1.9, True)]
    if "nbgrader autograde" in seconds:
        over = [seconds["nbgrader autograde"] / one]
        ratios.append(Ratio("nbgrader's core seconds over this grader's", over, 10, True))
    ratios.append(Ratio("core seconds a submission, over lessons", [*lessons.values()], 2.0))
    return Measured("Measured on " + text.replace("\n## ", "\n### "), ratios)


def measured(
    options: argparse.Namespace,
) -> tuple[course.Reference, dict[str, float], dict[str, float]]:
    """Return the lesson, seconds a submission by grader, and this grader's by lesson.

    All but "2 at a time" have one core, so that seconds are core seconds.
    """
    made = course.Course(campaign.default_reference())
    reference = made.lessons[options.lesson]
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        place = Path(name)
        _hand_in(made, reference, place / "in", options.submissions)
        with one_core():
            seconds = {"this grader, 1 at a time": _ours(made, place, 1)}
        seconds["this grader, 2 at a time"] = _ours(made, place, 2)
        with one_core():
            for label, measure in (("nbgrader autograde", _nbgrader), ("otter run", _otter)):
                if peers.command(label.split()[0]) is None:
                    print(f"{label}: no environment, make it with python -m benchmarks.peers")
                    continue
                count = options.otter if measure is _otter else options.nbgrader
                seconds[label] = measure(reference, place, count)
            lessons = {}
            for each in made.lessons.values():
                _hand_in(made, each, place / each.lesson / "in", 2)
                lessons[each.lesson] = _ours(made, place / each.lesson, 1)
                print(f"{each.lesson}: {lessons[each.lesson]:.2f} s", file=sys.stderr, flush=True)
    return reference, seconds, lessons


@contextmanager
def one_core() -> Iterator[None]:
    """Let this process and all that it starts use one core, where the system can say so."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def _report(
    reference: course.Reference,
    seconds: dict[str, float],
    lessons: dict[str, float],
    options: argparse.Namespace,
) -> str:
    """Return seconds a submission, submissions a minute, ratios and the plan for 100,000."""
    single, double = list(seconds.values())[:2]
    lines = [
        "# Grading, side by side",
        "",
        "Written by `python -m benchmarks.grading --out FILE`; nothing here is typed by hand.",
        "",
        f"Measured on {date.today():%d %B %Y}: lesson {options.lesson}, "
        f"{len(reference.questions)} exercises, {options.submissions} submissions "
        f"({options.nbgrader} for nbgrader, {options.otter} for Otter, which take long), all "
        "right, one grader after the other, each on one "
        f"core but for two at a time. {os.cpu_count()} cores ({platform.machine()}), Python "
        f"{platform.python_version()}, load {os.getloadavg()[0]:.1f} at the end; "
        f"{', '.join(pins[0] for pins in peers.PINS.values())}.",
        "",
        "| grader | core seconds a submission | submissions a minute | times this grader's rate |",
        "|---|---|---|---|",
    ]
    for label, each in seconds.items():
        lines.append(f"| {label} | {each:.2f} | {60 / each:.1f} | {single / each:.2f} |")
    lines += [
        "",
        f"One to two at a time: {single / double:.2f} times as fast. What is not halved is the "
        "start of a run (imports, the reference notebooks) and what is read and written for all.",
    ]
    if "nbgrader autograde" in seconds:
        peer = seconds["nbgrader autograde"]
        lines.append(
            f"nbgrader, which has no way to take two at a time, needs {peer / single:.1f} times as "
            f"long as this grader on one core, and {peer / double:.1f} times as long as on two."
        )
    lines += ["", "## By lesson", "", "This grader, 1 at a time, two submissions each.", ""]
    lines += ["| lesson | core seconds a submission |", "|---|---|"]
    lines += [f"| {number} | {each:.2f} |" for number, each in lessons.items()]
    lines += ["", "Lessons whose exercises need TensorFlow itself wait for its import."]
    return "\n".join([*lines, "", *_plan(single)])


def _plan(single: float) -> list[str]:
    """Return what 100,000 submissions would take, from the seconds of one on one core."""
    rows = [
        f"| {cores} | {100_000 * single / cores / 3600:,.1f} | {cores * 3600 / single:,.0f} |"
        for cores in (2, 16, 64, 256)
    ]
    return [
        "## A plan for 100,000 submissions",
        "",
        f"One submission costs {single:.2f} core seconds, so 100,000 cost "
        f"{100_000 * single / 3600:,.0f} core hours. Submissions share nothing, and the scheduler "
        "is sent the answers' text alone, a few kB each, so that cores are what decides:",
        "",
        "| cores | hours | submissions an hour |",
        "|---|---|---|",
        *rows,
        "",
        "Start `dask scheduler` on one machine and `dask worker` on each of the others (one thread "
        "a core), all with this package and the same folder of reference notebooks, and grade with "
        "`--scheduler`. A lost worker costs the submissions that it was running, which others take "
        "up; an interrupted run goes on where it stopped. The hours beyond two cores are "
        "calculated, not measured.",
    ]


def _answers(reference: course.Reference, number: int) -> dict[str, str]:
    """Return right answers, told apart by a comment."""
    texts = {}
    for cell in reference.cells:
        if "exercise" in cell["metadata"]:
            source = cell["source"]
            text = source if isinstance(source, str) else "".join(source)
            texts[cell["metadata"]["exercise"]] = f"{text}\n# submission {number}"
    return texts


def _fill(path: Path, target: Path, texts: dict[str, str]) -> None:
    """Write a notebook with answers filled in, found by their first lines."""
    tree = json.loads(path.read_text(encoding="utf-8"))
    for cell in tree["cells"]:
        first = "".join(cell["source"]).split("\n")[0].split(" (")[0]
        name = first.removeprefix("# Exercise ")
        if cell["cell_type"] == "code" and first != name and name in texts:
            cell["source"] = texts[name]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(tree), encoding="utf-8")


def _hand_in(made: course.Course, reference: course.Reference, folder: Path, count: int) -> None:
    """Write `count` right submissions of the student edition."""
    student = made.references.parent / reference.name
    for number in range(count):
        _fill(
            student, folder / f"student{number:04d}" / reference.name, _answers(reference, number)
        )


def _ours(made: course.Course, place: Path, workers: int) -> float:
    """Return seconds a submission, collecting and reporting included."""
    started = time.perf_counter()
    works, _, _ = collection.collect([place / "in"], made)
    results, failures = campaign.grade_all(
        works, trial.Settings(made, "benchmark"), place / f"out{workers}", workers=workers
    )
    seconds = time.perf_counter() - started
    assert not failures and all(each.earned == each.points for each in results), failures
    return seconds / len(works)


def _run(name: str, cwd: Path, *arguments: str) -> None:
    """Run a peer's command; show what it printed if it fails."""
    done = subprocess.run(
        [*peers.command(name), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        env=peers.surroundings(name, peers.ROOT),
    )
    if done.returncode:
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:])


def _nbgrader(reference: course.Reference, place: Path, count: int) -> float:
    """Return seconds a submission of `nbgrader autograde` over all of them."""
    folder, lesson = place / "nbgrader", reference.name[:-6]
    assignments.write_assignments("nbgrader", folder, peers.ROOT, (reference.lesson,))
    _run("nbgrader", folder, "generate_assignment", lesson)
    release = folder / "release" / lesson / reference.name
    for number in range(count):
        _fill(
            release,
            folder / "submitted" / f"student{number:04d}" / lesson / reference.name,
            _answers(reference, number),
        )
    started = time.perf_counter()
    _run("nbgrader", folder, "autograde", lesson)
    seconds = time.perf_counter() - started
    _run("nbgrader", folder, "export")
    lines = (folder / "grades.csv").read_text(encoding="utf-8").splitlines()
    score = lines[0].split(",").index("score")
    wrong = [line for line in lines[1:] if float(line.split(",")[score]) != reference.points]
    if wrong:
        print(f"nbgrader gave {len(wrong)} of {count} right submissions fewer points")
    return seconds / count


def _otter(reference: course.Reference, place: Path, count: int) -> float:
    """Return seconds a submission of `otter run`, which takes one at a time."""
    folder, lesson = place / "otter", reference.name[:-6]
    assignments.write_assignments("otter", folder, peers.ROOT, (reference.lesson,))
    _run("otter", folder / lesson, "assign", reference.name, "dist", "--no-run-tests")
    student = folder / lesson / "dist" / "student" / reference.name
    (grader,) = (folder / lesson / "dist" / "autograder").glob("*.zip")
    total = 0.0
    for number in range(count):
        handed_in = folder / f"student{number:04d}.ipynb"
        _fill(student, handed_in, _answers(reference, number))
        (folder / f"out{number}").mkdir()
        started = time.perf_counter()
        _run("otter", folder, "run", "-a", str(grader), str(handed_in), "-o", f"out{number}")
        total += time.perf_counter() - started
        tests = json.loads((folder / f"out{number}" / "results.json").read_text("utf-8"))["tests"]
        if sum(each.get("score") or 0 for each in tests) != reference.points:
            print("otter gave a right submission fewer points")
    return total / count


if __name__ == "__main__":
    main()
