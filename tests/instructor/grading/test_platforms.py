"""Names that platforms write are read as they write them, ids before names."""

from __future__ import annotations

import pytest

from course_lib.instructor.grading import platforms
from course_lib.instructor.grading.roster import CollectError, Student, read_roster

TIME = "2024-01-02-12-30-00"


def labels(*places, rolls=(), roster=()):
    found = platforms.told_apart(
        [platforms.named(tuple(place.split("/"))) for place in places],
        {tuple(place.split("/")): data for place, data in dict(rolls).items()},
        roster,
    )
    return [owner and owner.label for owner in found]


@pytest.mark.parametrize(
    "places, expected",
    [
        (["Ann Lee_12_assignsubmission_file_/x.ipynb"], ["Ann Lee"]),
        (["Lab/Ann Lee_12_assignsubmission_file/x.ipynb"], ["Ann Lee"]),
        (["Ann Lee_12_assignsubmission_file_x.ipynb"], ["Ann Lee"]),
        (["Ann Lee_12_assignsubmission_file_Bob_13_assignsubmission_file_x.ipynb"], ["Ann Lee"]),
        (["Ann Lee_12_assignsubmission_onlinetext_/onlinetext.html"], ["Ann Lee"]),
        (["Participant_12_assignsubmission_file_/x.ipynb"], ["Participant_12"]),
        (["Teilnehmerin_12_assignsubmission_file_/x.ipynb"], ["Teilnehmerin_12"]),
        (["Group A-Ann Lee_12_assignsubmission_file_/x.ipynb"], ["Group A-Ann Lee"]),
        (
            [f"Ann Lee_{each}_assignsubmission_file_/x.ipynb" for each in (1, 2, 2)],
            ["Ann Lee_1", "Ann Lee_2", "Ann Lee_2"],
        ),
        (  # a number is of one assignment
            [f"{lab}/Ann Lee_{n}_assignsubmission_file_/x" for lab, n in (("a", 1), ("b", 2))],
            ["Ann Lee", "Ann Lee"],
        ),
        (["leeann_12_345_x.ipynb"], ["leeann"]),
        (["müllerzoë_LATE_12_345_x-1.ipynb", "李明_13_346_x.ipynb"], ["müllerzoë", "李明"]),
        (["leeann_12_34_x.ipynb", "leeann_13_35_x.ipynb"], ["leeann_12", "leeann_13"]),
        (["lab1/leeann_12_34_x.ipynb", "lab2/leeann_13_35_x.ipynb"], ["leeann_12", "leeann_13"]),
        (["anon_aB1cD_345_x.ipynb", "LATE_anon_Zz9_346_x.ipynb"], ["anon_aB1cD", "anon_Zz9"]),
        (["anon_aB1_LATE_345_x.ipynb", "leeann_late_13_20_x.ipynb"], ["anon_aB1", "leeann"]),
        ([f"Lab 1_s1_attempt_{TIME}_x.ipynb"], ["s1"]),
        (
            [f"Lab_1_{each}_attempt_{TIME}_x.ipynb" for each in ("ann_lee", "bob_lee")],
            ["ann_lee", "bob_lee"],
        ),
        (["a/submission_12/x.ipynb"], ["submission_12"]),
        (["Lab 1/Lee, Ann(ann)/Submission attachment(s)/x.ipynb"], ["ann"]),
        ([f"ps1/ann+ps1+{TIME[:10]} 12:30:00 UTC/x.ipynb"], ["ann"]),
        (
            ["ann/x.ipynb", "07_1_x.ipynb", "a_2024_01_15_x.ipynb", "Copy (1)/x", "submission_1"],
            [None] * 5,
        ),
    ],
)
def test_names_of_platforms(places, expected):
    assert labels(*places) == expected


