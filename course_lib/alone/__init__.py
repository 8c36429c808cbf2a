"""What each file of a model can do by itself, found by trying it in processes without our code."""

from course_lib.alone.table import Abilities, Ability, measure, write

__all__ = ["Abilities", "Ability", "measure", "write"]
