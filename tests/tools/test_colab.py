"""Colab's versions: pinned, and left as they are."""

from __future__ import annotations

import re
from collections import namedtuple

from tools import colab, environment

Usage = namedtuple("Usage", "total used free")


def test_changed_versions_in_colab_are_named() -> None:
    before = {"numpy": "2.1.3"}
    adds = {"netron"}
    assert colab.changed(before, {"numpy": "2.1.3", "netron": "9"}, adds) == ""
    assert "changed numpy from 2.1.3 to 2.2" in colab.changed(before, {"numpy": "2.2"}, adds)
    extra = {"numpy": "2.1.3", "netron": "9", "keras": "3"}
    assert "also installed keras" in colab.changed(before, extra, adds)
    assert "did not install netron" in colab.changed(before, before, adds)


def test_colab_pins_name_what_the_lessons_touch() -> None:
    pins = dict(
        line.split("==") for line in environment.environment("colab").requirements if "==" in line
    )
    assert pins["tensorflow"] == "2.20.0" and pins["ipywidgets"] == "7.7.1"
    assert pins["ipython"] == "7.34.0" and pins["numpy"] == "2.1.3"
    adds = " ".join(environment.colab_adds())
    assert not re.search(r"tensorflow|ipywidgets|numpy", adds)


def test_colab_and_here_have_the_same_tflite_micro() -> None:
    """Bytes are compared with its kernels: another build may round in another way."""
    lines = environment.environment("lab").requirements
    (needed,) = [line.split(";")[0] for line in lines if line.startswith("tflite-micro")]
    assert needed in environment.colab_adds()
