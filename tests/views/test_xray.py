"""The X-ray widget: every part can be looked at, found, changed and put back."""

import numpy as np
import pytest
import random_tflite

from course_lib import session, tflite
from course_lib.graph import freezing
from course_lib.tflite import xray
from course_lib.views.patch import BytePatch
from course_lib.views.xray import XrayView

FEATURES = np.random.default_rng(6).normal(size=(8, 12, 10)).astype(np.float32)
NAMES = ("_silence_", "_unknown_", "yes", "no")


@pytest.fixture(scope="module")
def models():
    tf = session.import_tensorflow()
    tf.keras.utils.set_random_seed(0)
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [
            layers.Input((12, 10, 1)),
            layers.Conv2D(3, 3, strides=2, bias_initializer="ones"),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, bias_initializer="ones"),
        ]
    )
    made = {name: tflite.convert(model, name, FEATURES) for name in ("float32", "int8")}
    return made | {"logits": tflite.convert(freezing.frozen(model, softmax=False))}


def test_every_part_has_a_way_that_ends_at_it(models):
    rays = xray.Xray(models["int8"])
    for span in rays.map:
        reads = xray.way(rays, span)
        if span.kind in ("padding", "identifier"):
            assert not reads
        elif span.kind in ("string", "numbers", "weights", "data"):
            assert reads[-1].position + reads[-1].size == span.start
        else:
            assert reads[-1].position == span.start


def test_explorer_walks_searches_and_jumps(models):
    explorer = XrayView(models["int8"])
    for index in range(0, len(explorer.map.spans), 7):
        explorer.slider.value = index
        assert (
            xray.describe(explorer.span).split(" =")[0] in explorer.line.value
            or "&" in explorer.line.value
        )
    explorer.text.value = "conv"
    assert explorer.span.kind == "weights" and "conv" in explorer.span.name
    explorer.kind.value = "vtable"
    assert explorer.span.kind == "vtable"
    place = explorer.slider.value
    explorer.move(1)
    assert explorer.slider.value == place + 1
    explorer.text.value = "4"
    assert explorer.span.kind == "identifier"
    explorer.text.value = "nothing has this name"
    assert explorer.hits.options[0][0] == "nothing found"


@pytest.mark.parametrize("name", ["int8", "float32", "logits"])
def test_patcher_changes_and_restores(models, name):
    labels = tflite.run(models[name], FEATURES).argmax(axis=1)
    patcher = BytePatch(models[name], FEATURES, labels, NAMES, clip=2)
    assert "8 of 8 clips right as shipped, 8 now" in patcher.score.value
    assert (">logits<" in patcher.answers.value) == (name != "logits")  # they are the answers then
    dense = next(
        index for index, (_, each) in enumerate(patcher.tensor.options) if each.shape == (4, 3)
    )
    patcher.tensor.value = patcher.tensor.options[dense][1]
    patcher.index.value = 3
    patcher.number.value = patcher.number.min
    assert patcher.data != models[name] and len(patcher.data) == len(models[name])
    assert "patched" in patcher.score.value
    patcher.put_back()
    assert patcher.data == models[name] and "as shipped" in patcher.score.value


def test_a_newer_file_can_be_walked_over():
    """Fields that the schema here does not know have a place, a name and a way."""
    tree = random_tflite.tree(np.random.default_rng(1))
    explorer = XrayView(random_tflite.finished(tree, random_tflite.NewerBuilder()))
    for index, span in enumerate(explorer.map):
        if "field" in span.name or span.kind == "unused":
            explorer.go(index)
            assert span.kind in explorer.line.value
