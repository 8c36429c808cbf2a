"""What the tests of pictures share: every text in a picture, and bundled clips with a report."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from course_lib import measure
from course_lib.sound import dataset
from course_lib.views import style


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch):
    """Return a function that draws a picture and returns every text in it."""
    figures = []
    monkeypatch.setattr(style, "show", lambda fig, alt: figures.append((fig, alt)))
    redrawn = lambda self, moving, alt: figures.append((self._figure, alt))  # noqa: E731
    monkeypatch.setattr(style.Redrawn, "picture", redrawn)

    def read(function, *arguments) -> str:
        import matplotlib.pyplot as plt
        from matplotlib.text import Text

        function(*arguments)
        fig, alt = figures.pop()
        assert alt
        assert all(axes.has_data() for axes in fig.axes)
        found = [text.get_text() for text in fig.findobj(Text)]
        plt.close(fig)
        return "\n".join(found)

    return read


@pytest.fixture
def colab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], list[dict]]:
    """Be in Colab, by the stand-in that its browser tests use; return what was asked of it."""
    path = Path(__file__).parents[1] / "colab" / "stand_in" / "google" / "colab" / "output.py"
    spec = spec_from_file_location("google.colab.output", path)
    output = module_from_spec(spec)
    spec.loader.exec_module(output)
    package = ModuleType("google.colab")
    package.output = output
    monkeypatch.setitem(sys.modules, "google.colab", package)
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    calls = tmp_path / "calls"
    calls.touch()
    monkeypatch.setenv("WORKBOOK_COLAB_CALLS", str(calls))
    return lambda: [json.loads(line) for line in calls.read_text().splitlines()]


@pytest.fixture(scope="module")
def bundled() -> dataset.Clips:
    return dataset.bundled("test")


@pytest.fixture(scope="module")
def report(bundled: dataset.Clips) -> measure.Report:
    """Answers that are right for two clips in three, and wrong in a way that repeats."""
    answers = np.full((len(bundled), 4), 0.1, np.float32)
    heard = np.where(np.arange(len(bundled)) % 3 == 0, (bundled.labels + 1) % 4, bundled.labels)
    answers[np.arange(len(bundled)), heard] = 0.7
    return measure.report("toy", lambda features: answers, bundled)
