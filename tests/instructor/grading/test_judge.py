"""Points come from plain values alone."""

from __future__ import annotations

import pytest
from hostile import corpus

from course_lib.instructor.grading import judge


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
