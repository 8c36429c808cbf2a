"""What axe-core finds seriously or critically wrong with a page, in a light and in a dark theme."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

__all__ = ["complaints", "in_lab"]

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


def complaints(page: Any, within: str, colours_alone: bool = False) -> list[str]:
    """Return what is seriously or critically wrong with what the selector `within` finds.

    Beside axe's own rules: the Tab key has to reach each control. What is in a frame is not seen.
    """
    if not page.evaluate("() => window.axe !== undefined"):
        page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    return page.evaluate(_RUN, [within, ["color-contrast"] if colours_alone else None])


def in_lab(page: Any) -> list[str]:
    """Return the complaints about the notebook that is open in a JupyterLab, light, then dark."""
    light = complaints(page, _OURS)
    page.evaluate(_DARKEN)
    return light + complaints(page, _OURS, colours_alone=True)
