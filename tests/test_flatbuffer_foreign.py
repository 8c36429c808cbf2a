"""The byte map on models that it was not designed for."""

import pytest
from foreign_models import MODELS, made
from test_flatbuffer import agree

from course_lib import flatbuffer, tflite


@pytest.mark.parametrize("name", MODELS)
def test_map_of_a_foreign_model_is_complete_and_right(name):
    data = made(name)
    found = agree(data)
    assert not found.of_kind("unused")
    assert flatbuffer.byte_map(tflite.strip(data)).complete
    if name == "mobilenet_large":
        assert len(data) > 5_000_000
