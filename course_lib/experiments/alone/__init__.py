"""What each file of a model can do by itself, found by trying it in processes without our code."""

from course_lib.experiments.alone.forms import FORMS, write
from course_lib.experiments.alone.table import Abilities, Ability
from course_lib.experiments.alone.trials import measure

__all__ = ["FORMS", "Abilities", "Ability", "measure", "write"]
