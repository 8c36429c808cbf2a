"""Who does what when: the operations of a graph shared out among workers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from course_lib.graph.data import Graph


class ScheduleError(ValueError):
    """A plan that cannot be carried out; the message says why in one sentence."""


@dataclass(frozen=True)
class Task:
    """One operation on one worker (0 is the first), from `start` to `end` in steps."""

    name: str
    worker: int
    start: float
    end: float


@dataclass(frozen=True)
class Schedule:
    """All tasks of a graph, in the order in which they start."""

    tasks: tuple[Task, ...]
    workers: int

    @property
    def length(self) -> float:
        """When the last task ends."""
        return max((task.end for task in self.tasks), default=0)

    @property
    def idle(self) -> float:
        """How much time the workers spend waiting, all together."""
        return self.workers * self.length - sum(task.end - task.start for task in self.tasks)


def schedule(graph: Graph, workers: int) -> Schedule:
    """Return a schedule for this many workers: whoever is free takes what the most still hangs on.

    An operation takes one step, constants and placeholders take none. Rule: longest remaining path
    first (T. C. Hu, 1961), good though not always best.
    """
    if workers < 1:
        raise ScheduleError("There has to be at least one worker.")
    left, operations, tasks = _longest_way_to_the_end(graph), graph.operations, []
    free, soonest = [0.0] * workers, 0.0
    ends = {node.name: 0.0 for node in graph.sources}
    missing = [set(node.inputs) - ends.keys() for node in operations]
    readers: dict[str, list[int]] = {}
    for place, names in enumerate(missing):
        for name in names:
            readers.setdefault(name, []).append(place)
    coming = [(0.0, place) for place, names in enumerate(missing) if not names]
    able: list[tuple[float, int]] = []  # what could begin by `soonest`, as (-left, place)
    for _ in operations:
        worker = min(range(workers), key=free.__getitem__)
        soonest = max(free[worker], soonest if able else coming[0][0])
        while coming and coming[0][0] <= soonest:
            place = heappop(coming)[1]
            heappush(able, (-left[operations[place].name], place))
        node = operations[heappop(able)[1]]
        tasks.append(Task(node.name, worker, soonest, soonest + 1))
        free[worker] = ends[node.name] = tasks[-1].end
        for place in readers.get(node.name, ()):
            missing[place].discard(node.name)
            if not missing[place]:
                heappush(coming, (max(ends[name] for name in operations[place].inputs), place))
    return Schedule(tuple(tasks), workers)


def run_plan(graph: Graph, plan: Sequence[Sequence[str]]) -> Schedule:
    """Carry out a plan, one list of names for each worker in the order of its work.

    Each starts its next operation as soon as it is free and the inputs are there. ScheduleError
    names an operation that is unknown, twice, missing, or for which everybody waits forever.
    """
    names, planned = {n.name for n in graph.operations}, [name for row in plan for name in row]
    for name in planned:
        if name not in names:
            raise ScheduleError(f"{name} is no operation of this graph.")
        if planned.count(name) > 1:
            raise ScheduleError(f"{name} is planned twice: once is enough.")
    if missing := sorted(names - set(planned)):
        raise ScheduleError(f"Nobody does {missing[0]}.")
    ends = {node.name: 0.0 for node in graph.sources}
    queues = [list(row) for row in plan]
    free = [0.0] * len(plan)
    tasks = []
    while any(queues):
        waiting = [(worker, queue[0]) for worker, queue in enumerate(queues) if queue]
        able = [w for w, first in waiting if all(name in ends for name in graph[first].inputs)]
        if not able:
            # the plain mistake: both in one list, the wrong way round
            for worker, first in waiting:
                if late := set(graph[first].inputs) & set(queues[worker]):
                    problem = f"stands before {min(late)}, whose result it needs."
                    raise ScheduleError(f"{first} {problem}")
            stuck = waiting[0][1]
            raise ScheduleError(f"Everybody waits: {stuck} needs a result that is planned later.")
        for worker in able:
            node = graph[queues[worker].pop(0)]
            start = max(free[worker], max((ends[name] for name in node.inputs), default=0.0))
            tasks.append(Task(node.name, worker, start, start + 1))
            free[worker] = ends[node.name] = tasks[-1].end
    tasks.sort(key=lambda task: (task.start, task.worker))
    return Schedule(tuple(tasks), len(plan))


def _longest_way_to_the_end(graph: Graph) -> Mapping[str, int]:
    left = dict.fromkeys((node.name for node in graph), 0)
    for node in reversed(graph.nodes):
        left[node.name] += node.computes
        for name in node.inputs:
            left[name] = max(left[name], left[node.name])
    return left
