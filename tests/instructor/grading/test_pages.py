"""Pages that people read: whatever students write, they parse, and nothing in them is code."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.instructor.grading import pages, reports
from course_lib.instructor.grading.results import Filed, Result, Row, Verdict, rows, slug
from course_lib.instructor.grading.roster import Student

_VOID = {"meta", "br"}
_TAGS = set(
    "html head meta title style body h1 h2 p strong table thead tbody tr th td div ul li a bdi "
    "span br".split()
)


class _Page(HTMLParser):
    """A page as a parser sees it: every tag is closed where it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def _verdict(**changes) -> Verdict:
    return replace(Verdict("97.1", 2.0, 0.0, "wrong", "that is the square"), **changes)


def _result(student: str = "ada", **changes) -> Result:
    made = Result(
        "k", student, "97", "97_x.ipynb", f"{student}/97.ipynb", 0.0, 2.0, (_verdict(),),
        sandbox="bubblewrap",
    )  # fmt: skip
    return replace(made, **changes)


_TEXTS = st.text(max_size=30) | st.sampled_from(
    ["<script>alert(1)</script>", "'\"><img src=x onerror=x>", "</style>", "{{ 7 * 7 }}", "&lt;",
     "\ud800", "\x00\x1b[31m", "\u202egnp.exe", "]]>", "-->", "=1+1", "a" * 5000]
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_whatever_is_in_a_field_stays_a_text(data):
    def text():
        return data.draw(_TEXTS)

    state = data.draw(st.sampled_from(["right", "wrong", "not tried", "stopped"]))
    verdict = _verdict(state=state, message=text(), refuted=data.draw(st.booleans()))
    result = _result(
        text(),
        origin=text(),
        exercises=(verdict,),
        ended=text(),
        notes=(text(),),
        not_graded=data.draw(st.just("") | _TEXTS),
        sandbox=data.draw(st.sampled_from(["bubblewrap", "limits", text()])),
    )
    (row,) = rows([result], [Student(text(), result.student, frozenset())])
    filed = [Filed(text(), data.draw(st.sampled_from(["graded", text()])), text(), text(), text())]
    for page in (pages.student_page(row), pages.class_page([row], [text()], filed, True, text())):
        parsed = _Page(page)
        assert {tag for tag, _ in parsed.tags} <= _TAGS
        assert not any(name.startswith("on") for _, each in parsed.tags for name in each)
        links = [each["href"] for _, each in parsed.tags if "href" in each]
        assert links in ([], [f"students/{slug(result.student)}.html"])
        page.encode("utf-8")
    ElementTree.fromstring(reports.junit([row], True))
    reports.table([row]).encode("utf-8")
    json.dumps(reports.gradescope(row)).encode("utf-8")


def test_the_policy_allows_styles_and_nothing_else():
    page = _Page(pages.student_page(Row("a", "A", ())))
    policies = [each["content"] for _, each in page.tags if "http-equiv" in each]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert "Nothing was handed in." in page.text


def test_what_differs_comes_first():
    refuted = _verdict(refuted=True, message="The check calls it right; it is not.")
    row = Row("ada", "Ada", (_result(exercises=(refuted,), notes=("1 cell was put back.",)),))
    page = pages.student_page(row)
    assert "<details" not in page
    places = [page.index(words) for words in ("differs", "calls it right", "put back", "<thead>")]
    assert places == sorted(places)
    assert "Unseen inputs refute what the notebook calls right: 97.1" in pages.class_page([row])
    plain = pages.student_page(Row("ada", "Ada", (_result(),)))
    assert "differs" not in plain and 'class="first"' not in plain


def test_not_graded_is_no_zero():
    row = Row("ada", "Ada", (_result(not_graded="No memory was left."),))
    page = _Page(pages.student_page(row))
    assert "not graded" in page.text and "No memory was left." in page.text
    assert "0 of 2" not in page.text and "square" not in page.text
    page = _Page(pages.class_page([row]))
    assert "Lesson 97 was not graded: No memory was left." in page.text and "0 of" not in page.text
    other = Row("ada", "Ada", (_result(), _result(lesson="98", not_graded="No memory.")))
    assert "0 of 2 points" in _Page(pages.student_page(other)).text


@pytest.mark.parametrize("weak", [False, True])
def test_weak_mode_is_written_on_every_page(weak):
    row = Row("ada", "Ada", (_result(sandbox="limits" if weak else "bubblewrap"),))
    texts = [pages.student_page(row), pages.class_page([row]), reports.junit([row])]
    texts += [reports.table([row]), reports.gradescope(row)["output"]]
    assert [("read, change and delete" in text) for text in texts] == [weak] * 5
    row = Row("ben", "Ben", (_result("ben"),))
    texts = [pages.student_page(row, weak), pages.class_page([row], weak=weak)]
    texts += [reports.junit([row], weak), reports.table([row], weak)]
    assert [("read, change and delete" in text) for text in texts] == [weak] * 4


def test_a_partial_report_says_so_first():
    page = pages.class_page([], partial="This is a partial report.")
    assert page.index("This is a partial report.") < page.index("0 of 0 students")
    assert "partial" not in pages.class_page([])


def test_every_file_has_a_line():
    filed = [Filed("a/97.ipynb", "graded", "a", "97"), Filed("b.7z", "refused", why="Pack a zip.")]
    filed += [Filed("a/1.ipynb", "superseded", "a", "97", "a/97.ipynb")]
    page = _Page(pages.class_page([], filed=filed)).text
    assert "3 files: 1 refused, 1 superseded, 1 graded." in page
    places = [page.index(words) for words in ("every file", "Pack a zip.", "by a/97.ipynb")]
    assert places == sorted(places)
