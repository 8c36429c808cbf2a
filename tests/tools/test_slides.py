"""Slides: nothing is cut off on any, the last row reads them, and no other machine is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from course_lib.instructor import authoring
from tests.browser.lab import browser
from tools import slides

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1200)]
SIZES = ((1280, 720), (1920, 1080))
_LESSONS = authoring.lessons()
# For each slide: what is cut off by the window, its page or its own box, and what is too small.
_MEASURE = """() => {
    const found = [];
    const wide = innerWidth + 1, high = innerHeight + 1;
    const smallest = {prose: 24, code: 16, live: 16, picture: 16};
    for (const section of document.querySelectorAll('.slides > section > section')) {
        const at = Reveal.getIndices(section);
        Reveal.slide(at.h, at.v);
        const page = section.querySelector('.page'), kind = page.classList[1];
        const where = `${at.h}/${at.v} ${kind}: `;
        for (const each of page.querySelectorAll('*:not(span)')) {
            const box = each.getBoundingClientRect();
            const name = `${where}${each.tagName} ${each.textContent.slice(0, 30)}`;
            if (box.left < -1 || box.top < -1 || box.right > wide || box.bottom > high)
                found.push(`${name} is cut off`);
            const inner = each.clientWidth && !each.closest('svg, header') && each.tagName !== 'AUDIO';
            if (inner && (each.scrollWidth > each.clientWidth + 1
                || each.scrollHeight > each.clientHeight + 1
                && getComputedStyle(each).overflowY !== 'visible'))
                found.push(`${name} is scrolled`);
        }
        const body = page.querySelector('.body');
        if (body.scrollHeight > body.clientHeight + 1) found.push(`${where}too high`);
        for (const text of page.querySelectorAll('.fit p, .fit li, .fit pre, .fit td, .body > pre')) {
            const scale = Reveal.getScale() * innerWidth / innerWidth;
            const zoom = Number(text.closest('.fit')?.style.zoom || 1);
            const size = parseFloat(getComputedStyle(text).fontSize) * zoom * 1280 / 1280;
            if (size < smallest[kind]) found.push(`${where}${size} px: ${text.textContent.slice(0, 30)}`);
        }
        const picture = page.querySelector('.picture img');
        if (picture && (!picture.naturalWidth || picture.clientHeight < 500))
            found.push(`${where}a small picture, ${picture.clientHeight} px`);
    }
    return found;
}"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slides")
    slides.build(out=folder)
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    with browser() as running:
        yield running


@pytest.mark.parametrize("lesson", _LESSONS, ids=lambda lesson: lesson.number)
def test_nothing_is_cut_off(made: Path, chromium, lesson) -> None:
    context = chromium.new_context(offline=True)
    context.set_default_timeout(120_000)
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.goto((made / f"{lesson.name}.html").as_uri())
        page.wait_for_function("() => window.Reveal && Reveal.isReady()")
        wrong = page.evaluate(_MEASURE)
        assert not wrong, "\n".join(wrong)
    outside = [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:"))]
    assert not outside, outside[:5]
    context.close()
