"""Pictures of bytes: they are PNGs that say in words what they show, and stay stable."""

import pytest

from course_lib.formats.bytemap import ByteMap, Span
from course_lib.views import bytes as draw_bytes

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def small():
    return ByteMap(
        bytes(range(100)),
        [
            Span(0, 1, "tag", "tag of name"),
            Span(1, 2, "length", "length of name", value=10),
            Span(2, 12, "string", "name", "node[0].name", "<listen>"),
            Span(12, 90, "weights", "kernel"),
            Span(92, 100, "padding", "zeros"),
        ],
    )


def test_overview_tells_the_bytes_of_each_kind(small):
    picture = draw_bytes.overview(small, "a file", mark=20)
    assert picture.png.startswith(PNG)
    assert repr(picture) == (
        "<picture: a file: 100 bytes by kind: weights 78, string 10, padding 8, "
        "unnamed 2, length 1, tag 1>"
    )


def test_hexdump_names_its_spans(small):
    picture = draw_bytes.hexdump(small, 0, 40, mark=3)
    assert picture.png.startswith(PNG)
    assert "name '<listen>'" in picture.alt


def test_hexdump_html_escapes_and_marks(small):
    page = draw_bytes.hexdump_html(small, 0, 32, mark=2)
    assert "&lt;listen&gt;" in page and "<listen>" not in page
    assert page.count("outline") == 10
    assert page.count("<tr>") == 2


def test_hexdump_stops_at_the_end_of_the_file(small):
    assert "bytes 90 to 99" in draw_bytes.hexdump(small, 90, 500).alt
    assert ">63<" in draw_bytes.hexdump_html(small, 90, 500)


def test_colours_are_stable_and_differ():
    first = draw_bytes.colours(["weights", "mystery", "tag"])
    assert first["weights"] == draw_bytes.colours(["tag", "weights"])["weights"]
    assert len(set(first.values())) == 3


def test_large_files_are_drawn_by_the_commonest_kind_of_a_cell():
    data = bytes(100_000)
    large = ByteMap(data, [Span(0, 99_000, "weights", "w"), Span(99_000, 100_000, "string", "s")])
    assert draw_bytes.overview(large).png.startswith(PNG)
    assert draw_bytes.overview_png(large, mark=(5, 6)).startswith(PNG)


def test_values_are_shortened():
    assert draw_bytes.shown_value("a" * 100, width=10) == "'aaaaaaaa…"
    assert draw_bytes.shown_value(None) == ""


def test_an_offset_is_told_by_where_it_leads():
    """Its bytes hold a distance: "= 48" under bytes that say 16 would be false."""
    from course_lib.formats.bytemap import Span
    from course_lib.views import bytes as drawn

    spans = [
        Span(0, 4, "offset", "offset to buffers", "", 48),
        Span(4, 5, "scalar", "version", "", 3),
    ]
    assert drawn._described(1, spans[0]) == "1 offset, 4 bytes: offset to buffers → byte 48"
    assert drawn._described(2, spans[1]) == "2 scalar, 1 byte: version = 3"
    assert drawn._described(3, Span(0, 2, "offset", "value", "", "BFLOAT16")).endswith(
        " = 'BFLOAT16'"
    )
