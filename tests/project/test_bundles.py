"""The zip to hand in: the report comes back as it was, and a forged one is found out."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest

from course_lib import cli, measure, project, tflite
from course_lib.experiments import ledger
from course_lib.instructor.grading import collection
from course_lib.instructor.grading.course import Course
from course_lib.project import reports
from course_lib.project.training import HeadStart
from course_lib.session import commands
from course_lib.sound import features

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory) -> tuple[dict, dict[str, bytes], Path]:
    """A report on the shipped model, whose words are yes and no, and its zip."""
    words = project.gather(["yes", "no"])
    clips = words.test
    int8 = tflite.load("spotter_int8")
    models = [
        measure.report(name, tflite.load(f"spotter_{name}"), clips) for name in ("float32", "int8")
    ]
    claims = ledger.Ledger(
        tuple(
            ledger.Claim("01", f"claim {n}", (ledger.Test("so", n % 2 == 0, f"<b>{n}</b>"),))
            for n in range(20)
        )
    )
    run = project.on_micro(int8, features.of(clips)[:20])
    files = project.deliverables(int8, project.arena_bytes(run), words)
    made = project.report(words, models, "int8", HeadStart(6, 2, 0.5, 0.9), run, files, claims)
    path = project.bundle(tmp_path_factory.mktemp("report") / "my.zip", made, files)
    return made, files, path


def test_a_report_comes_back_as_it_was(handed_in) -> None:
    made, files, path = handed_in
    again, inside = project.read(path)
    assert (
        again
        == json.loads(json.dumps(made))
        == json.loads(path.with_name("report.json").read_text())
    )
    assert project.problems(again, inside) == []
    assert {name: inside[name] for name in files} == files
    assert inside["report.html"] == path.with_name("report.html").read_bytes()
    assert inside["spotter.tflite"] == tflite.load("spotter_int8")
    assert '"yes", "no"' in inside["spotter/model_settings.h"].decode()
    chosen = made["models"][1]
    assert f"measured again: {chosen['right']} of {chosen['n']}" in project.again(
        again, inside["spotter.tflite"]
    )


def test_a_report_without_claims_is_right_and_says_nothing_of_them(handed_in) -> None:
    made, files, _ = handed_in
    bare = {**made, "claims": []}
    assert project.problems(bare, files) == []
    assert "often said" in reports.page(made) and "often said" not in reports.page(bare)


def test_the_same_run_gives_the_same_zip(handed_in, tmp_path: Path) -> None:
    made, files, path = handed_in
    assert project.bundle(tmp_path / "b.zip", made, files).read_bytes() == path.read_bytes()


def test_the_page_loads_nothing_and_lets_nothing_in(handed_in) -> None:
    made = copy.deepcopy(handed_in[0])
    made["claims"][0]["said"] = "<script>alert(1)</script>"
    made["words"][0] = "<img onerror>"
    text = reports.page(made)
    assert "<script" not in text and "<img" not in text and "<b>" not in text
    for outside in ("http://", "https://", "src=", "url(", "@import"):
        assert outside not in text
    assert "prefers-color-scheme: dark" in text
    assert f"{made['models'][1]['bytes']:,}" in text


FORGERIES = {
    "a share of its own": (("models", 1, "share"), 1.0, "its matrix gives"),
    "one clip more right": (("models", 1, "right"), 9_999, "its matrix gives"),
    "a narrow interval": (("models", 1, "low"), 0.99, "its matrix gives"),
    "a matrix of other clips": (("models", 1, "confusion", 0, 0), 9_999, "test's clips"),
    "another verdict": (("claims", 1, "verdict"), "holds", "say that it does not hold"),
    "a claim twice": (("claims", 1, "said"), "claim 0", "there twice"),
    "a model that is not there": (("chosen",), "int4", "no model is called int4"),
    "other labels": (("labels", 2), "go", "they have to be"),
    "too many words alike": (("micro", "same_words"), 10**6, "cannot be the same"),
    "more weights than bytes": (("models", 0, "weight_bytes"), 10**9, "more bytes of weights"),
    "a file of another hash": (
        ("files", "spotter.tflite", "sha256"), "0" * 64, "not the file",
    ),
    "no number": (("models", 0, "bytes"), "19 kB", "models[0].bytes"),
    "a share over one": (("training", "from_nothing"), 1.5, "training.from_nothing"),
    "an unknown field": (("training", "cheated"), True, "cheated"),
    "another version": (("version",), 2, "version"),
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_report_is_found_out(handed_in, forgery: str) -> None:
    made, files, _ = handed_in
    (*way, last), value, says = FORGERIES[forgery]
    if "micro" in way and made["micro"] is None:
        pytest.skip("tflite-micro is not installed here")
    forged = copy.deepcopy(made)
    place = forged
    for step in way:
        place = place[step]
    place[last] = value
    found = project.problems(forged, files)
    assert found and any(says in each for each in found), found


def test_missing_parts_and_strange_files_are_named(handed_in) -> None:
    made, files, _ = handed_in
    fewer = {name: data for name, data in files.items() if name != "spotter/main.cpp"}
    assert project.problems(made, fewer) == ["files: spotter/main.cpp is missing."]
    more = {**files, "virus.exe": b"MZ"}
    assert project.problems(made, more) == ["files: the report does not know virus.exe."]
    for key in made:
        without = {name: value for name, value in made.items() if name != key}
        assert any(key in each for each in project.problems(without)), key
    for nonsense in (None, [], "report", 3, {}):
        assert project.problems(nonsense)


def test_a_model_that_does_not_do_what_is_reported_is_found_out(handed_in) -> None:
    made, files, _ = handed_in
    worse = bytearray(files["spotter.tflite"])
    from course_lib.tflite import xray

    span = xray.Xray(bytes(worse)).layers[-1].weights.span
    worse[span.start : span.end] = bytes(span.end - span.start)
    with pytest.raises(ValueError, match="Measured again, the model is right about"):
        project.again(made, bytes(worse))
    with pytest.raises(ValueError, match="damaged|TFL3|LiteRT"):
        project.again(made, b"\0" * 100)
    own = copy.deepcopy(made)
    own["clips"]["own"] = 20
    assert "20 clips are the author's own" in project.again(own, files["spotter.tflite"])


def _zip(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("_json", ".json"), data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"a": NaN}', "is no JSON"),
        (_zip(other=b"x"), "no report.json"),
        (_zip(report_json=b"{"), "is no JSON"),
        (_zip(report_json=b"0" * (65 << 20)), "unpacks to over 64 MB"),
        (_zip(report_json=b"{}" * 500)[:-30], "is no JSON|damaged"),
    ],
)
def test_what_is_no_report_is_said_in_a_sentence(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "handed.zip"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=says):
        project.read(path)
    with pytest.raises(FileNotFoundError, match="give a report.json or its zip"):
        project.read(tmp_path / "nothing")


def test_the_command_line_checks_many_reports(handed_in, tmp_path: Path, capsys) -> None:
    made, _, path = handed_in
    forged = tmp_path / "report.json"
    forged.write_text(json.dumps({**made, "chosen": "int4"}))
    assert cli.main(["check-report", str(path)]) == commands.DONE
    assert "my.zip: right; measured again" in capsys.readouterr().out
    assert (
        cli.main(["check-report", str(path), str(forged), str(tmp_path / "no")])
        == commands.UNUSABLE
    )
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and "no model is called int4" in lines[1] and "no file" in lines[2]


def test_grading_tells_what_a_report_says(handed_in, tmp_path: Path) -> None:
    """The report beside a notebook, in the student's folder or in a zip there, is checked."""
    made, _, path = handed_in
    for student, data in (
        ("ann", json.dumps(made).encode()),
        ("bob", json.dumps({**made, "chosen": "int4"}).encode()),
        ("cid", b"{"),
    ):
        (tmp_path / student).mkdir()
        (tmp_path / student / "report.json").write_bytes(data)
    (tmp_path / "dan").mkdir()
    (tmp_path / "dan" / "my_spotter.zip").write_bytes(path.read_bytes())
    works, _, notes = collection.collect([tmp_path], Course(ROOT / "notebooks" / "reference"))
    told = {note.partition(":")[0]: note for note in notes}
    chosen = made["models"][1]
    says = f"right: yes, no; int8, {chosen['bytes']:,} bytes, {chosen['right']} of {chosen['n']}"
    assert not works and set(told) == {"ann", "bob", "cid", "dan"}
    assert says in told["ann"] and says in told["dan"]
    assert "not right: chosen: no model is called int4" in told["bob"]
    assert "no report: report.json is no JSON" in told["cid"]


