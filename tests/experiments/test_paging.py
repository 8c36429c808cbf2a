"""Mapped files: nothing is loaded before it is looked at."""

import sys

import numpy as np
import pytest

from course_lib.experiments import paging, reading_costs

SIZE = 24_000_000


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "zeros.bin"
    path.write_bytes(bytes(SIZE))
    return path


def test_a_mapping_reads_like_the_bytes(file):
    mapped = paging.Mapped(file)
    assert len(mapped) == SIZE and mapped.view[5:9] == bytes(4)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is loaded")
def test_one_look_loads_little_and_reading_all_loads_all(file):
    mapped = paging.Mapped(file)
    assert mapped.loaded_bytes == 0
    assert mapped.view[SIZE // 2] == 0
    few = mapped.loaded_bytes
    assert 0 < few <= SIZE // 4 and few % 4096 == 0
    assert not np.frombuffer(mapped.view, np.uint8).any()
    assert mapped.loaded_bytes >= SIZE


def test_a_weight_is_found_in_a_mapped_flatbuffer(tmp_path):
    path = tmp_path / "pair.tflite"
    path.write_bytes(reading_costs.pair({"a": np.arange(5.0), "b": np.ones(3)})[0])
    weights, _ = reading_costs.weight_flatbuffer(paging.Mapped(path).view, 1)
    np.testing.assert_array_equal(weights, np.arange(5.0))


def test_a_system_that_does_not_tell_gives_none(file, monkeypatch):
    def refuse(*_, **__):
        raise OSError

    mapped = paging.Mapped(file)
    monkeypatch.setattr(paging.Path, "read_text", refuse)
    assert mapped.loaded_bytes is None


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty").touch()
    with pytest.raises(ValueError, match="empty is empty"):
        paging.Mapped(tmp_path / "empty")