def test_blackboard_names_the_student_beside_the_file():
    text = "Name: Lee, Ann (ann_lee)\nAssignment: Lab_1\n".encode("utf-8-sig")
    rolls = {f"Lab_1_ann_lee_attempt_{TIME}.txt": text}
    assert labels(f"Lab_1_ann_lee_attempt_{TIME}_x.ipynb", rolls=rolls) == ["ann_lee"]
    rolls = {f"Lab_1_ann_lee_attempt_{TIME}.txt": b"Name: Bob (bob)"}  # another's name
    assert labels(f"Lab_1_ann_lee_attempt_{TIME}_x.ipynb", rolls=rolls) == ["lee"]


@pytest.mark.parametrize(
    "heads, roster, logins",
    [
        ("L_anna L_anna_b L_annabel", "", "anna anna_b annabel"),
        ("L_1_a_x L_1_a_y", "", "x y"),  # nothing says more
        ("L_1_a_x L_1_a_y", "a_x", "a_x a_y"),
        ("L_1_a_x L_1_a_y", "a_x a_y x", "a_x a_y"),
        ("L_ann_lee", "ann_lee bob", "ann_lee"),
        ("L_ann_lee", "lee bob", "lee"),
        ("L_ann_lee L_bob_lee", "lee", "ann_lee bob_lee"),  # nobody gets another's place
        ("L_ann_lee M_ann_lee", "ann_lee", "ann_lee ann_lee"),
        ("L_ann_lee L_ann_ray", "ann_lee@x.org", "ann_lee ann_ray"),
    ],
)
def test_blackboards_logins_with_underscores(tmp_path, heads, roster, logins):
    (tmp_path / "roster.csv").write_text("login\n" + "\n".join(roster.split() or ["nobody"]))
    places = [f"{head}_attempt_{TIME}_x.ipynb" for head in heads.split()]
    assert labels(*places, roster=read_roster(tmp_path / "roster.csv")) == logins.split()


def test_two_readings_of_blackboards_names_are_asked_about(tmp_path):
    (tmp_path / "roster.csv").write_text("login\nann_lee\nlee\n")
    roster = read_roster(tmp_path / "roster.csv")
    with pytest.raises(CollectError, match="of 'ann_lee' or 'lee': .* --students CSV"):
        labels(f"L_ann_lee_attempt_{TIME}_x.ipynb", roster=roster)
    assert labels(f"L_{TIME}_ann_lee_Versuch_{TIME}_x", f"L_{TIME}_lee_Versuch_{TIME}_x") == [
        "ann_lee",
        "lee",
    ]


def test_what_blackboard_wrote_beside_one_file_cuts_all_names():
    places = [f"L_{each}_attempt_{TIME}_x.ipynb" for each in ("q_ann", "q_bob", "q_cid")]
    rolls = {f"L_q_bob_attempt_{TIME}.txt": b"Name: Bob (q_bob)"}
    assert labels(*places, f"M_dan_attempt_{TIME}_x", rolls=rolls) == [
        "q_ann",
        "q_bob",
        "q_cid",
        "dan",
    ]


METADATA = """---
submission_1:
  :submitters:
  - :name: Ann Lee
    :sid: '012'
    :email: ann@x.org
  :created_at: 2024-01-02 12:30:00
  :score: 1.0
  :results:
    :submitters:
    - :name: Eve
  :history:
  - :id: 5
    :submitters:
    - :name: Eve
      :sid: eve
submission_2:
  :submitters:
  - :name: "Zo\\u00eb O'Lee"
    :email: zoe@x.org
  - :name: 'Bob ''B'' Ray'
    :sid: ~
    :email: bob@x.org
"""


def test_gradescope_says_who_handed_in():
    found = platforms.submitters({("submission_metadata.yml",): METADATA.encode()})
    people = {
        folder: [(each.label, each.names) for each in every] for folder, every in found.items()
    }
    assert people == {
        "submission_1": [("012", ("Ann Lee",))],
        "submission_2": [("zoe@x.org", ("Zoë O'Lee",)), ("bob@x.org", ("Bob 'B' Ray",))],
    }
    assert platforms.submitters({("x",): b"\xff\0[[[[" * 1000}) == {}