def test_a_zip_without_its_model_is_no_crash(handed_in, tmp_path: Path, capsys) -> None:
    """A report that lists another file in place of the model, and a zip whose bytes are spoilt."""
    made, _, path = handed_in
    about = {"bytes": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
    forged = json.dumps({**made, "files": {"other.txt": about}}).encode()
    (tmp_path / "a.zip").write_bytes(_zip(report_json=forged, other=b"x"))
    data = bytearray(path.read_bytes())
    start = data.index(b"report.json") + len("report.json")
    data[start : start + 200] = b"\xff" * 200  # where its compressed bytes begin
    (tmp_path / "b.zip").write_bytes(bytes(data))
    names = [str(tmp_path / name) for name in ("a.zip", "b.zip")]
    assert cli.main(["check-report", *names]) == commands.UNUSABLE
    first, second = capsys.readouterr().out.splitlines()
    assert "'spotter.tflite' is a required property" in first
    assert "damaged zip" in second


def test_a_wrong_report_is_not_written(handed_in, tmp_path: Path) -> None:
    made, files, _ = handed_in
    with pytest.raises(ValueError, match="No model is called 'int5'"):
        words = project.gather(["yes", "no"])
        start = HeadStart(6, 2, 0.5, 0.9)
        project.report(words, [], "int5", start, None, ledger.Ledger(), files)
    with pytest.raises(ValueError, match="This report is not right"):
        project.bundle(tmp_path / "a.zip", {**made, "chosen": "int4"}, files)
    assert list(tmp_path.iterdir()) == []
