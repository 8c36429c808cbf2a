"""The exercises of lesson 04: checkpoints."""

from __future__ import annotations

import struct
from functools import partial

from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import choice, function, items


def _best(history, of_equals=min):
    top = max(accuracy for _, _, accuracy in history)
    return of_equals(step for step, _, accuracy in history if accuracy == top)


def _histories(rng):
    """Return runs that overfit: the loss goes on falling while the accuracy turns."""
    cases = [([(100, 1.0, 0.5), (200, 0.6, 0.9), (300, 0.4, 0.9), (400, 0.5, 0.8)],)]
    for _ in range(6):
        steps = [int(step) for step in 100 * (1 + rng.choice(30, 7, replace=False))]
        losses = sorted((float(x) for x in rng.uniform(0.2, 2, 7).round(3)), reverse=True)
        losses[-2], losses[-1] = losses[-1], losses[-2]
        shares = [float(x) for x in rng.uniform(0.3, 0.99, 7).round(2)]
        order = sorted(steps)
        shares[-2:] = [0.2, 0.1]  # neither the last nor the lowest loss is the best
        cases.append(([*zip(order, losses, shares, strict=True)],))
    return cases


def _checkpoint_bytes(trainable, fixed):
    return 4 * (3 * trainable + fixed)


def _value_at(data, offset, index):
    return struct.unpack_from("<f", data, offset + 4 * index)[0]


def _files_of_floats(rng):
    cases = []
    for _ in range(6):
        offset = int(rng.integers(3, 30))
        values = rng.normal(size=12).astype("<f4")
        data = rng.bytes(offset) + values.tobytes() + rng.bytes(8)
        cases.append((data, offset, int(rng.integers(1, 12))))
    return cases


def _newest(files, step):
    steps = [int(name[5:-6]) for name in files if name.endswith(".index")]
    complete = [s for s in steps if f"ckpt-{s}.data-00000-of-00001" in files and s <= step]
    return f"ckpt-{max(complete)}"


def _newest_as_text(files, step):
    names = [name[:-6] for name in files if name.endswith(".index")]
    names = [name for name in names if int(name[5:]) <= step]
    return max(name for name in names if f"{name}.data-00000-of-00001" in files)


def _newest_by_index_only(files, step):
    steps = [int(name[5:-6]) for name in files if name.endswith(".index")]
    return f"ckpt-{max(s for s in steps if s <= step)}"


def _newest_by_data_only(files, step):
    steps = [int(name[5:].partition(".")[0]) for name in files if ".data-" in name]
    return f"ckpt-{max(s for s in steps if s <= step)}"


def _folders(rng):
    """Folders after a crash: steps of different lengths, half a checkpoint of either kind."""
    whole = [80, 900, 1000, 1100]
    first = [f"ckpt-{s}{end}" for s in whole for end in (".index", ".data-00000-of-00001")]
    cases = [([*first, "ckpt-990.index", "checkpoint"], 1000), ([*first, "checkpoint"], 999)]
    cases.append(([*first, "ckpt-990.index"], 995))
    cases.append(([*first, "ckpt-985.data-00000-of-00001"], 995))
    for _ in range(4):
        steps = sorted({int(s) for s in rng.integers(50, 3000, 6)} | {40})
        files = [f"ckpt-{s}{end}" for s in steps for end in (".index", ".data-00000-of-00001")]
        broken = f"ckpt-{steps[2]}.data-00000-of-00001"
        files = [name for name in files if name != broken] + ["checkpoint"]
        rng.shuffle(files)
        cases.append(([str(name) for name in files], steps[int(rng.integers(2, 5))] + 1))
    return cases


