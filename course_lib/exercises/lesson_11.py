"""The exercises of lesson 11: how often a function is traced, and a graph written as text."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from course_lib.exercises.answers import Raised
from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import function, number


def _graphs(calls):
    return len({_kind(x) for x in calls})


def _kind(x):
    return (x.shape, x.dtype) if isinstance(x, np.ndarray) else x


def _changes(calls):
    """Count a graph wherever a call differs from the one right before it."""
    kinds = [_kind(x) for x in calls]
    return len(kinds[:1]) + sum(one != other for one, other in pairwise(kinds))


def _every_float(calls):
    arrays = {_kind(x) for x in calls if isinstance(x, np.ndarray)}
    return len(arrays) + sum(not isinstance(x, np.ndarray) for x in calls)


def _calls(rng):
    """Draw calls in which shapes, types, values and numbers come back, each in a drawn order."""
    cases = []
    for _ in range(5):
        arrays = [
            rng.integers(0, 9, shape).astype(kind)
            for shape in ((2,), (2,), (3,), (2, 1))
            for kind in ("float32", "int32")
        ]
        numbers = [float(x) for x in rng.integers(0, 4, 4)]
        calls = [*arrays, *numbers, 4.5, 4.5]
        drawn = rng.permutation(len(calls))[: int(rng.integers(7, len(calls) + 1))]
        cases.append(([calls[place] for place in drawn],))
    same = np.ones(2, "float32"), np.zeros(2, "float32")
    return [
        ([*same, 0.5, 1.5, 0.5],),
        (list(same),),
        ([2.0, 2.0],),
        ([0.25, 0.5, 0.75, 1.25],),
        *cases,
    ]


def _counting(of_array, of_number):
    """Return a wrong answer that tells calls apart by what two functions make of them."""
    return lambda calls: len(
        {of_array(x) if isinstance(x, np.ndarray) else of_number(x) for x in calls}
    )


def _parts(calls, place):
    return {_kind(x)[place] for x in calls if isinstance(x, np.ndarray)}


def _numbers(calls):
    return len({x for x in calls if not isinstance(x, np.ndarray)})


def _new_parts(calls):
    """Count an array where its shape or its type, each on its own, is new."""
    seen, found = set(), 0
    for x in calls:
        parts = set(_kind(x)) if isinstance(x, np.ndarray) else {x}
        found += not parts <= seen
        seen |= parts
    return found


EXERCISES = (
    Exercise(
        id="11.3",
        ask="graphs(calls): how many graphs tf.function makes for these arguments",
        judge=function(_graphs, _calls, whole=True),
        mistakes=[
            (
                when(lambda _, value: isinstance(value, (list, tuple, dict))),
                "Those are the graphs: how many are there? len() counts.",
            ),
            (
                lambda calls: len(calls) - _graphs(calls),
                "You count the calls that need no graph: the others are asked.",
            ),
            (lambda calls: _changes(calls) - 1, "The first call needs a graph, too: begin at 1."),
            (
                lambda calls: len({type(x) for x in calls}),
                "Two kinds of Python: but shapes, types and Python's numbers all count.",
            ),
            (
                lambda calls: len(_parts(calls, 0)) + len(_parts(calls, 1)) + _numbers(calls),
                "A graph is made for each *pair* of a shape and a type: put both into one tuple.",
            ),
            (
                lambda calls: len(_parts(calls, 0)) * len(_parts(calls, 1)) + _numbers(calls),
                "Not every shape came with every type: put both of a call into one tuple.",
            ),
            (
                _new_parts,
                "Shape and type may both be known and still be a new pair: keep them together.",
            ),
            (
                lambda calls: len({_kind(x) for x in calls if isinstance(x, np.ndarray)}) + 1,
                "Every new Python number is a constant of a new graph.",
            ),
            (len, "One graph for each call? The same kind of argument needs no new one."),
            (
                _counting(lambda x: (x.shape, x.dtype, x.tobytes()), lambda x: x),
                "You tell tensors apart by their values: only shape and type count.",
            ),
            *(
                (_counting(tell, lambda x: x), "Only shape and type of a tensor count, not this.")
                for tell in (id, np.sum, lambda x: tuple(x.flatten().tolist()))
            ),
            *(
                (_counting(tell, lambda x: x), "Look at an array's whole shape, and at its type.")
                for tell in (len, np.size, np.ndim, lambda x: x.dtype == np.float32)
            ),
            (
                _counting(lambda x: x.shape, lambda x: x),
                "Two arrays of one shape, float32 and int32, need two graphs.",
            ),
            (
                _counting(lambda x: x.dtype, lambda x: x),
                "Two arrays of one type need two graphs where their shapes differ.",
            ),
            (
                _counting(lambda x: (x.shape, x.dtype), lambda x: float),
                "Every new Python number is a constant of a new graph.",
            ),
            (
                _counting(lambda x: "tensor", lambda x: x),
                "All arrays count as one here: look at shape and type.",
            ),
            (
                lambda calls: len({(x.shape, x.dtype) for x in calls if isinstance(x, np.ndarray)}),
                "Python numbers are traced, too.",
            ),
            (
                lambda calls: len({x for x in calls if not isinstance(x, np.ndarray)}),
                "The arrays are missing.",
            ),
            (
                _changes,
                "A graph that was made is kept: ask whether any earlier call was of this kind.",
            ),
            (_every_float, "A float that came before needs no new graph: its graph is there."),
            (lambda calls: 1, "1 each time: is the return inside the loop?"),
            (
                lambda calls: len({np.shape(x) for x in calls}),
                "A Python number has no shape, its value counts; and of an array the type, too.",
            ),
            (
                lambda calls: len({id(x) for x in calls}),
                "id tells objects apart: of an array shape and type count, of a float its value.",
            ),
            (lambda calls: 0, "0 each time: is anything counted before the return?"),
            (
                _counting(lambda x: (x.size, x.dtype), lambda x: x),
                "(2,) and (2, 1) have as many numbers, and are two shapes: take x.shape whole.",
            ),
            (
                _counting(lambda x: (len(x), x.dtype), lambda x: x),
                "(2,) and (2, 1) are of one length, and two shapes: take x.shape whole.",
            ),
            (
                _counting(lambda x: (x.ndim, x.dtype), lambda x: x),
                "(2,) and (3,) have one axis each, and are two shapes: take x.shape whole.",
            ),
            (
                _counting(lambda x: (x.shape, x.dtype), int),
                "0.25 and 0.75 are two numbers: do not round them.",
            ),
            (
                _counting(lambda x: (x.shape, x.dtype), round),
                "0.75 and 1.25 are two numbers: do not round them.",
            ),
            (
                when(lambda calls, value: value > _graphs(*calls)),
                "Too many: some of these fit a graph that is there already.",
            ),
            (
                when(lambda calls, value: value < _graphs(*calls)),
                "Too few: of what you take for one kind, some differ in shape, type or value.",
            ),
            (
                when(lambda calls, value: isinstance(value, (set, list, tuple, dict))),
                "How many are there, not which: len(...) counts them.",
            ),
            (
                when(lambda calls, value: isinstance(value, Raised) and "truth" in str(value)),
                "Comparing two arrays gives an array: keep shape and type in place of the array.",
            ),
            (
                when(lambda calls, value: isinstance(value, Raised) and "hash" in str(value)),
                "A set cannot hold an array: put its shape and its type into it.",
            ),
            (
                when(lambda calls, value: isinstance(value, Raised) and "shape" in str(value)),
                "A Python number has no shape: ask isinstance(x, np.ndarray) first.",
            ),
        ],
        right="a tensor counts by its kind, a Python number by its value.",
        hints=("Which part of an array may change without a new graph?", "A set counts kinds."),
    ),
    Exercise(
        id="11.4",
        ask="result: the number that this GraphDef computes",
        judge=number(16),
        mistakes=[
            (-16, "The first input of Sub stands left of the minus."),
            (14, "The nodes are not written in the order in which they run: follow the inputs."),
            *((each, f"{each} is one of the constants: what happens to it?") for each in (9, 2)),
            (4, "That is how many nodes there are: what do they compute?"),
            (18, "That is `scaled`; `out` reads it and goes on."),
            (79, "9 × 9? Mul reads nine and two."),
            (63, "scaled is 9 × 2, and two is taken away afterwards, not before."),
            *(
                (wrong, "Nothing is added: Mul multiplies, Sub subtracts.")
                for wrong in (11, 20, 22)
            ),
            (36, "two is taken away from scaled, not multiplied with it once more."),
            (81, "9 × 9? Mul reads nine and two, and Sub comes after it."),
            (4.5, "Mul multiplies: 9 × 2."),
            (0, "Sub reads scaled and two; Mul reads nine and two."),
            (7, "That is 9 − 2: `out` reads `scaled`, not the 9 itself."),
            (
                when(lambda value: value == value),
                "Look at what `out` reads, and what that reads in turn: Mul of two, then Sub.",
            ),
        ],
        right="the order in the text means nothing, the inputs mean all.",
        hints=("Begin with the two Const nodes.", "scaled = 9 × 2"),
    ),
)
