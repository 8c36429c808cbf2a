"""Read whose a file is from what learning platforms write into names, folders and lists.

Moodle: mod/assign's download of all submissions; Canvas: its ContentZipper; Blackboard: the grade
center's download; Gradescope: the export with submission_metadata.yml; Sakai; nbgrader's exchange.
A platform's number counts before its name: people of one name stay several.
"""

import json
import os.path
import re
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from course_lib.instructor.grading.roster import CollectError, Student, matches, without_group

_BLIND = re.compile(r"(.*-)?(participante?|teilnehmer\W?(in)?|estudiante)", re.IGNORECASE)
# Blackboard's, in the words of English, German, French, Spanish, Italian, Portuguese and Dutch.
ATTEMPT = re.compile(
    r"_(?:attempt|versuch|tentative|intento|tentativ[oa]|poging)_(\d{4}(?:-\d\d){5})", re.IGNORECASE
)
_NBGRADER = {  # folders that lie beside what students handed in, and hold none of it
    "submitted": ("source", "release", "autograded", "feedback"),
    "inbound": ("outbound", "feedback"),
}
_LONGEST = 1000  # characters in which the parts of a name are looked for
_NUMBER = re.compile(r"[1-9][0-9]{1,19}")


@dataclass(frozen=True)
class Owner:
    """Whose a file is: a label, and all names and ids by which a roster may know the student.

    `holder` is what stands for this student alone, such as a folder or a platform's number, and
    `scope` the folder around all of these; `narrow` is an id that decides only between namesakes.
    """

    label: str
    holder: tuple
    scope: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    narrow: str = ""
    time: str = ""
    kind: str = ""

    def on(self, roster: tuple[Student, ...]) -> tuple[Student, ...]:
        """Return whom of the roster this may be: one, none, or several where it is not clear."""
        for name in self.names or (self.label,):
            found = matches((name,), self.ids, roster)
            narrowed = tuple(each for each in found if self.narrow.casefold() in each.ids)
            if found:
                return narrowed if len(found) > 1 and len(narrowed) == 1 else found
        return ()


def named(place: tuple[str, ...]) -> Owner | None:
    """Return the owner that a platform wrote into the outermost part of a path that it may have.

    Whose the number is that it wrote is told by `told_apart`, who knows all of the files.
    """
    for depth, part in enumerate(place):
        scope, is_file = place[:depth], depth == len(place) - 1
        owner = _moodle(part, scope)
        owner = owner or (_in_file(part, scope) if is_file else _in_folder(place, depth))
        if owner:
            return owner
    return None


def is_export(places: Iterable[tuple[str, ...]]) -> bool:
    """Tell whether every path in a zip is named by a platform, and for several students."""
    found = [named(place) for place in places]
    return None not in found and len({owner.holder for owner in found if owner}) > 1


def _moodle(part: str, scope: tuple[str, ...]) -> Owner | None:
    """Read "Ann Lee_123_assignsubmission_file_": a name has no underscore, the number is once."""
    head, mark, _ = part.partition("_assignsubmission_")
    name, _, number = head.rpartition("_")
    if not mark or not name or not (number.isascii() and number.isdigit()):
        return None
    holder, id_ = (scope, name, number), f"Participant {number}"
    if _BLIND.fullmatch(name):
        return Owner(f"{name}_{number}", holder, scope, ids=(id_, f"{name} {number}"))
    return Owner(name, holder, scope, tuple(dict.fromkeys((name, without_group(name)))), (), id_,
                 kind="moodle")  # fmt: skip


def _in_folder(place: tuple[str, ...], depth: int) -> Owner | None:
    """Read folders of Gradescope, Sakai and nbgrader's exchange."""
    scope, part = place[:depth], place[depth]
    if re.fullmatch(r"submission_[0-9]+", part):
        return Owner(part, (part,), scope, ids=(part,), kind="gradescope")
    name, _, login = part.removesuffix(")").rpartition("(")
    is_sakais = "," in name or place[depth + 1].casefold() == "submission attachment(s)"
    if part.endswith(")") and name and login and is_sakais:
        return Owner(login, (scope, login), scope, (name.strip(),), (login,))
    exchange = part.split("+")
    if len(exchange) >= 3 and re.match(r"\d{4}-\d\d-\d\d", exchange[2]):
        return Owner(exchange[0], (scope, exchange[0]), scope, ids=(exchange[0],), time=exchange[2])
    return None


