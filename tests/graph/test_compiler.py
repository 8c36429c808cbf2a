"""What compilers make of graphs: Grappler, XLA, machine code and its shipped copy."""

from __future__ import annotations

import subprocess

import pytest

from course_lib.graph import compiler, evaluate
from course_lib.graph.compiler import (
    arithmetic,
    compiled,
    from_hlo,
    grappler,
    hlo,
    seven_lines,
    shipped,
)
from course_lib.views import listing


@pytest.fixture(scope="module")
def tf():
    from course_lib.session import import_tensorflow

    return import_tensorflow()


@pytest.fixture(scope="module")
def numbers(tf):
    return tf.constant(6.0), tf.constant(2.0), tf.constant(4.0)


def test_constants_fold_and_placeholders_do_not(tf, numbers):
    folded = grappler(lambda: seven_lines(*map(tf.constant, (6.0, 2.0, 4.0))))
    assert [(node.operation, node.value) for node in folded] == [("Const", 1.0)]
    kept = grappler(seven_lines, *numbers)
    assert kept.count()["AddV2"] == 2 and len(kept.sources) == 3


def test_what_is_unread_repeated_or_known_falls_away(tf, numbers):
    def wasteful(a, b):
        left = a * b
        right = a * b
        tf.exp(a)  # nobody reads it
        scale = tf.constant(2.0) * 3.0
        return (left - b) * (right + scale)

    for graph in (
        grappler(wasteful, *numbers[:2]),
        from_hlo(hlo(wasteful, *numbers[:2], stage="optimized_hlo")),
    ):
        computing = [node for node in graph.operations if node.operation != "Identity"]
        assert len(computing) == 4
        feed = dict(zip((n.name for n in graph.sources if n.value is None), (6, 2), strict=True))
        assert evaluate(graph, feed)[graph.outputs[0]] == (12 - 2) * (12 + 6)


def test_hlo_is_read_into_a_graph_that_computes_the_same(numbers):
    for stage in compiler.STAGES:
        text = hlo(seven_lines, *numbers, stage=stage)
        graph = from_hlo(text)
        names = sorted(n.name for n in graph.sources)
        assert evaluate(graph, dict(zip(names, (6, 2, 4), strict=True)))[graph.outputs[0]] == 1
        assert "metadata" not in text and "__" not in text


def test_texts_that_are_no_hlo():
    with pytest.raises(ValueError, match="no ENTRY"):
        from_hlo("nothing here")
    with pytest.raises(ValueError, match="no stage llvm"):
        hlo(seven_lines, stage="llvm")


ARRAYS = """
ENTRY %layer (x: f32[1,28]) -> f32[1,4] {
  %x = f32[1,28]{1,0} parameter(0)
  %w = f32[28,4]{1,0} constant({...})
  %dot.1 = f32[1,4]{1,0} dot(f32[1,28]{1,0} %x, f32[28,4]{1,0} %w), lhs_contracting_dims={1}
  ROOT %exp.2 = f32[1,4]{1,0} exponential(%dot.1)
}
"""


def test_arrays_keep_their_shapes():
    graph = from_hlo(ARRAYS)
    assert graph["dot.1"].inputs == ("x", "w") and graph["dot.1"].shape == (1, 4)
    assert graph["w"].value is None and graph.outputs == ("exp.2",)


def test_the_shipped_copy_is_four_instructions():
    code = shipped("seven_lines", "for a test")
    assert code.arithmetic() == ("vaddss", "vsubss", "vaddss", "vdivss")
    assert code.arithmetic("ir") == ("fadd", "fsub", "fadd", "fdiv")
    for kind in ("hlo", "optimized_hlo"):
        assert code.arithmetic(kind) == ("add", "subtract", "add", "divide")
    graphs = from_hlo(code.hlo), from_hlo(code.optimized_hlo)
    assert len(graphs[0]) > len(graphs[1]) == 7  # what only passes a value on is gone
    layer = shipped("one_layer", "for a test")
    assert {"vfmadd213ss", "vmaxss"} <= set(layer.arithmetic())
    assert "dot" in layer.arithmetic("hlo")


def test_instructions_of_other_machines_are_known():
    arm = "   c:\tfadd\ts2, s0, s1\n  10:\tldr\ts3, [x0]\n  14:\tfmadd\ts0, s1, s2, s3"
    assert arithmetic(arm, "assembly") == [(0, "fadd"), (2, "fmadd")]
    sse = "  20:\tmovss  (%rax),%xmm0\n  24:\taddss  %xmm1,%xmm0"
    assert arithmetic(sse, "assembly") == [(1, "addss")]


@pytest.mark.slow
def test_this_machine_compiles_or_says_why():
    code = compiled("seven_lines")
    assert code.made_here or code.reason.endswith(".")
    assert len(code.arithmetic()) == 4 and len(code.arithmetic("ir")) == 4
    assert len(code.arithmetic("hlo")) == len(code.arithmetic("optimized_hlo")) == 4


def test_a_program_that_is_not_there():
    with pytest.raises(ValueError, match="no program nine_lines"):
        compiled("nine_lines")


@pytest.mark.parametrize("trouble", ["slow", "broken", "no objdump", "no dump"])
def test_where_it_cannot_be_compiled_the_copy_says_so(monkeypatch, trouble):
    def run(command, **options):
        if trouble == "slow":
            raise subprocess.TimeoutExpired(command, 1)
        code = 1 if trouble == "broken" else 0
        return subprocess.CompletedProcess(command, code, "", "no such instruction set\n")

    monkeypatch.setattr(compiler.subprocess, "run", run)
    compiler._compile_all.cache_clear()
    code = compiled("seven_lines")
    compiler._compile_all.cache_clear()
    assert not code.made_here and len(code.arithmetic()) == 4
    assert code.reason.endswith((".", "set"))


def test_the_listing_marks_what_calculates():
    viewer = listing.Listing(shipped("seven_lines", "there is no objdump here."))
    assert "4 of 20 lines calculate" in viewer.said.value and "shipped copy" in viewer.said.value
    assert viewer.text.value.count("▶") == 4
    viewer.choice.value = "hlo"
    assert "(add, subtract, divide)" in viewer.said.value
    before = viewer.text.value
    viewer.choice.value = "optimized_hlo"
    assert "HLO, optimised: 4 of " in viewer.said.value and viewer.text.value != before


def test_listings_escape_and_are_cut():
    text = "\n".join(f"line {n} <b>" for n in range(200))
    assert "<b>" not in listing.html(text, [3])
    assert listing.picture(text, [150], "a long listing").alt == "a long listing"


def test_a_picture_of_a_long_listing_keeps_every_marked_line():
    assert listing.excerpt(48, [3]) == list(range(48))
    marked = [6, 8, 10, 12, 50, 58, 75, 96]
    rows = listing.excerpt(106, marked)
    assert set(marked) <= set(rows) and 30 < len(rows) <= 48
    for before, row in zip([-1, *rows], [*rows, 106], strict=True):
        if None not in (before, row):
            assert row == before + 1, (before, row)  # nothing is left out without a sign
    assert rows[:2] == [None, 3] and rows[-1] is None
    for dense in ([], range(100)):
        assert listing.excerpt(106, dense) == [*range(47), None]
