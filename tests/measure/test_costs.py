"""What a model costs, against hand-counted examples."""

import numpy as np
import pytest

from course_lib import tflite
from course_lib.measure import costs
from tests.one_operation import Input, model


def test_latencies_see_twice_the_work():
    small, large = np.ones(200_000), np.ones(2_000_000)
    slow, quick = costs.latencies([large.sum, small.sum], rounds=40)
    assert slow / quick > 2


def test_bytes_by_kind_refuses_other_files():
    with pytest.raises(ValueError, match="TFL3"):
        costs.bytes_by_kind(b"\0" * 100)
    with pytest.raises(ValueError, match="damaged"):
        costs.bytes_by_kind(b"\xff\xff\xff\x7fTFL3" + b"\xff" * 50)


def test_bytes_by_kind_adds_up_to_the_file():
    values = np.arange(12, dtype=np.int8).reshape(3, 4)
    made = model(
        "ADD", [Input((3, 4), 0.5, 1), Input((3, 4), 0.5, 1, values)], Input((3, 4), 1.0, 0)
    )
    kinds = costs.bytes_by_kind(made)
    assert sum(kinds.values()) == len(made)
    assert kinds["weights"] == 12
    assert kinds["scales"] == 3 * (4 + 4 + 4 + 8)
    assert kinds["names"] == 3 * (len("t0") + 5)


def test_shared_tables_count_once():
    values = np.arange(12, dtype=np.int8).reshape(3, 4)
    same = {"scale": 0.5, "zero_point": 1}
    made = model(
        "ADD", [Input((3, 4), **same), Input((3, 4), data=values, **same)], Input((3, 4), **same)
    )
    small = costs.bytes_by_kind(tflite.compact(made))
    assert small["scales"] == 4 + 4 + 4 + 8
    assert sum(small.values()) == len(tflite.compact(made))
