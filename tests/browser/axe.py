"""What is wrong with a page for somebody: what axe-core finds, and what is cut off when zoomed."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

__all__ = ["complaints", "cut_off", "in_lab"]

# What is ours in JupyterLab, what cells have written and prose; the rest is the program's own.
_OURS = ".jp-Notebook .jp-OutputArea-output, .jp-Notebook .jp-RenderedMarkdown"
_DARKEN = """async () => {
    await window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'});
    while (document.body.dataset.jpThemeLight !== 'false')
        await new Promise(resolve => requestAnimationFrame(resolve));
}"""
_RUN = """async ([within, only]) => {
    const ours = Array.from(document.querySelectorAll(within));
    if (!ours.length) throw new Error('Nothing on the page is ' + within);
    const found = await axe.run({include: ours},
        {resultTypes: ['violations'], iframes: false, ...(only && {runOnly: only})});
    const complaints = found.violations
        .filter(rule => ['serious', 'critical'].includes(rule.impact))
        .flatMap(rule => rule.nodes.map(node => rule.id + ': ' + node.html + ' ' + [
            ...node.any, ...node.all, ...node.none].map(check => check.message).join(' ')));
    const controls = 'a[href], button, input, select, textarea, summary, audio[controls], ' +
        '[role=slider], [role=button]';
    for (const each of new Set(ours.flatMap(p => Array.from(p.querySelectorAll(controls)))))
        if (each.tabIndex < 0 && !each.disabled && each.checkVisibility())
            complaints.push('no key reaches it: ' + each.outerHTML.slice(0, 300));
    return complaints;
}"""
_WINDOWS = ((1280, 800), (640, 400))  # CSS pixels of one window, at 100 % and at 200 %
_CUT_OFF = """async within => {
    for (let frame = 0; frame < 2; frame++)
        await new Promise(resolve => requestAnimationFrame(resolve));
    const kinds = 'input, select, button, textarea, .widget-label, .widget-readout, [role=slider]';
    const named = each => (each.getAttribute('aria-label') || each.textContent.trim() ||
        each.outerHTML).slice(0, 80);
    const found = [];
    for (const output of document.querySelectorAll(within)) {
        const seen = Array.from(output.querySelectorAll(kinds)).filter(each =>
            each.checkVisibility() && each.getBoundingClientRect().width);
        for (const each of seen) {
            const mine = each.getBoundingClientRect();
            if (!each.matches('input, select') && each.scrollWidth > each.clientWidth + 1 &&
                    getComputedStyle(each).overflowX !== 'visible')
                found.push('its words are cut off: ' + named(each));
            for (let box = each.parentElement; box !== document.body; box = box.parentElement) {
                const place = box.getBoundingClientRect();
                const over = getComputedStyle(box).overflowX;
                if (['auto', 'scroll'].includes(over)) break;  // scrolled to
                if (over === 'visible' ||
                    mine.right <= place.right + 1 && mine.left >= place.left - 1) continue;
                found.push('it is cut off: ' + named(each));
                break;
            }
        }
        const whole = seen.filter(each => each.role !== 'slider' &&
            !seen.some(other => other !== each && each.contains(other)))
            .map(each => [each, each.getBoundingClientRect()]);
        for (const [first, a] of whole)
            for (const [second, b] of whole.slice(1 + whole.findIndex(([each]) => each === first)))
                if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 &&
                        Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2)
                    found.push('one lies on the other: ' + named(first) + ' / ' + named(second));
    }
    return found;
}"""


def cut_off(page: Any, within: str) -> list[str]:
    """Return which controls and labels are cut off, or lie on each other, at 100 % and at 200 %.

    What can be scrolled to is not cut off. The page keeps the size that it had.
    """
    size, found = page.viewport_size, []
    for width, height in _WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        found += [f"{width} pixels: {each}" for each in page.evaluate(_CUT_OFF, within)]
    page.set_viewport_size(size)
    return found


def complaints(page: Any, within: str, colours_alone: bool = False) -> list[str]:
    """Return what is seriously or critically wrong with what the selector `within` finds.

    Beside axe's own rules: the Tab key has to reach each control. What is in a frame is not seen.
    """
    if not page.evaluate("() => window.axe !== undefined"):
        page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    return page.evaluate(_RUN, [within, ["color-contrast"] if colours_alone else None])


def in_lab(page: Any) -> list[str]:
    """Return the complaints about the notebook that is open in a JupyterLab, light, then dark."""
    page.evaluate("window.jupyterapp.shell.collapseLeft()")  # as whoever zooms does
    light = complaints(page, _OURS) + cut_off(page, _OURS)
    page.evaluate(_DARKEN)
    return light + complaints(page, _OURS, colours_alone=True)
