"""What is taken for what: its pictures, and the clips that play behind them."""

import ipywidgets
import numpy as np
import pytest

from course_lib import measure
from course_lib.views import confusion
from course_lib.views.style import Picture

PNG = b"\x89PNG\r\n\x1a\n"


def is_picture(made, *words) -> bool:
    told = all(word in made.alt for word in words)
    return isinstance(made, Picture) and made.png.startswith(PNG) and told


def test_pictures_of_confusion(bundled, report):
    assert is_picture(confusion.matrix(report.confusion), "rows said", "most on the diagonal")
    assert is_picture(confusion.recalls([report, report]), "yes")
    engines = len(set(bundled.engines))
    picture = confusion.groups(report, bundled.engines, "who?")
    assert is_picture(picture, "who? toy", f"{engines} groups, hardest on top")
    assert confusion.groups(report, bundled.files, "which?").png != picture.png  # hundreds of them
    levels = np.linspace(0, 1, 11)
    assert is_picture(confusion.thresholds(levels, levels, 1 - levels, 0.4), "threshold")


def test_a_cell_of_the_matrix_plays_the_clips_behind_it(bundled, report):
    matrix = confusion.Confusion(report, bundled)
    for said in range(4):
        for heard in range(4):
            places = matrix.behind(said, heard)
            assert len(places) == report.confusion[said, heard]
            assert set(bundled.labels[places]) <= {said}
    said, heard = matrix.worst()
    assert said != heard and report.confusion[said, heard] > 0
    html = matrix.html(said, heard)
    assert html.count("<audio") == min(confusion._MOST, report.confusion[said, heard])
    with pytest.raises(ValueError, match="other clips"):
        confusion.Confusion(report, bundled[:-1])


def test_pressing_a_number_changes_the_players(bundled, report):
    grid, view = confusion.Confusion(report, bundled).controls().children
    buttons = [child for child in grid.children if isinstance(child, ipywidgets.Button)]
    assert [int(button.description) for button in buttons] == report.confusion.ravel().tolist()
    before = view.value
    next(each for each in buttons if each.tooltip.startswith("said yes, heard as yes")).click()
    assert view.value != before and "said yes, heard as yes" in view.value
    assert all(button.disabled == (button.description == "0") for button in buttons)


def test_a_voice_plays_what_it_was_mistaken_in(bundled, report):
    shown = confusion.Voices(report, bundled)
    assert sum(len(places) for places in shown.places.values()) == len(bundled)
    shares = [shown.share(voice) for voice in shown.order]
    assert shares == sorted(shares) and set(shown.order) == set(bundled.voices)
    hardest = shown.order[0]
    assert all(
        not report.right[place] and bundled.voices[place] == hardest
        for place in shown.mistaken(hardest)
    )
    expected = min(confusion._MOST, len(shown.mistaken(hardest)))
    assert shown.html(hardest).count("<audio") == expected
    picture, chosen, view = shown.controls().children
    before = view.value
    chosen.value = shown.order[-1]
    assert view.value != before and "<img" in picture.value
    with pytest.raises(ValueError, match="other clips"):
        confusion.Voices(report, bundled[:-1])


def test_a_voice_that_was_always_understood_is_heard_too(bundled):
    right = measure.report("right", lambda sound: np.eye(4)[bundled.labels], bundled)
    shown = confusion.Voices(right, bundled)
    assert shown.html(shown.order[0]).count("understood") == 3


def test_a_threshold_counts_both_errors_and_plays_them(bundled, report):
    shown = confusion.Threshold(report, bundled)
    keywords = bundled.labels >= 2
    heard = report.probabilities[:, 2:].max(axis=1)
    for level in (0.0, 0.3, 0.69, 0.7, 1.0):
        assert len(shown.missed(level)) == (heard[keywords] <= level).sum()
        assert len(shown.alarms(level)) == (heard[~keywords] > level).sum()
    assert len(shown.missed(1.0)) == keywords.sum() and len(shown.alarms(1.0)) == 0
    slider, view = shown.controls().children
    before = view.value
    slider.value = 0.05
    assert view.value != before and "At 0.05: 0 of" in view.value
    assert view.value.count("false alarm: ") == confusion._MOST_ERRORS
    slider.value = 0.9
    assert view.value.count("missed: ") == confusion._MOST_ERRORS
    with pytest.raises(ValueError, match="other clips"):
        confusion.Threshold(report, bundled[:-1])


def test_the_same_data_gives_the_same_picture(report):
    first, again = (confusion.matrix(report.confusion, title="toy") for _ in range(2))
    assert first.png == again.png
