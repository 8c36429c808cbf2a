"""The same weights in a FlatBuffer and in a protobuf, and what reading them costs."""

import shutil

import numpy as np
import pytest

from course_lib import session, tflite
from course_lib.experiments import readers, reading_costs
from course_lib.formats import flatbuffer
from course_lib.graph import freeze
from course_lib.tflite import xray

ARRAYS = {
    f"layer_{n}": np.random.default_rng(n).normal(size=(50, n + 1)).astype(np.float32)
    for n in range(4)
}
needs_compiler = pytest.mark.skipif(
    not (shutil.which("cc") and shutil.which("size")), reason="no C compiler here"
)


@pytest.fixture(scope="module")
def pair():
    return reading_costs.pair(ARRAYS)


@pytest.fixture(scope="module")
def model():
    tf = session.import_tensorflow()
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input((49, 40, 1)),
            layers.Flatten(),
            layers.Dense(4, bias_initializer="ones", name="decide"),
        ]
    )


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


@needs_compiler
def test_three_readers_find_the_same_weight_and_only_one_allocates(model):
    frozen = freeze.frozen(model)
    files = {"flatbuffer": tflite.convert(model)}
    files["protobuf_scan"] = files["protobuf_decode"] = frozen.graph_def
    bias = next(
        node.name
        for node in frozen.proto().node
        if len(node.attr["value"].tensor.tensor_content) == 16
    )
    stored = next(each for each in xray.Xray(files["flatbuffer"]).tensors if each.shape == (4,))
    found = {}
    for name in readers.READERS:
        tensor = stored.name if name == "flatbuffer" else bias
        found[name] = readers.compiled(name).find(files[name], tensor, runs=3)
        assert found[name].weights == np.ones(4, "<f4").tobytes()
    assert found["flatbuffer"].allocations == found["protobuf_scan"].allocations == 0
    assert found["protobuf_decode"].allocations > 10 and found["protobuf_decode"].copied
    assert not found["flatbuffer"].copied


@needs_compiler
def test_shipped_code_sizes_are_those_of_the_sources():
    sizes, where = readers.code_sizes()
    assert where == "compiled here" and list(sizes) == list(readers.READERS)
    for name, size in sizes.items():
        assert readers.SHIPPED[name] == pytest.approx(size, rel=0.5)  # another compiler, other code


@needs_compiler
def test_a_tensor_that_is_not_there_is_named(pair):
    with pytest.raises(LookupError, match="no_such"):
        readers.compiled("flatbuffer").find(pair[0], "no_such")


def test_without_a_compiler_the_shipped_figures_are_given(monkeypatch):
    readers.compiled.cache_clear()
    monkeypatch.setattr(readers.shutil, "which", lambda name: None)
    assert readers.code_sizes() == (readers.SHIPPED, readers.SHIPPED_ON)
    with pytest.raises(readers.NoCompilerError, match="no C compiler"):
        readers.compiled("flatbuffer")
