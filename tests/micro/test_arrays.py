"""Bytes as a C array, and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib import micro, tflite
from course_lib.sound import dataset, features


@pytest.fixture(scope="module")
def model() -> bytes:
    return tflite.load("spotter_int8")


@given(st.binary(min_size=1, max_size=300))
def test_an_array_gives_its_bytes_back(data: bytes) -> None:
    source = micro.c_array(data, "some_name")
    assert micro.read_c_array(source, "some_name") == data
    assert f"some_name_bytes = {len(data)};" in source and "aligned(16)" in source


def test_what_is_no_array_is_refused() -> None:
    for data, name, reason in (
        (b"", "a", "no bytes"),
        (b"a", "1a", "no name"),
        (b"a", "", "no name"),
    ):
        with pytest.raises(ValueError, match=reason):
            micro.c_array(data, name)
    with pytest.raises(LookupError, match="no array called other"):
        micro.read_c_array(micro.c_array(b"abc", "model"), "other")


def test_the_array_runs_as_the_file_does(model: bytes) -> None:
    data = micro.read_c_array(micro.c_array(model))
    assert data == model
    if micro.available():
        rows = features.of(dataset.bundled("test"))[:3]
        assert np.array_equal(micro.Interpreter(data).run(rows), micro.Interpreter(model).run(rows))
