"""The web site: complete, small, no broken link, and no word with any other machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from seeds import TURN

from course_lib.instructor import authoring
from tests.browser import axe
from tests.browser.lab import browser
from tools import site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """By default one lesson is alive; with WORKBOOK_LONG=1 all are, as `make site` makes it."""
    folder = tmp_path_factory.mktemp("site") / "out"
    return site.build(folder, alive=None if TURN else ("01",))


class _Page(HTMLParser):
    """What a page links to, what it loads, and the places in it that can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links, self.loads, self.places = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        given = dict(attrs)
        self.places |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "link" and given.get("rel") not in ("canonical",):
            self.loads.append(given.get("href", ""))
        self.loads += [given[name] for name in ("src", "data") if tag != "a" and given.get(name)]


@pytest.fixture(scope="module")
def pages(made: Path) -> dict[Path, _Page]:
    return {path: _Page(path.read_text(encoding="utf-8")) for path in made.rglob("*.html")}


def test_every_lesson_and_document_has_its_page(made: Path) -> None:
    documents = {path.stem for path in (site.ROOT / "docs").glob("*.md")}
    wanted = {lesson.name for lesson in authoring.lessons()} | {"index"} | documents
    assert wanted <= {path.stem for path in made.glob("*.html")}
    assert sum(path.stat().st_size for path in made.rglob("*") if path.is_file()) <= 40_000_000


def test_no_link_is_broken(made: Path, pages: dict[Path, _Page]) -> None:
    broken = []
    for path, page in pages.items():
        for link in page.links + page.loads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link.startswith("data:"):
                continue
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = file in pages or file.is_file()
            if not known or (
                parts.fragment
                and file in pages
                and path.name != "genindex.html"
                and unquote(parts.fragment) not in pages[file].places
            ):
                broken.append(f"{path.name}: {link}")
    assert not broken, broken[:20]


def test_no_page_loads_anything_from_elsewhere(made: Path, pages: dict[Path, _Page]) -> None:
    elsewhere = [load for page in pages.values() for load in page.loads if _is_outside(load)]
    assert not elsewhere, elsewhere[:20]
    styles = "\n".join(path.read_text(encoding="utf-8") for path in made.rglob("*.css"))
    assert not re.search(r"url\(\s*['\"]?(https?:)?//", styles)


def _is_outside(address: str) -> bool:
    return bool(re.match(r"(https?:)?//", address))


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    with browser() as running:
        yield running


