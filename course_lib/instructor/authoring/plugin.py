"""A plugin of pytest beside nbval: evaluate what the prose of a lesson claims, where it stands.

    pytest -p course_lib.instructor.authoring.plugin --nbval NOTEBOOK

A false claim fails the code cell after it (or the last one before it), with the sentence and the
values. A plain run of nbval knows nothing of claims and needs none of this.
"""

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any

import pytest

from course_lib.instructor.authoring import prose

_SECONDS = 120.0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Evaluate the claims between the code cell before and this one, then run the cell."""
    if not hasattr(item, "cell"):
        return (yield)
    cells = item.parent.nb.cells
    here = next(place for place, cell in enumerate(cells) if cell is item.cell)
    _evaluate(item.parent.kernel, reversed(list(_prose(reversed(cells[:here])))))
    result = yield
    after = list(_prose(cells[here + 1 :]))
    if here + 1 + len(after) == len(cells):  # nothing runs after these
        _evaluate(item.parent.kernel, after)
    return result


def _prose(cells: Iterable[Any]) -> Iterator[Any]:
    return takewhile(lambda cell: cell.cell_type != "code", cells)


def _evaluate(kernel: Any, cells: Iterable[Any]) -> None:
    """Let the kernel evaluate the claims of each cell, silently; fail where one is false."""
    for call in filter(None, map(prose.call, cells)):
        asked = kernel.kc.execute("", silent=True, user_expressions={"holds": call})
        reply: dict = {"parent_header": {}}
        while reply["parent_header"].get("msg_id") != asked:
            reply = kernel.get_message(stream="shell", timeout=_SECONDS)
        answer = reply["content"]["user_expressions"]["holds"]
        assert answer["status"] == "ok", answer.get("evalue")
