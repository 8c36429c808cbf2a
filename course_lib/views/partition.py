"""A graph cut in two: which device has which node, what is sent, and how long an answer takes."""

from collections.abc import Mapping
from html import escape

from course_lib.graph.data import Graph
from course_lib.graph.partition import Devices, crossing, seconds, sent, tensor_bytes
from course_lib.views import shell
from course_lib.views.style import PALETTE, Picture, beside, card, figure, name_rows, show

_ROW, _WIDTH = 36, 700  # pixels: height of a row, width of the picture
_BOX, _BOX_WIDTH, _BAR, _BAR_WIDTH = 96, 130, 260, 170  # pixels: where boxes and bars begin
_FILLS = {"A": "#DCEFFA", "B": "#FBE3D0"}


class CutView(shell.View):
    """A graph over two devices: `cut` moves nodes between them, `link` chooses what joins them.

    `links` gives each link, by name, as `Devices`; `work` the multiplications of every node.
    """

    def __init__(
        self, graph: Graph, work: Mapping[str, float], links: Mapping[str, Devices], cut: int
    ) -> None:
        self.graph, self.work, self.links = graph, work, links
        self.cut = shell.slider("nodes on A", cut, 1, len(graph), on_change=self._redraw)
        self.link = shell.dropdown("link", list(links), on_change=self._redraw)
        self.said, self.picture = shell.html(), shell.html()
        self.widget = shell.column(shell.row(self.cut, self.link), self.said, self.picture)
        self.label = f"a cut through {len(graph)} nodes, to be moved"
        self._redraw(None)

    def still(self) -> str:
        return svg(self.graph, self.cut.value)

    def _redraw(self, _: object) -> None:
        cut, devices = self.cut.value, self.links[self.link.value]
        time = seconds(self.graph, cut, self.work, devices)
        parts = f"A {_ms(time.first)}, link {_ms(time.link)}, B {_ms(time.second)}"
        self.said.value = shell.note(
            f"{describe(self.graph, cut)} {parts}: {_ms(time.total)} in all."
        )
        self.picture.value = svg(self.graph, cut)


def describe(graph: Graph, cut: int) -> str:
    """Return a cut in a sentence, for whoever cannot see it."""
    sizes = sent(graph, cut)
    names = " and ".join(sizes) or "nothing"
    nodes = "1 node" if cut == 1 else f"{cut} nodes"
    return f"{nodes} on A, {len(graph) - cut} on B; sent: {names}, {sum(sizes.values()):,} B."


def svg(graph: Graph, cut: int) -> str:
    """Return the graph as rows from top to bottom, with a dashed line at the cut, as SVG."""
    place = {node.name: row for row, node in enumerate(graph)}
    sizes, height = sent(graph, cut), len(graph) * _ROW + 8
    largest = max(tensor_bytes(node) for node in graph)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{_WIDTH}" '
        f'aria-label="{escape(describe(graph, cut))}" viewBox="0 0 {_WIDTH} {height}" '
        'style="max-width:100%;height:auto" font-family="DejaVu Sans, Verdana, sans-serif" '
        f'font-size="13" fill="{PALETTE["ink"]}">'
    ]
    cross = set(crossing(graph, cut))
    for a, b in dict.fromkeys(edge[:2] for edge in graph.edges):
        parts.append(_edge(place[a], place[b], (a, b) in cross))
    for row, node in enumerate(graph):
        y, device = row * _ROW + 8, "A" if row < cut else "B"
        width = _BAR_WIDTH * tensor_bytes(node) / largest
        middle, after = _BOX + _BOX_WIDTH / 2, _BAR + width + 6
        size = f"{tensor_bytes(node):,} B"
        crosses = ": Send on A, Recv on B" if node.name in sizes else ""
        colour = PALETTE["red" if crosses else "faint"]
        parts.append(
            f'<rect x="{_BOX}" y="{y}" width="{_BOX_WIDTH}" height="24" rx="6" '
            f'fill="{_FILLS[device]}" stroke="{PALETTE["ink"]}"/>'
            f'<text x="{middle:.0f}" y="{y + 17}" text-anchor="middle">{escape(node.name)} '
            f"({device})</text>"
            f'<rect x="{_BAR}" y="{y + 5}" width="{width:.1f}" height="14" '
            f'fill="{colour}"/>'
            f'<text x="{after:.1f}" y="{y + 17}">{size}{crosses}</text>'
        )
    if cut < len(graph):
        y = cut * _ROW + 2
        parts.append(
            f'<path d="M4 {y}H{_WIDTH - 4}" stroke="{PALETTE["red"]}" stroke-dasharray="6 4"/>'
        )
    return card("".join([*parts, "</svg>"]))


def times(graph: Graph, work: Mapping[str, float], links: Mapping[str, Devices]) -> Picture:
    """Return a picture of the time of every cut, for each link: A, link and B stacked."""
    fig, axes = figure(8.5, 1.9 * len(links) + 0.6, len(links), 1, squeeze=False, sharex=True)
    cuts, said = range(1, len(graph) + 1), []
    for ax, (name, devices) in zip(axes[:, 0], links.items(), strict=True):
        each = [seconds(graph, cut, work, devices) for cut in cuts]
        below = [0.0] * len(each)
        for part, colour in (("first", "sky"), ("link", "red"), ("second", "orange")):
            heights = [1000 * getattr(one, part) for one in each]
            label = {"first": "A", "link": "link", "second": "B"}[part]
            ax.bar(cuts, heights, 0.7, below, color=PALETTE[colour], label=label)
            below = [a + b for a, b in zip(below, heights, strict=True)]
        best = min(cuts, key=lambda cut: below[cut - 1])
        ax.set_title(f"{name}: best with {best} on A")
        ax.set_ylabel("ms")
        ax.set_xticks(cuts)
        said.append(f"{name}: best with {best} on A")
    axes[0, 0].legend(ncols=3)
    axes[-1, 0].set_xlabel("nodes on A")
    return show(fig, "the time of every cut. " + "; ".join(said))


def ratios(seconds: Mapping[str, float], one: str) -> Picture:
    """Return a picture of times on a logarithmic scale, as multiples of the time of `one`.

    Its text says nothing of the times: they differ in every run.
    """
    fig, ax = figure(8.5, 0.38 * len(seconds) + 0.9)
    least = min(seconds.values()) / seconds[one] / 2
    for row, time in enumerate(seconds.values()):
        ratio = time / seconds[one]
        ax.barh(row, ratio - least, 0.6, least, color=PALETTE["sky"])
        beside(ax, row, ratio, f"{ratio:.2g}")
    name_rows(ax, list(seconds))
    ax.set_xscale("log")
    ax.set_xlim(least, 3 * max(seconds.values()) / seconds[one])
    ax.set_xlabel(f"time of one answer ({one} = 1)")
    return show(fig, f"the time of one answer in several ways, compared with {one}")


def _edge(start: int, end: int, crosses: bool) -> str:
    """Return an arrow between two rows: straight to the next one, around the others."""
    colour, width = (PALETTE["red"], 2.5) if crosses else (PALETTE["grey"], 1.2)
    top, bottom = start * _ROW + 32, end * _ROW + 8
    if end == start + 1:
        x = _BOX + _BOX_WIDTH / 2
        way = f"M{x:.0f} {top}V{bottom}"
    else:
        out = _BOX - 26
        way = f"M{_BOX} {top - 6}H{out}V{bottom + 6}H{_BOX}"  # leaves low, enters high
    return f'<path d="{way}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _ms(value: float) -> str:
    return f"{1000 * value:,.0f} ms"
