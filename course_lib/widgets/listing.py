"""One program in the languages of its compilers: choose which, and see the lines that calculate."""

from __future__ import annotations

from course_lib.graph.compiler import Compiled, arithmetic
from course_lib.views import shell
from course_lib.views.listing import html, picture

_KINDS = {
    "assembly": "machine code",
    "ir": "LLVM IR",
    "optimized_hlo": "HLO, optimised",
    "hlo": "HLO, XLA's graph",
}


class Languages:
    """`choice` selects the language, `said` counts, `text` shows the listing."""

    def __init__(self, program: Compiled) -> None:
        self.program = program
        options = [(words, kind) for kind, words in _KINDS.items()]
        self.choice = shell.dropdown("show", options, on_change=self._redraw)
        self.said = shell.html()
        self.text = shell.html()
        self.widget = shell.column(self.choice, self.said, self.text)
        self._redraw("assembly")

    def show(self) -> None:
        """Display the listing; where widgets cannot be shown, the machine code as a picture."""
        marked = [line for line, _ in arithmetic(self.program.assembly, "assembly")]
        alt = f"{self.program.name} as machine code; {len(marked)} lines calculate, marked by ▶"
        shell.show(self.widget, picture(self.program.assembly, marked, alt))

    def _redraw(self, kind: str) -> None:
        text = getattr(self.program, kind)
        found = arithmetic(text, kind)
        names = ", ".join(dict.fromkeys(name for _, name in found))
        origin = (
            "" if self.program.made_here else f" This is the shipped copy: {self.program.reason}"
        )
        self.said.value = shell.note(
            f"{_KINDS[kind]}: {len(found)} of {len(text.splitlines())} lines calculate "
            f"({names}).{origin}"
        )
        self.text.value = html(text, [line for line, _ in found])


def read(program: Compiled) -> None:
    """Display a compiled program in all its languages, under a list to choose from."""
    Languages(program).show()
