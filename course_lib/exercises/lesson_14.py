"""Lesson 14: a check, what is missing, the newest whole checkpoint."""

from __future__ import annotations

from course_lib.exercises.answers import Raised
from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import choice, function, items


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
    cases.append((first, 1200))  # of two steps of one length the older stands first
    # one prefix begins another; of two shards, one
    cases.append((["ckpt-110.index", "ckpt-90.data-00000-of-00002", "ckpt-90.index", *first], 120))
    cases.append(([*first, "ckpt-985.data-00000-of-00001"], 995))
    for _ in range(4):
        steps = sorted({int(s) for s in rng.integers(50, 3000, 6)} | {40})
        files = [f"ckpt-{s}{end}" for s in steps for end in (".index", ".data-00000-of-00001")]
        broken = f"ckpt-{steps[2]}.data-00000-of-00001"
        files = [name for name in files if name != broken] + ["checkpoint"]
        rng.shuffle(files)
        cases.append(([str(name) for name in files], steps[int(rng.integers(2, 5))] + 1))
    return cases


def _halves(files, prefix):
    """Which of its two files a prefix has: (index, data)."""
    return f"{prefix}.index" in files, f"{prefix}.data-00000-of-00001" in files


_PARTS = ("index", "data", "meta", "checkpoint")
_LACKS = (
    "A: something has to tell where in the file of weights a tensor lies.",
    "B: names and shapes are not the values: where do those lie?",
    "C: only one of the four holds a graph, for where there is no code.",
    "D: only one of the four remembers which checkpoint is the newest.",
)


EXERCISES = (
    Exercise(
        id="14.2",
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
        hints=(
            "The optimizer's slots stay in the file, and nobody here wants them.",
            "Which check asks for all that the file has, which for all that your program has?",
        ),
    ),
    Exercise(
        id="14.3",
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
            (
                when(
                    lambda list_: (
                        {str(each).strip(".").lower() for each in list_} == {*_PARTS}
                        and not {*list_} <= {*_PARTS}
                    )
                ),
                "Write the four words as they stand in the task: no dot, no capital.",
            ),
            (
                when(lambda list_: not {*list_} <= {*_PARTS}),
                "Choose from the four words of the task: what is missing, one for each folder.",
            ),
            (
                when(lambda list_: len(list_) == 4 and len({*list_}) < 4),
                "One word is there twice: each folder lacks another part.",
            ),
            *(
                (when(lambda list_, n=n: len(list_) == 4 and list_[n] != _PARTS[n]), _LACKS[n])
                for n in range(4)
            ),
        ],
        right="index finds, data holds, meta rebuilds, checkpoint remembers the newest.",
        hints=(
            "Look at your trials above: which of them went on without `checkpoint`?",
            "Without code of the model, only one file can rebuild its graph.",
        ),
    ),
    Exercise(
        id="14.4",
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
            (
                lambda f, s: f"ckpt-{s}",
                "That is the step that was asked for: was anything saved just there?",
            ),
            (
                when(lambda given, value: value in given[0]),
                "That is a file's name: the prefix is what both names begin with.",
            ),
            (
                when(
                    lambda given, value: (
                        isinstance(value, Raised)
                        and ("index out of range" in str(value) or "invalid literal" in str(value))
                    )
                ),
                "Not every name has a step: one file is called just `checkpoint`.",
            ),
            (
                when(lambda given, value: int(value[5:]) > given[1]),
                "Yours is newer than the step that was asked for.",
            ),
            (
                when(lambda given, value: _halves(given[0], value) == (True, False)),
                "One of yours has no data: a process was killed between the two files.",
            ),
            (
                when(lambda given, value: _halves(given[0], value) == (False, True)),
                "One of yours has no index: nobody finds a tensor in its data.",
            ),
            (
                when(lambda given, value: _halves(given[0], value) == (True, True)),
                "Whole, but not the newest: compare all steps, and as numbers, not as text.",
            ),
            (
                when(lambda given, value: type(value) is int),
                "That is a step: the prefix is asked, such as 'ckpt-900'.",
            ),
            (
                when(lambda given, value: value.startswith("ckpt-")),
                "Three things at once: both files there, not after `step`, compared as numbers.",
            ),
        ],
        right="whole, not too new, and 1000 comes after 900.",
        hints=(
            "int(name.removeprefix('ckpt-').removesuffix('.index')) is a step.",
            "Keep the steps whose .data file is there too, then take the largest up to `step`.",
        ),
    ),
)
