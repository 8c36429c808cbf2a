"""A box for a program of one's own: its graph appears while it is typed."""

from course_lib.graph.trace import TraceError, from_source
from course_lib.views import shell
from course_lib.views.graph import picture
from course_lib.views.layout import lay_out
from course_lib.views.painting import svg
from course_lib.views.player import frame_marks, run, sentence
from course_lib.views.style import Picture

_MOST_DRAWN = 300  # nodes; a larger program is traced and counted, and drawn by a call instead


class Expression(shell.View):
    """A text to edit (`text`), what it computes in words (`said`) and its graph (`picture`)."""

    def __init__(self, program: str) -> None:
        import ipywidgets

        self.program = program.strip("\n")
        self.text = ipywidgets.Textarea(
            value=self.program,
            description="program",
            rows=max(4, min(12, self.program.count("\n") + 2)),
            layout=ipywidgets.Layout(width="420px", max_width="100%"),
        )
        self.said, self.picture = shell.html(), shell.html()
        self.widget = shell.column(self.text, self.said, self.picture)
        self.text.observe(lambda _: self._redraw(), names="value")
        self._redraw()

    def still(self) -> Picture:
        return picture(from_source(self.program))

    def _redraw(self) -> None:
        try:
            graph = from_source(self.text.value)
        except TraceError as error:
            self.said.value = shell.note(str(error))
            return  # the last picture stays while a line is being typed
        done = run(graph)
        constants = _count(len(graph.sources), "constant")
        counted = f"{constants}, {_count(len(graph.operations), 'operation')}."
        small = len(graph) <= _MOST_DRAWN
        more = f" (More than {_MOST_DRAWN} boxes: too many to draw while you type.)"
        said = f"{counted} {sentence(done, done.steps)}{'' if small else more}"
        self.said.value = shell.note(said)
        marks = frame_marks(done, len(graph) + 1)
        self.picture.value = svg(lay_out(graph), marks, counted) if small else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
