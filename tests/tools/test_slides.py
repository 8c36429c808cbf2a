"""Slides: nothing is cut off or left out, the last row reads, no other machine is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from nbconvert.filters import markdown2html

from course_lib.instructor import authoring
from tests.browser.lab import browser
from tools import slides

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
SIZES = ((1280, 720), (1920, 1080))
LESSONS = authoring.lessons()
# For each slide: what the window or a box of its own cuts off, and what is too small to be read,
# in pixels of a window of 1280 by 720.
MEASURE = """() => {
    const found = [], smallest = {prose: 24, code: 16, live: 16, picture: 16};
    Reveal.layout();
    for (const section of document.querySelectorAll('.slides > section > section')) {
        const at = Reveal.getIndices(section);
        Reveal.slide(at.h, at.v);
        const page = section.querySelector('.page'), kind = page.classList[1];
        const say = (what, each) => found.push(`slide ${at.h}/${at.v}, ${kind}: `
            + `${each.tagName} ${what}: ${each.textContent.slice(0, 40)}`);
        for (const each of page.querySelectorAll('*:not(span, svg *)')) {
            const box = each.getBoundingClientRect();
            if (box.left < -1 || box.right > innerWidth + 1
                || box.top < -1 || box.bottom > innerHeight + 1)
                say('is cut off', each);
            if (each.clientWidth && each.scrollWidth > each.clientWidth + 1
                || each.clientHeight && each.scrollHeight > each.clientHeight + 1
                && getComputedStyle(each).overflowY !== 'visible')
                say('is scrolled', each);
        }
        for (const text of page.querySelectorAll('p, li, pre, td')) {
            const zoom = Number(text.closest('.fit')?.style.zoom || 1);
            const size = parseFloat(getComputedStyle(text).fontSize) * zoom;
            if (size * Reveal.getScale() * 1280 / innerWidth < smallest[kind])
                say(`has only ${size} px`, text);
        }
        for (const picture of page.querySelectorAll('.pictures img'))
            if (!picture.naturalWidth || picture.clientHeight < 500)
                say('is small', picture);
    }
    return found;
}"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slides")
    slides.build(out=folder)
    return folder


@pytest.fixture(scope="module")
def page(made: Path) -> Iterator:
    """Yield one page for all lessons, without a network; it lists what it asks for."""
    with browser() as chromium:
        context = chromium.new_context(offline=True)
        context.set_default_timeout(120_000)
        opened = context.new_page()
        opened.asked = []
        opened.on("request", lambda request: opened.asked.append(request.url))
        yield opened
        context.close()


def _measured(page, size: tuple[int, int]) -> list[str]:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.wait_for_function(f"() => innerWidth === {size[0]} && window.Reveal && Reveal.isReady()")
    return page.evaluate(MEASURE)


@pytest.mark.browser
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)
def test_nothing_is_cut_off_or_too_small(made: Path, page, lesson) -> None:
    page.goto((made / f"{lesson.name}.html").as_uri())
    wrong = [line for size in SIZES for line in _measured(page, size)]
    assert not wrong, "\n".join(wrong)
    outside = [url for url in page.asked if not url.startswith(("file:", "data:", "blob:"))]
    assert not outside, outside[:5]


@pytest.mark.browser
def test_what_is_wrong_would_be_seen(made: Path, page) -> None:
    page.goto((made / f"{LESSONS[0].name}.html").as_uri())
    for spoilt, said in (
        ("fit.style.zoom = 3", "is cut off"),
        ("fit.innerHTML = '<pre>' + 'wide '.repeat(99) + '</pre>'", "PRE is"),
        (
            "fit.innerHTML = '<div style=\"height:99px;overflow:auto\">' + '<p>x'.repeat(9)",
            "scrolled",
        ),
        ("fit.innerHTML = '<p style=\"font-size:20px\">small'", "has only"),
    ):
        page.reload()
        page.wait_for_function("() => window.Reveal && Reveal.isReady()")
        page.evaluate(f"() => {{ const fit = document.querySelector('.fit'); {spoilt}; }}")
        assert said in "\n".join(_measured(page, SIZES[0])), spoilt


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.number)
def test_no_word_of_the_prose_is_left_out(made: Path, lesson) -> None:
    text = (made / f"{lesson.name}.html").read_text(encoding="utf-8")
    shown = iter(_words(text.partition('<div class="slides">')[2].partition("<script>")[0]))
    for cell in lesson.cells:
        if cell.kind == "markdown":
            told = cell.text.replace("{minutes}", str(lesson.minutes))
            missing = [word for word in _words(markdown2html(told)) if word not in shown]
            assert not missing, f"{cell.id}: {missing[:3]}"


def _words(html: str) -> list[str]:
    html = re.sub(r'<a class="anchor-link".*?</a>', "", html)
    return re.findall(r"\w+", unescape(re.sub(r"<[^>]*>", " ", html)))


def test_a_long_table_goes_on_with_its_head() -> None:
    rows = [f"<tr><td>row {number}</td></tr>" for number in range(20)]
    table = f"<table><thead><tr><th>n</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
    parts = slides.tables(f"{table}<p>after</p>")
    assert len(parts) == 3 and all(part.count("<th>n</th>") == 1 for part in parts)
    assert [row for part in parts for row in re.findall("<tr><td>.*?</tr>", part)] == rows
    assert ["<p>after</p>" in part for part in parts] == [False, False, True]
    assert slides.tables("<p>no table</p>") == ["<p>no table</p>"]
    short = f"<table><tbody>{rows[0]}</tbody></table>"
    assert slides.tables(short) == [short]


def test_an_unknown_lesson_is_named(tmp_path: Path, capsys) -> None:
    assert slides.main(["98", "--out", str(tmp_path)]) == 1
    assert "no lesson 98" in capsys.readouterr().err and not list(tmp_path.iterdir())
