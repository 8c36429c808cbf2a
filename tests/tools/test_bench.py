"""The measurements: their sections and their page agree, and one of them runs."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import nbformat
import pytest

from benchmarks import __main__ as bench
from benchmarks import growth, lessons, pipeline, results


def test_the_page_has_every_section_under_its_title_and_no_other() -> None:
    page = results.PAGE.read_text(encoding="utf-8")
    titles = bench.titles()
    assert re.findall(r"^<!-- (\w+) -->$", page, re.M) == list(bench.SECTIONS) == list(titles)
    assert re.findall(r"^## (.+)$", page, re.M) == list(titles.values())
    assert all(results.part(page, name).startswith(f"## {titles[name]}\n") for name in titles)


def test_a_section_is_rewritten_and_the_others_keep_what_they_said() -> None:
    titles = {"one": "One", "two": "Two"}
    first = results.rewritten("", titles, "one", "## One\n\nfound")
    second = results.rewritten(first, titles, "two", "## Two\n\n1 \\d")
    assert results.part(second, "one") == "## One\n\nfound"
    assert results.part(second, "two") == "## Two\n\n1 \\d"
    assert "Not yet run." in results.part(first, "two") and "Not yet run." not in second


@pytest.mark.parametrize(("at_least", "told"), [(False, "yes"), (True, "**no**")])
def test_a_ratio_says_whether_its_target_holds(at_least: bool, told: str) -> None:
    assert results.Ratio("a", [1.0, 3.0, 2.0], 2.5, at_least).row()[1:] == (
        ("2", "1 to 3", f"at {'least' if at_least else 'most'} 2.5", told)
    )


def test_turns_are_taken_and_the_first_is_thrown_away() -> None:
    came: list[str] = []
    seconds = results.taking_turns(
        {"a": lambda: came.append("a"), "b": lambda: came.append("b")}, 2
    )
    assert came == ["a", "b", "b", "a", "a", "b"] and set(map(len, seconds.values())) == {2}


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_is_found(power: float) -> None:
    points = [(n, 3.0 * n**power) for n in (10, 100, 1_000, 10_000)]
    assert growth.fitted(points) == pytest.approx(power)


@pytest.mark.slow
def test_a_section_runs_and_stands_on_the_page(tmp_path, monkeypatch) -> None:
    page = tmp_path / "RESULTS.md"
    arguments = ["benchmarks", "flatbuffer", "--quick", "--out", str(page)]
    monkeypatch.setattr("sys.argv", arguments)
    assert bench.main() == 0
    text = results.part(page.read_text(encoding="utf-8"), "flatbuffer")
    assert "first weight" in text and results.machine()[:20] in text
    assert "Not yet run." in results.part(page.read_text(encoding="utf-8"), "pipeline")


def test_what_answers_otherwise_is_no_measure() -> None:
    pipeline._agree(b"1234567890", b"1234567890")
    with pytest.raises(ValueError, match="another answer"):
        pipeline._agree(b"1234567890", b"12345")


def test_seconds_inside_count_once_where_processes_are_inside_at_the_same_time() -> None:
    one, other = struct.pack("=6d", 1, 3, 8, 9, 10, 11), struct.pack("=4d", 2, 4, 8.25, 8.5)
    assert lessons.covered([one, other + b"cut off"]) == 3 + 1 + 1
    assert lessons.covered([]) == lessons.covered([b""]) == 0


def test_notebooks_in_two_workers(tmp_path: Path) -> None:
    """Each passes or is told; their processor time is counted, however many kernels ran."""
    result = nbformat.v4.new_output("execute_result", {"text/plain": "True"}, execution_count=1)
    cell = nbformat.v4.new_code_cell("sum(range(10**7)) > 0", outputs=[result], execution_count=1)
    wrong = nbformat.v4.new_code_cell("1 / 0", execution_count=1)
    paths = [tmp_path / f"{number}.ipynb" for number in range(3)]
    for path, each in zip(paths, (cell, cell, wrong), strict=True):
        nbformat.write(nbformat.v4.new_notebook(cells=[each]), path)
    seconds, spent = lessons.in_two_workers(tmp_path, paths[:2])
    assert 0 < seconds and 0.2 < spent
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        lessons.in_two_workers(tmp_path, paths)
