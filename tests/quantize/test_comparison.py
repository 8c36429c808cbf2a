"""Layer by layer against the kernels and the float model; biases that are mended."""

import numpy as np
import pytest
from one_operation import Input, model

from course_lib import quantize
from course_lib.formats.tflite_file import schema


def test_the_shipped_model_equals_the_kernels_in_every_byte(shipped, clips):
    counts = quantize.against_kernels(shipped[0], clips)
    assert len(counts) == len(quantize.read(shipped[0]).operations)
    assert all(compared >= 4 * len(clips) for compared, _ in counts.values())
    assert {label: different for label, (_, different) in counts.items() if different} == {}


@pytest.mark.parametrize("odd", [0, 1])
def test_four_bit_layers_equal_the_kernels_too(shipped, clips, odd, convolutions):
    model = quantize.four_bits(*shipped, convolutions[odd::2])
    assert len(model) < len(shipped[0])
    assert (
        sum(different for _, different in quantize.against_kernels(model, clips[:50]).values()) == 0
    )


def test_corrected_biases_keep_the_size_and_come_closer(shipped, clips):
    corrected = quantize.correct_biases(*shipped, clips[::20])
    assert len(corrected) == len(shipped[0])
    biases = sum(map(len, quantize.read(shipped[0]).kernels.values()))
    assert 0 < sum(a != b for a, b in zip(corrected, shipped[0], strict=True)) <= 4 * biases
    noise = [
        quantize.layer_errors(shipped[1], model, clips[10::20]) for model in (shipped[0], corrected)
    ]
    averages = [np.mean([layer.sqnr_db for layer in layers]) for layers in noise]
    assert averages[1] > averages[0]


def test_layers_that_do_not_match_are_refused(shipped):
    x = Input((1, 49, 40, 1), 0.1, 0)
    other = model("ADD", [x, x], x)
    with pytest.raises(ValueError, match="different layers"):
        quantize.correct_biases(other, shipped[1], np.zeros((1, 49, 40)))


def test_files_of_several_inputs_and_of_batches_are_compared_too():
    """Each output of LiteRT's is set beside the same rows of ours."""
    rng = np.random.default_rng(5)
    x, y = (Input((2, 6), scale, 3) for scale in (0.05, 0.02))
    options = schema.AddOptionsT()
    added = model("ADD", [x, y], Input((2, 6), 0.1, -4), options)
    clips = [rng.normal(size=(8, 6)).astype("f4") for _ in range(2)]
    assert quantize.against_kernels(added, clips) == {"t2": (48, 0)}
    exact = model(
        "ADD", [Input((2, 6), dtype="float32")] * 2, Input((2, 6), dtype="float32"), options
    )
    (error,) = quantize.layer_errors(exact, added, clips)
    wanted = sum(clips)
    rounded = quantize.run_integer(added, clips).probabilities
    assert error.sqnr_db == pytest.approx(quantize.sqnr_db(wanted, rounded), abs=1e-3)
    assert 0 <= error.worst_clip < 8
