"""The same weights in a FlatBuffer and in a protobuf, and what reading them costs."""

import sys

import numpy as np
import pytest

from course_lib.experiments import reading_costs
from course_lib.formats import flatbuffer
from course_lib.session import system

SIZE = 24_000_000
ARRAYS = {
    f"layer_{n}": np.random.default_rng(n).normal(size=(50, n + 1)).astype(np.float32)
    for n in range(4)
}


@pytest.fixture(scope="module")
def pair():
    return reading_costs.pair(ARRAYS)


def test_both_files_give_back_the_same_numbers(pair):
    flat, proto = pair
    for number, values in enumerate(ARRAYS.values()):
        view, _ = reading_costs.weight_flatbuffer(flat, number + 1)
        copy, _ = reading_costs.weight_protobuf(proto, number)
        np.testing.assert_array_equal(view, values.ravel())
        np.testing.assert_array_equal(copy, values.ravel())
    assert flatbuffer.byte_map(flat).complete
    total = sum(float(values.sum()) for values in ARRAYS.values())
    assert reading_costs.every_weight_flatbuffer(flat) == pytest.approx(total, rel=1e-4)
    assert reading_costs.every_weight_protobuf(proto) == pytest.approx(total, rel=1e-4)


def test_a_flatbuffer_allocates_nothing_that_grows_with_the_file():
    small, large = (
        reading_costs.pair({"w": np.ones(count, np.float32)}) for count in (1000, 500_000)
    )
    flat = [
        reading_costs.cost(lambda file=file: reading_costs.weight_flatbuffer(file, 1), 5)
        for file, _ in (small, large)
    ]
    proto = [
        reading_costs.cost(lambda file=file: reading_costs.weight_protobuf(file, 0), 5)
        for _, file in (small, large)
    ]
    assert flat[1].bytes < 20_000
    assert proto[1].bytes > 1_900_000 or proto[1].heap_bytes is None
    assert proto[1].bytes > proto[0].bytes


def test_zip_finds_something_to_do():
    data = reading_costs.pair({"w": np.zeros(1000, np.float32)})[0]
    assert reading_costs.zipped(data) < len(data) / 10


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "zeros.bin"
    path.write_bytes(bytes(SIZE))
    return path


def test_a_mapping_reads_like_the_bytes(file):
    mapped = reading_costs.Mapped(file)
    assert len(mapped) == SIZE and mapped.view[5:9] == bytes(4)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what is loaded")
def test_one_look_loads_little_and_reading_all_loads_all(file):
    mapped = reading_costs.Mapped(file)
    assert mapped.loaded_bytes == 0
    assert mapped.view[SIZE // 2] == 0
    few = mapped.loaded_bytes
    assert 0 < few <= SIZE // 4 and few % 4096 == 0
    assert not np.frombuffer(mapped.view, np.uint8).any()
    assert mapped.loaded_bytes >= SIZE


def test_a_weight_is_found_in_a_mapped_flatbuffer(tmp_path):
    path = tmp_path / "pair.tflite"
    path.write_bytes(reading_costs.pair({"a": np.arange(5.0), "b": np.ones(3)})[0])
    weights, _ = reading_costs.weight_flatbuffer(reading_costs.Mapped(path).view, 1)
    np.testing.assert_array_equal(weights, np.arange(5.0))


def test_a_system_that_does_not_tell_gives_none(file, monkeypatch):
    monkeypatch.setattr(system, "resident_bytes", lambda address: None)
    assert reading_costs.Mapped(file).loaded_bytes is None


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty").touch()
    with pytest.raises(ValueError, match="empty is empty"):
        reading_costs.Mapped(tmp_path / "empty")
