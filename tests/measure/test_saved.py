"""Models as others save them: several inputs or outputs, TensorFlow 1, an older Keras, signatures.

Each is read right, or refused by a sentence that says why.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import saved_forms
from scipy.special import softmax
from seeds import seeds

from course_lib import session, tflite
from course_lib.graph import freezing, trace
from course_lib.graph.data import GraphError
from course_lib.measure import saved

tf = session.import_tensorflow()
L = tf.keras.layers
RNG = np.random.default_rng(3)
A, B = RNG.normal(size=(1, 49, 40)).astype("f4"), RNG.normal(size=(1, 3)).astype("f4")
v1 = tf.compat.v1
X = RNG.normal(size=(5, 49, 40)).astype("f4")
KERNEL = RNG.normal(size=(1960, 4)).astype("f4")
LOGITS = X.reshape(5, -1) @ KERNEL
PROBABILITIES = softmax(LOGITS, axis=1)


def network(names, outputs, as_dict):
    a, b = L.Input((49, 40), name=names[0]), L.Input((3,), name=names[1])
    answer = L.Dense(4)(L.Concatenate()([L.Flatten()(a), b]))
    ends = [answer, L.Dense(2, activation="sigmoid")(answer)][:outputs]
    return tf.keras.Model(dict(zip(names, (a, b), strict=True)) if as_dict else [a, b], ends)


@pytest.mark.parametrize("form", ["keras", "folder", "pb"])
@pytest.mark.parametrize(
    "names, outputs, as_dict", [((None, None), 1, False), (("z", "a"), 2, True)]
)
def test_two_inputs_convert_and_are_not_measured(tmp_path, form, names, outputs, as_dict):
    model = network(names, outputs, as_dict)
    path = saved_forms.save(model, tmp_path / f"m.{form}", form)
    opened = saved.trainable_or_frozen(path)
    data = tflite.convert(opened)
    runner = tflite.Interpreter(data)
    for each in runner.inputs:
        runner.raw.set_tensor(each.index, A if each.shape == A.shape else B)
    runner.raw.invoke()
    got = sorted((runner.raw.get_tensor(each.index) for each in runner.outputs), key=np.size)
    wanted = model(dict(zip(names, (A, B), strict=True)) if as_dict else [A, B])
    wanted = [each.numpy() for each in tf.nest.flatten(wanted)]
    wanted[0] = softmax(wanted[0], axis=1)
    for one, other in zip(got, wanted[::-1], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    (tmp_path / "m.tflite").write_bytes(data)
    for file in (path, tmp_path / "m.tflite"):
        with pytest.raises(saved.ModelFileError, match=r"2 inputs \(\w+, \w+\)"):
            saved.predictor(file)
    with pytest.raises(ValueError, match="every input"):
        tflite.convert(opened, "int8", A)
    with pytest.raises(ValueError, match=r"2 inputs \(\w+, \w+\)"):
        tflite.run(data, A)


def test_two_outputs_are_not_measured_by_the_first_alone(tmp_path):
    x = L.Input((49, 40), name="sound")
    flat = L.Flatten()(x)
    model = tf.keras.Model(x, [L.Dense(4)(flat), L.Dense(2)(flat)])
    frozen = freezing.frozen(model)
    frozen.save(tmp_path / "m.pb")
    (tmp_path / "m.tflite").write_bytes(tflite.convert(frozen))
    with session.quiet():
        model.save(tmp_path / "m.keras")
    for name in ("m.pb", "m.tflite", "m.keras"):
        with pytest.raises(saved.ModelFileError, match="2 outputs"):
            saved.predictor(tmp_path / name)


def test_features_of_another_shape_show_no_ranges():
    model = tf.keras.Sequential([L.Input((7,)), L.Dense(4)])
    with pytest.raises(ValueError, match=r"of shape \[7\].*\[49, 40\]"):
        tflite.convert(model, "int8", A)


def test_a_flat_input_is_measured_too(tmp_path):
    model = tf.keras.Sequential([L.Input((1960,)), L.Dense(4)])
    with session.quiet():
        model.save(tmp_path / "m.keras")
    (tmp_path / "m.tflite").write_bytes(tflite.convert(model))
    answers = saved.predictor(tmp_path / "m.keras")(A)
    assert saved.predictor(tmp_path / "m.tflite")[4:8] == b"TFL3"
    np.testing.assert_allclose(
        tflite.run((tmp_path / "m.tflite").read_bytes(), A), answers, atol=1e-5
    )


def graph_of_1(end: str = "softmax") -> v1.Graph:
    """A network as programs of TensorFlow 1 wrote it, with names of their own and idle ends."""
    graph = v1.Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [None, 1960], name="fingerprint_input")
        kernel = v1.get_variable("weights", initializer=KERNEL)
        logits = v1.matmul(x, kernel, name="add_logits")
        v1.Assert(v1.reduce_all(v1.is_finite(x)), [x], name="finite")
        v1.summary.histogram("activity", logits)
        v1.constant(3, name="forgotten")
        if end == "softmax":
            v1.nn.softmax(logits, name="labels_softmax")
    return graph


def frozen_by_1(graph: v1.Graph, *ends: str) -> bytes:
    with v1.Session(graph=graph) as running, session.quiet():
        running.run(v1.variables_initializer(graph.get_collection("variables")))
        found = v1.graph_util.convert_variables_to_constants(running, graph.as_graph_def(), ends)
    return found.SerializeToString()


@pytest.mark.parametrize("end, last", [("softmax", "labels_softmax"), ("logits", "add_logits")])
def test_a_frozen_graph_of_tensorflow_1_is_measured_and_converted(tmp_path, end, last) -> None:
    path = tmp_path / "tiny_conv.pb"
    path.write_bytes(frozen_by_1(graph_of_1(end), last))
    opened = freezing.load(path)
    assert (opened.inputs, opened.outputs) == (("fingerprint_input",), (last,))
    np.testing.assert_allclose(saved.predictor(path)(X.reshape(5, -1)), PROBABILITIES, atol=1e-5)
    data = tflite.convert(saved.trainable_or_frozen(path))
    wanted = PROBABILITIES if end == "softmax" else LOGITS  # a frozen graph stays what it is
    np.testing.assert_allclose(tflite.run(data, X), wanted, rtol=1e-4, atol=1e-4)


def test_idle_ends_and_ends_without_a_result_are_no_outputs() -> None:
    graph = graph_of_1()
    with graph.as_default():
        v1.no_op(name="nothing")
        v1.raw_ops.PrintV2(input=tf.constant("said"))
    outputs = freezing.load(graph.as_graph_def().SerializeToString()).outputs
    assert "labels_softmax" in outputs
    assert not {"nothing", "forgotten", "PrintV2"} & set(outputs)


def test_a_graph_that_starts_from_a_files_bytes_says_what_it_wants(tmp_path: Path) -> None:
    """ARM's keyword spotters and TensorFlow's speech example take the bytes of a .wav file."""
    graph = v1.Graph()
    with graph.as_default():
        content = v1.placeholder(tf.string, [], name="wav_data")
        sound = tf.audio.decode_wav(content, 1, 16000)
        spectrogram = v1.raw_ops.AudioSpectrogram(input=sound.audio, window_size=640, stride=320)
        v1.nn.softmax(tf.reduce_mean(spectrogram, axis=1), name="labels_softmax")
    path = tmp_path / "ds_cnn.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    assert saved.trainable_or_frozen(path).inputs == ("wav_data",)
    with pytest.raises(saved.ModelFileError, match="wav_data.*string"):
        saved.predictor(path)


def test_a_loop_of_tensorflow_1_is_named() -> None:
    graph = v1.Graph()
    with graph.as_default():
        v1.disable_control_flow_v2()
        try:
            v1.while_loop(lambda i: i < 9, lambda i: i + 1, [v1.placeholder(tf.int32, [])])
        finally:
            v1.enable_control_flow_v2()
    with pytest.raises(GraphError, match="a loop of TensorFlow 1"):
        trace.from_graph_def(graph.as_graph_def())


def saved_by_1(folder: Path, signatures: dict | None) -> Path:
    graph = graph_of_1()
    with v1.Session(graph=graph) as running, session.quiet():
        running.run(v1.variables_initializer(graph.get_collection("variables")))
        builder = v1.saved_model.Builder(str(folder))
        ends = (
            {"x": graph.get_tensor_by_name("fingerprint_input:0")},
            {"y": graph.get_tensor_by_name("labels_softmax:0")},
        )
        defined = v1.saved_model.predict_signature_def(*ends)
        builder.add_meta_graph_and_variables(
            running, ["serve"], {name: defined for name in signatures or ()}
        )
        builder.save()
    return folder


@pytest.mark.parametrize("name", ["serving_default", "predict_words"])
def test_a_saved_model_of_tensorflow_1(tmp_path: Path, name: str) -> None:
    folder = saved_by_1(tmp_path / "saved", {name: ...})
    for path in (folder, folder / "saved_model.pb"):  # also when its graph is named
        answers = saved.predictor(path)(X[:1].reshape(1, -1))
        np.testing.assert_allclose(answers, PROBABILITIES[:1], atol=1e-5)
    data = tflite.convert(saved.trainable_or_frozen(folder))
    np.testing.assert_allclose(tflite.run(data, X), PROBABILITIES, atol=1e-5)


def test_signatures_that_leave_open_which_is_meant(tmp_path: Path) -> None:
    module = tf.Module()
    module.kernel = tf.Variable(KERNEL)
    spec = tf.TensorSpec((None, 1960), tf.float32)
    run = tf.function(lambda x: x @ module.kernel).get_concrete_function(spec)
    for name, signatures, said in (
        ("none", None, "no signature at all"),
        ("two", {"a": run, "b": run}, "a, b"),
    ):
        with session.quiet():
            tf.saved_model.save(module, str(tmp_path / name), signatures)
        with pytest.raises(saved.ModelFileError, match=f"{said}.*serving_default"):
            saved.trainable_or_frozen(tmp_path / name)


def test_the_graph_of_a_saved_model_alone_is_no_frozen_graph(tmp_path: Path) -> None:
    folder = saved_by_1(tmp_path / "saved", {"serving_default": ...})
    alone = tmp_path / "model.pb"
    alone.write_bytes((folder / "saved_model.pb").read_bytes())
    with pytest.raises(saved.ModelFileError, match="the graph of a SavedModel"):
        saved.trainable_or_frozen(alone)


def test_h5_holds_a_model_or_weights_alone(tmp_path: Path) -> None:
    layers = [tf.keras.layers.Input((1960,)), tf.keras.layers.Dense(4, activation="softmax")]
    model = tf.keras.Sequential(layers)
    model.layers[0].set_weights([KERNEL, np.zeros(4)])
    with session.quiet():
        model.save(tmp_path / "whole.h5")
        model.save_weights(tmp_path / "part.weights.h5")
    answers = saved.predictor(tmp_path / "whole.h5")(X)
    np.testing.assert_allclose(answers, PROBABILITIES, atol=1e-5)
    with pytest.raises(saved.ModelFileError, match="weights without a model"):
        saved.predictor(tmp_path / "part.weights.h5")
    (tmp_path / "cut.h5").write_bytes((tmp_path / "whole.h5").read_bytes()[:-2000])
    with pytest.raises(saved.ModelFileError, match="cut.h5 cannot be opened"):
        saved.predictor(tmp_path / "cut.h5")


CASES = seeds(6, 150)
SHAPES = [(49, 40), (49, 40, 1), (1960,), (7, 5, 3)]
ENDS = [None, "softmax", "sigmoid", "relu", "tanh", "swish"]


def random_network(rng: np.random.Generator):
    """Return a model of one to three inputs and outputs, and the activations that it ends in."""
    inputs, parts = [], []
    for _ in range(rng.integers(1, 4)):
        shape = SHAPES[rng.integers(len(SHAPES))]
        x = L.Input(shape)
        inputs.append(x)
        if len(shape) == 3 and rng.random() < 0.7:
            make = (L.Conv2D(4, 3, strides=2), L.DepthwiseConv2D(3), L.SeparableConv2D(3, 3))
            x = make[rng.integers(3)](x)
            x = L.BatchNormalization()(x) if rng.random() < 0.5 else x
            x = L.GlobalAveragePooling2D()(x) if rng.random() < 0.5 else x
        elif len(shape) == 2 and rng.random() < 0.6:
            x = (
                L.GRU(3, unroll=True)(L.Cropping1D((0, 45))(x))
                if rng.random() < 0.3
                else L.Conv1D(3, 5)(x)
            )
        parts.append(L.Dropout(0.3)(L.Flatten()(x)))
    joined = L.Concatenate()(parts) if len(parts) > 1 else parts[0]
    hidden = L.Dense(6, activation="relu")(joined)
    ends = [ENDS[n] for n in rng.integers(0, len(ENDS), rng.integers(1, 4))]
    sizes = [int(n) for n in rng.integers(1, 6, len(ends))]
    outputs = [L.Dense(n, activation=end)(hidden) for n, end in zip(sizes, ends, strict=True)]
    return tf.keras.Model(inputs, outputs), ends


@pytest.mark.parametrize("seed", CASES)
def test_random_models_answer_alike_in_every_form(tmp_path: Path, seed: int) -> None:
    """Kept, opened and converted, a model gives what Keras gives, logits as probabilities."""
    rng = np.random.default_rng(seed)
    tf.keras.utils.set_random_seed(seed)
    model, ends = random_network(rng)
    given = [rng.normal(size=(1, *each.shape[1:])).astype("f4") for each in model.inputs]
    answers = [each.numpy() for each in tf.nest.flatten(model(given, training=False))]
    wanted = [
        softmax(each, axis=1) if end is None and each.shape[1] > 1 else each
        for end, each in zip(ends, answers, strict=True)
    ]
    form = ("keras", "h5", "folder", "pb")[seed % 4]
    opened = saved.trainable_or_frozen(saved_forms.save(model, tmp_path / f"m.{form}", form))
    runner = tflite.Interpreter(tflite.convert(opened))
    names = [each.name for each in runner.inputs]
    assert len(set(names)) == len(given)
    left = list(given)
    for each in sorted(runner.inputs, key=lambda one: one.name):
        fitting = next(place for place, one in enumerate(left) if one.shape == each.shape)
        runner.raw.set_tensor(each.index, left.pop(fitting))
    runner.raw.invoke()
    got = [runner.raw.get_tensor(each.index) for each in runner.outputs]
    assert sorted(each.shape for each in got) == sorted(each.shape for each in wanted)
    if len({each.shape for each in given}) == len(given):  # else which input is which is open
        for each in wanted:
            close = [np.allclose(each, one, atol=1e-4) for one in got if one.shape == each.shape]
            assert any(close), (form, ends)
