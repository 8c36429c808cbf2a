"""What people see: a picture and its controls in one module, in one style, readable without colour.

Functions take plain data and return a `Picture`; what can be moved is a noun, shown by `.show()`.
Every room below may be used; lessons, projects and the instructor use this one. Nothing prints,
and matplotlib and ipywidgets are imported only when something is drawn. Begin reading at `style`
for the pictures, at `shell` for the controls, then take `confusion` as an example of both.
"""

from course_lib.views.style import PALETTE, Picture, figure, show
