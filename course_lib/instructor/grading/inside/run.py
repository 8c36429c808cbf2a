"""The sandbox's own program: take limits, drop rights, run a notebook under nbval, report.

    python -m course_lib.instructor.grading.inside.run JOB.json

The job names the notebook, the requests and the limits; see course_lib.instructor.grading.sandbox.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
from pathlib import Path


def main(job_path: str) -> int:
    """Run the job in the file `job_path`; return pytest's exit code."""
    job = json.loads(Path(job_path).read_text(encoding="utf-8"))
    pipe = int(os.environ.pop("WORKBOOK_PIPE"))
    os.set_inheritable(pipe, False)
    _take_limits(job["limits"])
    _drop_rights(job.get("user"))
    notebook = Path(job["folder"], job["name"])
    shutil.copyfile(job["notebook"], notebook)
    os.write(pipe, b'{"kind": "begin"}\n')
    os.chdir(job["folder"])
    return _validate(notebook, job, pipe)


def _validate(notebook: Path, job: dict, pipe: int) -> int:
    """Run nbval on the notebook, with the plugin that asks for the answers."""
    # jsonschema loads this to check addresses in JSON, which takes a second and is of no use here.
    sys.modules["rfc3987_syntax"] = None
    import pytest
    from nbval.kernel import RunningKernel

    from course_lib.instructor.grading.inside.plugin import Grading, patient

    patient(RunningKernel)
    grading = Grading(job["requests"], Path(job["replies"]), pipe, job["call_seconds"])
    code = pytest.main(
        [
            "-p",
            "nbval.plugin",
            "-p",
            "no:cacheprovider",
            "-q",
            "--no-header",
            "--tb=no",
            "--color=no",
            "-s",
            "--nbval",
            "--nbval-current-env",
            "--rootdir",
            str(notebook.parent),
            "-c",
            os.devnull,
            f"--nbval-cell-timeout={job['cell_seconds']}",
            str(notebook),
        ],
        plugins=[grading],
    )
    os.write(pipe, b'{"kind": "end"}\n')
    return int(code)


def _take_limits(limits: dict) -> None:
    """Bound this process and all that it starts; names are those of the resource module."""
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def _drop_rights(user: int | None) -> None:
    """Become an ordinary user, where the sandbox was made by root."""
    if user is None:
        return
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
