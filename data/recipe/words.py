"""Which words the bundled speech holds, and how many clips of each."""

__all__ = [
    "CAPS",
    "COMMANDS",
    "ENDINGS_ADDED",
    "KEYWORDS",
    "OTHERS",
    "SAME_SOUND",
    "SPLITS",
    "WORDS",
    "wanted",
]

SPLITS = ("train", "validation", "test")

KEYWORDS = ("yes", "no")

#: The other command words of Speech Commands, which must not trigger the spotter.
COMMANDS = ("go", "down", "left", "up", "right", "on", "off", "stop")

#: The words of Speech Commands that are no commands.
PLAIN = tuple(
    "zero one two three four five six seven eight nine bed bird cat dog happy house marvin "
    "sheila tree wow backward forward follow learn visual".split()
)

#: Words that share a sound with "no" or with "go".
LIKE_NO = tuple(
    "dough toe low so show foe row mow hoe oh nose nope note none now new nor nah snow".split()
)

#: Words that share a sound with "yes" or with "left".
LIKE_YES = tuple("yet yep yell yellow yeah guess less chess bless mess dress lift".split())

#: Everyday words, for breadth.
EVERYDAY = tuple(
    "more knock year use this help play door light water open music hello money never table "
    "little rest mouse fast home boat moon the".split()
)

OTHERS = PLAIN + LIKE_NO + LIKE_YES + EVERYDAY
WORDS = KEYWORDS + COMMANDS + OTHERS

#: A spoken "know" is "no": it can be no unknown word, and neither can these.
SAME_SOUND = frozenset({"know", "noh", "yess", "noe"})

#: What a recogniser takes for the word although people say it well: its ending is what it adds.
#: (Of recorded human "no"s it heard a third right, and most of the rest as these.)
ENDINGS_ADDED = {"no": ("note", "nose", "nope")}

#: word -> clips for training; words that are not named here get their group's number.
CAPS = {"yes": 300, "no": 400, "go": 130, "down": 90, "left": 90, "up": 70}
_GROUPS = ((COMMANDS, 40, 8), (PLAIN, 11, 1), (LIKE_NO, 11, 1), (LIKE_YES, 12, 1), (EVERYDAY, 8, 1))
_HELD_OUT = {"yes": 45, "no": 55, "go": 16, "down": 12, "left": 12, "up": 10}


def wanted(word: str, split: str) -> int:
    """Return how many clips of `word` belong into `split`.

    Raises ValueError for a word or a split that the recipe does not know.
    """
    if split not in SPLITS:
        raise ValueError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
    if word not in WORDS:
        raise ValueError(f"The recipe has no word {word!r}: add it to data/recipe/words.py.")
    special = CAPS if split == "train" else _HELD_OUT
    if word in special:
        return special[word]
    in_training, held_out = next(counts for group, *counts in _GROUPS if word in group)
    return in_training if split == "train" else held_out
