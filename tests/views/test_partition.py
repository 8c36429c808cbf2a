"""A cut that is moved: the picture has each node once, on its device, and every tensor sent."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from course_lib.graph import Graph, Node
from course_lib.graph.partition import Devices
from course_lib.views.partition import CutView, describe, ratios, svg, times

GRAPH = Graph(
    (
        Node("in", "Placeholder", shape=(100,)),
        Node("wide", "Conv2D", ("in",), shape=(400,)),
        Node("narrow", "Conv2D", ("wide",), shape=(10,)),
        Node("sum", "AddV2", ("in", "narrow"), shape=(100,)),
    ),
    ("sum",),
)
WORK = {"in": 0, "wide": 100, "narrow": 100, "sum": 0}
LINKS = {"slow": Devices(1e3, 1e6, 1e3, 0.01), "fast": Devices(1e3, 1e6, 1e9, 0)}


@pytest.mark.parametrize(("cut", "names"), [(1, ["in"]), (2, ["in", "wide"]), (4, [])])
def test_what_is_sent_is_marked(cut, names):
    drawn = svg(GRAPH, cut)
    ElementTree.fromstring(re.search("<svg.*</svg>", drawn).group())
    assert drawn.count("Send on A, Recv on B") == len(names)
    assert (drawn.count("(A)"), drawn.count("(B)")) == (cut, 4 - cut)
    assert all(name in describe(GRAPH, cut).partition("sent: ")[2] for name in names or ["nothing"])
    assert drawn.count("stroke-dasharray") == (cut < 4)


def test_the_view_follows_both_controls():
    view = CutView(GRAPH, WORK, LINKS, cut=1)
    assert "1 node on A" in view.said.value and "400 B" in view.said.value
    assert "link 410 ms" in view.said.value
    view.link.value = "fast"
    assert "link 0 ms" in view.said.value
    view.cut.value = 2
    assert "2,000 B" in view.said.value and "A 100 ms" in view.said.value
    assert view.picture.value == svg(GRAPH, 2) == view.still()


def test_the_picture_of_times_names_the_best_cut():
    picture = times(GRAPH, WORK, LINKS)
    assert "slow: best with 4 on" in picture.alt and "fast: best with 1 on" in picture.alt


def test_ratios_have_a_text_without_times():
    picture = ratios({"one": 2.0, "other": 0.02}, "one")
    assert picture.alt == ratios({"one": 3.0, "other": 1.0}, "one").alt
    assert not any(letter.isdigit() for letter in picture.alt)
