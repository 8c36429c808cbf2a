"""The byte map on models that it was not designed for, and on every one that the lessons make."""

import random

import numpy as np
import pytest
from foreign_models import MODELS, made
from formats.test_flatbuffer import agree, mutated

from course_lib import quantize, tflite
from course_lib.experiments import reading_costs
from course_lib.formats import flatbuffer

SMALL = ("control_flow", "signatures", "sparse", "four_bits", "custom_operation", "strings")


@pytest.mark.parametrize("name", MODELS)
def test_map_of_a_foreign_model_is_complete_and_right(name):
    data = made(name)
    found = agree(data)
    assert not found.of_kind("unused")
    assert flatbuffer.byte_map(tflite.strip(data)).complete
    if name == "mobilenet_large":
        assert len(data) > 5_000_000


@pytest.mark.parametrize("name", SMALL)
def test_mutations_of_a_foreign_model_give_a_right_map_or_a_clear_error(name):
    data, chance, whole = made(name), random.Random(name), 0
    for _ in range(400):
        damaged = mutated(data, chance)
        try:
            found = flatbuffer.byte_map(damaged)
        except flatbuffer.FormatError as error:
            assert "\n" not in str(error)
        else:
            whole += 1
            assert found.complete and sum(found.shares.values()) == len(damaged)
    assert 0 < whole < 400


@pytest.fixture(scope="module")
def ours():
    """Every kind of .tflite file that lessons 06 and 07 make of the shipped models."""
    int8, float32 = tflite.load("spotter_int8"), tflite.load("spotter_float32")
    packed = quantize.four_bits(int8, float32, list(quantize.read(int8).kernels)[:1])
    rows = np.zeros((2, 49, 40), np.float32)
    return {
        "int8": int8,
        "float32": float32,
        "no names": tflite.strip(int8),
        "nothing twice": tflite.compact(int8),
        "four bits": packed,
        "four bits, nothing twice": tflite.compact(packed),
        "mended biases": quantize.correct_biases(int8, float32, rows),
        "no operations": reading_costs.pair({"a": np.ones((3, 2)), "b": np.zeros(5)})[0],
    }


@pytest.mark.parametrize(
    "name",
    [
        "int8",
        "float32",
        "no names",
        "nothing twice",
        "four bits",
        "four bits, nothing twice",
        "mended biases",
        "no operations",
    ],
)
def test_map_of_our_own_files_is_complete_and_right(ours, name):
    assert not agree(ours[name]).of_kind("unused")


def test_what_others_made_still_runs_when_nothing_is_stored_twice():
    rows = np.random.default_rng(1).normal(size=(3, 10, 10, 1)).astype(np.float32)
    data = made("uint8_ends")
    small = tflite.compact(data)
    assert flatbuffer.byte_map(small).complete and len(small) < len(data)
    np.testing.assert_array_equal(tflite.run(small, rows), tflite.run(data, rows))