def _in_file(part: str, scope: tuple[str, ...]) -> Owner | None:
    """Read names of Blackboard's and Canvas's files."""
    if attempt := ATTEMPT.search(part):
        head = part[: attempt.start()]
        return Owner(head, (scope, head), scope, time=attempt[1], kind="blackboard")
    parts = part.split("_")
    late = next((place for place, each in enumerate(parts[:20]) if each in ("LATE", "late")), None)
    if late is not None:
        del parts[late]
    if parts[0] == "anon" and len(parts) > 3:
        if parts[1].isalnum() and _NUMBER.fullmatch(parts[2]):
            label = f"anon_{parts[1]}"
            return Owner(label, (label,), scope)
    for place in range(1, min(len(parts) - 2, 20)):
        if _NUMBER.fullmatch(parts[place]) and _NUMBER.fullmatch(parts[place + 1]):
            name, number = "_".join(parts[:place]), parts[place]
            if name and name == name.lower():
                ids = (f"canvas:{number}",)
                return Owner(name, (name, number), scope, (name,), ids, kind="canvas")
            break
    return None


def is_nbgraders(place: tuple[str, ...], folders: Container[tuple[str, ...]]) -> bool:
    """Tell whether a file is the course's own, or a copy, in a tree that nbgrader made.

    `folders` are all folders in which notebooks came in, with those around them.
    """
    return any(
        part in others and (*place[:depth], theirs) in folders
        for depth, part in enumerate(place[:-1])
        for theirs, others in _NBGRADER.items()
    )


def told_apart(
    found: list[Owner | None],
    rolls: Mapping[tuple[str, ...], bytes],
    roster: tuple[Student, ...] = (),
) -> list[Owner | None]:
    """Return the owners with numbers in the labels of namesakes, and Blackboard's logins.

    Raises CollectError where a roster knows several logins that Blackboard may mean.
    """
    numbers: dict[tuple, set] = defaultdict(set)
    heads: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for owner in filter(None, found):
        where = owner.scope if owner.kind == "moodle" else ()
        numbers[owner.kind, where, owner.label].add(owner.holder)
        heads[owner.scope] |= {owner.label} if owner.kind == "blackboard" else set()
    namesakes = {(kind, label) for (kind, _, label), every in numbers.items() if len(every) > 1}
    people = _blackboard(rolls)
    logins = {scope: _logins(heads[scope], people, roster) for scope in heads}
    grouped = _grouped(found, roster)
    told = []
    for owner in found:
        rest = grouped.get(owner)
        if owner and owner.kind in ("moodle", "canvas"):
            if (owner.kind, owner.label) in namesakes:
                number = owner.holder[-1]
                owner = replace(owner, label=f"{owner.label}_{number}")
            owner = replace(owner, names=(*owner.names, rest)) if rest else owner
        elif owner and owner.kind == "blackboard":
            login = logins[owner.scope][owner.label]
            name = people.get(owner.label, (login, login))[0] or login
            owner = replace(owner, label=login, names=(name,), ids=(login,))
        told.append(owner)
    return told


