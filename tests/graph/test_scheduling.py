"""Schedules for workers: possible, never shorter than the span, drawn as charts."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import programs

from course_lib.exercises.material import SHARED
from course_lib.graph import span, work
from course_lib.graph.scheduling import ScheduleError, run_plan, schedule
from course_lib.graph.trace import from_source
from course_lib.views.gantt import ScheduleView, describe, gantts, svg


@given(programs, st.integers(1, 5))
@settings(max_examples=300, deadline=None)
def test_every_schedule_can_be_carried_out(text, workers):
    graph = from_source(text)
    made = schedule(graph, workers)
    ends = {task.name: task.end for task in made.tasks}
    assert sorted(ends) == sorted(node.name for node in graph.operations)
    for task in made.tasks:
        assert all(ends.get(name, 0) <= task.start for name in graph[task.name].inputs)
    for worker in range(workers):
        mine = sorted(
            (task for task in made.tasks if task.worker == worker), key=lambda task: task.start
        )
        assert all(a.end <= b.start for a, b in zip(mine, mine[1:], strict=False))
    assert span(graph) <= made.length <= work(graph)
    assert made.length >= work(graph) / workers


@given(programs, st.integers(1, 5))
@settings(max_examples=300, deadline=None)
def test_a_schedule_is_that_of_a_plain_search(text, workers):
    """Each turn looks at every operation that is left; the longest way to the end goes first."""
    graph = from_source(text)
    left: dict[str, float] = {}
    for node in reversed(graph.nodes):
        after = [left[each.name] for each in graph.nodes if node.name in each.inputs]
        left[node.name] = node.computes + max(after, default=0)
    ends, free, waiting, tasks = {n.name: 0 for n in graph.sources}, [0] * workers, [], []
    waiting += graph.operations
    while waiting:
        ready = {
            node.name: max((ends[name] for name in node.inputs), default=0)
            for node in waiting
            if ends.keys() >= set(node.inputs)
        }
        worker = free.index(min(free))
        start = max(free[worker], min(ready.values()))
        node = max(
            (n for n in waiting if ready.get(n.name, start + 1) <= start),
            key=lambda n: left[n.name],
        )
        free[worker] = ends[node.name] = start + 1
        tasks.append((node.name, worker, start, free[worker]))
        waiting.remove(node)
    made = schedule(graph, workers)
    assert [(t.name, t.worker, t.start, t.end) for t in made.tasks] == tasks


@given(programs, st.integers(1, 4))
@settings(max_examples=200, deadline=None)
def test_a_schedule_is_a_plan_that_takes_no_longer(text, workers):
    graph = from_source(text)
    made = schedule(graph, workers)
    rows = [[task.name for task in made.tasks if task.worker == w] for w in range(workers)]
    assert run_plan(graph, rows).length <= made.length


def test_one_worker_does_all_and_two_reach_the_span():
    assert schedule(SHARED, 1).length == 7 and schedule(SHARED, 1).idle == 0
    assert schedule(SHARED, 2).length == span(SHARED) == 4


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ([["ant"], ["yak"]], "yak is no operation"),
        ([["ant", "bee"], ["bee"]], "bee is planned twice"),
        ([["ant", "bee", "cat", "dog", "elk", "fox"], []], "Nobody does gnu"),
        ([["cat", "ant", "fox", "gnu"], ["bee", "dog", "elk"]], "cat stands before ant"),
        ([["ant", "cat", "fox", "gnu"], ["elk", "bee", "dog"]], "elk stands before bee"),
        ([["cat", "bee", "dog", "fox", "gnu"], ["elk", "ant"]], "Everybody waits: cat"),
    ],
)
def test_plans_that_cannot_be(plan, message):
    with pytest.raises(ScheduleError, match=message):
        run_plan(SHARED, plan)


def test_nobody_is_too_few():
    with pytest.raises(ScheduleError, match="at least one worker"):
        schedule(SHARED, 0)


def test_the_chart_says_who_does_what():
    made = schedule(SHARED, 2)
    assert describe(made).startswith("4 steps, 1 of them idle. worker 1: ant, ")
    tree = ElementTree.fromstring(svg(made, 7))
    texts = {element.text for element in tree.iter("{http://www.w3.org/2000/svg}text")}
    assert {"worker 1", "worker 2", "gnu", "4"} <= texts
    assert "worker 2: bee" in gantts({"": made}).alt
    assert gantts({"two": made, "three": schedule(SHARED, 3)}).alt.startswith("two: 4 steps")


def test_the_slider_changes_the_chart():
    planner = ScheduleView(SHARED, most=3)
    assert "7 steps" in planner.said.value and "span 4" in planner.said.value
    planner.workers.value = 2
    assert "4 steps" in planner.said.value and "worker 2" in planner.picture.value
