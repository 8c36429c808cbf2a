"""The exercises of lesson 28: traces under a signature, bytes over a cut, the best cut."""

from __future__ import annotations

from course_lib.exercises.answers import Raised
from course_lib.exercises.core import Exercise, otherwise, when
from course_lib.exercises.judges import array, function

# 28.5: what crosses a cut


def _bytes_sent(rows, cut):
    return _sent(rows[:cut], rows[cut:])


def _sent_sizes(rows, cut):
    read = {name for row in rows[cut:] for name in row[2]}
    return [row[1] for row in rows[:cut] if row[0] in read]


def _sent(senders, readers):
    read = {name for row in readers for name in row[2]}
    return sum(row[1] for row in senders if row[0] in read)


def _edge_by_edge(rows, cut):
    sizes = {name: size for name, size, _ in rows[:cut]}
    return sum(sizes.get(name, 0) for row in rows[cut:] for name in row[2])


def _of_all_inputs(rows, cut, inputs=slice(None), readers=slice(None)):
    read = {name for row in rows[cut:][readers] for name in row[2][inputs]}
    return sum(row[1] for row in rows[:cut] if row[0] in read)


def _sizes_once(rows, cut):
    return sum(set(_sent_sizes(rows, cut)))


def _readers(rows, cut):
    here = {row[0] for row in rows[:cut]}
    return sum(row[1] for row in rows[cut:] if here & set(row[2]))


def _unread_here(rows, cut):
    read = {name for row in rows[:cut] for name in row[2]}
    return sum(row[1] for row in rows[:cut] if row[0] not in read)


def _drawn_graphs(rng):
    """Draw graphs as rows in which some tensors are read twice, some late, some never."""
    drawn = [([("a", 8, []), ("b", 8, ["a"]), ("c", 2, ["a", "b"]), ("d", 1, ["a", "c"])], 2)]
    drawn += [([("add", 8, []), ("add_1", 4, ["add"]), ("mul", 2, ["add_1"])], 2)]
    for _ in range(8):
        names = [f"op_{place}" for place in range(int(rng.integers(4, 9)))]
        rows = []
        for place, name in enumerate(names):
            count = int(rng.integers(1, 3))
            inputs = {names[int(rng.integers(0, place))] for _ in range(count)} if place else ()
            rows.append((name, int(rng.integers(1, 100)) * 4, sorted(inputs)))
        drawn.append((rows, int(rng.integers(1, len(rows)))))
    return drawn


# 28.7: the best cut


def _best_cut(on_a, on_b, sent, link, weight=1):
    def total(cut):
        return sum(on_a[:cut]) + sent[cut] / link + weight * sum(on_b[cut:])

    return min(range(len(sent)), key=total)


def _least(total, first=0, last=0):
    """Return the cut of the least `total(a, b, bytes, link, cut)`, out of all but some cuts."""

    def best(on_a, on_b, sent, link):
        cuts = range(first, len(sent) - last)
        return min(cuts, key=lambda cut: total(on_a, on_b, sent, link, cut))

    return best


def _time(on_a, on_b, sent, link, cut):
    return sum(on_a[:cut]) + sent[cut] / link + sum(on_b[cut:])


def _middle(on_a, on_b, sent, link):
    return min(range(len(sent)), key=lambda cut: abs(2 * sum(on_a[:cut]) - sum(on_a)))


def _tables(rng):
    """Draw seconds, bytes and links: none so slow or so fast that one of them alone decides."""
    drawn = []
    for _ in range(30):
        count = int(rng.integers(4, 9))
        on_a = [float(x) for x in rng.uniform(0.01, 0.2, count).round(3)]
        on_b = [float(x) for x in rng.uniform(0.01, 0.1, count).round(3)]
        sent = [int(x) for x in rng.integers(10, 3000, count + 1)]
        drawn.append((on_a, on_b, sent, int(rng.integers(2, 40)) * 1000))
    all_on_a = [0.01] * 4, [0.05] * 4, [900, 800, 700, 600, 0], 5000
    nearly_equal = [0.1], [0.096], [10, 0], 5000
    return [*drawn, all_on_a, nearly_equal]


