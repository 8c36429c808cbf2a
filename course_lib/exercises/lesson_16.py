"""The exercises of lesson 16: a text changed in place, and what cannot be converted."""

from __future__ import annotations

from course_lib.exercises.answers import Raised
from course_lib.exercises.core import Exercise, otherwise, when
from course_lib.exercises.judges import function, text


def _relabel(data, start, room, label):
    if len(label) > room:
        return None
    return data[:start] + label.ljust(room) + data[start + room :]


def _labels(rng):
    data = rng.bytes(48)
    return [
        (data, 12, 15, b"yes or no"),
        (data, 20, 9, b"nine byte"),
        (data, 4, 6, b""),
        (data, 30, 5, b"much too long"),
        (data, 0, 3, b"no"),
        (data, 7, 4, b"never"),
        (b"cat dog cat fox", 8, 3, b"ox"),  # the old text stands twice
        (b"cat dog cat fox", 0, 3, b"cow"),
    ]


_REFUSE = "return None when the label is longer than the room"


EXERCISES = (
    Exercise(
        id="16.2",
        ask="relabel(data, start, room, label): the file with a text changed in place",
        judge=function(_relabel, _labels),
        mistakes=[
            (
                lambda d, s, room, a: None if len(a) > room else d[:s] + a + d[s + room :],
                "The file became shorter, and every offset behind is wrong now: "
                "fill up with spaces.",
            ),
            (
                lambda d, s, room, a: None if len(a) > room else d[:s] + a + d[s + len(a) :],
                "The end of the old text is still there: fill up with spaces.",
            ),
            (
                lambda d, s, room, a: d[:s] + a[:room].ljust(room) + d[s + room :],
                f"You cut the label short and say nothing: {_REFUSE}.",
            ),
            (
                lambda d, s, room, a: d[:s] + a.ljust(room) + d[s + max(room, len(a)) :],
                f"A long label runs over the bytes behind it: {_REFUSE}.",
            ),
            (
                lambda d, s, room, a: d[:s] + a + d[s + len(a) :],
                f"The end of the old text is still there: fill up with spaces. And {_REFUSE}.",
            ),
            (
                lambda d, s, room, a: None if len(a) >= room else _relabel(d, s, room, a),
                "A label just as long as the room fits: only a longer one is refused.",
            ),
            (
                when(
                    lambda given, value: (
                        value is None and len(given[3]) <= given[2] < given[1] + len(given[3])
                    )
                ),
                "A label that fits is refused: compare its length with `room`, nothing else.",
            ),
            (
                lambda d, s, room, a: _relabel(d, s, room, a.rjust(room)),
                "The spaces come behind the label, not before it.",
            ),
            (
                lambda d, s, room, a: _relabel(d, s, room, a.center(room)),
                "The spaces come behind the label, all of them: ljust, not center.",
            ),
            (
                lambda d, s, room, a: (
                    None
                    if len(a) > room
                    else d[:s] + a + b" " * (a != b"" or room > 0) + d[s + len(a) + 1 :]
                ),
                "One space is not enough: fill up to `room` bytes.",
            ),
            (
                lambda d, s, room, a: _relabel(d, s, room, a.ljust(room, b"\0")),
                'Zeros are no spaces: fill up with b" ".',
            ),
            (
                lambda d, s, room, a: _relabel(d, s + 1, room, a),
                "One byte too far: data[:start] is all that lies before `start`.",
            ),
            (
                when(lambda given, value: len(given[3]) > given[2] and value is not None),
                f"Too long a label is not refused: {_REFUSE}.",
            ),
            (
                when(lambda given, value: value is not None and len(value) != len(given[0])),
                "The file must keep its length: count the bytes that you write.",
            ),
            (
                when(lambda given, value: isinstance(value, Raised) and "assignment" in str(value)),
                "Bytes cannot be changed in place: put new ones together from three parts.",
            ),
            (
                when(lambda given, value: "bytes" in str(value) and isinstance(value, Raised)),
                'Bytes and texts do not mix: the label is bytes, so fill up with b" ".',
            ),
            (
                otherwise(lambda given, got: isinstance(got, str)),
                "Bytes are asked, no text: join the three parts by +, without str().",
            ),
            (
                otherwise(lambda given, got: got[: given[1]] != given[0][: given[1]]),
                "Bytes before `start` have changed: data[:start] stays as it is.",
            ),
            (
                otherwise(lambda given, got: got[sum(given[1:3]) :] != given[0][sum(given[1:3]) :]),
                "Bytes behind the room have changed: data[start + room:] stays as it is.",
            ),
            (
                lambda d, s, room, a: (
                    None if len(a) > room else d.replace(d[s : s + room], a.ljust(room))
                ),
                "The same text may stand elsewhere, too: change it at `start` alone.",
            ),
            (
                otherwise(lambda given, got: got[given[1] :].startswith(given[3])),
                'The label is there, what fills up is not: b" ", as many as are left of `room`.',
            ),
        ],
        right="nothing moved, so every offset still holds.",
        hints=(
            "data[:start] + … + data[start + room:] keeps the length when … has `room` bytes.",
            'b"yes".ljust(9) fills up with spaces.',
            _REFUSE[0].upper() + _REFUSE[1:] + ".",
        ),
    ),
    Exercise(
        id="16.4",
        ask="culprit: the name of the operation that cannot be converted",
        judge=text(
            "DecodeWav",
            "tf.DecodeWav",
            "'DecodeWav'",
            "'tf.DecodeWav'",
            otherwise='Look for the words "op is neither a custom op nor a flex op".',
        ),
        mistakes=[
            ("decode_wav", "That is the Python function: the message names the operation."),
            ("tf.audio.decode_wav", "That is Python's name: the message names the operation."),
            ("listen", "That is your own Python function: which operation did it leave?"),
            ("spectrogram", "That one is converted: the message is of the other program."),
            (
                when(lambda folded: "decodewav" in folded),
                "The name is in there: write it alone, as it stands behind 'tf.'.",
            ),
            ("ReadFile", "No file is read here: the bytes come in as a string."),
            ("Placeholder", "A placeholder is the input; converting takes it."),
        ],
        right="TensorFlow Lite has no such kernel, so decode before the model.",
        hints=(
            "The message calls it an op, and puts quotes around it.",
            "It stands behind 'tf.', before \"op is neither\".",
        ),
    ),
)
