"""Finding a weight in the file, the way to it, and changing it in place."""

import re

import numpy as np
import pytest
import random_tflite
from foreign_models import made
from seeds import seeds

from course_lib import measure, session, tflite
from course_lib.formats import flatbuffer
from course_lib.tflite import verification, xray

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


CASES = seeds(40, 1500)


@pytest.mark.filterwarnings("ignore:The file stays")
@pytest.mark.parametrize("shrink", [bytes, tflite.compact])
def test_random_models_are_read_as_litert_reads_them_or_refused(shrink):
    refused = set()
    for seed in CASES:
        rays = xray.Xray(shrink(random_tflite.model(np.random.default_rng(seed))))
        reader = tflite.Interpreter(rays.data, keep_all=True)
        details = {each["index"]: each for each in reader.raw.get_tensor_details()}
        for stored in rays.tensors:
            if not stored.path.startswith("subgraphs[0]"):
                continue
            index = int(re.findall(r"\d+", stored.path)[1])
            if stored.problem:
                refused.add(stored.type)
                with pytest.raises(tflite.ModelError, match=re.escape(stored.problem)):
                    rays.values(stored)
                with pytest.raises(tflite.ModelError):
                    rays.patched(stored, 0, 1)
                continue
            theirs = reader.raw.get_tensor(index)
            np.testing.assert_array_equal(rays.values(stored), theirs)
            known = details[index]["quantization_parameters"]
            np.testing.assert_array_equal(np.float32(stored.scales), known["scales"])
            check_patch(rays, stored, seed)
    assert {"INT4", "STRING", "FLOAT32"} <= refused  # the floats are sparse


def check_patch(rays, stored, seed):
    """Assert that a patch changes the one number, for all who share it, or is refused."""
    at = seed % stored.count
    number = rays.values(stored).flat[at].item() * -1
    if stored.others:
        with pytest.raises(ValueError, match="they share its bytes"):
            rays.patched(stored, at, number)
    changed = rays.patched(stored, at, number, shared=True)
    if isinstance(changed, verification.Unchanged):  # a shape, an axis, an index
        assert changed == rays.data and "LiteRT does not run" in changed.why
        return
    moved = [i for i in range(len(changed)) if changed[i] != rays.data[i]]
    assert all(0 <= i - rays.place(stored, at) < stored.dtype.itemsize for i in moved)
    assert xray.Xray(changed).values(stored).flat[at] == number


def test_sparse_and_narrow_numbers_are_refused_by_name():
    for name, words in (("sparse", "stored sparse"), ("four_bits", "holds INT4")):
        rays = xray.Xray(made(name))
        stored = max(rays.tensors, key=lambda one: one.count)
        for action in (rays.values, lambda one, rays=rays: rays.patched(one, 3, 1.0)):
            with pytest.raises(tflite.ModelError, match=words):
                action(stored)


def test_a_buffer_of_another_size_is_refused(models):
    tree = random_tflite.tree(np.random.default_rng(0))
    tensor = next(t for t in tree.subgraphs[0].tensors if tree.buffers[t.buffer].data)
    tree.buffers[tensor.buffer].data = tree.buffers[tensor.buffer].data[:-1]
    stored = xray.Xray(random_tflite.finished(tree))[tensor.name]
    assert re.search(r"needs \d+ bytes for its shape, but holds", stored.problem)


@pytest.mark.parametrize(
    "kind, number", [("INT8", 1.5), ("INT8", -129), ("FLOAT16", 1e6), ("BOOL", 2), ("INT64", 2**63)]
)
def test_a_number_that_a_type_lacks_is_refused(kind, number):
    stored = xray.Stored("x", "", kind, (1,), None)
    with pytest.raises(ValueError, match=f"holds {kind}"):
        xray._fitted(stored, number)
    assert xray._fitted(stored, 1) == 1


def test_fields_of_a_newer_schema_have_a_way():
    for seed in range(5):
        tree = random_tflite.tree(np.random.default_rng(seed))
        rays = xray.Xray(random_tflite.finished(tree, random_tflite.NewerBuilder()))
        assert rays.map.complete and rays.tensors is not None
        for span in rays.map:
            reads = xray.way(rays, span)
            if flatbuffer.unknown(span):
                assert reads[-1].position == span.start
