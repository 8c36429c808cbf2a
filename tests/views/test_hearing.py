"""A page that hears is one document that needs nothing; what it cannot hold is refused."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import numpy as np
import pytest

from course_lib import tflite
from course_lib.sound import dataset
from course_lib.views import hearing

SILENCE = np.zeros(16_000, np.float32)


@pytest.fixture(scope="module")
def shipped() -> bytes:
    return tflite.load("spotter_int8")


def _data(document: str) -> dict:
    return json.loads(re.search(r'type="application/json">(.*?)</script>', document)[1])


def test_a_page_holds_all_that_it_needs(shipped: bytes, tmp_path: Path) -> None:
    made = hearing.page(shipped, {"a </script> of quiet": SILENCE})
    assert made.save(tmp_path / "page.html").read_text(encoding="utf-8") == made.document
    assert not re.search(r"""(?:src|href|from|import)\s*[=(]?\s*["']""", made.document)
    data = _data(made.document)
    assert data["words"] == ["yes", "no"] and data["labels"] == list(dataset.LABELS)
    assert data["clips"][0]["name"] == "a </script> of quiet"
    assert html.escape(made.document) in made._repr_html_()


@pytest.mark.parametrize(
    "how, said",
    [
        ({"labels": ("a", "b", "c")}, "gives 4 answers, not 3"),
        ({"clips": {"short": SILENCE[1:]}}, "'short' has the shape"),
    ],
)
def test_what_does_not_fit_is_said(shipped: bytes, how: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        hearing.page(shipped, **{"clips": {}} | how)


def test_a_model_of_floats_is_refused() -> None:
    with pytest.raises(ValueError, match="int8|integer|eight"):
        hearing.page(tflite.load("spotter_float32"), {})
