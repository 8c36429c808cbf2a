"""How work grows with what it is given: seconds at each size, and the exponent fitted to them."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import numpy as np
import soundfile

from benchmarks.results import Measured, Options, Ratio, number
from course_lib import graph, measure, spotter, tflite
from course_lib.experiments import reading_costs, timeline
from course_lib.formats import flatbuffer
from course_lib.graph import scheduling, structure, trace
from course_lib.instructor.grading import campaign, collection, course, reports, results, trial
from course_lib.sound import audio, dataset, features
from course_lib.views import layout
from course_lib.views.graph import picture

TITLE = "Growth"
_PATIENCE_SECONDS = 30.0  # a step that takes longer is not given more
_TENSOR = 2_500  # float32 numbers, 10 kB
_SLACK = 1.1  # of an exponent, for what a fit to a few points is off by

Step = Callable[[], object]


def run(options: Options) -> Measured:
    """Measure every kind of growth and fit its exponent to the larger half of the sizes."""
    rows = [("what", "of", "seconds of a processor at each size", "exponent", "n log n's own")]
    ratios = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        kinds = {
            "operations": ((10, 100, 300, 1_000, 3_000, 10_000), _operations),
            "bytes of a model": ((10**4, 10**5, 10**6, 5 * 10**6, 2 * 10**7), _bytes),
            "checkpoints": ((1, 10, 100, 300, 1_000), lambda n: _checkpoints(n, folder)),
            "clips": ((100, 500, 2_000, 6_000, 20_000), lambda n: _clips(n, folder)),
            "submissions": ((1, 10, 100, 300, 1_000), lambda n: _submissions(n, folder)),
        }
        for kind, (sizes, steps) in kinds.items():
            for what, points in _grown(sizes[:3] if options.quick else sizes, steps).items():
                own, limit = fitted(points), fitted([(n, n * np.log(n + 1)) for n, _ in points])
                told = ", ".join(f"{n:,}: {number(seconds)}" for n, seconds in points)
                rows.append((what, kind, told, f"{own:.2f}", f"{limit:.2f}"))
                ratios.append(
                    Ratio(f"{what}: exponent over that of n log n", [own / limit], _SLACK)
                )
    return Measured(
        "Each step at growing sizes; the least seconds of processor time (children included) of "
        "up to three runs, so that what else the machine does counts little. The exponent is that "
        "of a power of the size, fitted to the larger sizes, beside the one that n log n itself "
        f"has there. A step that took more than {_PATIENCE_SECONDS:.0f} s got no larger size.",
        ratios,
        {"Seconds": rows},
        [
            _where_layout_goes(30 if options.quick else 1_000),
            _where_reading_goes((10, 20) if options.quick else (6_000, 20_000)),
        ],
    )


def _where_layout_goes(size: int) -> str:
    """Return, in a sentence, which of dot's own steps takes the time of a layout."""
    if not layout.dot_command():
        return "There is no dot here: layouts are our own, by levels."
    made, _ = _program(size)
    boxes = [layout._box(node, 0) for node in made]
    text = layout._dot(made, boxes, False, False, 0.3)
    call = [layout.dot_command(), "-Tplain", "-v"]
    said = subprocess.run(call, input=text, capture_output=True, text=True, check=True).stderr
    seconds = [float(each) for each in re.findall(r"network simplex: .* (\d+\.\d+) sec", said)]
    return (
        f"Of a layout of {size:,} operations dot says itself that its network simplex, which "
        f"places boxes above each other, takes {sum(seconds):.2f} s: that is what grows faster "
        "than n log n. Tried: straight lines instead of curves, and limits for its rounds, both in "
        "use above some hundred boxes; and pictures end at 1,200 nodes, with a sentence that says "
        "how to fold them. Our own layout by levels, in use where there is no dot, is less clear."
    )


def _where_reading_goes(sizes: tuple[int, int]) -> str:
    """Return, in a sentence, what of reading a folder is decoding, and what new memory."""
    told = []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            *_, (_, read) = _clips(size, Path(name))
            before = resource.getrusage(resource.RUSAGE_SELF)
            read()
            after = resource.getrusage(resource.RUSAGE_SELF)
        own, systems = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
        told.append(f"{number(own)} s and {number(systems)} s of {size:,} files")
    return (
        "Of reading WAV files, decoding takes the first and the system the second: "
        f"{', '.join(told)}. Decoding grows as the files do; what the system does is mostly to "
        "hand out the waves' memory, 64 kB a clip, and a virtual machine that has to get it from "
        "its host takes longer for more. Tried, and in use: each wave is written once, in place."
    )


