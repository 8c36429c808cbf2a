"""Points come from plain values alone."""

from __future__ import annotations

import re

import pytest
from hostile import corpus

from course_lib.exercises.answers import Raised
from course_lib.instructor.grading import bounded, judge
from course_lib.instructor.grading.inside import values


def test_the_same_unseen_inputs_for_everybody(lesson):
    first, again = (judge.requests(lesson, corpus.RIGHT, "a secret") for _ in range(2))
    other = judge.requests(lesson, corpus.RIGHT, "another")
    assert first == again and first["97.2"] != other["97.2"]
    assert first["97.1"].arguments == "null"


@pytest.mark.parametrize(
    "reply, state",
    [
        ({"state": "values", "values": {"i": "0x6"}}, "right"),
        ({"state": "values", "values": {"i": "0x7"}}, "wrong"),
        ({"state": "values", "values": {"x": 0}}, "not tried"),
        ({"state": "values", "values": {"q": 0}}, "wrong"),
        ({"state": "values"}, "wrong"),
        ({"state": "untouched"}, "not tried"),
        ({"state": "missing", "why": "NameError: cells"}, "wrong"),
        ({"state": "right"}, "wrong"),
        ({"state": "refused", "why": 5}, "wrong"),
        ("right", "wrong"),
        (None, "wrong"),
        ({}, "wrong"),
    ],
)
def test_replies_of_every_kind(lesson, reply, state):
    verdict = judge.verdict(lesson.questions[0], {"kind": "answer", "reply": reply}, "", "seed")
    assert verdict.state == state and verdict.earned == (1.0 if state == "right" else 0.0)


def test_a_function_must_give_one_value_a_call(lesson):
    for found in ({"l": []}, {"l": [{"i": "0x1"}]}, {"i": "0x1"}):
        event = {"kind": "answer", "reply": {"state": "values", "values": found}}
        assert (
            "one value for each call"
            in judge.verdict(lesson.questions[1], event, "", "seed").message
        )


def _judged(lesson, function, seed="s"):
    """Return the verdict on 97.2, and the unseen and the usual inputs that were asked."""
    asked = judge.requests(lesson, {"97.2": "x"}, seed)["97.2"]
    inputs = [each for (each,) in values.read(asked.arguments)]
    half = len(inputs) // 2
    found = values.written([function(x, x in inputs[:half]) for x in inputs])
    event = {"kind": "answer", "exercise": "97.2", "reply": {"state": "values", "values": found}}
    verdicts = judge.verdicts(lesson, {"97.2": "x"}, seed, (event,))
    return {each.id: each for each in verdicts}["97.2"], inputs[:half], inputs[half:]


def test_right_is_right_on_unseen_inputs(lesson):
    assert _judged(lesson, lambda x, unseen: 2 * x)[0].state == "right"
    assert _judged(lesson, lambda x, unseen: 2 * x if unseen else 0)[0].state == "right"


def test_what_the_check_says_is_said(lesson):
    assert _judged(lesson, lambda x, unseen: x * x)[0].message == "that is the square"
    verdict, _, usual = _judged(lesson, lambda x, unseen: x + 7)
    shown = re.fullmatch(r"For \((\d+)\) you return \d+, and it should be \d+\.", verdict.message)
    assert int(shown[1]) in usual and not verdict.refuted


@pytest.mark.parametrize(
    "wrong, hint",
    [
        (lambda x: x * x, "that is the square"),
        (lambda x: x + 7, "Which inputs"),
        (lambda x: Raised("KeyError", f"it was {x}"), "it raises KeyError."),
    ],
)
def test_regrading_reveals_no_unseen_value(lesson, wrong, hint):
    """Whoever answers ever more unseen inputs rightly, is never told another one."""
    messages = set()
    known: list[int] = []
    _, unseen, _ = _judged(lesson, lambda x, unseen: 2 * x)
    for each in unseen:
        verdict, _, _ = _judged(
            lesson, lambda x, unseen: wrong(x) if unseen and x not in known else 2 * x
        )
        assert verdict.state == "wrong" and verdict.refuted
        messages.add(re.sub(r"For \d of \d", "", verdict.message))
        known.append(each)
    assert any(hint in text for text in messages) and len(messages) <= 2
    assert not any(str(value) in text for x in unseen for value in (x, 2 * x) for text in messages)


def test_a_value_that_is_too_much_costs_one_answer(lesson, monkeypatch):
    call = bounded.call
    monkeypatch.setattr(
        bounded, "call", lambda *asked, **limits: call(*asked, seconds=20.0, megabytes=4)
    )
    large = "y" * 6_000_000
    events = [
        {"kind": "answer", "exercise": name, "reply": {"state": "values", "values": found}}
        for name, found in (("97.1", values.written(6)), ("97.3", values.written([large] * 1)))
    ]
    answers = {"97.1": "x", "97.3": "x"}
    verdicts = {each.id: each for each in judge.verdicts(lesson, answers, "s", tuple(events))}
    assert verdicts["97.1"].state == "right"
    assert verdicts["97.3"].state == "stopped" and verdicts["97.3"].earned == 0
    assert "could not be judged within 20 seconds of a processor" in verdicts["97.3"].message
