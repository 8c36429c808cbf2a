"""Operations and their names, ours and TensorFlow's."""

from __future__ import annotations

from course_lib.graph.operations import OPERATIONS, operation


def test_tensorflows_names_mean_the_same():
    assert operation("AddV2") is OPERATIONS["Add"]
    assert operation("RealDiv") is OPERATIONS["Div"]
    assert operation("Conv2D") is None