def fitted(points: list[tuple[int, float]]) -> float:
    """Return the exponent of a power law, by least squares, through the larger half of points."""
    kept = points[len(points) // 2 - (len(points) < 4) :]
    sizes, seconds = np.log(np.array(kept, float)).T
    return float(np.polyfit(sizes, seconds, 1)[0])


def _grown(
    sizes: tuple[int, ...], steps: Callable[[int], Iterator[tuple[str, Step]]]
) -> dict[str, list[tuple[int, float]]]:
    """Return (size, seconds) of every step; the steps of a size come one after the other."""
    points: dict[str, list[tuple[int, float]]] = {}
    for size in sizes:
        for what, step in steps(size):
            known = points.setdefault(what, [])
            if known and known[-1][1] > _PATIENCE_SECONDS:
                continue
            taken = [_seconds(step)]
            while len(taken) < 3 and sum(taken) < 5:
                taken.append(_seconds(step))
            known.append((size, min(taken)))
    return points


def _seconds(step: Step) -> float:
    before = _processor()
    step()
    return _processor() - before


def _processor() -> float:
    """Return the seconds that this process and its ended children have had of a processor."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _program(size: int) -> tuple[graph.Graph, str]:
    """Return a graph of `size` operations, each of two recent ones, and its Python."""
    chance = Random(size)
    nodes = [graph.Node(f"x{n}", "Const", value=float(n)) for n in (0, 1)]
    lines = ["x0 = 0", "x1 = 1"]
    for i in range(2, size + 2):
        a, b = (chance.randint(max(0, i - 8), i - 1) for _ in range(2))
        nodes.append(graph.Node(f"x{i}", "Maximum", (f"x{a}", f"x{b}")))
        lines.append(f"x{i} = max(x{a}, x{b})")
    return graph.Graph(tuple(nodes), (nodes[-1].name,)), "\n".join(lines)


def _operations(size: int) -> Iterator[tuple[str, Step]]:
    made, source = _program(size)
    if size <= 3_000:  # a program has at most 5,000 lines
        yield "trace a program", lambda: trace.from_source(source)
    yield "levels and the longest path", lambda: (graph.levels(made), structure.longest_path(made))
    yield "evaluate and differentiate", lambda: graph.gradients(made)
    yield "schedule on four workers", lambda: scheduling.schedule(made, 4)
    if size <= 1_000:  # the library refuses to draw more than 1,200 nodes
        yield "lay out, by Graphviz", lambda: layout.lay_out.__wrapped__(made)
        yield "draw as PNG, laid out", lambda: picture(made, alt="a program")


def _bytes(size: int) -> Iterator[tuple[str, Step]]:
    count = max(1, size // (4 * _TENSOR))
    values = np.zeros((count, min(_TENSOR, size // 4)), np.float32)
    data = reading_costs._as_flatbuffer({f"layer_{n}": row for n, row in enumerate(values)})
    yield "name every byte of a .tflite file", lambda: flatbuffer.byte_map(data).shares


def _checkpoints(size: int, folder: Path) -> Iterator[tuple[str, Step]]:
    here = folder / f"checkpoints_{size}"
    here.mkdir()
    prefix = timeline.prefixes(spotter.checkpoint_folder())[-1]
    for step in range(size):
        for path in prefix.parent.glob(f"{prefix.name}.*"):
            os.link(shutil.copy(path, folder), here / f"ckpt-{step}{path.suffix}")
    clips = dataset.bundled("test")[:4]
    heard, model = features.log_mel(clips.waves), spotter.build()
    yield (
        "restore and ask every checkpoint",
        lambda: timeline.measure(here, heard, clips.labels, model=model),
    )


def _clips(size: int, folder: Path) -> Iterator[tuple[str, Step]]:
    base = dataset.bundled("train")
    places = np.arange(size) % len(base)
    waves, labels, data = base.waves[places], base.labels[places], tflite.load("spotter_int8")
    yield "features", lambda: features.log_mel(waves)
    heard = features.log_mel(waves)
    yield "run the int8 model and report", lambda: measure.report("m", data, (heard, labels))
    here = folder / f"clips_{size}" / "yes"
    here.mkdir(parents=True)
    soundfile.write(folder / "clip.wav", base.waves[0], audio.SAMPLE_RATE_HZ)
    for place in range(size):
        os.link(folder / "clip.wav", here / f"{place:06}.wav")
    yield "read a folder of WAV files", lambda: dataset.measurable(here.parent)


def _submissions(size: int, folder: Path) -> Iterator[tuple[str, Step]]:
    made = course.Course(campaign.default_reference())
    lesson = made.lessons["06"]
    here, out = folder / f"in_{size}", folder / f"out_{size}"
    for place in range(size):
        (here / f"student{place:05}").mkdir(parents=True)
        os.link(_handed_in(made, lesson, folder), here / f"student{place:05}" / lesson.name)
    yield "read submissions", lambda: collection.collect([here], made)
    works, filed, _ = collection.collect([here], made)
    verdicts = tuple(
        results.Verdict(each.id, each.points, each.points, "right", "Right.")
        for each in lesson.questions
    )
    graded = [trial.result_of(work, lesson, verdicts) for work in works]
    yield "write reports", lambda: reports.write(results.rows(graded), out, (), filed)


def _handed_in(made: course.Course, lesson: course.Reference, folder: Path) -> Path:
    """Return a student's notebook with something in it, the same for all."""
    path = folder / lesson.name
    if not path.exists():
        from benchmarks import grading

        grading._hand_in(made, lesson, folder / "one", 1)
        shutil.copy(folder / "one" / "student0000" / lesson.name, path)
    return path
