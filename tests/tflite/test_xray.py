"""Finding a weight in the file, the way to it, and changing it in place."""

import re

import numpy as np
import pytest

from course_lib import measure, session, tflite
from course_lib.formats import flatbuffer
from course_lib.tflite import xray

FEATURES = np.random.default_rng(6).normal(size=(8, 12, 10)).astype(np.float32)


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
    return {
        name: tflite.convert(model, name, FEATURES)
        for name in ("float32", "float16", "int8", "int8_per_channel")
    }


@pytest.mark.parametrize("name", ["float32", "float16", "int8", "int8_per_channel"])
def test_stored_tensors_are_those_of_the_interpreter(models, name):
    rays = xray.Xray(models[name])
    reader = tflite.Interpreter(models[name], keep_all=True)
    known = {tensor.name: tensor for tensor in tflite.Interpreter(models[name]).tensors}
    assert len(rays.tensors) >= 4
    for stored in rays.tensors:
        tensor = known[stored.name]
        assert (stored.shape, stored.dtype) == (tensor.shape, tensor.dtype)
        np.testing.assert_allclose(stored.scales, tensor.scales, rtol=1e-7)
        assert stored.zero_points == tensor.zero_points
        np.testing.assert_array_equal(rays.values(stored), reader.raw.get_tensor(tensor.index))


def test_layers_come_in_the_order_of_the_plan(models):
    for name, data in models.items():
        layers = xray.Xray(data).layers
        if name != "float16":  # there the weights pass a DEQUANTIZE first
            assert [layer.kind for layer in layers] == ["CONV_2D", "FULLY_CONNECTED"]
            assert [layer.weights.shape for layer in layers] == [(3, 3, 3, 1), (4, 3)]
            assert [layer.bias.shape for layer in layers] == [(3,), (4,)]


def _largest(rays):
    return max(rays.tensors, key=lambda stored: len(stored.span))


def test_route_to_a_weight_is_short_and_right(models):
    rays = xray.Xray(models["int8"])
    largest = _largest(rays)
    route = rays.route(largest)
    assert route.position == largest.span.start
    assert route.bytes_read < 100 and route.jumps >= 5


def test_patching_changes_one_byte_and_the_answers_and_can_be_undone(models):
    rays = xray.Xray(models["int8"])
    stored = _largest(rays)
    old = int(rays.values(stored).flat[5])
    new = 127 if old < 0 else -128
    changed = rays.patched(stored, 5, new)
    assert [i for i in range(len(changed)) if changed[i] != rays.data[i]] == [rays.place(stored, 5)]
    assert (tflite.run(changed, FEATURES) != tflite.run(rays.data, FEATURES)).any()
    assert xray.Xray(changed).patched(stored, 5, old) == rays.data


def test_meaning_uses_the_scale_of_the_channel(models):
    rays = xray.Xray(models["int8_per_channel"])
    kernel = next(t for t in rays.tensors if t.type == "INT8" and len(t.scales) == 3)
    assert rays.meaning(kernel, kernel.count - 1, 10) == pytest.approx(10 * kernel.scales[2])
    assert rays.meaning(kernel, 0, 10) == pytest.approx(10 * kernel.scales[0])


def test_what_cannot_be_patched_is_refused(models):
    rays = xray.Xray(models["int8"])
    with pytest.raises(ValueError, match="does not fit"):
        rays.patched(_largest(rays), 0, 128)
    with pytest.raises(IndexError, match="0 to"):
        rays.patched(_largest(rays), 10**6, 1)
    with pytest.raises(LookupError, match="no_such"):
        rays["no_such"]


def _groups(byte_map):
    """Return how many bytes are weights, scales, names and structure, by what each part is.

    Scales are the numbers of the quantization tables and their lengths, names every string with
    its length and the content of every buffer that no tensor uses (metadata).
    """
    sizes = dict.fromkeys(("weights", "scales", "names", "structure"), 0)
    strings = {span.path for span in byte_map if span.kind == "string"}
    for span in byte_map:
        if span.kind == "weights":
            sizes["weights"] += len(span)
        elif re.search(r"\.quantization\.(min|max|scale|zero_point)$", span.path) and span.kind in (
            "numbers",
            "length",
        ):
            sizes["scales"] += len(span)
        elif span.kind in ("string", "data") or span.kind == "length" and span.path in strings:
            sizes["names"] += len(span)
        else:
            sizes["structure"] += len(span)
    return sizes


@pytest.mark.parametrize("name", ["float32", "float16", "int8_per_channel"])
def test_groups_sum_to_the_file_and_agree_with_measure(models, name):
    ours = _groups(flatbuffer.byte_map(models[name]))
    assert sum(ours.values()) == len(models[name])
    assert ours == measure.bytes_by_kind(models[name])