@pytest.mark.browser
def test_the_front_page_answers_and_is_searched_from_a_disk(made: Path, chromium) -> None:
    from playwright.sync_api import expect

    context = chromium.new_context(offline=True, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(120_000)
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((made / "index.html").as_uri())
    frame = page.frame_locator("iframe[title^='A model that hears']")
    frame.get_by_role("button", name="▶ no").click()
    expect(frame.locator("#word")).to_have_text("no")
    page.goto((made / "search.html").as_uri() + "?q=zero+point")
    expect(page.locator("#search-results li").first).to_be_visible()
    for lesson in authoring.lessons():
        page.goto((made / f"{lesson.name}.html").as_uri())
        title = lesson.title.replace("'", "’")  # as Sphinx sets it
        expect(page.locator("h1")).to_contain_text(title)
    outside = [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
    assert not outside, outside[:5]
    context.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_there_for_everybody(made: Path, chromium, scheme: str) -> None:
    """In the dark only colours differ. By default a page of each kind, and those that scroll."""
    context = chromium.new_context(offline=True, color_scheme=scheme)
    context.set_default_timeout(120_000)
    page = context.new_page()
    every = sorted(made.rglob("*.html"))
    kinds = ("index", "search", "hear", "hub", "12_")
    chosen = [path for path in every if TURN or path.stem.startswith(kinds)]
    found = {}
    for path in chosen:
        page.goto(path.as_uri())
        found[path.stem] = axe.complaints(page, "body", colours_alone=scheme == "dark")
    assert len(chosen) >= len(kinds) and not any(found.values()), found
    context.close()


_CONTRASTS = """root => {
    const number = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(part => part / 255)
        .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
    const ground = element => {
        for (let each = element; each; each = each.parentElement) {
            const colour = number(getComputedStyle(each).backgroundColor);
            if (colour[3] !== 0) return colour;
        }
    };
    return Array.from(root.querySelectorAll('button, select, label > span, .flip-note'), each => {
        const pair = [number(getComputedStyle(each).color), ground(each)].map(light);
        return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    });
}"""


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_flip_book_is_turned_by_keyboard(made: Path, chromium, scheme: str) -> None:
    from playwright.sync_api import expect

    # 640 CSS pixels are a window of 1280 at 200 %
    context = chromium.new_context(
        offline=True, color_scheme=scheme, viewport={"width": 640, "height": 900}
    )
    context.set_default_timeout(120_000)
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((made / "01_programs_as_graphs.html").as_uri())
    book = page.locator("[data-flipbook]").first
    book.scroll_into_view_if_needed()
    step = book.get_by_role("slider", name="step")
    expect(step).to_have_attribute("aria-valuetext", "0")
    picture = book.locator("svg")
    expect(picture).to_have_attribute("aria-label", re.compile("^Step 0 of 7"))
    step.press("ArrowRight")
    expect(picture).to_have_attribute("aria-label", re.compile("^Step 1 of 7: var1 is"))
    said = book.get_by_role("status")
    expect(said).to_contain_text("Step 1 of 7: var1 is")
    book.get_by_role("button", name="end ▶|").press("Enter")
    expect(said).to_contain_text("Step 7 of 7")
    expect(step).to_have_attribute("aria-valuetext", "7")
    before = said.text_content()
    book.get_by_role("slider", name="var1").press("Home")
    expect(said).not_to_have_text(before)
    expect(book.get_by_role("slider", name="var1")).to_have_attribute("aria-valuetext", "-6")
    assert step.evaluate("each => getComputedStyle(each).outlineStyle") == "none"
    step.focus()
    page.keyboard.press("ArrowLeft")  # a focus that the keyboard moves is seen
    assert step.evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
    assert min(book.evaluate(_CONTRASTS)) >= 4.5
    assert page.evaluate("document.documentElement.scrollWidth") <= 640
    assert not [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
    context.close()


@pytest.mark.browser
def test_every_flip_book_turns(made: Path, chromium) -> None:
    context = chromium.new_context(offline=True, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(120_000)
    page = context.new_page()
    asked, missing = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: missing.append(request.url))
    turned = {}
    for path in sorted(made.glob("*.html")):
        if "data-flipbook=" not in path.read_text(encoding="utf-8"):
            continue
        page.goto(path.as_uri())
        for book in page.locator("[data-flipbook]").all():
            book.scroll_into_view_if_needed()
            before = _moved(book)
            page.wait_for_function("([book, old]) => book.innerHTML !== old", arg=before)
            turned[path.stem[:2]] = turned.get(path.stem[:2], 0) + 1
    books = {path.name[:2] for path in (made / "_static" / "flip").glob("*.js")}
    assert set(turned) == books and "01" in books
    assert not TURN or sum(turned.values()) >= 25, turned
    assert not missing and all(url.startswith(("file:", "data:", "blob:")) for url in asked)
    context.close()


def _moved(book) -> list:
    """Move a book's first control ; return the book and its HTML before."""
    control = book.locator("input, select").first
    control.wait_for()
    before = book.evaluate("book => book.innerHTML")
    if control.evaluate("each => each.tagName") == "SELECT":
        chosen = control.evaluate("each => each.selectedIndex")
        control.select_option(index=chosen - 1 if chosen else 1)
    elif control.get_attribute("type") == "checkbox":
        control.click()
    else:
        control.press("End" if control.input_value() == control.get_attribute("min") else "Home")
    return [book.element_handle(), before]


@pytest.mark.browser
def test_without_a_script_the_still_picture_stands_there(made: Path, chromium) -> None:
    context = chromium.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto((made / "01_programs_as_graphs.html").as_uri())
    assert page.get_by_role("img", name=re.compile("^Frames of the run")).is_visible()
    assert page.locator("[data-flipbook] *").count() == 0
    context.close()