_ALL_NAMES = "An operation may read several tensors: look at all names of its inputs."
_THIS_CUT = "The bytes of a cut are sent[cut], neither those before nor behind it."
_SUMS = (  # what is added up at a cut, how many cuts are left out at the end, the hint
    (lambda a, b, s, v, k: s[k] / v + sum(b[k:]), 0, "You leave out the operations on A."),
    (lambda a, b, s, v, k: sum(a[:k]) + (v / s[k] if s[k] else 0) + sum(b[k:]), 0,
     "Bytes divided by bytes a second are seconds: sent[cut] / link."),
    (lambda a, b, s, v, k: a[k] + s[k] / v + sum(b[k:]), 1,
     "Not one operation alone on A: add up all before the cut."),
    (lambda a, b, s, v, k: sum(a[: k + 1]) + s[k] / v + sum(b[k + 1 :]), 0,
     "Operation `cut` stands on B: on_a[:cut] and on_b[cut:]."),
    (lambda a, b, s, v, k: sum(a[: k - 1]) + s[k] / v + sum(b[k:]), 0,
     "The first `cut` operations are on_a[:cut]."),
    (lambda a, b, s, v, k: sum(a[:k]) + s[k - 1] / v + sum(b[k:]), 0, _THIS_CUT),
    (lambda a, b, s, v, k: sum(a[:k]) + s[k + 1] / v + sum(b[k:]), 1, _THIS_CUT),
    (lambda a, b, s, v, k: sum(a[:k]) + 8 * s[k] / v + sum(b[k:]), 0,
     "`link` counts bytes a second, not bits."),
    (lambda a, b, s, v, k: sum(a[:k]) + 2 * s[k] / v + sum(b[k:]), 0,
     "The bytes go over the link once."),
    (lambda a, b, s, v, k: sum(a) + s[k] / v + sum(b[k:]), 0,
     "Only the operations before the cut run on A: on_a[:cut]."),
    (lambda a, b, s, v, k: sum(a[k:]) + s[k] / v + sum(b[k:]), 0,
     "A runs the operations before the cut, on_a[:cut]."),
    (lambda a, b, s, v, k: sum(a[:k]) + s[k] / v + sum(b[:k]), 0,
     "B runs the operations from the cut on, on_b[cut:]."),
    (lambda a, b, s, v, k: (sum(a[:k]) + sum(b[k:])) * s[k] / v, 0,
     "Seconds of A, of the link, and of B: they add up."),
    (lambda a, b, s, v, k: _time(a, b, s, v, k) + 0.005 * (k < len(a)), 0,
     "Nothing else is waited for: the link takes sent[cut] / link."),
)  # fmt: skip
_SENT = (
    (lambda rows, cut: rows[cut][1], "Not what row `cut` makes: what it and others read."),
    (lambda rows, cut: sum(row[1] for row in rows[cut:]),
     "Those are the tensors that B makes: sent are those of A."),
    (lambda rows, cut: _bytes_sent(rows, cut - 1),
     "The first `cut` rows are rows[:cut]: one more belongs to A."),
    (lambda rows, cut: _sent(rows[:cut], rows[cut + 1 :]),
     "Row `cut` itself stands on B, and reads: rows[cut:]."),
    (lambda rows, cut: _sent(rows[: cut - 1], rows[cut:]),
     "The last row of A is rows[cut - 1]: rows[:cut] has it."),
    (lambda rows, cut: _sent(rows[: cut + 1], rows[cut:]),
     "Row `cut` stands on B already: rows[:cut] stops before it."),
    (lambda rows, cut: next(iter(_sent_sizes(rows, cut)), 0),
     "Only the first tensor is counted: is there a return in the loop?"),
    (lambda rows, cut: [0, *_sent_sizes(rows, cut)][-1],
     "Only the last tensor is counted: add each one to a sum."),
    (lambda rows, cut: max(_sent_sizes(rows, cut), default=0),
     "Not the largest alone: all that are read on B are sent."),
    (lambda rows, cut: _sent(rows[:cut], rows),
     "What A reads itself is not sent: only rows[cut:] stand on B."),
    (lambda rows, cut: _sent(rows[:cut], rows[:cut]),
     "That is what A reads itself: sent is what rows[cut:] read."),
    (lambda rows, cut: sum(row[1] for row in rows[:cut]) - _bytes_sent(rows, cut),
     "That is what nobody on B reads: the others are sent."),
    (lambda rows, cut: sum(
        row[1] for row in rows[:cut] if row[0] in str([r[2] for r in rows[cut:]])),
     "add is a part of add_1, and another name: look for it in the list, not in a text."),
    (lambda rows, cut: sum(row[1] for row in rows[cut:] for _ in row[2]),
     "Those are the bytes of the readers: sent is what they read."),
    (lambda rows, cut: sum(len(row[2]) for row in rows[cut:]),
     "You count names: add up the bytes of the rows with these names."),
    (lambda rows, cut: _of_all_inputs(rows, cut, inputs=slice(-1, None)), _ALL_NAMES),
    (lambda rows, cut: sum(row[1] for row in rows[:cut] if [row[0]] in [r[2] for r in rows[cut:]]),
     "An operation may read several tensors: ask `name in inputs`, not ==."),
)  # fmt: skip

