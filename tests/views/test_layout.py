"""Where the boxes and arrows of a graph go, with graphviz and without."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from random_programs import long_program

from course_lib.exercises import material
from course_lib.exercises.material import PROGRAM
from course_lib.graph import Graph, Node, levels
from course_lib.graph.trace import from_source
from course_lib.views import layout as layout_module
from course_lib.views.graph import describe, picture
from course_lib.views.layout import dot_command, lay_out
from course_lib.views.painting import Marks, svg

SEVEN = from_source(PROGRAM)


@pytest.fixture(params=["graphviz", "levels"])
def made_by(request, monkeypatch):
    """Lay out with graphviz, and once more as if there were none."""
    if request.param == "levels":
        monkeypatch.setattr(layout_module, "dot_command", lambda: None)
    elif dot_command() is None:
        pytest.skip("no graphviz here")
    lay_out.cache_clear()
    yield request.param
    lay_out.cache_clear()


def test_everything_has_a_place(made_by):
    layout = lay_out(SEVEN)
    assert layout.made_by == made_by
    assert [box.name for box in layout.boxes] == [node.name for node in SEVEN]
    assert {arrow.edge for arrow in layout.arrows} == {*SEVEN.edges, ("res", "", 0)}
    for box in layout.boxes:
        assert 0 <= box.x - box.width / 2 and box.x + box.width / 2 <= layout.width
        assert 0 <= box.y - box.height / 2 and box.y + box.height / 2 <= layout.height


def test_a_level_is_a_row(made_by):
    boxes = {box.name: box for box in lay_out(SEVEN).boxes}
    heights = [{round(boxes[name].y) for name in names} for names in levels(SEVEN)]
    assert all(len(row) == 1 for row in heights)
    assert sorted(min(row) for row in heights) == [min(row) for row in heights]


def test_boxes_do_not_overlap(made_by):
    boxes = lay_out(SEVEN).boxes
    for a in boxes:
        for b in boxes:
            apart = (
                abs(a.x - b.x) >= (a.width + b.width) / 2 - 1
                or abs(a.y - b.y) >= (a.height + b.height) / 2 - 1
            )
            assert a is b or apart


def test_the_first_input_of_a_minus_stands_left(made_by):
    graph = from_source("a = 1\nb = 2\nc = b - a")
    ends = {arrow.edge: arrow.points[-1][0] for arrow in lay_out(graph, by_level=False).arrows}
    assert ends["b", "c", 0] < ends["a", "c", 1]


def test_arrows_end_at_their_box(made_by):
    layout = lay_out(SEVEN)
    boxes = {box.name: box for box in layout.boxes}
    for arrow in layout.arrows:
        if arrow.edge[1]:
            box, (x, y) = boxes[arrow.edge[1]], arrow.head[0]
            assert abs(x - box.x) <= box.width / 2 + 3 and abs(y - box.y) <= box.height / 2 + 3


def test_an_input_that_is_read_twice_has_two_arrows(made_by):
    graph = from_source("x = 3\ny = x * x")
    assert [a.edge for a in lay_out(graph).arrows] == [("x", "y", 0), ("x", "y", 1), ("y", "", 0)]


def test_a_layout_is_made_once():
    assert lay_out(SEVEN) is lay_out(from_source(PROGRAM))


def test_svg_is_well_formed_and_says_what_it_shows(made_by):
    marks = Marks({"res": "waiting", "temp1": "now"}, {("var1", "temp1", 0): "6 < 7"})
    text = svg(lay_out(SEVEN), marks, 'step "3"')
    tree = ElementTree.fromstring(text)
    picture_element = tree.find("{http://www.w3.org/2000/svg}svg")
    assert picture_element.get("role") == "img" and picture_element.get("aria-label") == 'step "3"'
    texts = [element.text for element in picture_element.iter("{http://www.w3.org/2000/svg}text")]
    assert {"var1", "constant 6", "temp1", "÷", "6 < 7"} <= set(texts)
    assert "url(" not in text and "href" not in text
    assert 'stroke-dasharray="6 3"' in text  # a node that waits is dashed, not only grey


def test_odd_names_survive(made_by):
    nodes = (
        Node('say "hi"/x', "Const", value=1.0),
        Node("a<b>&c", "Neg", ('say "hi"/x',)),
        Node("layer/" + "long" * 30, "Identity", ("a<b>&c",)),
    )
    graph = Graph(nodes, (nodes[-1].name,))
    ElementTree.fromstring(svg(lay_out(graph), Marks(), describe(graph)))


def test_an_empty_graph_is_no_accident(made_by):
    assert lay_out(Graph(())).boxes == ()


@pytest.mark.posix
def test_graphviz_that_fails_is_named(tmp_path, monkeypatch):
    broken = tmp_path / "dot"
    broken.write_text("#!/bin/sh\necho no fonts >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(layout_module, "dot_command", lambda: str(broken))
    lay_out.cache_clear()
    with pytest.raises(OSError, match="no fonts"):
        lay_out(SEVEN)


@pytest.mark.posix
def test_a_picture_smaller_than_its_boxes_gets_more_room(tmp_path, monkeypatch):
    rounding = tmp_path / "dot"
    plain = """graph 1 0.5 1
