"""The exercises of lesson 09: an answer without listening, a beginning, confusions."""

from __future__ import annotations

from functools import partial

import numpy as np

from course_lib.exercises.answers import Raised
from course_lib.exercises.core import Exercise, otherwise, when
from course_lib.exercises.judges import function


def _baseline(labels):
    return max(labels.count(label) for label in labels) / len(labels)


def _labels(rng):
    """Draw the labels of some clips as lists; each time another label is the most frequent."""
    cases = []
    for often in (0, 1, 2, 3, 4):
        counts = rng.integers(2, 8, 5)
        counts[often] = 9
        drawn = rng.permutation(np.repeat(np.arange(5), counts))
        cases.append((drawn.tolist(),))
    return [([0, 1, 1, 3],), ([2, 3, 1, 3],), *cases]


def _begin(new, trained, last):
    return {name: new[name] if name == last else trained[name] for name in new}


def _networks(rng):
    """Draw two networks of the same layers; the last ones differ in their number of answers."""
    cases = []
    for names in (
        ("listen", "merge", "decide"),
        ("first", "middle", "last"),
        ("a", "b b", "b", "d"),
    ):
        new, trained = (
            {name: [round(float(x), 2) for x in rng.normal(size=3)] for name in names}
            for _ in range(2)
        )
        last = "b b" if "b b" in names else names[-1]  # it may stand anywhere
        new[last] = [round(float(x), 2) for x in rng.normal(size=int(rng.integers(4, 9)))]
        cases.append((new, trained, last))
    return cases


def _most_confused(matrix, diagonal=False):
    places = range(len(matrix))
    cells = [(row, column) for row in places for column in places if diagonal or row != column]
    return max(cells, key=lambda cell: matrix[cell[0]][cell[1]])


def _off_diagonal(matrix):
    return np.array(matrix) * (1 - np.eye(len(matrix), dtype=int))


def _by_sums(matrix):
    wrong = _off_diagonal(matrix)
    return int(wrong.sum(1).argmax()), int(wrong.sum(0).argmax())


def _by_rows(matrix):
    wrong = _off_diagonal(matrix)
    row = int(wrong.sum(1).argmax())
    return row, int(wrong[row].argmax())


def _both_ways(matrix):
    both = np.triu(np.array(matrix) + np.transpose(matrix), 1)
    return tuple(int(place) for place in np.unravel_index(both.argmax(), both.shape))


def _first_found(matrix):
    count = _how_often(matrix)
    return next((place, row.index(count)) for place, row in enumerate(matrix) if count in row)


def _how_often(matrix):
    row, column = _most_confused(matrix)
    return matrix[row][column]


def _flat_place(matrix):
    row, column = _most_confused(matrix)
    return row * len(matrix) + column


def _matrices(rng):
    """Draw confusion matrices with a strong diagonal and one largest mistake, as lists."""
    cases = []
    for size in (4, 5, 6, 4):
        table = rng.integers(0, 5, (size, size))
        table[np.arange(size), np.arange(size)] = rng.integers(20, 40, size)
        row, column = rng.choice(size, 2, replace=False)
        table[row, column] = 9
        other = (row + 1) % size  # a rare word, mistaken seldom and yet in a larger share
        table[other, other] = 12
        table[other, row] = 8
        cases.append((table.tolist(),))
    mostly_mistaken = [
        [8, 0, 1, 0, 0],
        [2, 7, 1, 0, 0],
        [3, 5, 7, 1, 0],
        [0, 0, 1, 6, 2],
        [0, 1, 9, 0, 4],
    ]
    # most mistakes in row 1 and in column 0, the largest where neither is
    scattered = [[30, 0, 9, 0], [5, 30, 0, 5], [4, 0, 30, 0], [4, 2, 0, 30]]
    on_the_diagonal = [[3, 0, 0], [3, 9, 0], [0, 0, 9]]
    return [*cases, (mostly_mistaken,), (scattered,), (on_the_diagonal,)]


