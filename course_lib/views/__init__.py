"""Pictures: one module for each kind, all in one style and all readable without colour.

A picture module has pure functions that take plain data and return a `Picture`; none of them
prints, and matplotlib is imported only when something is drawn.
"""

from course_lib.views.style import CYCLE, PALETTE, Picture, figure, show, use

__all__ = ["CYCLE", "PALETTE", "Picture", "figure", "show", "use"]
