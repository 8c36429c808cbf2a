"""Sound on its way to features: its pictures, and the slider over its frames."""

import numpy as np
import pytest

from course_lib.sound.features import of
from course_lib.views import features
from course_lib.views.style import Picture

PNG = b"\x89PNG\r\n\x1a\n"


def is_picture(made, *words) -> bool:
    told = all(word in made.alt for word in words)
    return isinstance(made, Picture) and made.png.startswith(PNG) and told


def test_pictures_of_features(bundled):
    wave = bundled.waves[0]
    assert is_picture(features.stages(wave, 0, "yes"), "frame 0 of yes", "0 ms")
    assert is_picture(features.stages(np.zeros(16_000, np.float32), 48), "from 960 ms")
    assert is_picture(features.maps(of(bundled)[:5], bundled.words[:5]), bundled.words[4])
    with pytest.raises(ValueError, match="from 0 to 48"):
        features.stages(wave, 49)


def test_stages_come_one_at_a_time(bundled):
    told = ("its samples", "its spectrum", "its 40 bands", "its column")
    for last in range(2, 6):
        alt = features.stages(bundled.waves[0], 20, "yes", last).alt
        assert [part in alt for part in told] == [place < last - 1 for place in range(4)]
    for last in (1, 6):
        with pytest.raises(ValueError, match="no stage"):
            features.stages(bundled.waves[0], 20, last=last)
    with_two = features.FrameExplorer(bundled[:2], frame=20, last=2)
    assert "spectrum" not in with_two.html(0, 20)


def test_moving_the_slider_or_choosing_a_clip_changes_the_view(bundled):
    box = features.FrameExplorer(bundled[:3], frame=20).controls()
    row, view = box.children
    clip, frame = row.children
    before = view.value
    frame.value = 30
    after = view.value
    clip.value = 2
    assert len({before, after, view.value}) == 3
    assert "<img" in view.value and "<audio" in view.value
    with pytest.raises(ValueError, match="no clip"):
        features.FrameExplorer(bundled[[]])


def test_the_same_data_gives_the_same_picture(bundled):
    first, again = (features.stages(bundled.waves[3], 20) for _ in range(2))
    assert first.png == again.png
