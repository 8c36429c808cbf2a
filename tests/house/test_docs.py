"""What docs/grading.md and the README tell an instructor: each command runs, each file is there."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from hostile import corpus, toy

import course_lib
from course_lib import cli
from course_lib.instructor.grading import sandbox
from course_lib.session import commands

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "grading.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMAND = re.compile(r"^    (?:\S*python) -m course_lib (.+?)(?: {2,}#.*)?$", re.MULTILINE)
NOT_HERE = {"--scheduler"}  # tests/instructor/grading/test_campaign.py has a cluster
WORKSHEET = (
    "Identifier,Full name,Status,Grade,Maximum Grade,Grade can be changed,Feedback comments\n"
    "Participant 1001,Ada Lovelace,Submitted,,100.00,Yes,\n"
    "Participant 1002,Ben Okafor,Submitted,,100.00,Yes,\n"
    "Participant 1003,Cy Young,Submitted,,100.00,Yes,\n"
)
GRADEBOOK = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Lab 6 (4),Lab 7 (5)\n"
    "    Points Possible,,,,,10,10\n"
    '"Lovelace, Ada",1,,ada,A,,\n"Okafor, Ben",2,,ben,A,,\n"Young, Cy",3,,cy,A,,\n'
)


def section(name: str) -> str:
    """Return the README's section with this heading."""
    return README.split(f"## {name}\n")[1].split("\n## ")[0]


def options_of(command: str, capsys) -> set[str]:
    assert cli.main([command, "--help"]) == commands.DONE
    return set(re.findall(r"--[a-z-]+", capsys.readouterr().out))


def test_every_option_that_is_named_exists(capsys):
    text = GUIDE + section("Grade a class")
    known = set().union(*(options_of(name, capsys) for name in ("grade", "marks", "export")))
    named = set(re.findall(r"(?<![\w-])--[a-z]+[a-z-]*", text)) - {"--nthreads"}  # Dask's
    assert named <= known, named - known
    for arguments in COMMAND.findall(text):
        name = arguments.split()[0]
        used = set(re.findall(r"(?<=\s)--[a-z-]+", arguments))
        assert used <= options_of(name, capsys), arguments


def test_every_exit_code_is_explained():
    table = GUIDE.split("## Exit codes")[1]
    explained = {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    assert explained == {int(code) for code in re.findall(r"(\d+) [a-z]", commands.CODES)}
    assert explained == {
        commands.DONE,
        commands.FEWER,
        commands.USAGE,
        commands.UNUSABLE,
        commands.UNWRITABLE,
        commands.INCOMPLETE,
        commands.INTERRUPTED,
    }


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])
def test_every_command_that_is_named_exists(page, capsys):
    for arguments in COMMAND.findall(page.read_text(encoding="utf-8")):
        used = set(re.findall(r"(?<=\s)--[a-z-]+", arguments))
        assert used <= options_of(arguments.split()[0], capsys), arguments


def test_every_link_leads_somewhere():
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(((?!https?:)[^)]+)\)", text):
            file, _, heading = target.partition("#")
            assert (page.parent / file).exists(), target
            headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
            assert not heading or heading in {each.lower().replace(" ", "-") for each in headings}


def test_one_version_is_named_everywhere():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cited["version"] == course_lib.__version__
    assert cited["repository-code"] == project["urls"]["Repository"]
    assert cited["title"] == README.splitlines()[0].removeprefix("# ")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", changes, re.M)[1] == course_lib.__version__


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Return an instructor's folder: a Moodle zip of three, a roster, a worksheet, a gradebook."""
    place = tmp_path_factory.mktemp("desk")
    reference, student = toy.build(place / "course")
    partly = {**corpus.RIGHT, "97.2": corpus.WRONG_2}
    people = {"Ada Lovelace_1001": corpus.RIGHT, "Ben Okafor_1002": partly, "Cy Young_1003": {}}
    with zipfile.ZipFile(place / "lab.zip", "w") as archive:
        for name, answers in people.items():
            text = json.dumps(corpus.notebook(student, answers))
            archive.writestr(f"{name}_assignsubmission_file_/97_grading.ipynb", text)
    (place / "worksheet.csv").write_text(WORKSHEET)
    (place / "gradebook.csv").write_text(GRADEBOOK)
    (place / "roster.csv").write_text("name\nAda Lovelace\nBen Okafor\nCy Young\n")
    files = "".join(f"{name}_assignsubmission_file_,{name.split('_')[0]}\n" for name in people)
    (place / "whose.csv").write_text(f"file,student\n{files}")
    return place, reference


@pytest.mark.slow
@pytest.mark.skipif(not sandbox.bubblewrap_works(), reason="bubblewrap does not work here")
def test_every_command_runs(desk, monkeypatch, capsys):
    """One after the other, as they are written; lesson 97 stands for the real ones."""
    place, reference = desk
    monkeypatch.chdir(place)
    toys = ["--reference", str(reference), "--exercises", str(toy.EXERCISES)]
    ran = []
    for line in COMMAND.findall(section("Grade a class") + GUIDE):
        arguments = [each.replace("07", "97") for each in shlex.split(line)]
        if set(arguments) & NOT_HERE:
            continue
        if arguments[0] == "grade" or "gradescope" in arguments:
            arguments += toys
        assert cli.main(arguments) == commands.DONE, (line, capsys.readouterr().err)
        ran.append(arguments[0])
        if "worksheet.csv" in arguments:
            to = place / ("lesson97.csv" if "--to" in arguments else "grades/marks.csv")
            grades = [row.split(",")[3] for row in to.read_text().splitlines()[1:]]
            assert grades == ["100", "75", "0"]
        if "gradebook.csv" in arguments:
            rows = (place / "grades" / "marks.csv").read_text().splitlines()[2:]
            assert [row.split(",")[-2:] for row in rows] == [["", "10"], ["", "7.5"], ["", "0"]]
    assert ran.count("grade") >= 4 and ran.count("marks") == 4 and ran.count("export") == 4
    assert (place / "upload" / "autograder.zip").is_file()
    assert (place / "template" / ".github" / "workflows" / "grade.yml").is_file()
    missing = {name for name in _files() if not (place / "grades" / name).exists()}
    assert not missing, missing
    extra = {path.name for path in (place / "grades").iterdir()} - {
        name.rstrip("/") for name in _files()
    }
    assert extra == {"marks.csv"}  # and every file that is there is in the table
    (pattern,) = re.findall(r"^    rm grades/(.+)$", GUIDE, re.MULTILINE)
    assert len(list((place / "grades").glob(pattern))) == 1


def _files() -> list[str]:
    """Return what the guide's table says lies in the folder of grades."""
    table = GUIDE.split("| in `grades/` |")[1].split("\n\n")[0]
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
