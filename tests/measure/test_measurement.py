"""The figures of a report against hand-counted examples and independent formulas."""

import math

import numpy as np
import pytest
from one_operation import small_models

from course_lib import measure
from course_lib.measure import measurement


def make_report(right, classes=4, name="model"):
    """A report whose clips all belong to class 1; True is answered rightly, False as class 2."""
    labels = np.ones(len(right), np.int64)
    probabilities = np.eye(classes, dtype=np.float32)[np.where(right, 1, 2)]
    return measure.Report(name, 100, 60, labels, probabilities)


@pytest.mark.parametrize(
    "correct, n, low, high",
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_wilson_gives_the_published_figures(correct, n, low, high):
    # The last row is Newcombe's worked example (Statistics in Medicine 17, 1998, 857).
    assert measure.wilson(correct, n) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("correct, n", [(1, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_what_is_no_share(correct, n):
    with pytest.raises(ValueError, match="no share"):
        measure.wilson(correct, n)


def test_report_counts():
    probabilities = np.eye(3, dtype=np.float32)[[0, 0, 1, 2, 2, 2]]
    found = measure.Report("six", 10, 5, np.array([0, 1, 1, 2, 2, 2]), probabilities)
    assert (found.n, found.correct) == (6, 5)
    assert found.confusion.tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 3]]
    assert found.recalls == pytest.approx([1, 0.5, 1])
    assert found.interval == measure.wilson(5, 6)


def test_a_class_without_clips_has_no_recall():
    assert math.isnan(make_report([True, False]).recalls[3])


def test_report_runs_a_function_on_features_and_labels():
    features = np.arange(8, dtype=np.float32).reshape(4, 2)
    found = measure.report(
        "rule", lambda rows: np.eye(2)[(rows[:, 0] > 3).astype(int)], (features, [0, 0, 1, 0])
    )
    assert found.correct == 3 and found.bytes == 0


@pytest.mark.parametrize("answer", [np.zeros(4), np.zeros((3, 4))])
def test_report_refuses_an_answer_of_the_wrong_shape(answer):
    with pytest.raises(ValueError, match="one row of probabilities"):
        measure.report("bad", lambda rows: answer, (np.zeros((4, 2)), np.zeros(4)))


def test_report_refuses_no_clips():
    with pytest.raises(ValueError, match="at least one clip"):
        measure.report("none", lambda rows: rows, (np.zeros((0, 2)), np.zeros(0)))


def test_agreement_counts_equal_answers_even_wrong_ones():
    assert measure.agreement(make_report([1, 0, 1, 0]), make_report([1, 0, 0, 0])) == 0.75


@pytest.mark.parametrize("lost, gained", [(0, 0), (1, 0), (5, 0), (6, 0), (9, 3), (30, 41)])
def test_mcnemar_is_the_exact_binomial_test(lost, gained):
    before = make_report([True] * lost + [False] * gained + [True, False])
    after = make_report([False] * lost + [True] * gained + [True, False])
    change = measure.mcnemar(before, after)
    assert (change.lost, change.gained) == (lost, gained)
    flips, fewer = lost + gained, min(lost, gained)
    tail = sum(math.comb(flips, heads) for heads in range(fewer + 1))
    assert change.p_value == pytest.approx(min(1.0, 2 * tail / 2**flips), rel=1e-9)


def test_verdicts():
    pairs = (([1] * 5, [0] * 5), ([1] * 6, [0] * 6), ([0] * 6, [1] * 6))
    changes = [measure.mcnemar(make_report(one), make_report(other)) for one, other in pairs]
    assert [change.verdict for change in changes] == ["noise", "worse", "better"]


def test_reports_of_different_clips_are_not_compared():
    with pytest.raises(ValueError, match="different clips"):
        measure.mcnemar(make_report([1]), make_report([1, 1]))


def test_reports_of_files_carry_sizes_answers_and_seconds():
    features = np.eye(4, dtype=np.float32) * 3
    models = small_models()
    found = measure.reports(models, (features, np.arange(4)), rounds=3)
    assert [each.name for each in found] == list(models)
    assert [each.bytes for each in found] == [len(model) for model in models.values()]
    assert all(each.correct == 4 and each.seconds > 0 for each in found)


def test_report_refuses_labels_that_the_model_has_not():
    with pytest.raises(ValueError, match="labels up to 7"):
        measure.report("few", next(iter(small_models().values())), (np.zeros((1, 4)), [7]))


def test_latencies_see_twice_the_work():
    small, large = np.ones(200_000), np.ones(2_000_000)
    slow, quick = measurement.latencies([large.sum, small.sum], rounds=40)
    assert slow / quick > 2
