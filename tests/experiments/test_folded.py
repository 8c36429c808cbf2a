"""The spotter without norms answers like the one with them."""

import numpy as np
import pytest

from course_lib import quantize, session, spotter, tflite
from course_lib.experiments import folded


@pytest.fixture(scope="module")
def bare():
    return folded.without_norms(spotter.load())


def test_it_answers_like_the_model_with_norms(bare):
    rows = np.random.default_rng(0).normal(size=(20, 49, 40)).astype(np.float32)
    assert np.allclose(
        spotter.predict(bare, rows), spotter.predict(spotter.load(), rows), atol=1e-4
    )
    assert not [each for each in bare.weights if "norm" in each.path or "moving" in each.path]


def test_its_kernels_are_those_that_the_converter_folds(bare):
    """The converter does the same by itself: its kernels have the filters first."""
    for label, kernel in quantize.read(tflite.load("spotter_float32")).kernels.items():
        ours = np.asarray(bare.get_layer(label).kernel)
        ours = ours.transpose(3, 0, 1, 2) if ours.ndim == 4 else ours.T
        assert np.allclose(ours, kernel, atol=1e-5), label


def test_a_class_of_ones_own_takes_the_place_of_the_convolutions(bare):
    keras = session.import_tensorflow().keras

    class Doubled(keras.layers.Conv2D):
        def call(self, inputs):
            return 2 * super().call(inputs)

    other = folded.without_norms(spotter.load(), Doubled)
    kinds = [type(each) for each in other.layers if isinstance(each, keras.layers.Conv2D)]
    assert kinds == 6 * [Doubled]
    rows = np.random.default_rng(0).normal(size=(4, 49, 40)).astype(np.float32)
    assert not np.allclose(spotter.predict(other, rows), spotter.predict(bare, rows), atol=1e-3)


def test_a_model_without_norms_is_refused(bare):
    with pytest.raises(ValueError, match="listen has no norm"):
        folded.without_norms(bare)
