"""What all widgets share: how one is shown, and the few controls that they are made of.

Everything here works with ipywidgets 7.7 and 8. A widget never writes to an Output widget and
never clears a cell's output: it sets the `value` of an HTML widget, which a headless run and a
stored output both survive.
"""

from __future__ import annotations

import html as _html
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from course_lib.views.style import Picture

if TYPE_CHECKING:
    import ipywidgets

_WHOLE_LABEL = {"description_width": "initial"}
_VIEW = "application/vnd.jupyter.widget-view+json"


class View:
    """What a lesson shows: controls around a picture, and a still picture that stands in for them.

    A subclass is a noun, such as `Player(graph)`, and says what its `controls` and its `still` are;
    the verb is the same for all: `Player(graph).show()`.
    """

    label = ""
    """The stable text of the output; empty for the still picture's own."""

    def controls(self) -> ipywidgets.Widget:
        """Return the widget; a subclass that makes it at the start has it as `widget`."""
        return self.widget

    def still(self) -> Picture | str:
        """Return the picture, or the HTML, for a page where nothing is alive."""
        raise NotImplementedError

    def show(self) -> None:
        """Display the controls, and in the same output the still where nothing is alive."""
        show(self.controls(), self.still(), self.label)


def show(widget: ipywidgets.Widget, static: Picture | str, label: str = "") -> None:
    """Display `widget` with its static twin in the same output, as matplotlib's own widget does.

    A live notebook shows the widget; wherever none can be shown (a page made by nbconvert, a
    notebook opened without its kernel, a headless run) the twin stands there instead. `static` is
    a `Picture`, or HTML that is the same in every run. `label` is the stable text of the output;
    without it, the picture's own text.
    """
    from IPython.display import display

    data: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    if isinstance(static, Picture):
        data, metadata = static._repr_mimebundle_()
        label = label or static.alt
    elif static:
        data["text/html"] = static
    data["text/plain"] = f"<widget: {label or 'controls'}>"
    data[_VIEW] = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    display(data, metadata=metadata, raw=True)


def html(content: str = "") -> ipywidgets.HTML:
    """Return a widget that shows HTML; set its `value` to change it."""
    import ipywidgets

    return ipywidgets.HTML(value=content)


def note(text: str) -> str:
    """Return a line of HTML that a screen reader speaks when it changes. `text` is plain text."""
    return (
        f'<div role="status" aria-live="polite" style="line-height:1.5">{_html.escape(text)}</div>'
    )


def slider(
    label: str,
    value: float,
    low: float,
    high: float,
    step: float = 1,
    on_change: Callable[[Any], None] | None = None,
    continuous: bool = True,
) -> Any:
    """Return a slider, of integers where value, bounds and step are all integers.

    `on_change` gets the new value. With `continuous=False` it is called only when the slider is
    let go.
    """
    import ipywidgets

    whole = all(isinstance(number, int) for number in (value, low, high, step))
    make = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    look = {"style": _WHOLE_LABEL, "layout": {"width": "320px", "max_width": "100%"}}
    options = {"min": low, "max": high, "step": step, "continuous_update": continuous}
    return _watch(make(value=value, description=label, **options, **look), on_change)


def dropdown(
    label: str,
    options: Sequence[Any],
    value: Any = None,
    on_change: Callable[[Any], None] | None = None,
) -> Any:
    """Return a list to choose from: values or (text, value) pairs, the first chosen by default."""
    import ipywidgets

    look = {"style": _WHOLE_LABEL, "layout": {"width": "auto", "max_width": "100%"}}
    control = ipywidgets.Dropdown(options=list(options), description=label, **look)
    if value is not None:
        control.value = value
    return _watch(control, on_change)


def progress() -> ipywidgets.FloatProgress:
    """Return a bar that fills as its `value` goes from 0 to 1."""
    import ipywidgets

    layout = {"width": "460px", "max_width": "100%"}
    return ipywidgets.FloatProgress(0.0, min=0.0, max=1.0, layout=layout)


def button(label: str, on_click: Callable[[], None], tooltip: str = "") -> ipywidgets.Button:
    """Return a button that calls `on_click()`; Tab reaches it, space and Enter press it."""
    import ipywidgets

    look = {"tooltip": tooltip or label, "layout": {"width": "auto"}}
    control = ipywidgets.Button(description=label, **look)
    control.on_click(lambda _: on_click())
    return control


def row(*widgets: ipywidgets.Widget) -> ipywidgets.HBox:
    """Return the widgets side by side; they wrap onto a new line where the page is narrow."""
    import ipywidgets

    layout = {"flex_flow": "row wrap", "align_items": "center"}
    return ipywidgets.HBox(list(widgets), layout=layout)


def column(*widgets: ipywidgets.Widget) -> ipywidgets.VBox:
    """Return the widgets one below the other."""
    import ipywidgets

    return ipywidgets.VBox(list(widgets))


def live(page: Callable[..., str], *controls: Any) -> ipywidgets.VBox:
    """Return the controls above the HTML of `page(*values)`, which follows every move of them."""

    def content() -> str:
        return page(*(control.value for control in controls))

    def refresh(_: object) -> None:
        view.value = content()

    view = html(content())
    for control in controls:
        _watch(control, refresh)
    return column(controls[0] if len(controls) == 1 else row(*controls), view)


def _watch(control: Any, on_change: Callable[[Any], None] | None) -> Any:
    if on_change is not None:
        control.observe(lambda change: on_change(change["new"]), names="value")
    return control
