"""The dashboard: its figures against the reports, its speed, its controls."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
from one_operation import small_models

from course_lib import measure
from course_lib.sound import audio
from course_lib.views import comparison, dashboard
from course_lib.views.dashboard import Dashboard, uploaded

KINDS = {"weights": 600, "scales": 50, "names": 30, "structure": 20}


def make_report(name, answers, size=700, seconds=1e-4):
    labels = np.array([0, 1, 2, 3, 2, 3])
    probabilities = np.full((6, 4), 0.1, np.float32)
    probabilities[np.arange(6), answers] = 0.7
    return measure.Report(name, size, 600, labels, probabilities, KINDS, seconds, size // 2)


@pytest.fixture
def board():
    clips = SimpleNamespace(waves=np.zeros((6, 16_000), np.float32))
    clips.words = ("_silence_", "note", "yes", "no", "yes", "no")
    clips.play = lambda place: audio.play(clips.waves[place], f"clip {place}")
    return Dashboard(
        [
            make_report("float32", [0, 1, 2, 3, 2, 3], 2800),
            make_report("int8", [0, 1, 2, 3, 1, 3], 700, 5e-5),
            make_report("odd", [0, 1, 2, 1, 3, 1], 700),
        ],
        clips,
    )


def test_the_comparison_says_the_reports_figures(board):
    page = board.html("float32", "int8")
    for text in (
        "2,800 B",
        "700 B",
        "4.00x smaller",
        "100.0%",
        "83.3%",
        "1 clips lost",
        "0 gained",
        "no more than noise",
        "0.50 times as long",
        "350 B",
        "1 of 6 clips changed",
    ):
        assert text in page, text


@pytest.mark.parametrize(
    "size, words",
    [(700, "4.0x smaller"), (2799, "a little smaller"), (2801, "a little larger"), (2800, "same")],
)
def test_a_size_beside_the_first_is_told_in_words_where_a_factor_would_be_one(size, words):
    first, other = (make_report("x", [0, 1, 2, 3, 2, 3], each) for each in (2800, size))
    assert words in dashboard._after_bar([first, other])[1]


def test_a_flipped_clip_has_a_player_and_both_answers(board):
    page = board.html("float32", "int8", ["flipped clips"])
    assert page.count("<audio") == 1 and "clip 4" in page
    assert "yes (70%) &rarr; _unknown_ (70%)" in page


def test_a_flipped_clip_says_which_word_it_was(board):
    board.clips.words = ("_silence_", "note", "yes", "no", "<yeah>", "no")
    page = board.html("float32", "int8", ["flipped clips"])
    assert "&lt;yeah&gt;</b>, which is yes" in page


def test_lost_clips_come_first(board):
    odd, float32 = board.reports["odd"], board.reports["float32"]
    assert list(comparison.flips(float32, odd)) == [3, 4, 5]
    assert set(comparison.flips(odd, float32)) == {3, 4, 5}


def test_parts_can_be_switched_off(board):
    for part in comparison.PARTS:
        rest = [other for other in comparison.PARTS if other != part]
        assert len(board.html("float32", "odd", rest)) < len(board.html("float32", "odd"))
    assert "Choose at least one" in board.html("float32", "odd", [])


def test_equal_models_show_no_change(board):
    page = board.html("int8", "int8")
    assert "No clip changed its name" in page and "+0.0 points" in page


def test_names_of_models_are_escaped():
    reports = [make_report("<b>mine", [0] * 6), make_report("a&b", [1] * 6)]
    page = Dashboard(reports).html("<b>mine", "a&b")
    assert "<b>mine" not in page.replace("<b>&lt;b&gt;mine", "") and "a&amp;b" in page


def test_every_change_is_quick(board):
    times = []
    for before in board.reports:
        for after in board.reports:
            start = time.process_time()
            board.html(before, after)
            times.append(time.process_time() - start)
    assert sorted(times)[int(0.95 * len(times))] < 0.05


def test_moving_a_control_changes_the_page(board):
    column = board.controls()
    lists, boxes, _, view, sounds = column.children
    first = view.value
    lists.children[1].value = "int8"
    assert view.value != first
    second = view.value
    boxes.children[0].value = False
    assert len(view.value) < len(second)
    assert "<audio" in sounds.value and "<audio" not in view.value
    boxes.children[-1].value = False
    assert sounds.value == ""


@pytest.mark.parametrize(
    "value",
    [
        {"a.tflite": {"content": b"abc", "metadata": {}}},
        ({"name": "a.tflite", "content": memoryview(b"abc")},),
    ],
)
def test_uploads_of_both_versions_are_read(value):
    assert uploaded(value) == [("a.tflite", b"abc")]


def test_a_file_that_is_no_model_is_named(board):
    board.clips = (np.eye(4, dtype=np.float32), np.arange(4))
    assert board._opened("x.tflite", b"nothing") == (
        "x.tflite: This is not a .tflite file: bytes 4 to 8 should read TFL3."
    )
    assert list(board.reports) == ["float32", "int8", "odd"]


def test_models_of_other_classes_are_not_compared(board):
    other = make_report("other", [0, 1, 2, 3, 2, 3])
    other = measure.Report("other", 1, 1, other.labels, np.eye(6, dtype=np.float32))
    assert other.names == ("0", "1", "2", "3", "4", "5")
    with pytest.raises(ValueError, match="other gives 6 values a clip and float32 4"):
        Dashboard([*board.reports.values(), other])


def test_a_file_that_runs_joins_the_lists(board):
    board.clips = (np.eye(4, dtype=np.float32), np.arange(4))
    said = board._opened("mine.tflite", next(iter(small_models().values())))
    assert "4 clips" in said and "mine.tflite" in board.reports


def test_the_twin_is_a_picture_with_a_stable_text(board, capsys):
    picture = board.still()
    assert picture.png[:4] == b"\x89PNG"
    assert "float32, int8, odd" in repr(picture)


def test_one_model_is_no_comparison():
    with pytest.raises(ValueError, match="at least two"):
        Dashboard([make_report("one", [0] * 6)])


def test_any_two_files_can_be_opened(tmp_path):
    paths = {}
    for name, model in small_models().items():
        paths[name] = tmp_path / f"{name}.tflite"
        paths[name].write_bytes(model)
    features = np.eye(4, dtype=np.float32) * 3
    opened = Dashboard(paths, (features, np.arange(4)))
    assert "No clip changed its name" in opened.html(*paths)
