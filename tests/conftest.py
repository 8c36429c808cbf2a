"""What all tests share: two cores, one thread each, the longest first, and fixed examples."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tools.environment import THREADS

ROOT = Path(__file__).resolve().parents[1]
_FIRST = ("test_notebooks.py", "test_browser.py")  # the longest: nothing waits for them at the end

# The same examples in every run; WORKBOOK_RANDOM=1 looks for new ones.
settings.register_profile("fixed", derandomize=True)
settings.register_profile("random", derandomize=False, print_blob=True)
settings.load_profile("random" if os.environ.get("WORKBOOK_RANDOM") else "fixed")

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.update(THREADS)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests on one worker (their fixtures are shared), but spread the notebooks."""
    for item in items:
        if not list(item.iter_markers("xdist_group")):
            item.add_marker(pytest.mark.xdist_group(item.path.name))
    items.sort(key=lambda item: item.path.name not in _FIRST)


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return ROOT
