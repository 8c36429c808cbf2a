"""Rosters are read as spreadsheets and platforms write them; nobody gets another's place."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.instructor.grading import roster


def read(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return roster.read_roster(path)


def known(name, students):
    """Return the id of the only student whom a name or an id may mean, else the name."""
    found = roster.matches((name,), (name,), students)
    return found[0].id if len(found) == 1 else name


def test_a_roster(tmp_path):
    path = tmp_path / "roster.csv"
    students = read(
        path,
        "\ufeffFirst Name,Last Name,SID,Email Address,Section\n"
        "Ada,Lovelace,s01,ada@x.org,1\nGrace,Hopper,s02,ghopper@x.org,2\n,,,,\n",
    )
    assert [each.name for each in students] == ["Ada Lovelace", "Grace Hopper"]
    for name, identifier in (
        ("Ada Lovelace", "s01"),
        ("lovelaceada", "s01"),
        ("s02", "s02"),
        ("tinyml-ghopper", "tinyml-ghopper"),  # perhaps a stranger's login
        ("ghopper", "s02"),
        ("Alan", "Alan"),
    ):
        assert known(name, students) == identifier


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"]
)
def test_separators_and_encodings(tmp_path, separator, encoding):
    for form in ("NFC", "NFD") if encoding != "latin-1" else ("NFC",):
        name = unicodedata.normalize(form, "Zoë Müller")
        lines = [["Name", "ID", "Remark"], [name, "7", f"a{separator}b\nc"], ["Ann Lee", "8", ""]]
        text = io.StringIO()
        csv.writer(text, delimiter=separator).writerows(lines)
        students = read(tmp_path / "r.csv", text.getvalue(), encoding)
        assert [each.id for each in students] == ["7", "8"]
        other = unicodedata.normalize("NFD" if form == "NFC" else "NFC", "müllerzoë")
        assert known(other, students) == "7"


@pytest.mark.parametrize(
    "text, expected",
    [
        (  # Canvas's gradebook
            "Student,ID,SIS User ID,SIS Login ID,Section,Lab 1\n,,,,,Manual Posting\n"
            '    Points Possible,,,,,10\n"Lee, Ann",101,s1,ann,A,\n"Student, Test",9,,x8f,A,\n',
            {"101": ["Ann Lee", "leeann", "s1", "ann", "101"]},
        ),
        (  # Moodle's grading worksheet, in German
            "ID;Vollständiger Name;E-Mail-Adresse;Status\nTeilnehmer/in55;Ann Lee;ann@x.org;\n",
            {"Teilnehmer/in55": ["Ann Lee", "ann@x.org"]},
        ),
        ("Vorname;Nachname;Matrikelnummer\nAnn;Lee;12\n", {"12": ["Ann Lee", "Lee_Ann"]}),
        ("Name;Vorname\nAnnson;Ann\n", {"Ann Annson": ["Annson, Ann"]}),
        ("Nome;Cognome;Matricola\nAnn;Lee;12\n", {"12": ["Ann Lee", "Lee_Ann"]}),
        ("Sobrenome;Nome;NetID\nLee;Ann;12\n", {"12": ["Ann Lee", "Lee_Ann"]}),
        ("Achternaam;Voornaam;Studentnummer\nLee;Ann;12\n", {"12": ["Ann Lee"]}),
        ("Prénom,Nom,Adresse de courriel\nAnn,Lee,a@x.org\n", {"a@x.org": ["Ann Lee"]}),
        ("Nombre;Apellido(s);Número de ID\nAnn;Lee Ray;12\n", {"12": ["Ann Lee Ray"]}),
        (  # Sakai's grades.csv has a title and an empty line
            "Lab 1,Points\n,\nDisplay ID,ID,Last Name,First Name,grade\nann,ann,Lee,Ann,\n",
            {"ann": ["Lee, Ann"]},
        ),
        ("sep=;\nName;ID\nAnn Lee;1\n", {"1": ["Ann Lee"]}),
        ("name,id,name\nAnn,1\n\nBob,2,Bob,more,more\n", {"1": ["Ann"], "2": ["bob"]}),
    ],
)
def test_headings_of_the_platforms(tmp_path, text, expected):
    students = read(tmp_path / "r.csv", text)
    assert [each.id for each in students] == list(expected)
    for identifier, names in expected.items():
        assert {known(name, students) for name in names} == {identifier}


@pytest.mark.parametrize(
    "text, said",
    [
        ("colour,size\nred,5\n", "no column called name"),
        ("Ann Lee,1\nBob Ray,2\n", "add headings"),
        ("", "add headings"),
        ("name,id\n", "names nobody"),
        ("name,id\nAnn,1\nBob,1\n", "'1' twice, again in line 3"),
        ("name\nAnn Lee\nAnn Lee\n", "'Ann Lee' twice"),
        (f"name,id\nAnn,{'9' * 200_000}\n", "is no CSV from line 2"),
        ("PK\x03\x04name,id\n", "save it as CSV"),
    ],
)
def test_what_is_no_roster_is_said(tmp_path, text, said):
    with pytest.raises(roster.CollectError, match=said) as raised:
        read(tmp_path / "r.csv", text)
    assert "\n" not in str(raised.value)
    with pytest.raises(roster.CollectError, match="cannot be read"):
        roster.read_roster(tmp_path / "none.csv")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_are_a_traceback(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    for begin in (b"", b"name;id\n"):
        path.write_bytes(begin + data)
        try:
            assert roster.read_roster(path)
        except roster.CollectError as error:
            assert "\n" not in str(error)


PEOPLE = st.lists(
    st.tuples(st.sampled_from(["Ann", "Bob", "Zoë"]), st.sampled_from(["Lee", "Ann", "O'Lee"])),
    min_size=2,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(PEOPLE, st.permutations(["s1", "ann", "bob", "lee", "annlee", "a.lee"]))
def test_nobody_gets_anothers_place(tmp_path_factory, people, ids):
    """An id names its owner whatever the others are called; a shared name names nobody."""
    path = tmp_path_factory.getbasetemp() / "people.csv"
    lines = [f"{first},{last},{each}" for (first, last), each in zip(people, ids, strict=False)]
    students = read(path, "\n".join(["First name,Last name,ID", *lines]))
    for (first, last), identifier in zip(people, ids, strict=False):
        assert known(identifier.upper(), students) == identifier
        name = f"{first} {last}"
        shared = people.count((first, last)) + people.count((last, first)) * (first != last) > 1
        foreign = [each for each in students if each.id != identifier]
        taken = any(roster._folded(name) in each.aliases for each in foreign)
        assert known(name, students) == (name if shared or taken else identifier)
    for stranger in ("quiet-ann", "xlee", "Ann Leeds", "nobody", ""):
        assert known(stranger, students) == stranger


def test_a_list_of_files(tmp_path):
    path = tmp_path / "whose.csv"
    path.write_text("file;student\n./a/x.ipynb;ann\nb\\;bob\n;\n")
    assert roster.read_mapping(path) == {"a/x.ipynb": "ann", "b": "bob"}
    for text, said in (
        ("a.ipynb,ann\n", "add headings"),
        ("file,size\na,1\n", "two columns"),
        ("file,student\na,ann\na,bob\n", "line 3: a already belongs to ann"),
    ):
        path.write_text(text)
        with pytest.raises(roster.CollectError, match=said):
            roster.read_mapping(path)
