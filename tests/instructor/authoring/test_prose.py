"""What a sentence claims is evaluated; a number that nothing stands behind is found."""

from __future__ import annotations

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_lib.instructor.authoring import SourceError, build, prose
from tools import nbval


def test_claims_and_definitions_are_taken_out_of_what_is_read():
    text = "It is **small**: 3 of 4.\n\nholds: a < b\ngiven: 16,000 Hz\n\nMore, as `holds: x`."
    shown, claims, given = prose.parted(text)
    assert shown == "It is **small**: 3 of 4.\n\nMore, as `holds: x`."
    assert (claims, given) == (("a < b",), ("16,000 Hz",))
    assert prose.parted("It holds: nothing.") == ("It holds: nothing.", (), ())


def test_a_false_claim_tells_the_sentence_and_its_values():
    prose.verify("Four fit.", ["size == 4", "size < 5 and not size > 4"], {"size": 4})
    with pytest.raises(AssertionError, match=r"fit\.\n  len\(x\) == size .*false: len\(x\) = 2"):
        prose.verify("Four fit.", ["len(x) == size"], {"size": 4, "x": "ab"})
    with pytest.raises(AssertionError, match="fails .NameError.*size: NameError"):
        prose.verify("Four fit.", ["size == 4"], {})
    with pytest.raises(AssertionError, match="SyntaxError"):
        prose.verify("Four fit.", ["size ="], {"size": 4})


def _notebook(text, printed="", code="", check=False, **metadata):
    outputs = [new_output("stream", text=printed)] if printed else []
    marked = {"check": "1.1"} if check else {}
    cell = new_code_cell(code, outputs=outputs, metadata=marked)
    return new_notebook(cells=[new_markdown_cell(text, metadata=metadata, id="said"), cell])


@pytest.mark.parametrize(
    "notebook",
    [
        _notebook("It has 14,240 weights.", printed="weights: 14240\n"),
        _notebook("It has 14,240 weights.", code="weights = 14_240"),
        _notebook("It has 14,240 weights.", given=["14,240"]),
        _notebook("It has 14,240 weights.", holds=["weights == 14_240"]),
        _notebook("A tenth as many, 12 % of them.", holds=["new / old < 0.12", "12 > 11"]),
        _notebook("See lesson 07 and exercise 7.1, `data[13]`, [there](http://a.de/77)."),
        _notebook("From −128 on.", printed="int8: -128 to 127"),
    ],
    ids=["printed", "code", "given", "asserted", "share", "named", "minus"],
)
def test_a_number_with_ground_passes(notebook):
    assert prose.missing(notebook) == []


@pytest.mark.parametrize(
    ("notebook", "lacking"),
    [
        (_notebook("It has 14,240 weights.", printed="13960"), "14240"),
        (_notebook("It has 14,240 weights.", printed="14240", check=True), "14240"),
        (_notebook("It has 14,240 weights.", printed="114240 or 142401"), "14240"),
        (_notebook("A tenth as many."), "A tenth"),
        (_notebook("It is eight times as large."), "eight times as"),
        (_notebook("98.8 % of them are right.", printed="98.8"), "98.8 %"),
    ],
)
def test_a_number_without_ground_is_found(notebook, lacking):
    (complaint,) = prose.missing(notebook)
    assert complaint.startswith("said: ") and lacking in complaint


CLAIM = "Some prose.\n#\n# holds: {}"


def _rewritten(project, claim):
    """Give the sample's prose a claim, in place of any that it has."""
    path = project / "notebooks" / "source" / "06_sample.py"
    text = re.sub(r"\n#\n# holds: .*", "", path.read_text())
    path.write_text(text.replace("Some prose.", CLAIM.format(claim)))


def test_building_stops_at_a_false_claim_and_keeps_true_ones(project):
    _rewritten(project, "sys.maxsize < 1")
    with pytest.raises(SourceError, match=r"find-the-root: .*Some prose.*\n.*is false"):
        build(["06"], root=project)
    assert not (project / "notebooks" / "reference" / "06_sample.ipynb").exists()
    _rewritten(project, "sys.maxsize > 1")
    build(["06"], root=project)
    places = [project / "notebooks" / each / "06_sample.ipynb" for each in ("", "reference")]
    student, reference = (place.read_text() for place in places)
    assert "sys.maxsize" not in student and "holds: " not in reference
    assert '"sys.maxsize > 1"' in reference


@pytest.mark.parametrize(("claim", "code"), [("sys.maxsize > 1", 0), ("sys.maxsize < 1", 1)])
def test_the_plugin_of_pytest_evaluates_claims_where_they_stand(project, root, claim, code):
    _rewritten(project, "sys.maxsize > 1")
    build(["06"], root=project)
    path = project / "notebooks" / "reference" / "06_sample.ipynb"
    path.write_text(path.read_text().replace("sys.maxsize > 1", claim))
    plugin = ("-p", "course_lib.instructor.authoring.plugin")
    how = {"environ": {"PYTHONPATH": str(root)}, "capture_output": True, "text": True}
    run = nbval.run(path.parent, [path], *plugin, **how)
    assert run.returncode == code, run.stdout
    assert ("Some prose." in run.stdout) == bool(code)
