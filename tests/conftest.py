"""What all tests share: one thread for each worker, the longest first, and fixed examples."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tools.environment import THREADS

ROOT = Path(__file__).resolve().parents[1]
_SPREAD = "test_notebooks.py"  # its tests share nothing: each goes to whichever worker is free
_FIRST = (  # the longest: nothing waits for them at the end
    _SPREAD,
    "instructor/grading/test_sandbox.py",
    "browser/test_graphs.py",
    "browser/test_lessons.py",
    "browser/test_own.py",
    "browser/test_files.py",
    "browser/test_spotter.py",
    "browser/test_micro.py",
    "formats/checkpoint/test_bundle.py",
    "formats/test_protobuf.py",
    "instructor/grading/test_campaign.py",
    "instructor/grading/test_assignments.py",
)

# The same examples in every run; WORKBOOK_RANDOM=1 looks for new ones.
settings.register_profile("fixed", derandomize=True)
settings.register_profile("random", derandomize=False, print_blob=True)
settings.load_profile("random" if os.environ.get("WORKBOOK_RANDOM") else "fixed")

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.update(THREADS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, in the order above; leave to POSIX what is POSIX's alone."""
    order = {name: place for place, name in enumerate(_FIRST)}
    tests = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        return order.get(item.path.relative_to(tests).as_posix(), len(order))

    items.sort(key=place)
    for item in items:
        if os.name == "nt" and item.get_closest_marker("posix"):
            item.add_marker(pytest.mark.skip(reason="needs what Windows has not"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep a file's tests on one worker (their fixtures are shared), but spread the notebooks.

    pytest-xdist's own groups do nothing under pytest 9: they rename tests, whose names are fixed.
    """
    if config.getvalue("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0]
            return nodeid if file.endswith(_SPREAD) else file

    return ByFile(config, log)


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return ROOT
