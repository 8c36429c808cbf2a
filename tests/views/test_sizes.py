"""Pictures of conversion and of formats: PNGs that say in words what they show."""

import pytest

from course_lib.experiments import readers, reading_costs
from course_lib.experiments.reading_costs import Cost
from course_lib.experiments.same_weights import Artefact
from course_lib.formats import flatbuffer
from course_lib.tflite.runtimes import Footprint
from course_lib.views import sizes as draw
from course_lib.views import xray as views

KEPT = (
    Artefact("weights alone", 1000, "exactly", "a"),
    Artefact("graph", 1500, "not", "b"),
    Artefact("TFLite float32", 1100, "folded", "c"),
    Artefact("TFLite int8", 400, "rounded", "d"),
)
RECORDED = readers.recorded()
COSTS = [Cost(1e-6, 500, 0), Cost(1e-5, 900, 10_000)]
PICTURES = {
    "artefacts": (lambda: draw.artefacts(KEPT), "TFLite int8 rounded"),
    "operations": (
        lambda: draw.operations(["Const"] * 9 + ["Conv2D"], ["CONV_2D"]),
        "frozen graph 10 nodes of 2 kinds",
    ),
    "first_weight": (lambda: draw.first_weight([10**5, 10**6], COSTS, COSTS), "level"),
    "fewer_bytes": (lambda: draw.fewer_bytes({"graph": (1000, 800)}), "zlib of graph"),
    "code": (
        lambda: draw.code(RECORDED["readers"], "here", RECORDED["libraries"], "there"),
        "libraries",
    ),
    "runtimes": (
        lambda: draw.runtimes(
            [
                Footprint("tensorflow", 3.0, 6 * 10**8, 10**9),
                Footprint("ai_edge_litert", 0.2, 0, 10**7),
            ]
        ),
        "LiteRT",
    ),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_a_png_with_a_text(name):
    make, words = PICTURES[name]
    picture = make()
    assert picture.png.startswith(b"\x89PNG") and words in picture.alt


def test_strip_marks_the_part_and_says_which():
    file = reading_costs._as_flatbuffer({})
    found = flatbuffer.byte_map(file)
    shown = views.strip(found, found.spans[1])
    assert "marked: bytes 4 to 7, identifier" in shown and shown.count("position:absolute") == 2
    assert all(kind in views.legend(found) for kind in found.shares)
