"""Work and span on the picture of a graph."""

from __future__ import annotations

from course_lib.exercises.material import SHARED
from course_lib.graph.trace.source import from_source
from course_lib.views import span


def test_the_longest_path_is_said_and_marked():
    picture = span.picture(SHARED)
    assert picture.alt == (
        "work 7: so many operations; span 4: the longest path, marked in red, is ant, cat, fox, gnu"
    )
    assert picture.png[:4] == b"\x89PNG"


def test_another_graph_has_another_path():
    chain = from_source("a = 1\nb = a + a\nc = b + a")
    assert span.describe(chain).endswith("span 2: the longest path, marked in red, is b, c")
    assert span.picture(chain).png != span.picture(from_source("a = 1\nb = a + a")).png
