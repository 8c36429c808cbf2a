"""Execute a reference notebook as nbval will, and store outputs that stay the same."""

from __future__ import annotations

import os
from pathlib import Path

from nbformat import NotebookNode

_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_CELL_TIMEOUT_SECONDS = 900  # building may go on beside other work; tests are stricter


async def executed(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Run `notebook` with `folder` as the kernel's current one; return it with normalized outputs.

    PYTEST_CURRENT_TEST is set because ipykernel treats what C code prints differently under
    pytest, where nbval runs it. Raises nbclient.exceptions.CellExecutionError where a cell fails.
    """
    from nbclient import NotebookClient

    client = NotebookClient(
        notebook,
        timeout=_CELL_TIMEOUT_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--log-level=40"],
    )
    environment = {**os.environ, "PYTEST_CURRENT_TEST": "authoring", "PYTHONHASHSEED": "0"}
    await client.async_execute(env=environment)
    return normalized(notebook)


def normalized(notebook: NotebookNode) -> NotebookNode:
    """Take out of a notebook's outputs what differs between two runs and is compared by nobody.

    These are the random ids of widget views, and where one stream was split into messages.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _joined([_without_view(output) for output in cell.outputs])
    for name in ("widgets", "language_info"):
        notebook.metadata.pop(name, None)
    notebook.metadata["language_info"] = {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
    }
    return notebook


def _without_view(output: NotebookNode) -> NotebookNode:
    """Drop a widget's view, which only the kernel that made it could show."""
    if "data" in output:
        output.data.pop(_WIDGET_VIEW, None)
    return output


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join consecutive messages of one stream into one output."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if (
            last is not None
            and output.output_type == last.output_type == "stream"
            and output.name == last.name
        ):
            last.text += output.text
        else:
            joined.append(output)
    return joined