EXERCISES = (
    Exercise(
        id="9.1",
        ask="baseline(labels): the share right of the best model that always says the same",
        judge=function(_baseline, _labels, tolerance=1e-9),
        mistakes=[
            (lambda ls: ls.count(1) / len(ls), "You always say unknown: is another more frequent?"),
            (lambda ls: ls.count(0) / len(ls), "You always say silence: is another more frequent?"),
            *(
                (wrong, "That is right where every label has as many clips: count them.")
                for wrong in (
                    lambda labels: 1 / len(set(labels)),
                    lambda labels: 1 / (1 + max(labels)),
                    lambda labels: 0.25,
                )
            ),
            (lambda labels: sum(label > 1 for label in labels) / len(labels),
             "That counts all of your words: the model gives one answer to every clip."),
            (lambda labels: max(map(labels.count, {*labels} - {0})) / len(labels),
             "Silence is an answer, too: it may be the most frequent one."),
            (lambda labels: _baseline([label for label in labels if label > 1]),
             "Silence and unknown are clips, too: take them all."),
            (
                lambda labels: (
                    sum(labels.count(label) ** 2 for label in {*labels}) / len(labels) ** 2
                ),
                "That is how often a guesser is right who draws: the best answer alone is asked.",
            ),
            (when(lambda _, value: value.kind == "AttributeError"),
             "`labels` is a plain list: `labels.count(1)` counts, `len(labels)` are all."),
            (lambda ls: max(map(ls.count, ls)), "That is a number of clips: which share of all?"),
            (lambda labels: min(map(labels.count, labels)) / len(labels),
             "That is the rarest label: take the most frequent."),
            (lambda labels: 1 - _baseline(labels), "That is the share that it gets wrong."),
            *(
                (wrong, "A label is a name, not an amount: count how often each occurs.")
                for wrong in (
                    lambda labels: max(labels) / len(labels),
                    lambda labels: max(labels, key=labels.count) / len(labels),
                )
            ),
            (lambda labels: 100 * _baseline(labels), "These are percents: a share is at most 1."),
            (lambda ls: max(ls, key=ls.count), "That is the label: which share of clips has it?"),
            (lambda labels: labels.count(max(labels)) / len(labels),
             "The largest label is a name: is it frequent?"),
            (lambda labels: max(map(labels.count, range(max(labels)))) / len(labels),
             "You leave the last label out: range() stops before its end."),
            (lambda labels: max(map(labels.count, range(4))) / len(labels),
             "There may be more than four labels: count each that occurs."),
            (lambda labels: labels.count(labels[0]) / len(labels),
             "You always say the first clip's: is another more frequent?"),
            (lambda labels: sum(labels) / len(labels),
             "A mean of labels says nothing: they are names. Count how often each occurs."),
            (lambda labels: len(set(labels)) / len(labels), "That counts labels: count clips."),
            (lambda labels: max(map(labels.count, labels)) / len(set(labels)),
             "Divide by the number of clips, not of labels."),
            (lambda ls: len(ls) / max(map(ls.count, ls)), "Upside down: divide by all clips."),
            (lambda labels: max(map(labels.count, labels)) // len(labels),
             "A share lies between 0 and 1: keep its fraction."),
            (lambda labels: max(labels), "That is a label: which share of the clips has it?"),
            (lambda labels: 1 / len(labels), "That is one clip: how many are right?"),
            (when(lambda arguments, value: hasattr(value, "__len__")),
             "One number is asked: the share of the clips with the most frequent label."),
            (lambda labels: 0.5, "That is right for the example: count in `labels`."),
            (lambda labels: max(labels.count(0), labels.count(1)) / len(labels),
             "Your own words may be more frequent than silence and unknown."),
            (otherwise(lambda given, got: got > 1), "A share is at most 1: divide by len(labels)."),
            (otherwise(lambda g, got: round(got * len(g[0])) in map(g[0].count, range(9))),
             "That is the share of one label, and another is more frequent: count each."),
            (otherwise(lambda given, got: type(got) is float),
             "How often does the most frequent label occur? Divide that by the number of clips."),
        ],
        right="a spotter has to do better than that, or it has learnt nothing.",
        hints=(
            "Which answer is right most often?",
            "A list can count: [0, 1, 1, 3].count(1) is 2.",
        ),
    ),
    Exercise(
        id="9.2",
        ask="begin(new, trained, last): every layer of `trained`, but `last` from `new`",
        judge=function(_begin, _networks),
        mistakes=[
            (lambda new, trained, last: dict(trained),
             "The trained last layer has answers for other words: keep yours."),
            (lambda new, trained, last: _begin(trained, new, last),
             "The other way round: all layers *but* the last are trained."),
            (lambda new, trained, last: {name: trained[name] for name in new if name != last},
             "The last layer is missing: it comes from `new`."),
            (lambda new, trained, last: {last: new[last]}, "Where are the trained layers?"),
            (lambda new, trained, last: dict(new),
             "That is the untrained network: take the layers of `trained` before `last`."),
            (lambda new, trained, last: {**trained, last: new},
             "The last layer gets its own weights, not the whole network: new[last]."),
            (lambda new, trained, last: {**trained, last: [0.0] * len(new[last])},
             "Not zeros: take what `new` has in that layer."),
            (when(lambda arguments, value: isinstance(value, dict) and "last" in value),
             '"last" in quotes is a name of its own: the variable `last` holds the name.'),
            (when(lambda arguments, value: isinstance(value, Raised) and "'last'" in str(value)),
             '"last" in quotes is a name of its own: the variable `last` holds the name.'),
            (when(lambda _, value: value.kind == "KeyError" and "-1" in value.message),
             "A dict has names, no places: new[last]."),
            (when(lambda _, value: value.kind == "KeyError"),
             "Layers have other names in other networks: `last` holds the one that you need."),
            (when(lambda _, value: "for +" in value.message),
             "Dictionaries are not added: {**trained} is a copy, of which one name may change."),
            (when(lambda given, value: {**value, given[2]: 0} == {**given[1], given[2]: 0}),
             "All is right but the last layer: it gets new[last]."),
            (when(lambda given, value: value[given[2]] == given[1][given[2]]),
             "The layer called `last` comes from `new`, wherever it stands in the network."),
            (when(lambda given, value: value[given[2]] == given[0][given[2]]),
             "The last layer is right; all others come from `trained`, as they are."),
            (when(lambda arguments, value: isinstance(value, (list, tuple, set))),
             "A dictionary is asked: from every layer's name to its weights."),
            (when(lambda given, got: any(isinstance(each, dict) for each in got.values())),
             "A layer gets its own weights, not the whole network: trained[name]."),
            (otherwise(lambda given, got: got.keys() == given[0].keys()),
             "The layer whose name is `last` comes from `new`, every other one from `trained`."),
        ],
        right="what it knows about sound stays, what it knew about words goes.",
        hints=("`name: value for name in new` in braces makes a dictionary.",),
    ),
    Exercise(
        id="9.4",
        ask="most_confused(matrix): (said, heard) of the most frequent mistake",
        judge=function(_most_confused, _matrices),
        mistakes=[
            (_by_sums,
             "The row and the column with most mistakes may meet in a small cell: go by cells."),
            (_by_rows,
             "The row with most mistakes need not hold the largest one: compare single cells."),
            (_both_ways,
             "You add both directions: yes heard as no is another mistake than no as yes."),
            (_first_found,
             "You look for the count anew, and find it on the diagonal: remember its place."),
            (partial(_most_confused, diagonal=True),
             "On the diagonal, what was said was heard: that is no mistake."),
            (lambda m: _most_confused(m)[::-1], "The row is what was said: it comes first."),
            (lambda matrix: _most_confused([[n / sum(row) for n in row] for row in matrix]),
             "You compare shares of a row. Which mistake was made most often, in clips?"),
            (
                lambda matrix: _most_confused(
                    [[n + matrix[b][a] for b, n in enumerate(row)] for a, row in enumerate(matrix)]
                ),
                "You add both directions: yes heard as no is another mistake than no as yes.",
            ),
            (_how_often, "That is how often it happened. Between which two labels?"),
            (_flat_place, "One number counts through all cells: give the row and the column."),
            (when(lambda arguments, value: isinstance(value, Raised)),
             "The matrix is a list of rows: matrix[said][heard] is one of its counts."),
            (lambda m: tuple(place + 1 for place in _most_confused(m)),
             "Python counts places from 0: the first row is row 0."),
            (lambda m: _most_confused(m)[0],
             "Two places are asked: what was said, and what was heard."),
            (lambda m: _most_confused(m)[1],
             "Two places are asked: what was said, and what was heard."),
            (lambda m: _most_confused([[-n for n in row] for row in m]),
             "That is the rarest mistake; the most frequent one is asked."),
            (
                lambda m: _most_confused(
                    [[n * (b > a) for b, n in enumerate(row)] for a, row in enumerate(m)]
                ),
                "You look above the diagonal only: below it are mistakes, too.",
            ),
            (
                lambda m: _most_confused(
                    [[n * (b < a) for b, n in enumerate(row)] for a, row in enumerate(m)]
                ),
                "You look below the diagonal only: above it are mistakes, too.",
            ),
            (
                lambda m: _most_confused(
                    [[n * (n < max(row)) for n in row] for row in m], diagonal=True
                ),
                "The largest of a row may be a mistake: leave the diagonal out, not the largest.",
            ),
            (
                lambda m: _most_confused(
                    [[n * (min(a, b) > 1) for b, n in enumerate(row)] for a, row in enumerate(m)]
                ),
                "Silence and unknown are labels like the others: look at all rows and columns.",
            ),
            (lambda m: _most_confused([row[:4] for row in m[:4]]),
             "There may be more than four labels: `len(matrix)` says how many."),
            (lambda m: (*_most_confused(m), _how_often(m)),
             "The two places are enough: leave the count out."),
            (when(lambda arguments, value: len(value) != 2), "Return one pair, (said, heard)."),
            (when(lambda arguments, value: type(value) is int),
             "One number is no pair: return (said, heard), two places."),
            (when(lambda given, got: tuple(got) == (len(given[0]) - 1, len(given[0]) - 2)),
             "The last pair of all: keep the best count so far, or give max a key=."),
            (otherwise(lambda given, got: given[0][got[0]][got[1]] < max(map(max, given[0]))),
             "Another place off the diagonal has more: compare all rows, all columns, by count."),
        ],
        right="that pair is where your next recordings help most.",
        hints=(
            "Go through all pairs of places that are not equal.",
            "max(pairs, key=...) takes a function that says how many clips a pair stands for.",
        ),
    ),
)  # fmt: skip
