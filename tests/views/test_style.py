"""The style of all pictures."""

from __future__ import annotations

import io
import struct
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from course_lib import views
from course_lib.views import style


def luminance(colour: str) -> float:
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    light, dark = sorted((luminance(one), luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def png_size(data: bytes) -> tuple[int, int]:
    return struct.unpack(">II", data[16:24])


@pytest.fixture
def picture() -> views.Picture:
    figure, axes = views.figure(4, 2)
    axes.plot([1, 2, 3])
    return views.show(figure, alt="a line that rises")


def test_text_can_be_read_on_the_ground_of_pictures():
    paper = views.PALETTE["paper"]
    assert contrast(views.PALETTE["ink"], paper) > 7
    assert contrast(views.PALETTE["grey"], paper) > 4.5
    assert contrast(views.PALETTE["blue"], paper) > 4.5
    assert contrast("#FFFFFF", paper) > 1.1  # a white card would glare in a dark theme


def test_a_picture_is_a_png_with_words(picture):
    assert repr(picture) == "<picture: a line that rises>"
    data, metadata = picture._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png"}
    assert metadata["image/png"] == {"width": 384, "alt": "a line that rises"}
    assert png_size(picture.png) == (768, 384)
    assert 'alt="a line that rises"' in picture.html()


def test_the_same_figure_gives_the_same_bytes(picture):
    figure, axes = views.figure(4, 2)
    axes.plot([1, 2, 3])
    assert views.show(figure, alt="x").png == picture.png


def test_a_png_may_be_shown_as_it_is(picture):
    again = views.show(picture.png, alt="again")
    assert again.png == picture.png and again.width == 384
    with pytest.raises(ValueError, match="no PNG"):
        views.show(b"GIF89a", alt="x")


def test_a_picture_without_words_is_refused(picture):
    with pytest.raises(ValueError, match="needs a text"):
        views.show(picture.png, alt=" ")


def test_words_are_escaped(picture):
    odd = style.show(picture.png, alt='a "quoted" <text>')
    assert 'alt="a &quot;quoted&quot; &lt;text&gt;"' in odd.html()


def test_columns_of_different_widths():
    figure, axes = views.figure(6, 2, 1, 2, width_ratios=[3, 1])
    assert len(axes) == 2
    figure.canvas.draw()
    assert axes[0].get_position().width > 2 * axes[1].get_position().width


def test_a_pyplot_figure_is_not_shown_twice():
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, _ = pyplot.subplots()
    views.show(figure, alt="x")
    assert figure.number not in pyplot.get_fignums()


def test_importing_draws_nothing():
    code = (
        "import sys, course_lib.views, course_lib.views.shell;"
        "print([m for m in ('matplotlib', 'ipywidgets', 'IPython') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_moves_is_drawn_as_if_everything_were_drawn_again():
    fig, axes = style.figure(4, 3)
    axes.set(xlim=(0, 9), ylim=(0, 9))
    drawn = style.Redrawn(fig)
    empty = drawn.picture([], "axes")
    line = drawn.picture([axes.axvline(3, 0.2, 0.8, color="red")], "axes")
    text = drawn.picture([axes.text(5, 5, "five", fontsize=20)], "axes")
    axes.axvline(3, 0.2, 0.8, color="red")
    whole = style.show(fig, "axes", line.width)
    kept, anew = (Image.open(io.BytesIO(each.png)).convert("RGB") for each in (line, whole))
    assert np.abs(np.asarray(kept, int) - np.asarray(anew, int)).max() <= 8  # of 255
    assert len({empty.png, line.png, text.png}) == 3
    assert drawn.picture([], "axes").png == empty.png
