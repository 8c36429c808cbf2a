"""The shipped models, and clips to run them on."""

import numpy as np
import pytest

from course_lib import quantize, tflite
from course_lib.sound import dataset, features


@pytest.fixture(scope="package")
def shipped():
    return tflite.load("spotter_int8"), tflite.load("spotter_float32")


@pytest.fixture(scope="package")
def clips():
    """1,000 clips that calibration saw, as features (1000, 49, 40)."""
    rows = features.of(dataset.bundled("train"))
    return rows[np.linspace(0, len(rows) - 1, 1000).astype(int)]


@pytest.fixture(scope="package")
def convolutions(shipped):
    """The labels of the convolutions of the shipped model."""
    plan = quantize.read(shipped[0])
    return [plan.label(step) for step in plan.operations if step.kind == "CONV_2D"]
