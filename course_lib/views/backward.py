"""The walk back through a graph: what each edge passes on to its source, and gradients as bars."""

from collections.abc import Mapping, Sequence

from course_lib.graph.data import Graph, number
from course_lib.graph.evaluation import Gradients, gradients
from course_lib.views.layout import lay_out
from course_lib.views.painting import Marks
from course_lib.views.stepping import Stepper, film
from course_lib.views.style import CYCLE, PALETTE, Picture, figure, show

_MOST_FRAMES = 8
_HATCHES = ("", "//", "..", "xx", "--")


class WalkBack(Stepper):
    """The walk back through a graph: derivatives appear on its edges, a slider a constant."""

    roomy = True
    back: Gradients | None = None

    def still(self) -> Picture | str:
        return filmstrip(self.graph, self.feed) if self.back else ""

    @property
    def label(self) -> str:
        """The text of the output, where no picture says it."""
        return "" if self.back else "a program without a derivative"

    def evaluate(self) -> int:
        self.back = None  # an error leaves no walk of the values before
        self.back = gradients(self.graph, self.feed)
        return steps(self.back)

    def frame(self, step: int) -> tuple[str, Marks] | None:
        if self.back is None:
            return None
        return sentence(self.back, step), frame_marks(self.graph, self.back, step)


def steps(back: Gradients) -> int:
    """Return the number of steps: one for the result, one for each edge that is walked back."""
    return 1 + len(back.edges)


def sentence(back: Gradients, step: int) -> str:
    """Say what happens in a step; step 0 is before the first."""
    total = steps(back)
    if step == 0:
        return f"Step 0 of {total}: all values are known, no derivative is."
    if step == 1:
        return f"Step 1 of {total}: {back.output} moves by 1 when {back.output} moves by 1."
    edge = back.edges[step - 2]
    above = number(_so_far(back, step - 1)[edge.target])
    gained = number(edge.contribution)
    now = number(_so_far(back, step)[edge.source])
    return (
        f"Step {step} of {total}: {edge.source} gets {above} × {number(edge.local)} = {gained} "
        f"from {edge.target}, and has {now}."
    )


def frame_marks(graph: Graph, back: Gradients, step: int) -> Marks:
    """Return what the picture shows after `step` steps: contributions on edges, sums in boxes."""
    known = _so_far(back, step)
    walked = back.edges[: max(step - 1, 0)]
    labels = {(e.source, e.target, e.position): number(e.contribution) for e in walked}
    states = {node.name: "waiting" for node in graph if node.name not in known}
    if step > 0:
        states[walked[-1].source if walked else back.output] = "here"
    subtitles = {name: f"{name}: {number(value)}" for name, value in known.items()}
    for node in graph:
        if not node.computes:
            shown = known.get(node.name)
            subtitles[node.name] = "not yet" if shown is None else number(shown)
    return Marks(states, labels, subtitles=subtitles, strong=tuple(labels)[-1:])


def filmstrip(graph: Graph, feed: Mapping[str, float] | None = None) -> Picture:
    """Return frames of the walk back side by side, one for each node that was walked over.

    There are eight at most; it is the static twin of the widget.
    """
    back = gradients(graph, feed)
    # a later edge of the same node overwrites: the frame shows all that the node passes on
    last_edge = {edge.target: step for step, edge in enumerate(back.edges, start=2)}
    chosen = list(last_edge.values())[:_MOST_FRAMES] or [1]
    frames = {f"after step {step}": frame_marks(graph, back, step) for step in chosen}
    sentences = " ".join(sentence(back, step) for step in range(1, steps(back) + 1))
    return film(lay_out(graph, roomy=True), frames, 2, f"The walk back. {sentences}")


def gradient_bars(rows: Mapping[str, Sequence[float]], names: Sequence[str], alt: str) -> Picture:
    """Return a bar chart: a group for each of `names`, in it a bar for each row.

    Bars differ in hatching as well as in colour.
    """
    fig, axes = figure(8.5, 3.6)
    width = 0.8 / len(rows)
    for index, (title, values) in enumerate(rows.items()):
        shift = (index - (len(rows) - 1) / 2) * width
        places = [place + shift for place in range(len(names))]
        look = {"color": CYCLE[index % len(CYCLE)], "hatch": _HATCHES[index % len(_HATCHES)]}
        axes.bar(places, values, width, label=title, edgecolor=PALETTE["paper"], **look)
    axes.axhline(0, color=PALETTE["ink"], linewidth=1)
    axes.set_xticks(range(len(names)), names)
    axes.set_ylabel("gradient")
    axes.legend(ncols=len(rows), loc="upper center", bbox_to_anchor=(0.5, 1.18))
    return show(fig, alt)


def _so_far(back: Gradients, step: int) -> dict[str, float]:
    """Return the derivatives that are known after a step; a sum may still grow."""
    if step == 0:
        return {}
    known = {back.output: 1.0}
    for edge in back.edges[: step - 1]:
        known[edge.source] = known.get(edge.source, 0.0) + edge.contribution
    return known
