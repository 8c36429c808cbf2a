"""The small readers in C: each finds the weight, and what it takes is counted."""

import shutil

import numpy as np
import pytest

from course_lib import session, tflite
from course_lib.experiments import readers, reading_costs
from course_lib.graph import freezing
from course_lib.tflite import xray

needs_compiler = pytest.mark.skipif(
    not (shutil.which("cc") and shutil.which("size")), reason="no C compiler here"
)


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


@needs_compiler
def test_three_readers_find_the_same_weight_and_only_one_allocates(model):
    frozen = freezing.frozen(model)
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
    recorded = readers.recorded()["readers"]
    for name, size in sizes.items():
        assert recorded[name] == pytest.approx(size, rel=0.5)  # another compiler, other code


@needs_compiler
def test_a_tensor_that_is_not_there_is_named():
    file, _ = reading_costs.pair({"w": np.ones(3)})
    with pytest.raises(LookupError, match="no_such"):
        readers.compiled("flatbuffer").find(file, "no_such")


def test_without_a_compiler_the_shipped_figures_are_given(monkeypatch):
    readers.compiled.cache_clear()
    monkeypatch.setattr(readers.shutil, "which", lambda name: None)
    recorded = readers.recorded()
    assert readers.code_sizes() == (recorded["readers"], recorded["compiled_with"])
    with pytest.raises(readers.NoCompilerError, match="no C compiler"):
        readers.compiled("flatbuffer")