def test_ids_and_namesakes_on_the_roster(tmp_path):
    """A number decides between people of one name, and never between two names."""
    path = tmp_path / "r.csv"
    path.write_text(
        "Identifier,Full name\nParticipant 1,Ann Lee\nParticipant 2,Ann Lee\n"
        "Participant 3,Bob Ray\nParticipant 4,Marie Lee\n"
    )
    students = read_roster(path)

    def who(part):
        found = platforms.named((f"{part}_assignsubmission_file_", "x.ipynb")).on(students)
        return [each.id for each in found]

    assert who("Ann Lee_1") == ["Participant 1"] and who("Ann Lee_2") == ["Participant 2"]
    assert who("Ann Lee_3") == ["Participant 1", "Participant 2"]
    assert who("Bob Ray_1") == ["Participant 3"]  # of another assignment
    assert who("Participant_4") == ["Participant 4"]
    assert who("Group 7-Bob Ray_9") == ["Participant 3"]
    assert who("Anne-Marie Lee_9") == []
    path.write_text("Student,ID,SIS Login ID\nLee A.,12,ann\nRay B.,13,12\n")
    students = read_roster(path)
    canvas = platforms.named(("leeann_12_34_x.ipynb",))
    assert [each.name for each in canvas.on(students)] == ["Lee A."]
    assert not platforms.named(("leeann_14_34_x.ipynb",)).on(students)
    assert not canvas.on((Student("Bob", "12", frozenset({"12"}), frozenset({"12"})),))


@pytest.mark.parametrize(
    ("parts", "ids"),
    [
        (["Blue-Ann Lee_1", "Blue-Bob Ray_3"], ["1", "3"]),
        (["Blue-Ann Lee_1", "Red-Bob Ray_3", "Red-Zoë May_5"], ["1", "3", ""]),
        (["Lab-B-Ann Lee_1", "Lab-B-Bob Ray_3", "Lab-1-Zoë May_5"], ["", "", ""]),  # Lab, or Lab-B?
        (["Blue-Ann Lee_1"], [""]),  # or a person of that name
        (["Anne-Marie Lee_9", "Jean-Luc Roi_8"], ["", ""]),
        (["Anne-Marie Lee_9", "Blue-Bob Ray_3", "Ann Lee_1"], ["", "", "1"]),
        (["Blue-Anne-Marie Lee_9", "Blue-Bob Ray_3", "Blue-Ann Lee_1"], ["", "3", "1"]),
        (["Red-Anne-Marie Lee_9", "Blue-Bob Ray_3", "Blue-Ann Lee_1"], ["", "3", "1"]),
    ],
)
def test_a_group_of_any_name_is_known_by_the_roster(tmp_path, parts, ids):
    path = tmp_path / "r.csv"
    path.write_text("ID,Full name\n1,Ann Lee\n3,Bob Ray\n4,Marie Lee\n", encoding="utf-8")
    students = read_roster(path)
    found = [platforms.named((f"{part}_assignsubmission_file_", "x.ipynb")) for part in parts]
    told = platforms.told_apart(found, {}, students)
    assert ["".join(each.id for each in owner.on(students)) for owner in told] == ids


def test_an_export_is_what_platforms_named_for_several():
    moodle = [("Ann_1_assignsubmission_file_", "x.ipynb"), ("Bob_2_assignsubmission_file_", "x")]
    assert platforms.is_export(moodle)
    assert not platforms.is_export(moodle[:1]) and not platforms.is_export([*moodle, ("a", "x")])
    assert not platforms.is_export([])


def test_long_and_strange_names_are_quick():
    for part in ("_" * 60_000, "a_1" * 20_000, "_attempt_2024-" * 5000, "(" * 60_000 + ")"):
        platforms.named((part, part))
