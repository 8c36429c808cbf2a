"""How a widget is shown with its twin, and the controls that all widgets are made of."""

import pytest

from course_lib import views
from course_lib.views import shell


@pytest.fixture
def picture() -> views.Picture:
    figure, axes = views.figure(4, 2)
    axes.plot([1, 2, 3])
    return views.show(figure, alt="a line that rises")


@pytest.fixture
def displayed(monkeypatch):
    """What `display` was asked to show, as (data, metadata)."""
    import IPython.display

    shown = []
    monkeypatch.setattr(
        IPython.display, "display", lambda data, metadata, raw: shown.append((data, metadata))
    )
    return shown


def test_a_widget_and_its_twin_share_one_output(displayed, picture):
    widget = shell.column(shell.html("hello"))
    shell.show(widget, picture)
    data, metadata = displayed[0]
    assert data["text/plain"] == "<widget: a line that rises>"
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert "image/png" in data and metadata["image/png"]["alt"] == "a line that rises"


def test_a_twin_may_be_text(displayed):
    shell.show(shell.html("hello"), "<p>the same in every run</p>", label="a greeting")
    data, _ = displayed[0]
    assert data["text/html"] == "<p>the same in every run</p>"
    assert data["text/plain"] == "<widget: a greeting>"


def test_controls_tell_their_new_value():
    seen = []
    slider = shell.slider("n", 3, 0, 9, on_change=seen.append)
    slider.value = 5
    fine = shell.slider("x", 0.5, 0, 1, 0.1, on_change=seen.append, continuous=False)
    fine.value = 0.7
    choice = shell.dropdown("which", [("one", 1), ("two", 2)], 2, on_change=seen.append)
    assert choice.value == 2
    choice.value = 1
    shell.button("go", lambda: seen.append("pressed")).click()
    assert seen == [5, 0.7, 1, "pressed"]
    assert not fine.continuous_update


def test_notes_are_spoken_and_escaped():
    assert shell.note("1 < 2") == (
        '<div role="status" aria-live="polite" style="line-height:1.5">1 &lt; 2</div>'
    )


def test_a_page_follows_every_control():
    low, high = shell.slider("low", 1, 0, 9), shell.slider("high", 5, 0, 9)
    row, view = shell.live(lambda *values: f"{values}", low, high).children
    assert row.children == (low, high) and view.value == "(1, 5)"
    high.value = 7
    low.value = 2
    assert view.value == "(2, 7)"
    alone, _ = shell.live(str, shell.slider("n", 3, 0, 9)).children
    assert alone.value == 3
