"""A project with two small lessons, for the tests of authoring."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCE = """\
# %% [markdown]
# # A sample
#
# **What is inside a file?** {minutes} minutes.

# %% setup

# %% [markdown]
# ## Find the root
#
# Some prose.

# %%
print("one")
print("two")

# %% tags=["picture-sample"]
display({"image/png": "iVBORw0KGgo=", "text/plain": "<picture>"}, raw=True)

# %% predict="6.1"
my_guess = ...

# %%
def compare(number, guess, measured):
    print(number, guess, measured)


compare("6.1", my_guess, 8)

# %% exercise="6.2" points=2
# Exercise 6.2
def follow(data):
    ### BEGIN SOLUTION
    return data + 4
    ### END SOLUTION

# %% check="6.2" tags=["nbval-ignore-output"] slide="skip"
print(follow(4))

# %% [markdown]
# ## What you measured
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two lessons made of SOURCE."""
    (tmp_path / "docs").mkdir()
    folder = tmp_path / "notebooks" / "source"
    folder.mkdir(parents=True)
    (folder / "06_sample.py").write_text(SOURCE)
    (folder / "07_next.py").write_text(SOURCE.replace("A sample", "The next"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    package = tmp_path / "course_lib"
    package.mkdir()
    for name in ("__init__.py", "cli.py"):  # by the latter the set-up cell knows a clone
        shutil.copy(ROOT / "course_lib" / name, package)
    # authoring evaluates what prose claims, and reads the exercises
    for room in ("session", "exercises", "instructor/authoring"):
        shutil.copytree(ROOT / "course_lib" / room, package / room)
    shutil.copy(ROOT / "course_lib" / "instructor" / "__init__.py", package / "instructor")
    (tmp_path / "README.md").write_text("# R\n<!-- lessons -->\nold\n<!-- /lessons -->\nend\n")
    return tmp_path


@pytest.fixture
def sample(project: Path) -> Path:
    """The source of the project's first lesson."""
    return project / "notebooks" / "source" / "06_sample.py"
