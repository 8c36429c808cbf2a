"""Four bits for chosen layers: what they save and what they cost."""

import copy

import numpy as np
import pytest

from course_lib import measure, quantize, tflite
from course_lib.formats import tflite_file
from course_lib.quantize import precision
from course_lib.sound import dataset
from course_lib.tflite import verification


def test_only_convolutions_go_to_four_bits(shipped):
    with pytest.raises(ValueError, match="only convolutions"):
        quantize.four_bits(*shipped, [list(quantize.read(shipped[0]).kernels)[-1]])
    with pytest.raises(ValueError, match="no layer 'nothing'"):
        quantize.four_bits(*shipped, ["nothing"])


def test_the_file_shrinks_by_more_than_3_8_within_noise(shipped, clips, convolutions):
    """The lesson's workbench: four bits where they are cheapest, mended biases, nothing twice."""
    int8, float32 = shipped
    rows = clips[::10]
    truth = tflite.run(float32, rows)

    def quality(model_bytes):
        return len(model_bytes), quantize.sqnr_db(truth, tflite.run(model_bytes, rows))

    fours = {label: quality(quantize.four_bits(int8, float32, [label])) for label in convolutions}
    small, chosen = tflite.compact(int8), []
    for label in quantize.cheapest_first(quality(int8), fours):
        if len(float32) / len(small) < 3.8:
            chosen.append(label)
            four = quantize.four_bits(int8, float32, chosen)
            small = tflite.compact(quantize.correct_biases(four, float32, rows))
    assert len(float32) / len(small) >= 3.8
    unseen = dataset.bundled("test")
    before, after = (measure.report("", model, unseen) for model in (float32, small))
    assert after.accuracy >= before.accuracy - 0.01
    assert measure.mcnemar(before, after).verdict != "worse"


def test_cheapest_first_weighs_noise_against_bytes():
    layers = {"dear": (90, 30.0), "cheap": (80, 35.0), "larger": (105, 39.9), "free": (98, 40.0)}
    assert quantize.cheapest_first((100, 40.0), layers) == ("free", "cheap", "dear")
    assert quantize.cheapest_first((80, 40.0), layers) == ()


def tree_of(shipped):
    """Return the shipped int8 model as a tree, and the label and tensors of a convolution."""
    plan = quantize.read(shipped[0])
    step = next(step for step in plan.operations if step.kind == "CONV_2D")
    return tflite_file.unpack(shipped[0]), plan.label(step), step.inputs


def test_a_bias_that_others_share_gets_a_buffer_of_its_own(shipped):
    tree, label, (_, _, bias) = tree_of(shipped)
    tensors = tree.subgraphs[0].tensors
    tensors.append(copy.deepcopy(tensors[bias]))  # a second user of the same bytes
    before = bytes(tree.buffers[tensors[bias].buffer].data)
    four = quantize.four_bits(tflite_file.pack(tree), shipped[1], [label])
    after = tflite_file.unpack(four)
    both = [after.subgraphs[0].tensors[place].buffer for place in (bias, -1)]
    assert both[0] != both[1] and bytes(after.buffers[both[1]].data) == before


def test_other_numbers_and_other_networks_are_refused_by_name(shipped, clips):
    tree, label, (_, _, bias) = tree_of(shipped)
    with pytest.raises(ValueError, match="int8, int8, int32|float32"):
        quantize.four_bits(shipped[1], shipped[1], [label])
    narrow = tflite_file.unpack(shipped[1])
    plan = quantize.read(shipped[1])
    weights = narrow.subgraphs[0].tensors[plan.named(label).inputs[2]]
    weights.shape = [1, *weights.shape]
    with pytest.raises(ValueError, match="same network"):
        quantize.four_bits(shipped[0], tflite_file.pack(narrow), [label])


def test_what_answers_otherwise_than_its_twin_is_not_handed_out(shipped, monkeypatch):
    """Nibbles in the wrong order are seen by LiteRT."""
    right = precision.pack_nibbles
    label = tree_of(shipped)[1]
    assert not isinstance(quantize.four_bits(*shipped, [label]), verification.Unchanged)
    monkeypatch.setattr(precision, "pack_nibbles", lambda v: right(v) >> 4 | right(v) << 4)
    with pytest.warns(UserWarning, match="answer otherwise"):
        assert quantize.four_bits(*shipped, [label]) == shipped[0]


@pytest.mark.parametrize("filters", [False, True], ids=["one scale", "one a filter"])
def test_weights_on_grids_of_ones_own_come_back_to_the_bit(shipped, convolutions, filters):
    """Stored two to a byte or one, they are what NumPy rounds them to, and the answers agree."""
    int8, float32 = shipped
    kernels = quantize.read(float32).kernels
    grids, wanted = {}, {}
    for label in convolutions:
        w = kernels[label]
        peaks = np.abs(w).max(axis=(1, 2, 3)) if filters else np.abs(w).max()
        scale = np.float32(peaks / 6)
        grids[label] = quantize.Affine(scale, 0, -7, 7, axis=0 if filters else None)
        step = scale.reshape(-1, 1, 1, 1) if filters else scale
        wanted[label] = np.rint(w / step).astype(np.float32) * step
    four = quantize.on_grids(int8, float32, grids)
    eight = quantize.on_grids(int8, float32, grids, packed=False)
    assert len(four) < len(eight)
    for model in (four, eight):
        plan = quantize.read(model)
        for label, weights in wanted.items():
            value = plan.weights(plan.named(label))
            assert (value.grid.dequantize(value.stored) == weights).all(), label
    rows = np.random.default_rng(1).normal(size=(5, 49, 40)).astype(np.float32)
    answers = [tflite.Interpreter(each, reference=True).run(rows) for each in (four, eight)]
    assert (answers[0] == answers[1]).all()


def test_a_grid_too_fine_for_four_bits_is_refused(shipped, convolutions):
    for grid in (quantize.symmetric(1.0), quantize.affine(-1.0, 3.0, bits=4)):
        with pytest.raises(ValueError, match="needs more than -7 to 7"):
            quantize.on_grids(*shipped, {convolutions[0]: grid})