EXERCISES = (
    Exercise(
        id="4.2",
        ask="best(history): the step of the snapshot to ship",
        judge=function(_best, _histories),
        mistakes=[
            (
                lambda history: max(step for step, _, _ in history),
                "You take the last one. Look at a run whose accuracy falls at the end.",
            ),
            (
                lambda history: min(history, key=lambda row: row[1])[0],
                "The loss is measured on clips that it trained on. Which column tells about "
                "voices that it never heard?",
            ),
            (
                partial(_best, of_equals=max),
                "Two snapshots are equally good: take the one that came first.",
            ),
            (
                lambda history: max(accuracy for _, _, accuracy in history),
                "You return the accuracy itself: which step had it?",
            ),
            (
                lambda history: max(history, key=lambda row: row[2]),
                "That is the whole row: return its step.",
            ),
        ],
        right="the best on voices it never heard, and the earlier of two equals.",
        hints=(
            "Each row is (step, loss, accuracy): which of the two numbers was not trained on?",
            "max(history, key=...) returns the first of the rows that share the top.",
        ),
    ),
    Exercise(
        id="4.4",
        ask="checkpoint_bytes(trainable, fixed): bytes of all float32 numbers, Adam's included",
        judge=function(
            _checkpoint_bytes,
            lambda rng: [tuple(int(n) for n in rng.integers(10, 50_000, 2)) for _ in range(5)],
            whole=True,
        ),
        mistakes=[
            (lambda t, f: 4 * (t + f), "That is the model alone. What does Adam keep besides?"),
            (lambda t, f: 3 * t + f, "You count numbers: how many bytes has a float32?"),
            (
                lambda t, f: 12 * (t + f),
                "Nobody trains the moving averages, so Adam keeps nothing for them.",
            ),
            (
                lambda t, f: 4 * (2 * t + f),
                "Adam keeps two numbers for each weight, a momentum and a velocity.",
            ),
            (
                lambda t, f: 8 * (t + f),
                "Adam keeps two more numbers for what is trained, none else.",
            ),
            (lambda t, f: 12 * t, "What is fixed is in the checkpoint, too, once each."),
            (lambda t, f: 12 * t + f, "You count the fixed numbers, not their bytes."),
        ],
        right="a weight and its two companions, four bytes each.",
        hints=(
            "Each trainable weight is there three times: itself, its momentum, its velocity.",
            "What is fixed (batch normalisation's averages) is there once.",
        ),
    ),
    Exercise(
        id="4.5",
        ask="value_at(data, offset, index): number `index` of the float32 tensor at `offset`",
        judge=function(_value_at, _files_of_floats, tolerance=1e-6),
        mistakes=[
            (
                lambda data, offset, index: struct.unpack_from(">f", data, offset + 4 * index)[0],
                "Your bytes are read from the wrong end: lowest byte first.",
            ),
            (
                lambda data, offset, index: struct.unpack_from("<f", data, offset + index)[0],
                "Number 1 does not begin at byte 1: how wide is a float32?",
            ),
            (
                lambda data, offset, index: struct.unpack_from("<i", data, offset + 4 * index)[0],
                "You read an integer: these four bytes are a float.",
            ),
            (
                lambda data, offset, index: struct.unpack_from("<f", data, 4 * index)[0],
                "You count from the start of the file, not from the offset.",
            ),
            (
                when(lambda arguments, value: isinstance(value, tuple)),
                "unpack_from returns a tuple, here of one float: take its first item.",
            ),
        ],
        right="an offset, a width and an order of bytes: all that the index has to say.",
        hints=(
            "struct.unpack_from('<f', data, position) returns a tuple of one float.",
            "position = offset + 4 * index",
        ),
    ),
    Exercise(
        id="4.7",
        ask="missing: what is missing in folders A, B, C and D, in this order",
        judge=items(["index", "data", "meta", "checkpoint"]),
        mistakes=[
            (
                ["data", "index", "meta", "checkpoint"],
                "A and B are swapped: which file is read first, to learn where the others are?",
            ),
            (
                ["index", "data", "checkpoint", "meta"],
                "C and D are swapped: which of the two holds a graph?",
            ),
            (
                ["checkpoint", "data", "meta", "index"],
                "A and D are swapped: `checkpoint` only remembers which one is the newest.",
            ),
            (
                ["meta", "data", "index", "checkpoint"],
                "A and C are swapped: a graph without code comes from one of them alone.",
            ),
        ],
        right="index finds, data holds, meta rebuilds, checkpoint remembers the newest.",
        hints=(
            "Look at your trials above: which of them went on without `checkpoint`?",
            "Without code of the model, only one file can rebuild its graph.",
        ),
    ),
    Exercise(
        id="4.9",
        ask="newest(files, step): the prefix of the newest whole checkpoint up to `step`",
        judge=function(_newest, _folders),
        mistakes=[
            (
                _newest_as_text,
                "As text, ckpt-900 comes after ckpt-1000: compare the steps as numbers.",
            ),
            (
                _newest_by_index_only,
                "One of yours has no data: a process was killed between the two files.",
            ),
            (
                _newest_by_data_only,
                "One of yours has no index: nobody finds a tensor in its data.",
            ),
            (lambda f, s: _newest(f, s - 1), "The checkpoint of the step itself counts, too."),
            (
                lambda f, s: int(_newest(f, s)[5:]),
                "That is the step: the prefix is asked, such as 'ckpt-900'.",
            ),
            (lambda f, s: _newest(f, 10**9), "Yours is newer than the step that was asked for."),
            (
                lambda f, s: _newest(f, s) + ".index",
                "A checkpoint is named by its prefix, without .index.",
            ),
        ],
        right="whole, not too new, and 1000 comes after 900.",
        hints=(
            "int(name.removeprefix('ckpt-').removesuffix('.index')) is a step.",
            "Keep the steps whose .data file is there too, then take the largest up to `step`.",
        ),
    ),
    Exercise(
        id="4.10",
        ask="caught_by: the check that would have noticed the model that learnt nothing",
        judge=choice(
            "assert_existing_objects_matched",
            among=("assert_consumed", "assert_existing_objects_matched", "expect_partial"),
        ),
        mistakes=[
            (
                "assert_consumed",
                "It notices, but also where only the optimizer is left over, "
                "as in every restore for use. Which asks about your model alone?",
            ),
            ("expect_partial", "That one silences the warning: it checks nothing."),
        ],
        right="every variable that you have must have found a value.",
        hints=("Which of them passed where only the optimizer's part was left over?",),
    ),
)
