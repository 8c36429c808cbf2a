"""The cursor over a protobuf: every part of a node can be reached and is explained."""

from __future__ import annotations

import time

import pytest

from course_lib.formats import protobuf
from course_lib.session import internals
from course_lib.views.wire import WireCursor, explained


@pytest.fixture(scope="module")
def graph_def():
    graph = internals.message("GraphDef")(
        node=[{"name": "first", "op": "NoOp"}, {"name": "<b>", "op": "Const"}]
    )
    graph.node[1].attr["T"].type = 1
    graph.node[1].attr["v"].tensor.tensor_content = bytes(range(200)) * 3
    return graph.SerializeToString(deterministic=True)


@pytest.fixture
def cursor(graph_def):
    return WireCursor(graph_def, ["first", "<b>"])


def test_the_slider_goes_through_every_part_of_the_node(cursor):
    seen = []
    for index in range(cursor.slider.max + 1):
        cursor.slider.value = index
        seen.append(cursor.view.value)
    assert len(set(seen)) == len(seen) == len(cursor.parts) == 8
    assert "tag of node" in seen[0] and "NoOp" in seen[-1]


def test_another_node_starts_from_its_beginning(cursor):
    cursor.slider.value = 5
    cursor.node.value = "<b>"
    assert cursor.slider.value == 0
    assert cursor.slider.max == len(cursor.parts) - 1
    assert "node[1]" in cursor.view.value


def test_names_from_a_file_are_escaped_and_long_nodes_are_cut(cursor):
    cursor.node.value = "<b>"
    cursor.slider.value = cursor.slider.max
    page = cursor.view.value
    assert '<b>"' not in page and "&lt;b&gt;" in page
    assert "600 bytes" in page
    assert page.count("<tr>") <= 16


def test_moving_is_quick(cursor):
    cursor.node.value = "<b>"
    started = time.process_time()
    cursor.slider.value = 3
    assert time.process_time() - started < 0.15


def test_bits_of_tags_and_varints_are_explained(cursor):
    tag, length = cursor.parts[0], cursor.parts[1]
    assert explained(cursor.map, tag) == [
        "bits 00001010: the last byte",
        "10 = field 1 × 8 + wire type 2 (length-delimited)",
    ]
    assert explained(cursor.map, length)[-1].endswith(f": {length.value}")
    name = next(span for span in cursor.parts if span.kind == "string")
    assert explained(cursor.map, name) == []


def test_two_bytes_are_explained(graph_def):
    cursor = WireCursor(graph_def, ["<b>"])
    length = next(s for s in cursor.parts if s.kind == "length" and len(s) == 2)
    lines = explained(cursor.map, length)
    assert "a 1 in front says: go on" in lines[0]
    assert protobuf.varint(cursor.map.bytes_of(length), 0)[0] == length.value


def test_packed_numbers_are_taken_apart():
    graph = internals.message("GraphDef")(node=[{"name": "n", "op": "Conv2D"}])
    graph.node[0].attr["strides"].list.i.extend([1, 300, -1])
    graph.node[0].attr["value"].tensor.float_val.extend([1.5, -2.0])
    cursor = WireCursor(graph.SerializeToString(deterministic=True), ["n"])
    strides, value = (s for s in cursor.parts if isinstance(s.value, tuple))
    assert explained(cursor.map, strides) == [
        "packed: 3 numbers share one tag and one length; a byte below 80 ends a number",
        "01 → 1", "ac 02 → 300", f"{'ff ' * 9}01 → -1"]  # fmt: skip
    assert explained(cursor.map, value) == [
        "packed: 2 numbers share one tag and one length; 4 bytes each",
        "00 00 c0 3f → 1.5", "00 00 00 c0 → -2.0"]  # fmt: skip
    tags = [s for s in cursor.parts if s.kind == "tag" and s.path.endswith("list.i")]
    assert str(tags[0].value) == "field 3, length-delimited, packed"
    cursor.slider.value = cursor.parts.index(strides)
    assert "ac 02 → 300" in cursor.view.value


def test_unknown_nodes_are_refused(graph_def):
    with pytest.raises(LookupError, match="no node called"):
        WireCursor(graph_def, ["third"])
