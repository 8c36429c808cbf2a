"""Four bits for chosen layers: what they save and what they cost."""

import pytest

from course_lib import measure, quantize, tflite
from course_lib.sound import dataset


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
