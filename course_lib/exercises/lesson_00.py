"""The exercises of lesson 00: how exercises work, on a few things that every lesson needs."""

from __future__ import annotations

from operator import le, lt

from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import function, number
from course_lib.sound.dataset import LABELS


def _is(*kinds):
    return when(lambda _, value: isinstance(value, kinds))


def _raised(kind, words=""):
    return when(lambda _, value: value.kind == kind and words in value.message)


# 0.1: samples and seconds


def _seconds(samples, rate_hz):
    return samples / rate_hz


def _lengths(rng):
    """Draw lengths that are no whole number of seconds, at the usual rates."""
    rates = (8_000, 16_000, 44_100, 48_000)
    return [(int(rng.integers(1, 40)) * 500 + 125, int(rng.choice(rates))) for _ in range(8)]


# 0.2: the answer's name


def _name(answer):
    return LABELS[max(range(len(LABELS)), key=lambda place: answer[place])]


def _answers(rng):
    """Draw shares that add up to one, each label the largest of one of them."""
    drawn = []
    for best in (2, 0, 3, 1, 2):
        shares = sorted((rng.dirichlet([1, 1, 1, 1]) * 0.6).tolist())
        shares[best], shares[3] = shares[3], shares[best]
        shares[best] += 0.4
        drawn.append(([round(share, 3) for share in shares],))
    return [*drawn, ([0.3, 0.25, 0.35, 0.1],), ([0.1, 0.2, 0.3, 0.4],)]  # none has a half


# 0.4: a decision


def _decide(answer, least):
    return _name(answer) if max(answer) >= least else "_unknown_"


def _decisions(rng):
    """Draw shares below, at and above the least share that is asked."""
    drawn = [([0.125, 0.125, 0.5, 0.25], 0.5), ([0.75, 0.125, 0.125, 0.0], 0.75)]
    drawn += [([0.25, 0.125, 0.5, 0.125], 0.25)]  # two of them are large enough
    for best, step in ((2, 0.1), (3, 0.1), (3, -0.1), (2, -0.1), (0, 0.1)):
        shares = (rng.dirichlet([1, 1, 1, 1]) * 0.4).tolist()
        shares[best] += 0.6  # more than all others together
        drawn.append(([round(share, 3) for share in shares], round(shares[best] - step, 3)))
    return drawn


# 0.5: whole models in flash memory


def _copies(flash_bytes, model_bytes):
    return flash_bytes // model_bytes


