"""What docs/hub.md tells an administrator, and the class of students that its figures come from."""

from __future__ import annotations

import asyncio
import re
import tomllib
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import nbformat
import numpy as np
import pytest
from browser.lab import served
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.kernels.kernelmanager import MappingKernelManager

from benchmarks import guide, hub, results
from benchmarks.student import Door, Student, at_once
from tools.environment import THREADS

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "hub.md").read_text(encoding="utf-8")
PAGE = results.PAGE.read_text(encoding="utf-8")
CLASS, KERNELS = (results.part(PAGE, name) for name in ("hub", "lessons"))
CELLS = (
    "import ipywidgets as w",
    "a = w.Dropdown(options=['x', 'y', 'z'], description='Heard')",
    "b = w.Dropdown(options=['x', 'y'], description='Unheard')",
    "page = w.HTML()",
    "a.observe(lambda change: setattr(page, 'value', change['new']), names='value')",
    "display(a, b, page)",
)


def spawner_settings() -> SimpleNamespace:
    """Return what the guide's lines of a hub's settings set of its spawner, and run them."""
    lines = re.findall(r"^ {4,}(c\..+)$", GUIDE, re.M)
    c = SimpleNamespace(Spawner=SimpleNamespace())
    exec(compile("\n".join(lines), "docs/hub.md", "exec"), {"c": c})
    return c.Spawner


def test_a_quantile_is_what_so_many_values_do_not_exceed():
    rng = np.random.default_rng(0)
    for count in (1, 2, 19, 20, 400):
        values = rng.random(count)
        for share in (0.5, 0.95, 1.0):
            expected = np.quantile(values, share, method="inverted_cdf")
            assert results.quantile(values.tolist(), share) == expected


def test_a_class_is_slow_when_more_than_one_answer_in_twenty_is():
    late, soon = (0.1, 2 * hub.LIMIT_SECONDS), (0.1, 0.9 * hub.LIMIT_SECONDS)
    got = hub.Class(answers={"a": 19 * [soon] + [late], "b": 18 * [soon] + 2 * [late]})
    assert got.slow() == ["b"]


def test_the_recorded_class_was_served():
    told = guide.rows(CLASS)
    answers = {name: row for name, row in told.items() if name.endswith(": all of it")}
    assert len(answers) == 2
    for name, (_, _, within, _) in answers.items():
        assert within <= hub.LIMIT_SECONDS, name


def test_every_lesson_was_measured():
    lessons = {name for name in guide.rows(KERNELS) if name.isdigit()}
    assert lessons == {path.name[:2] for path in (ROOT / "notebooks").glob("*.ipynb")}


def test_the_guide_tells_what_was_measured():
    assert guide.rewritten(GUIDE, PAGE) == GUIDE
    marks = re.findall(r"<!-- (\w+) -->", GUIDE)
    assert sorted(marks) == sorted(guide.figures(PAGE))
    plain = re.sub(r"<!--.*?-->.*?<!-- /\w+ -->", "", GUIDE, flags=re.S)
    copied = {figure for figure in guide.figures(PAGE).values() if figure in plain}
    assert not copied, "stands without its mark, and will be wrong after the next measurement"
    assert not re.search(r"^<!--", GUIDE, re.M), "Markdown ends a paragraph before such a line"


def test_another_measurement_changes_the_guide_by_itself(tmp_path):
    page, text = tmp_path / "RESULTS.md", tmp_path / "hub.md"
    page.write_text(PAGE.replace("| 03 | ", "| 03 | 9"), encoding="utf-8")
    text.write_text(GUIDE, encoding="utf-8")
    guide.write(page, text)
    told = text.read_text(encoding="utf-8")
    assert guide.figures(page.read_text(encoding="utf-8"))["most"] in told != GUIDE
    with pytest.raises(KeyError, match="nothing"):
        guide.rewritten("<!-- nothing -->1 s<!-- /nothing -->", PAGE)


def test_the_link_leads_to_a_lesson_of_the_repository():
    (link,) = re.findall(r"^ *(https://HUB/\S+git-pull\S+)$", GUIDE, re.M)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert asked["repo"] == project["project"]["urls"]["Repository"]
    assert asked["branch"] == project["tool"]["workbook"]["branch"]
    start = f"lab/tree/{asked['repo'].rpartition('/')[2]}/"
    assert asked["urlpath"].startswith(start)
    assert (ROOT / asked["urlpath"].removeprefix(start)).is_file()


def test_every_setting_in_the_guide_exists():
    chosen = vars(spawner_settings())
    assert chosen["environment"] == {
        name: value for name, value in THREADS.items() if name.endswith("THREADS")
    }
    known = {each.__name__: each for each in (ServerApp, MappingKernelManager)}
    assert chosen["args"]
    for argument in chosen["args"]:
        owner, name = re.fullmatch(r"--(\w+)\.(\w+)=\w+", argument).groups()
        assert name in known[owner].class_trait_names(), argument


def test_the_hub_knows_the_settings_of_the_guide():
    spawner = pytest.importorskip("jupyterhub.spawner", reason="no JupyterHub here")
    assert set(vars(spawner_settings())) <= set(spawner.Spawner.class_trait_names())


@pytest.mark.slow
def test_a_student_without_a_browser_runs_a_notebook_and_moves_its_lists(tmp_path):
    cells = [nbformat.v4.new_code_cell("\n".join(CELLS))]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "lists.ipynb")
    broken = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    nbformat.write(broken, tmp_path / "broken.ipynb")

    async def lesson(door: Door) -> None:
        one, other = Student(door), Student(door)
        await at_once(lambda each: each.open("lists.ipynb"), [one])
        await one.run()
        for _ in range(4):  # around the list once, and one further
            first, whole = await one.move("Heard")
            assert 0 < first <= whole
        with pytest.raises(RuntimeError, match="nothing came"):
            await one.move("Unheard")
        await other.open("broken.ipynb")
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            await other.run()

    with served(tmp_path, tmp_path / "lab.log") as server:
        asyncio.run(lesson(Door(f"http://127.0.0.1:{server.port}", server.token)))
