"""Thin interactive shells around pure functions, one a module, from core ipywidgets alone."""