def _chips(rng):
    """Draw models, and chips that hold some and a bit less or more than half of another."""
    drawn = [(3000, 1000), (1000, 3000)]
    for more in (0.1, 0.5, 0.1, 0.5, 0.5, 0.1):
        model, whole = int(rng.integers(1000, 40_000)), int(rng.integers(2, 30))
        drawn.append((model * whole + int(more * model + rng.integers(1, model // 3)), model))
    return drawn


EXERCISES = (
    Exercise(
        id="0.1",
        ask="seconds(samples, rate_hz): how long so many samples last",
        judge=function(_seconds, _lengths, tolerance=1e-9),
        mistakes=[
            (lambda s, r: r / s,
             "You divide the wrong way round: twice the samples must last twice as long."),
            (lambda s, r: s * r,
             "You multiply, but at a higher rate the same samples are over sooner."),
            (lambda s, r: s // r,
             "You throw the fraction of a second away, as `//` and `int` do: one `/` keeps it."),
            (lambda s, r: s / 16_000, "It is right at 16,000 Hz only: use `rate_hz`."),
            (lambda s, r: s / 1000, "You divide by 1,000: how many samples fill a second?"),
            (lambda s, r: s + r, "You add: how often does `rate_hz` fit into `samples`?"),
            (lambda s, r: (s - 1) / r, "Each sample lasts: none is taken away."),
            (lambda s, r: 1000 * s / r, "These are milliseconds; seconds are asked for."),
            (lambda s, r: s / r / 60, "These are minutes; seconds are asked for."),
            (lambda s, r: s % r, "`%` gives the samples that are left over, not the seconds."),
            (lambda s, r: s - r, "How often does `rate_hz` fit into `samples`?"),
            (when(lambda _, value: value == 0.5),
             "0.5 answers the example only: use `samples` and `rate_hz`."),
            (_is(str), "That is a text: return the number alone, without a unit."),
        ],
        right="samples over samples per second leaves seconds.",
        hints=(
            "16,000 samples at 16,000 Hz last one second. And 8,000 samples?",
            "Look at the units: samples, divided by samples per second.",
        ),
    ),
    Exercise(
        id="0.2",
        ask="name(answer): the label that gets the largest of the four shares",
        judge=function(_name, _answers),
        mistakes=[
            (lambda answer: max(answer),
             "That is the largest share itself. Which place in the list does it have?"),
            (lambda answer: list(answer).index(max(answer)),
             "That is the place of the largest share. LABELS has a name at each place."),
            (lambda answer: LABELS[list(answer).index(min(answer))],
             "You name the smallest share; the model means the largest."),
            *(
                (
                    lambda answer, label=label: label,
                    f"You say {label!r} whatever the answer is: look the largest share up.",
                )
                for label in LABELS
            ),
            (lambda answer: "yes" if answer[2] > answer[3] else "no",
             "You look at the two words alone: any of the four shares may be the largest."),
            (
                lambda answer: next(
                    (name for name, share in zip(LABELS, answer, strict=False) if share > 0.5), None
                ),
                "The largest share may be less than a half: compare the shares with each other.",
            ),
            (_raised("ValueError"),
             "LABELS holds no shares: search in `answer`, then take the name."),
            (_raised("TypeError", "indices"), "A share is no place: at which place does it stand?"),
            (_raised("AttributeError"), "The answer may be a plain list: use np.argmax(answer)."),
            (_raised("IndexError"),
             "The largest share may be less than a half: compare the shares with each other."),
            (_raised("NameError", "np"), "Unknown yet: `import numpy as np` comes first."),
            (_is(tuple, list, dict), "Return the name alone: you packed it into something."),
            (when(lambda _, value: f"_{value}_" in LABELS),
             "Two labels have underscores: take the names from LABELS."),
            (when(lambda _, value: value in LABELS or f"_{value}_" in LABELS),
             "A name, but of another share: look for the largest, and count LABELS from 0."),
        ],
        right="the place of the largest share is the answer, and LABELS gives it a name.",
        hints=(
            "Two steps: find the place of the largest share, then look it up in LABELS.",
            "numpy.argmax(answer) is the place of the largest share.",
        ),
    ),
    Exercise(
        id="0.3",
        ask="numbers: how many numbers the model sees of one second",
        judge=number(49 * 40),
        mistakes=[
            (89, "You add the two sides: a picture of 49 by 40 is 49 rows of 40 numbers."),
            (16_000, "That is the sound. The model sees the picture that is made of it."),
            (49, "These are the moments; at each of them there are 40 pitches."),
            (40, "These are the pitches; there are 49 moments with as many each."),
            (4, "That is what comes out of the model. What goes in?"),
            (49 * 40 * 4,
             "Four bytes a number, or four shares? Count the picture's numbers alone."),
            (2, "The picture has two sides. How many numbers stand in all of its rows?"),
            (when(lambda n: 48 * 39 <= n <= 50 * 41 and n % 1 == 0 and n != 49 * 40),
             "Nearly: 49 moments, and 40 pitches at each."),
            (when(lambda value: value in (49 * 49, 40 * 40)),
             "The picture is no square: its two sides differ."),
            (when(lambda value: 18_000 < value < 23_000),
             "That is the size of the model in bytes. How large is what it looks at?"),
            (when(lambda value: value > 2500),
             "The sound is gone by then: multiply its two sides, and nothing else."),
            (when(lambda value: value != round(value)),
             "Not what the numbers add up to, but how many they are."),
        ],
        right="49 moments by 40 pitches.",
        hints=("`picture.shape` holds two numbers.", "`picture.size` counts for you."),
    ),
    Exercise(
        id="0.4",
        ask='decide(answer, least): the label of the largest share, or "_unknown_" below `least`',
        judge=function(_decide, _decisions),
        mistakes=[
            (lambda a, least: _name(a), "You never doubt: compare the largest share with `least`."),
            (lambda a, least: _name(a) if max(a) > least else "_unknown_",
             "Exactly `least` is enough: is it `>` or `>=`?"),
            *(
                (
                    lambda a, least, known=known: _name(a) if known(max(a), least) else "_unknown_",
                    "It is the other way round: you doubt the sure answers.",
                )
                for known in (lt, le)
            ),
            (lambda a, least: _name(a) if max(a) >= 0.7 else "_unknown_",
             "You compare with a number of your own: use `least`."),
            (
                lambda a, least: _name(a) if max(a) >= least else "unknown",
                'The label has underscores, as in LABELS: "_unknown_".',
            ),
            (lambda a, least: max(a) >= least,
             "You say whether it is sure. Which label is it then?"),
            (
                lambda a, least: _name(a) if max(a) >= least else "_silence_",
                'Something was heard, so it is no silence: doubt is "_unknown_".',
            ),
            (lambda a, least: "_unknown_",
             "You always doubt: it is enough that the largest of the four reaches `least`."),
            (lambda a, least: _name(a) if a.index(max(a)) >= least else "_unknown_",
             "You compare the place of the largest share with `least`: compare the share."),
            (lambda a, least: LABELS[0] if a[0] >= least else "_unknown_",
             "Your loop ends at the first share, whatever it is: doubt only after all four."),
            *(
                (
                    lambda a, least, place=place: _name(a) if a[place] >= least else "_unknown_",
                    "You look at one and the same share always: which is the largest?",
                )
                for place in range(4)
            ),
            (
                lambda a, least: next(
                    (name for name, share in zip(LABELS, a, strict=False) if share >= least),
                    "_unknown_",
                ),
                "More than one share may reach `least`: the largest of them is the answer.",
            ),
            (when(lambda given, value: value is None and max(given[0]) < given[1]),
             "Where the share is too small nothing comes back: what is the answer there?"),
            (when(lambda given, value: value is None and max(given[0]) >= given[1]),
             "Where the share is large enough nothing comes back: is your `name` right?"),
            (_is(int), "That is a place, no label: LABELS has a name at each place."),
            (_is(float), "That is a share, no label: whose share is it?"),
            (lambda a, least: "yes" if a[2] >= least else "no" if a[3] >= least else "_unknown_",
             "You look at two words alone: any of the four shares may be the largest."),
            (_raised("AttributeError"), "The answer may be a plain list: use max(answer)."),
            (_raised("TypeError"), "Compare no list and no label with `least`: take a share."),
        ],
        right="the higher `least`, the fewer false alarms, and the more words are missed.",
        hints=(
            "`max(answer)` is the largest share: is it at least `least`?",
            "One line can do it: `return A if condition else B`.",
        ),
    ),
    Exercise(
        id="0.5",
        ask="copies(flash_bytes, model_bytes): how many whole models fit",
        judge=function(_copies, _chips, whole=True),
        mistakes=[
            (lambda f, m: f / m, "Part of a model is none: `//` divides and drops the rest."),
            (lambda f, m: round(f / m),
             "You round up where a bit more than half would fit: half a model is none."),
            (lambda f, m: -(-f // m), "You round up: the last of yours does not fit whole."),
            (lambda f, m: m // f, "No model at all? Divide the chip by the model."),
            (lambda f, m: m / f, "You divide the model by the chip: which is the larger?"),
            (lambda f, m: (f - 1) // m, "A model that fits exactly fits, too."),
            (lambda f, m: max(1, f // m), "A chip may be smaller than one model: none fits then."),
            (lambda f, m: f - m, "That is the room behind one model: how often can you do that?"),
            (lambda f, m: f * m, "You multiply: larger models would fit more often."),
            (lambda f, m: 1000 * f // m, "Both are bytes: why the factor of 1,000?"),
            (when(lambda given, value: value in (given[0] // 1000, given[0] / 1000)),
             "You divide by 1,000, which is kilobytes: use `model_bytes`."),
            (when(lambda given, value: value == given[0] // 300),
             "300 bytes is the model of the example: use `model_bytes`."),
            (when(lambda _, value: value in (3, 13)),
             "One number for every chip? Work with `flash_bytes` and `model_bytes`."),
            (_is(tuple), "Two numbers, the models and the bytes left over: return the first."),
            (_is(list), "You list where they begin: how many are there that end inside, too?"),
            (_is(str), "That is a text: return the number alone."),
            (lambda f, m: f // m + 1, "One too many: the last of yours does not fit whole."),
            (lambda f, m: f % m, "`%` gives the bytes that are left over, not how many models."),
            (when(lambda given, value: value * given[1] > given[0]),
             "Too many: these take more bytes than the flash has."),
        ],
        right="whole bytes, whole models: integer division.",
        hints=(
            "How often can you take a model's bytes away from the flash?",
            "Python divides whole numbers with `//`.",
        ),
    ),
)  # fmt: skip