EXERCISES = (
    Exercise(
        id="28.2",
        ask="traces: a list of two numbers of traces, without and with a signature",
        judge=array([3, 1]),
        mistakes=[
            ([5, 1], "Five calls, but one number comes twice and one tensor is like another."),
            ([4, 1], "Two tensors of one shape and type share a graph, whatever their values."),
            ([2, 1], "Numbers of Python are told apart by their values: each has its own graph."),
            ([1, 1], "Without a signature, a number of Python is a constant of the graph."),
            ([3, 3], "With a signature every argument is made a tensor before it is looked at."),
            ([3, 2], "With a signature, numbers become tensors as well: one kind is left."),
            ([5, 5], "Not every call traces: what it has seen already, it does not trace again."),
            ([5, 3], "Five calls, but one number comes twice and one tensor is like another."),
            ([3, 0], "Nothing runs before it was traced: the first call always traces."),
            ([1, 3], "The other way round: first without, then with the signature."),
            (when(lambda value: len(value) == 2 and value[0] == 3),
             "3 is right. With a signature all five become tensors of one shape and type."),
            (when(lambda value: len(value) == 2 and value[1] == 1),
             "1 is right. Without one, each new number of Python counts, and the tensors once."),
            (when(lambda value: len(value) == 2),
             "How many numbers are new? Do the tensors differ in kind? And with a signature?"),
        ],
        right="a signature says beforehand what may come, so nothing new ever does.",
        hints=(
            "How many different numbers of Python are there? The tensors share one graph.",
            "The signature makes a tensor of shape () and type float32 of each argument.",
        ),
    ),
    Exercise(
        id="28.5",
        ask="bytes_sent(rows, cut): the bytes of all tensors that go from A to B",
        judge=function(_bytes_sent, _drawn_graphs, whole=True),
        mistakes=[
            (_edge_by_edge, "You count every edge: a tensor with two readers on B goes once."),
            (lambda rows, cut: rows[cut - 1][1],
             "Not the last tensor of A alone: others may be read on B too, or it may not be."),
            (lambda rows, cut: sum(row[1] for row in rows[:cut]),
             "Not everything that A makes: only what somebody on B reads."),
            (lambda rows, cut: len(_sent_sizes(rows, cut)),
             "You count tensors: add up their bytes."),
            (lambda rows, cut: _bytes_sent(rows, cut + 1),
             "The first row of B is rows[cut], not rows[cut + 1]."),
            *_SENT,
            (_sizes_once, "Two tensors of equal size are two: collect names, not sizes."),
            (_readers, "Those are the bytes of the readers: sent is what they read."),
            (lambda rows, cut: _sent(rows, rows[cut:]),
             "What B makes itself need not be sent: is the name one of A?"),
            (_unread_here, "What A reads itself may be read on B, too: look at the readers on B."),
            (lambda rows, cut: _of_all_inputs(rows, cut, inputs=slice(1)),
             "An operation may read several tensors: look at all names of its inputs."),
            (lambda rows, cut: _of_all_inputs(rows, cut, readers=slice(1)),
             "Not the first row of B alone: every row from `cut` on may read from A."),
            (lambda rows, cut: 0, "The rows from `cut` on read, and those before it are read."),
            (when(lambda _, value: isinstance(value, (list, tuple, set, dict))),
             "One number is asked: add up the bytes."),
            (otherwise(lambda given, got: got > _bytes_sent(*given)),
             "Too many: a tensor of A that B reads goes once, and no other is sent."),
            (otherwise(lambda given, got: got < _bytes_sent(*given)),
             "Too few: every tensor of A counts that any row from `cut` on reads."),
        ],
        right="that is what TensorFlow sends, too: a tensor once, however many read it.",
        hints=(
            "Which names do the rows from `cut` on read?",
            "Add up the bytes of the rows before `cut` whose name is among those.",
        ),
    ),
    Exercise(
        id="28.7",
        ask="best_cut(on_a, on_b, sent, link): how many operations to leave on A",
        judge=function(_best_cut, _tables, whole=True),
        mistakes=[
            (lambda on_a, on_b, sent, link: min(range(len(sent)), key=sent.__getitem__),
             "Bytes are no seconds: add sent[cut] / link to what A and B take."),
            (_least(lambda a, b, s, v, k: sum(a[:k]) + sum(b[k:]) + s[k] * v),
             "Bytes divided by bytes a second are seconds: / and not *."),
            (_least(lambda a, b, s, v, k: sum(a[:k]) + sum(b[k:]) + s[k] // v),
             "// drops parts of a second: divide by /."),
            (_least(lambda a, b, s, v, k: sum(a[:k]) + sum(b[k:]) + s[k] / v / 1000),
             "The link hardly counts in yours: sent[cut] / link are seconds, all of them."),
            (_middle, "Half of the work is no aim: add up the seconds of each cut."),
            (lambda on_a, on_b, sent, link: _best_cut(on_a, on_b, [0] * len(sent), link),
             "The link hardly counts in yours: sent[cut] / link are seconds, all of them."),
            (lambda on_a, on_b, sent, link: _best_cut(on_a, on_b, sent, link, weight=0),
             "You leave out the operations on B."),
            (lambda on_a, on_b, sent, link: _best_cut(on_b, on_a, sent, link),
             "The operations before the cut run on A, those from it on on B."),
            (_least(_time, last=1), "Everything may stay on A: the last cut is len(sent) - 1."),
            (_least(_time, first=1), "Everything may stand on B: the first cut is 0."),
            (lambda *given: _least(_time, first=1)(*given) - 1,
             "You begin at 1, and count places from 0: try every cut from 0 on."),
            (_least(lambda *given: -_time(*given)),
             "That cut takes most time: the least is asked."),
            (_least(lambda a, b, s, v, k: max(sum(a[:k]), sum(b[k:])) + s[k] / v),
             "B waits for A: their seconds add up, the larger is not enough."),
            (_least(lambda a, b, s, v, k: a[k] + b[k] + s[k] / v, last=1),
             "Not one operation alone: add up all before the cut on A, and the others on B."),
            (_least(lambda a, b, s, v, k: sum(a[: k + 1]) + sum(b[k:]) + s[k] / v),
             "Operation `cut` stands on B alone: A ends before it."),
            (_least(lambda a, b, s, v, k: sum(a[:k]) + sum(b[k + 1 :]) + s[k] / v),
             "Operation `cut` is B's first: nobody runs it in your sum."),
            (_least(lambda a, b, s, v, k: sum(a[:k]) + sum(b[k:]) + sum(s[:k]) / v),
             "sent[cut] is all that is sent at a cut: do not add those before it."),
            *((_least(wrong, last=last), words) for wrong, last, words in _SUMS),
            (lambda on_a, on_b, sent, link: len(on_a),
             "Always all on A: remember the least time with its cut, and compare with it."),
            (lambda on_a, on_b, sent, link: len(on_a) // 2,
             "Half of the operations is no aim: add up the seconds of each cut."),
            (when(lambda given, value: value == min(given[2])),
             "Those are bytes: which cut takes the least time?"),
            (when(lambda _, value: isinstance(value, Raised)),
             "Cuts go from 0 to len(sent) - 1, one more than there are operations."),
            (when(lambda _, value: isinstance(value, float)),
             "That is a time: at which cut is it?"),
            (when(lambda _, value: isinstance(value, list)),
             "Those are the times of the cuts: which cut has the least?"),
            (otherwise(lambda given, got: 0 <= got < len(given[2])),
             "Another cut takes less: on_a[:cut], on_b[cut:] and sent[cut] / link, added up."),
        ],
        right="that decides it for any chain of operations, two devices and a link.",
        hints=(
            "Try every cut from 0 to len(sent) - 1, and keep the one with the least time.",
            "The time of a cut: on_a before it, sent[cut] / link, on_b from it on.",
        ),
    ),
)  # fmt: skip
