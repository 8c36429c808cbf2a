"""Claims and their verdicts: the rule, and every claim measured on the shipped model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib import micro, spotter, tflite
from course_lib.experiments import ledger, readers
from course_lib.experiments.ledger import VERDICTS, Claim, Ledger, Test
from course_lib.graph import freezing
from course_lib.sound import dataset, features

RESULTS = st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=5)


def _claim(*results: bool | None) -> Claim:
    return Claim("01", "it is so", tuple(Test("a <test>", each, "5 %") for each in results))


@given(RESULTS)
def test_a_verdict_follows_from_the_tests_that_could_be_run(results: list) -> None:
    run = {each for each in results if each is not None}
    expected = {
        frozenset(): "not measured here",
        frozenset([True]): "holds",
        frozenset([False]): "does not hold",
        frozenset([True, False]): "holds in part",
    }
    assert _claim(*results).verdict == expected[frozenset(run)]


def test_a_ledger_adds_up_counts_and_shows_every_test() -> None:
    book = Ledger((_claim(True),)) + Ledger((_claim(True, False), _claim(None)))
    assert [book.count(each) for each in VERDICTS] == [1, 1, 0, 1] and len(book) == 3
    with pytest.raises(ValueError, match="There is no verdict 'true'"):
        book.count("true")
    assert repr(book).splitlines()[2:5] == [
        "holds in part: it is so", "  ✔ a <test>", "  ✘ a <test>",
    ]  # fmt: skip
    assert "5 %" not in repr(book), "figures differ from run to run"
    assert book.html().count("a &lt;test&gt;") == 4 and "5 %" in book.html()
    assert _claim(False).as_dict() == {
        "lesson": "01",
        "said": "it is so",
        "verdict": "does not hold",
        "tests": [{"what": "a <test>", "passed": False, "figure": "5 %"}],
    }


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Ledger:
    clips = dataset.bundled("test")[::6]
    rows, labels = features.of(clips), clips.labels
    model = spotter.load()
    frozen = freezing.frozen(model)
    plain, int8 = (tflite.convert(frozen, name, rows) for name in ("float32", "int8"))
    folder = tmp_path_factory.mktemp("claims")
    before = [weight.copy() for weight in model.get_weights()]
    book = (
        ledger.graphs(model, int8, rows, labels)
        + ledger.files(model, folder, rows, labels, 0.5, 0.9)
        + ledger.formats(plain, int8, frozen.graph_def)
    )
    after = model.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)), "left as it was"
    return book


IN_PART = (
    "keeps a model as a graph", "joined to variables", "spread over several", "average their",
    ".ckpt files", "and a meta file", "without any structure", "part of the meta file",
    "all three are", "complete model", "makes a quantized", "four times smaller",
    "order of magnitude", "where it lies", "thousands",
)  # fmt: skip
TRUE = ("derivatives cheap", "in other places", "Checkpoints are for")
FALSE = ("also called a saved model",)


def test_every_claim_has_the_verdict_that_was_found_by_hand(measured: Ledger) -> None:
    assert len(measured) == 22 and len({claim.said for claim in measured}) == 22
    verdicts = {claim.said: claim.verdict for claim in measured}
    for parts, verdict in ((IN_PART, "holds in part"), (TRUE, "holds"), (FALSE, "does not hold")):
        for part in parts:
            (said,) = [said for said in verdicts if part in said]
            assert verdicts[said] == verdict, said
    lessons = {f"{number:02}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 12, 14, 16)}
    assert {claim.lesson for claim in measured} == lessons


def test_what_needs_a_tool_is_left_open_without_it(
    measured: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise readers.NoCompilerError("There is no C compiler here.")

    monkeypatch.setattr(readers, "compiled", missing)
    monkeypatch.setattr(micro, "available", lambda: False)
    plain, int8 = tflite.load("spotter_float32"), tflite.load("spotter_int8")
    graph = freezing.frozen(spotter.load()).graph_def
    book = {claim.said: claim for claim in ledger.formats(plain, int8, graph)}
    for part, verdict in (
        ("second form", "not measured here"),
        ("No memory has to be", "not measured here"),
        ("compressed, and allocated", "does not hold"),
    ):
        (claim,) = [book[said] for said in book if part in said]
        assert claim.verdict == verdict
        assert any(test.passed is None for test in claim.tests)


def test_a_claim_can_turn_out_otherwise(tmp_path: Path) -> None:
    """A checkpoint that did not help, and a file that is quantized unasked, are seen."""
    clips = dataset.bundled("test")[:40]
    rows, labels = features.of(clips), clips.labels
    book = ledger.files(spotter.load(), tmp_path, rows, labels, 0.9, 0.5)
    (claim,) = [each for each in book if "Checkpoints are for" in each.said]
    assert claim.verdict == "holds in part" and "50% right against 90%" in claim.tests[0].figure
    int8 = tflite.load("spotter_int8")
    graph = freezing.frozen(spotter.load()).graph_def
    plain = tflite.load("spotter_float32")
    (swapped,) = [e for e in ledger.formats(plain, plain, graph) if "quantized model" in e.said]
    assert swapped.verdict == "does not hold"
    (factor,) = [e for e in ledger.formats(plain, plain, graph) if "four times" in e.said]
    assert factor.verdict == "does not hold" and len(int8) < len(plain)
    assert replace(factor, tests=()).verdict == "not measured here"
