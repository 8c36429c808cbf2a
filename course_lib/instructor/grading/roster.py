"""Who takes the course: read a list of students, and know them by any of their names."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# What the learning platforms call the columns of their lists, in English, German, French, Spanish,
# Italian, Portuguese and Dutch.
_HEADINGS = {
    "name": "name|student|full name|student name|vollständiger name|teilnehmer|teilnehmer/in|nom|"
    "nom complet|étudiant|nombre|nombre completo|estudiante|alumno|studente|estudante|naam",
    "first": "first name|firstname|first|given name|forename|vorname|prénom|nombre(s)|nombres|nome|"
    "voornaam",
    "last": "last name|lastname|last|surname|family name|nachname|familienname|nom de famille|"
    "apellido|apellidos|apellido(s)|cognome|apelido|sobrenome|achternaam",
    "id": "id|sid|student id|student number|identifier|roster_identifier|user id|id number|"
    "display id|org defined id|orgdefinedid|sis user id|sis id|matrikelnummer|matrikelnr|"
    "matrikelnr.|id-nummer|kennung|numéro d'étudiant|numéro d’identification|identifiant|"
    "número de id|matrícula|identificador|nummer|teilnehmer-id|"
    "matricola|studentnummer|netid|uid|student no|student no.",
    "email": "email|e-mail|email address|mail|e-mail-adresse|e-mail adresse|adresse de courriel|"
    "courriel|adresse e-mail|correo|correo electrónico|dirección de correo|"
    "indirizzo email|endereço de e-mail|e-mailadres",
    "login": "login|login id|username|user name|github_username|github username|sis login id|"
    "benutzername|anmeldename|nom d'utilisateur|nom d’utilisateur|nombre de usuario|usuario|"
    "nome utente|nome de usuário|gebruikersnaam",
    "submission": "submission|submission id",
}
_COLUMNS = {each: kind for kind, all_of in _HEADINGS.items() for each in all_of.split("|")}
_FILES = ("file", "folder", "file or folder", "path", "datei", "ordner", "fichier", "archivo")
_NOBODY = {"pointspossible", "studenttest", "teststudent", "möglichepunkte", "punktemöglich"}
_MOST_BYTES = 32 << 20
_HEADING_LINES = 10  # titles that platforms write above the headings
_A_GROUP = re.compile(r"\d|\b(group|gruppe|groupe|grupo|team|default)\b", re.IGNORECASE)


class CollectError(ValueError):
    """Say in one sentence what cannot be collected, and what to do."""


@dataclass(frozen=True)
class Student:
    """One line of a roster: the name to show and everything that a submission may be named by.

    `ids` name nobody else, as they are written; `aliases` are letters and digits of all names.
    """

    name: str
    id: str
    aliases: frozenset[str]
    ids: frozenset[str] = frozenset()


def read_roster(path: Path) -> tuple[Student, ...]:
    """Read a CSV of students: any columns; those named like name, id, email or login are used.

    Raises CollectError for a file without a line of names, without a usable column, or with one id
    on two lines.
    """
    head, lines = read_table(path, "roster", _COLUMNS)
    columns = [_COLUMNS.get(each, "") for each in head]
    canvas = any(each.startswith("sis ") for each in head)
    students: dict[str, Student] = {}
    for number, line in lines:
        student = _listed(columns, line, canvas, head)
        if student is None:
            continue
        if student.id in students:
            problem = f"names {student.id!r} twice, again in line {number}: give everybody an id."
            raise CollectError(f"The roster {path} {problem}")
        students[student.id] = student
    if not students:
        raise CollectError(f"The roster {path} names nobody below its headings.")
    return tuple(students.values())


def read_mapping(path: Path) -> dict[str, str]:
    """Read a CSV with the columns file (or folder) and student: whose is what.

    Raises CollectError where it lacks either, or says two things of one file.
    """
    wanted = (*_FILES, *_COLUMNS)
    head, lines = read_table(path, "list of files", wanted)
    files = [place for place, each in enumerate(head) if each in _FILES]
    people = [place for place, each in enumerate(head) if each in _COLUMNS]
    if not files or not people:
        raise CollectError(f"{path} needs two columns with the headings file and student.")
    found: dict[str, str] = {}
    for number, line in lines:
        cells = line + [""] * (len(head) - len(line))
        file, student = cells[files[0]].strip().strip("/\\"), cells[people[0]].strip()
        file = unicodedata.normalize("NFC", file.replace("\\", "/").removeprefix("./"))
        if file and student and found.setdefault(file, student) != student:
            raise CollectError(f"{path}, line {number}: {file} already belongs to {found[file]}.")
    return found


def read_table(
    path: Path, what: str, headings: Iterable[str]
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return a CSV's headings, in small letters, and its lines below them with their numbers.

    Any separator and any encoding of a spreadsheet. Raises CollectError where it cannot be read or
    no line of headings has one of those asked for.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise CollectError(f"The {what} {path} cannot be read: {error.strerror}.") from error
    if len(data) > _MOST_BYTES:
        raise CollectError(f"The {what} {path} has more than {_MOST_BYTES >> 20} MB: is it a CSV?")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise CollectError(f"The {what} {path} is a workbook: save it as CSV.")
    text = _decoded(data).replace("\0", "")
    tables = [_parsed(text, separator) for separator in ",;\t|"]
    known, best = set(headings), (0, 0, 0)
    for which, (table, _) in enumerate(tables):
        for place, (_, line) in enumerate(table[:_HEADING_LINES]):
            best = max(best, (sum(_heading(cell) in known for cell in line), -place, -which))
    if not best[0]:
        expected = "name, id, email or login" if what == "roster" else "file and student"
        raise CollectError(f"The {what} {path} has no column called {expected}: add headings.")
    table, problem = tables[-best[2]]
    if problem:
        raise CollectError(
            f"The {what} {path} is no CSV from {problem}: "
            "look there for a quotation mark that is not closed."
        )
    return [_heading(cell) for cell in table[-best[1]][1]], table[1 - best[1] :]


def matches(
    names: Iterable[str], ids: Iterable[str], roster: tuple[Student, ...]
) -> tuple[Student, ...]:
    """Return whom a submission may belong to: none, the one, or several where that is not clear.

    An exact id counts before any name; where several have one name, an id among `ids` decides.
    """
    wanted = {_exact(each) for each in ids if each}
    if by_id := tuple(each for each in roster if wanted & each.ids):
        return by_id
    folded = {_folded(each) for each in names} - {""}
    return tuple(each for each in roster if folded & each.aliases)


def without_group(name: str) -> str:
    """Return a name without the group that Moodle writes before it: "Group A-Ann Lee"."""
    group, dash, rest = name.partition("-")
    return rest if dash and _A_GROUP.search(group) and " " in rest.strip() else name


def _listed(columns: list[str], line: list[str], canvas: bool, head: list[str]) -> Student | None:
    """Return the student that a roster's line names, None where it names none."""
    fields: dict[str, list[str]] = {}
    for kind, cell in zip(columns, line, strict=False):
        if kind and cell.strip():
            text = unicodedata.normalize("NFC", " ".join(cell.split()))
            fields.setdefault(kind, []).append(text)
    first, last, name = (fields.get(each, [""])[0] for each in ("first", "last", "name"))
    part = (first or last).casefold().split()
    if name and bool(first) != bool(last) and not set(part) <= set(name.casefold().split()):
        first, last, name = first or name, last or name, ""  # "Name, Vorname"; "Nombre, Apellidos"
    full = name or f"{first} {last}".strip()
    ids = [each for kind in ("id", "login", "email") for each in fields.get(kind, [])]
    identifier = next(iter(ids), full)
    if not identifier or _folded(full) in _NOBODY:
        return None
    words = re.findall(r"\w+", full)
    names = {full, "".join(words[::-1]), "".join(words[-1:] + words[:-1])}  # LastFirst: Canvas
    before, comma, after = full.partition(",")
    names |= {f"{after} {before}"} if comma else set()
    names |= {f"{first} {last}", f"{last} {first}"} if first and last else set()
    names |= {each.split("@")[0] for each in fields.get("email", [])}
    for submission in fields.get("submission", []):
        ids.append(f"submission_{submission.removeprefix('submission_')}")
    if canvas and "id" in head[: len(line)] and line[head.index("id")].strip():
        ids.append(f"canvas:{line[head.index('id')].strip()}")
    aliases = frozenset(_folded(each) for each in names | set(ids)) - {""}
    return Student(full or identifier, identifier, aliases, frozenset(map(_exact, ids)))


def _decoded(data: bytes) -> str:
    """Return a spreadsheet's text: by its byte order mark, its zeros, as UTF-8, else cp1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    half = max(1, min(len(data), 2000) // 2)
    for zeros, encoding in ((data[1:2000:2], "utf-16-le"), (data[:2000:2], "utf-16-be")):
        if zeros.count(0) > half // 2:
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _parsed(text: str, separator: str) -> tuple[list[tuple[int, list[str]]], str]:
    """Return the lines of a CSV that are not empty, with their numbers, and where it ends to be."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    lines = []
    try:
        for line in reader:
            if any(cell.strip() for cell in line):
                lines.append((reader.line_num, line))
    except csv.Error as error:
        return lines, f"line {reader.line_num} on ({error})"
    return lines, ""


def _heading(cell: str) -> str:
    return unicodedata.normalize("NFC", " ".join(cell.lstrip("\ufeff").split())).casefold()


def _exact(identifier: str) -> str:
    return unicodedata.normalize("NFC", identifier).strip().casefold()


def _folded(name: str) -> str:
    """Return a name's letters and digits only, without case."""
    name = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return "".join(each for each in name if each.isalnum() or unicodedata.category(each)[0] == "M")
