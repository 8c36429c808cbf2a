"""Tell whose each file is: by what a platform wrote around it, else by the folders.

Where no platform wrote anything, every level of folders is a reading. One that gives nobody
answers to one lesson from several places is taken; where two such readings disagree, none is.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from course_lib.instructor.grading.platforms import Owner, named, submitters, told_apart
from course_lib.instructor.grading.roster import CollectError, Student

_IMPERSONAL = re.compile(  # names of folders and files that are nobody's
    r"(assignments?|submissions?|submitted|abgaben?|einreichungen?|notebooks?|reference|solutions?|"
    r"solved|answers?|lösung(en)?|home|users|work|homework|projects?|files?|exports?|downloads?|"
    r"archive?|attachments?|submission attachment\(s\)|final|done|fertig|old|new|alt|neu|backup|"
    r"copy|kopie|draft|entwurf|of|my|checkpoint|colab|assignment_\d+_export|\d\d_[a-z_]+|"
    r"(lab|week|lesson|assignment|exercise|homework|hw|ps|sheet|blatt|woche|übung|aufgabe|task|"
    r"part|attempt|version|v|try|versuch|tp|td|lektion)[ _.-]?\d{1,3}|\d{1,3})",
    re.IGNORECASE,
)
_ENDING = re.compile(r"\.(ipynb|zip)(\.txt|\.json)?$", re.IGNORECASE)
_SHOWN = 3  # examples in a message


@dataclass(frozen=True)
class Item:
    """A file to be given to somebody: the parts of its path, its lesson, what it answers.

    `stem` is what the course calls the lesson's notebook, `answer` a digest, empty where nothing is
    answered; `default` is whose the file is where its path names nobody.
    """

    place: tuple[str, ...]
    stem: str
    answer: str
    default: str


@dataclass(frozen=True)
class _Reading:
    """One way to read the paths: the owner of each item; if not `sure`, a roster must know all."""

    how: str
    owners: list[Owner]
    sure: bool = True

    @property
    def groups(self) -> frozenset[frozenset[int]]:
        """Return which items belong together, whatever their owners are called."""
        together = defaultdict(set)
        for place, owner in enumerate(self.owners):
            together[owner.label].add(place)
        return frozenset(map(frozenset, together.values()))


def owners(
    items: Sequence[Item], rolls: Mapping[tuple[str, ...], bytes], roster: tuple[Student, ...] = ()
) -> list[tuple[Owner, ...]]:
    """Return the owner of each item, several for a group's. Raises CollectError where unclear.

    `rolls` holds, by place, what platforms wrote about who handed in what.
    """
    marked = told_apart([named(item.place) for item in items], rolls, roster)
    pairs = list(zip(items, marked, strict=True))
    rest = iter(_by_folders([item for item, owner in pairs if owner is None], roster))
    found = [owner or next(rest) for owner in marked]
    if any(marked) and _is_odd(pairs):
        readings = [
            _Reading("by folders", _by_folders(items, roster)),
            _Reading("by what a platform writes", found),
        ]
        beside = Counter(scope for scope, _ in {(e.scope, e.holder) for e in marked if e})
        # A platform names many side by side: where both say the same, its names are better.
        found = _chosen(items, readings[:: -1 if max(beside.values()) > 1 else 1], roster)
    people = submitters(rolls)
    return [
        people.get(owner.label, (owner,)) if owner.kind == "gradescope" else (owner,)
        for owner in found
    ]


def others(
    places: Mapping[str, tuple[str, ...]],
    graded: Sequence[tuple[str, ...]],
    rolls: Mapping[tuple[str, ...], bytes],
    roster: tuple[Student, ...],
) -> dict[str, Owner]:
    """Return, by one of their files, who handed in no notebook, as far as a platform says so.

    `places` are those of the other files by their origins, `graded` those of the notebooks.
    """
    theirs = [named(place) for place in graded]
    found = [named(place) for place in places.values()]
    told = told_apart(theirs + found, rolls, roster)[len(theirs) :]
    holders = {owner.holder for owner in theirs if owner}
    people, named_by = submitters(rolls), {}
    for origin, before, owner in zip(places, found, told, strict=True):
        if owner and before.holder not in holders:
            holders.add(before.holder)
            named_by[origin] = people.get(owner.label, (owner,))[0]
    return named_by


def unclear(problem: str, readings: Sequence[str]) -> CollectError:
    """Return the error for files that may be one person's or several's."""
    advice = "Say whose they are with --students CSV, with columns file (or folder) and student"
    return CollectError(f"{problem}: {'; or '.join(readings)}. {advice}.")


def _is_odd(pairs: Sequence[tuple[Item, Owner | None]]) -> bool:
    """Tell whether what looks like a platform's may be a student's: not all folders have it."""
    people: dict[tuple[str, ...], set] = defaultdict(set)
    for owner in (owner for _, owner in pairs if owner):
        people[owner.scope].add(owner.holder)
    strays = {item.place[:-1] for item, owner in pairs if owner is None}
    if any(not any(scope[: len(each)] == each for scope in people) for each in strays):
        return True
    return len(people) > 1 and any(len(people[scope]) == 1 and _personal(scope) for scope in people)


def _by_folders(items: Sequence[Item], roster: tuple[Student, ...]) -> list[Owner]:
    """Return the owners by the one reading of folders and files that is possible."""
    folders = [_personal(item.place[:-1]) for item in items]
    if items and not any(folders):
        if all(_collides(items, each) for each in _readings(items, folders)):  # folders 1, 2, 3
            folders = [tuple(filter(str.isdigit, item.place[:-1])) for item in items]
    found: dict[int, Owner] = {}
    for inside in (False, True):
        which = [place for place, each in enumerate(folders) if bool(each) == inside]
        if which:
            mine, theirs = [items[place] for place in which], [folders[place] for place in which]
            readings = _readings(mine, theirs)
            found |= zip(which, _chosen(mine, readings, roster), strict=True)
    return [found[place] for place in range(len(items))]


def _readings(items: Sequence[Item], folders: list[tuple[str, ...]]) -> list[_Reading]:
    """Return all ways to read the paths of files, which lie all in some folder or all in none."""
    labels = [_own_name(item) for item in items]
    ends = [each[-1] if each else item.default for each, item in zip(folders, items, strict=True)]
    rows = list(zip(items, folders, labels, ends, strict=True))
    # Nothing but the file stands for its owner.
    files = [Owner(label or end, item.place, folder) for item, folder, label, end in rows]
    told = all(label and label != _stem(item) for item, label in zip(items, labels, strict=True))
    by_file = _Reading("by names of files", _identified(files), told or not any(folders))
    if len(set(folders)) == 1:
        one = [Owner(end, item.place, folder) for item, folder, _, end in rows]
        by_folder = _Reading("by folder", _identified(one))
        return [by_folder, by_file] if folders[0] else [by_file, by_folder]
    readings = []
    least = min(map(len, folders))
    for depth in range(max(map(len, folders))):
        level = [min(depth, len(each) - 1) for each in folders]
        found = [
            Owner(each[end], each[: end + 1], each[:end])
            for each, end in zip(folders, level, strict=True)
        ]
        how = f"by folder, level {depth + 1}"
        readings.append(_Reading(how, _identified(found), depth < least))
    named_in: dict[tuple, set[str]] = defaultdict(set)
    for item, folder, label, _ in rows:
        if item.answer and label:
            named_in[folder, item.stem].add(label)
    if any(len(each) > 1 for each in named_in.values()):
        readings.append(replace(by_file, sure=True))
    return readings


def _chosen(
    items: Sequence[Item], readings: Sequence[_Reading], roster: tuple[Student, ...]
) -> list[Owner]:
    """Return the owners by the reading that is possible. Raises CollectError for several or none.

    A reading is possible if the roster knows everybody in it, else if nobody in it answered one
    lesson in folders that lie beside each other.
    """
    known = {id(each): _known(each, roster) for each in readings}
    clean = [each for each in readings if each.sure and not _collides(items, each)]
    full = [each for each in readings if roster and known[id(each)][1]]
    possible = full if len({each.groups for each in full}) == 1 else clean
    if len(full) > 1 and len({each.groups for each in full}) > 1:
        possible = [each for each in clean if each in full]
    if not possible and len({each.groups for each in readings}) == 1:
        possible = list(readings)  # what collides in it is asked about by name
    if len({each.groups for each in possible}) != 1:
        shown = [f"{each.how} {_examples(items, each)}" for each in (possible or readings)[:2]]
        raise unclear("It is not clear whose these files are", shown)
    return max(possible, key=lambda each: known[id(each)][0]).owners


def _known(reading: _Reading, roster: tuple[Student, ...]) -> tuple[int, bool]:
    """Return how many in a reading the roster knows, and whether it knows all, each as another."""
    people = {owner.label: owner.on(roster) for owner in reading.owners} if roster else {}
    once = {found[0].id for found in people.values() if len(found) == 1}
    return len(once), len(once) == len(people)


def _collides(items: Sequence[Item], reading: _Reading) -> bool:
    """Tell whether somebody would have answered one lesson in several places side by side.

    Right answers are often the same, so that equal files may well be two people's. Untouched files
    count only where there are no others.
    """
    places: dict[tuple[str, str], dict[bool, set[tuple]]] = defaultdict(lambda: defaultdict(set))
    for item, owner in zip(items, reading.owners, strict=True):
        place = owner.holder if owner.holder == item.place else _personal(item.place[:-1])
        places[owner.label, item.stem][bool(item.answer)].add(place)
    for every in places.values():
        line = sorted(every.get(True) or every[False], key=len)
        if any(b[: len(a)] != a for a, b in zip(line, line[1:], strict=False)):
            return True
    return False


def _examples(items: Sequence[Item], reading: _Reading) -> str:
    """Return who would have what by a reading, of the first few."""
    files: dict[str, list[str]] = defaultdict(list)
    for item, owner in zip(items, reading.owners, strict=True):
        files[owner.label].append("/".join(item.place))
    first = sorted(files, key=lambda each: -len(files[each]))[:_SHOWN]
    told = [f"{each!r} has {', '.join(files[each][:_SHOWN])}" for each in first]
    more = len(files) - len(first)
    return f"({'; '.join(told)}{f'; and {more} more students' if more else ''})"


def _identified(owners: list[Owner]) -> list[Owner]:
    """Return owners with the logins that GitHub Classroom ("task-login") and ILIAS write."""
    labels = {owner.label for owner in owners}
    dashes = {label: [at + 1 for at, each in enumerate(label) if each == "-"] for label in labels}
    shared = Counter(label[:end] for label in labels for end in dashes[label])
    found = []
    for owner in owners:
        ids, names = [owner.label], [owner.label]
        common = [e for e in dashes[owner.label] if shared[owner.label[:e]] * 2 > len(labels) > 1]
        if common:
            ids.append(owner.label[common[-1] :])
        parts = owner.label.split("_")  # "Lee_Ann_ann_123"
        if len(parts) > 3 and parts[-1].isdigit():
            ids.append(parts[-2])
            names.append("_".join(parts[:-2]))
        found.append(replace(owner, ids=tuple(ids), names=tuple(names)))
    return found


def _personal(folders: tuple[str, ...]) -> tuple[str, ...]:
    """Return the folders that may be named for somebody."""
    return tuple(each for each in folders if not _IMPERSONAL.fullmatch(each))


def _own_name(item: Item) -> str:
    """Return what a file's name says beside lesson, version and words that are nobody's."""
    stem = _stem(item)
    words = [each for each in re.split(r"[\W_]+", stem) if each]
    kept, lower = words, [each.casefold() for each in words]
    lesson = item.stem.casefold().split("_")
    for wanted in (lesson, lesson[1:]):
        size = len(wanted)
        at = next((at for at in range(len(lower)) if lower[at : at + size] == wanted), None)
        if size and at is not None:
            kept = words[:at] + words[at + size :]
            break
    kept = [each for each in kept if not _IMPERSONAL.fullmatch(each)]
    return stem if kept == words else "_".join(kept)


def _stem(item: Item) -> str:
    return _ENDING.sub("", item.place[-1])