node n0 0.25 0.75 1 1 "" solid box black lightgrey
node out0 0.25 0.1 0 0 "" solid box black lightgrey
edge n0 out0 4 0.25 0.75 0.25 0.5 0.25 0.3 0.25 0.1 solid black
stop"""
    rounding.write_text(f"#!/bin/sh\ncat <<'PLAIN'\n{plain}\nPLAIN\n")
    rounding.chmod(0o755)
    monkeypatch.setattr(layout_module, "dot_command", lambda: str(rounding))
    lay_out.cache_clear()
    layout = lay_out(from_source("a = 1"))
    (box,), (arrow,) = layout.boxes, layout.arrows
    assert 0 <= box.x - box.width / 2 and box.x + box.width / 2 <= layout.width
    assert 0 <= box.y - box.height / 2 and box.y + box.height / 2 <= layout.height
    assert arrow.points[0] == (box.x, box.y)  # what is not a box moves along
    lay_out.cache_clear()


def test_a_thousand_operations_are_traced_levelled_and_drawn(made_by):
    graph = from_source(long_program(1000))
    assert len(graph.operations) == 1000 and len(levels(graph)) > 100
    layout = lay_out(graph)
    assert svg(layout, Marks(), "big").count("<rect") == 1002
    assert picture(graph, alt="a thousand").png[:4] == b"\x89PNG"


def test_a_graph_too_large_for_a_picture_is_refused_at_once(monkeypatch):
    monkeypatch.setattr(layout_module, "_run", lambda *_: pytest.fail("dot was asked"))
    with pytest.raises(
        ValueError, match="at most 1,200 nodes, and this graph has 1,203: draw a part"
    ):
        lay_out(from_source(long_program(1201)))


@pytest.mark.posix
def test_a_graph_that_takes_dot_too_long_is_given_up(tmp_path, monkeypatch):
    slow = tmp_path / "dot"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(layout_module, "dot_command", lambda: str(slow))
    monkeypatch.setattr(layout_module, "_PATIENCE_SECONDS", 0.1)
    with pytest.raises(ValueError, match="takes longer than 0.1 s"):
        lay_out(from_source("a = 1\nb = a + a * 7 + 1234"))


@pytest.mark.parametrize("name", ["MYSTERY", "ORCHARD"])
def test_the_left_arrow_brings_the_first_number_where_lesson_01_asks(name):
    graph = getattr(material, name)
    for node in graph.operations:
        into = [arrow for arrow in lay_out(graph).arrows if arrow.edge[1] == node.name]
        into.sort(key=lambda arrow: arrow.points[-1][0])
        assert [arrow.edge[2] for arrow in into] == list(range(len(node.inputs))), node
