"""The byte map: lookups, gaps, overlaps and shares on maps made by hand."""

import pytest

from course_lib.formats.bytemap import ByteMap, Span

DATA = bytes(range(10))
WHOLE = ByteMap(
    DATA,
    [
        Span(4, 10, "weights", "kernel", "node[0].kernel", "6 bytes"),
        Span(0, 1, "tag", "tag of node", "node[0]"),
        Span(1, 4, "string", "name", "node[0].name", "abc"),
    ],
)


def test_spans_are_sorted_and_found_by_position():
    assert [span.start for span in WHOLE] == [0, 1, 4]
    assert WHOLE.at(0).name == "tag of node"
    assert WHOLE.at(3).value == "abc"
    assert WHOLE.at(9).kind == "weights"
    assert WHOLE.bytes_of(WHOLE.at(2)) == bytes([1, 2, 3])


def test_every_position_agrees_with_a_search_from_the_front():
    for position in range(len(DATA)):
        assert WHOLE.at(position) == next(span for span in WHOLE if position in span)


def test_complete_map_has_no_gap_and_shares_add_up():
    assert WHOLE.complete
    assert WHOLE.shares == {"weights": 6, "string": 3, "tag": 1}
    assert list(WHOLE.shares) == ["weights", "string", "tag"]
    assert len(WHOLE) == sum(WHOLE.shares.values())


def test_gaps_are_named_and_counted():
    sparse = ByteMap(DATA, [Span(2, 4, "tag", "a"), Span(6, 8, "tag", "b")])
    assert sparse.gaps == ((0, 2), (4, 6), (8, 10))
    assert sparse.shares == {"unnamed": 6, "tag": 4}
    with pytest.raises(LookupError, match="gap"):
        sparse.at(5)
    assert not sparse.complete


def test_overlaps_are_found_and_counted_once():
    shared = ByteMap(
        DATA, [Span(0, 10, "table", "all"), Span(2, 4, "tag", "a"), Span(6, 8, "tag", "b")]
    )
    assert [(first.name, second.name) for first, second in shared.overlaps] == [
        ("all", "a"),
        ("all", "b"),
    ]
    assert shared.shares == {"table": 10, "tag": 0}
    assert shared.at(7).name == "b"
    assert shared.at(9).name == "all"
    assert not shared.complete


@pytest.mark.parametrize("start, end", [(-1, 2), (3, 3), (8, 11), (5, 4)])
def test_a_span_outside_the_file_is_refused(start, end):
    with pytest.raises(ValueError, match="outside"):
        ByteMap(DATA, [Span(start, end, "tag", "a")])


@pytest.mark.parametrize("position", [-1, 10])
def test_a_position_outside_the_file_is_refused(position):
    with pytest.raises(IndexError):
        WHOLE.at(position)


def test_empty_file_is_complete():
    assert ByteMap(b"", []).complete
    assert ByteMap(b"", []).shares == {}


def test_displays_are_stable_and_escaped():
    assert repr(WHOLE) == "ByteMap(10 bytes, 3 spans)"
    table = ByteMap(b"ab", [Span(0, 2, "<b>", "x")])._repr_html_()
    assert "&lt;b&gt;" in table and "<b>" not in table
    assert "60.0%" in WHOLE._repr_html_()


def test_find_searches_paths_and_names():
    assert [span.name for span in WHOLE.find("node[0]")] == ["tag of node", "name", "kernel"]
