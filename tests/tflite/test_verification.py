"""What fails the comparison comes back as it was, with a sentence; the rest is handed out."""

import os

import numpy as np
import pytest
import random_tflite
from random_tflite import S, finished, options

from course_lib import tflite
from course_lib.tflite import verification, xray
from course_lib.tflite.verification import Unchanged, verified

pytestmark = pytest.mark.filterwarnings("ignore:The file stays")


@pytest.fixture(scope="module")
def data():
    return tflite.load("spotter_int8")


def other(data):
    """Return the file with one weight changed a lot."""
    rays = xray.Xray(data)
    stored = rays.layers[0].weights
    place = rays.place(stored, 3)
    return data[:place] + bytes([data[place] ^ 0x40]) + data[place + 1 :]


def test_what_answers_the_same_is_handed_out(data):
    assert verified(data, data + bytes(16), like=data) == data + bytes(16)
    assert verified(data, other(data)) == other(data)  # compared with nothing, it only has to run


@pytest.mark.parametrize(
    "change, words",
    [
        (other, "answer otherwise"),
        (lambda data: data[:-2000], "map of the result fails.*cut short"),
        (lambda data: b"", "map of the result fails.*empty"),
        (lambda data: finished(S.ModelT(version=9, subgraphs=[], buffers=[])), "does not run"),
    ],
)
def test_what_does_not_comes_back_as_it_was(data, change, words):
    with pytest.warns(UserWarning, match=words):
        same = verified(data, change(data), like=data)
    assert isinstance(same, Unchanged) and same == data
    assert same.why.startswith("The file stays as it was: ") and "\n" not in same.why


def test_a_process_that_dies_keeps_the_file(data):
    verification._fingerprint(data, afresh=True)
    verification._guard(os.getpid()).process.kill()
    same = verified(data, data + bytes(32), like=data)
    assert "LiteRT crashed" in same.why and same == data
    assert verified(data, data + bytes(32), like=data) == data + bytes(32)  # a new one was started


def by_chance(seed):
    """Return a model that adds random numbers, others in each run where `seed` is 0."""
    made = random_tflite._Made(np.random.default_rng(1))
    made.tree.buffers = [S.BufferT()]
    x, noise, out = made.like(), made.like(), made.like()
    shape = made.constant([made.batch, made.width], "int32")
    made.operator(
        "RANDOM_UNIFORM", [shape], [noise], options("RandomOptions", seed=seed, seed2=seed)
    )
    made.operator("ADD", [x, noise], [out], options("AddOptions"))
    made.graph.inputs, made.graph.outputs = [x], [out]
    return finished(made.tree)


def test_answers_by_chance_cannot_be_compared():
    assert not isinstance(tflite.strip(by_chance(7)), Unchanged)
    assert "differ from run to run" in tflite.strip(by_chance(0)).why


def outside(tree):
    tree.buffers.append(S.BufferT(offset=40, size=4))


def options_outside(tree):
    operator = tree.subgraphs[0].operators[0]
    operator.largeCustomOptionsOffset, operator.largeCustomOptionsSize = 40, 4


def planned(tree):
    tree.metadata = [S.MetadataT(name="OfflineMemoryAllocation", buffer=1)]


@pytest.mark.parametrize(
    "change, words",
    [
        (outside, "behind the FlatBuffer"),
        (options_outside, "behind the FlatBuffer"),
        (planned, "TensorFlow Lite Micro reads its metadata"),
    ],
)
@pytest.mark.parametrize("shrink", [tflite.strip, tflite.compact])
def test_what_a_rewriting_would_lose_is_named(change, words, shrink, monkeypatch):
    tree = random_tflite.tree(np.random.default_rng(2))
    assert verification.obstacle(finished(tree)) == ""
    change(tree)
    walk = "course_lib.formats.flatbuffer.walk._outside"
    monkeypatch.setattr(walk, lambda *_: ())  # the bytes meant are those of something else here
    assert words in shrink(finished(tree)).why


@pytest.mark.parametrize("seed", range(4))
def test_a_newer_schema_is_left_alone(seed):
    tree = random_tflite.tree(np.random.default_rng(seed))
    data = finished(tree, random_tflite.NewerBuilder())
    for shrink in (tflite.strip, tflite.compact):
        same = shrink(data)
        assert same == data and "newer schema" in same.why


def test_every_signature_is_compared():
    """Two signatures over two subgraphs: a change in the second one is seen, and both are kept."""
    made = random_tflite._Made(np.random.default_rng(5))
    made.tree.buffers, ends = [S.BufferT()], []
    for place, name in enumerate(("first", "second")):
        made.graph = made.graph if not place else made.subgraph("more")
        x = made.like()
        y = made.dense(x)
        made.graph.inputs, made.graph.outputs = [x], [y]
        maps = [[S.TensorMapT(name=n, tensorIndex=t)] for n, t in (("x", x), ("y", y))]
        ends.append(S.SignatureDefT(maps[0], maps[1], signatureKey=name, subgraphIndex=place))
    made.tree.signatureDefs = ends
    data = finished(made.tree)
    small = tflite.compact(data)
    raw = tflite.Interpreter(small).raw
    assert sorted(raw.get_signature_list()) == ["first", "second"] and len(small) < len(data)
    weights = [t for t in made.tree.subgraphs[1].tensors if t.shape == [made.width] * 2][0]
    made.tree.buffers[weights.buffer].data[::4] = [7] * made.width**2
    made.tree.buffers[weights.buffer].data[3::4] = [65] * made.width**2
    assert "otherwise" in verified(data, finished(made.tree), like=data).why