def _grouped(found: Iterable[Owner | None], roster: tuple[Student, ...]) -> dict[Owner, str]:
    """Return names without the group, of whatever name, that Moodle wrote before every student's.

    The roster knows none of the names as they are, and most of them without it: "Anne-Marie Lee"
    among others is nobody else's Marie Lee.
    """
    scopes: dict[tuple[str, ...], list[Owner]] = defaultdict(list)
    for owner in filter(None, found):
        if owner.kind == "moodle" and owner not in scopes[owner.scope]:
            scopes[owner.scope].append(owner)
    grouped = {}
    for owners in scopes.values():
        names = [owner.names[0] for owner in owners]
        rests = [_without(name, names) for name in names]
        known = sum(bool(matches((rest,), (), roster)) for rest in rests)
        if known > max(1, len(names) // 2) and not matches(names, (), roster):
            grouped |= zip(owners, rests, strict=True)
    return grouped


def _without(name: str, names: Sequence[str]) -> str:
    """Return a name without a group: up to the only dash, or as another name begins, too."""
    for dash in re.finditer("-", name[:_LONGEST]):
        shared = sum(each.startswith(name[: dash.end()]) for each in names) > 1
        if (shared or name.count("-") == 1) and name[dash.end() : dash.end() + 1].isalpha():
            return name[dash.end() :]
    return ""


def _logins(
    heads: set[str], people: Mapping[str, tuple[str, str]], roster: tuple[Student, ...]
) -> dict[str, str]:
    """Cut the assignment off each of Blackboard's "Lab 1_login", which all have in common.

    Both may hold underscores: what Blackboard wrote beside one file says where to cut, else the
    logins that a roster has, else the last place that is possible.
    """
    found: dict[str, str] = {}
    for cut in {head.removesuffix(people[head][1]) for head in heads & set(people)}:
        found |= {head: head.removeprefix(cut) for head in heads if head.startswith(cut)}
    found |= {head: people[head][1] for head in heads & set(people)}
    heads = heads - set(found)
    common = os.path.commonprefix(sorted(heads))
    cuts = [common[: each.end()] for each in re.finditer("_", common[:_LONGEST])]
    cuts = [cut for cut in cuts if cut not in heads]
    if len(heads) > 1 and not cuts:  # of several assignments
        return found | {head: _logins({head}, {}, roster)[head] for head in heads}
    known = {each for student in roster for id_ in student.ids for each in (id_, id_.split("@")[0])}
    counts = [sum(head.removeprefix(cut).casefold() in known for head in heads) for cut in cuts]
    best = [cut for cut, count in zip(cuts, counts, strict=True) if count == max(counts) > 0]
    if len(best) > 1:
        head = min(heads)
        readings = " or ".join(repr(head.removeprefix(cut)) for cut in best)
        problem = f"It is not clear whether {head}_… is of {readings}: the roster has both"
        raise CollectError(f"{problem}. Say whose the files are with --students CSV.")
    cut = next(iter(best or cuts[-1:]), "")
    return found | {head: head.removeprefix(cut) for head in heads}


def _blackboard(rolls: Mapping[tuple[str, ...], bytes]) -> dict[str, tuple[str, str]]:
    """Return name and login by the head of the names, from "Name: Ann Lee (ann)" beside them."""
    people = {}
    for place, data in rolls.items():
        if attempt := ATTEMPT.search(place[-1]):
            head = place[-1][: attempt.start()]
            first = data[:2000].decode("utf-8-sig", "replace").strip().partition("\n")[0]
            name, _, login = first.partition(":")[2].strip().removesuffix(")").rpartition("(")
            if login and head.endswith(f"_{login}"):
                people[head] = name.strip(), login
    return people


def submitters(rolls: Mapping[tuple[str, ...], bytes]) -> dict[str, tuple[Owner, ...]]:
    """Return who handed in each folder, from Gradescope's submission_metadata.yml.

    Only the lines of this file's fixed form are read: no YAML can be a bomb, and scores and
    histories, which make it long, are passed over.
    """
    found: dict[str, list[dict[str, str]]] = {}
    for data in rolls.values():
        folder, reading = "", False
        for line in data.decode("utf-8", "replace").splitlines():
            if top := re.match(r"['\"]?(submission_[0-9]+)['\"]?:", line):
                folder, reading = top[1], False
            elif re.match(r"  :?\w+:", line):
                reading = bool(re.match(r"  :?submitters:", line)) and bool(folder)
            elif reading and (pair := re.match(r"  (?:  )?(- |  ):?(name|sid|email): *(.*)", line)):
                if pair[1] == "- ":
                    found.setdefault(folder, []).append({})
                if people := found.get(folder):
                    people[-1][pair[2]] = _scalar(pair[3].strip())
    return {folder: tuple(map(_submitter, people)) for folder, people in found.items()}


def _submitter(person: dict[str, str]) -> Owner:
    ids = tuple(filter(None, (person.get("sid"), person.get("email"))))
    label = next(iter(ids), person.get("name") or "nobody")
    return Owner(label, ("gradescope", label), (), (person.get("name") or label,), ids)


def _scalar(text: str) -> str:
    """Return a YAML scalar of one line without its quotation marks."""
    if text.startswith('"') and text.endswith('"'):
        try:
            return str(json.loads(text))
        except ValueError:
            return text.strip('"')
    return "" if text in ("~", "null") else text.strip("'").replace("''", "'")
