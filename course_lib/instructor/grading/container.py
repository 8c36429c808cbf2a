"""Grade the one submission of a container that is laid out as Gradescope's are.

    python -m course_lib.instructor.grading.container [ROOT]

ROOT, /autograder by default, holds `submission/`, submission_metadata.json and `results/`. The
container is the sandbox; where bubblewrap works inside it, it is used as well.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from course_lib.instructor.grading import campaign, reports
from course_lib.instructor.grading.roster import CollectError
from course_lib.session import write_atomically

GRADED, NOT_GRADED = 0, 5
_SANDBOX = {
    "bubblewrap": "Graded in a sandbox inside this container.",
    "limits": "The container was the sandbox: inside it, only limits of time and memory held.",
}


def main(root: Path) -> int:
    """Write `root`/results/results.json and return 0; where the machine failed, none and 5."""
    target = root / "results" / "results.json"
    target.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="autograder-") as place:
        # Whatever lies in it is this one submission's: the name of Gradescope's own export says so.
        handed_in = Path(place) / "in" / f"submission_{_number(root)}"
        skipped = shutil.ignore_patterns(".git")
        shutil.copytree(root / "submission", handed_in, symlinks=True, ignore=skipped)
        try:
            rows, notes, kind = campaign.grade(
                [handed_in.parent], Path(place) / "out", accept_weak=True
            )
        except CollectError as error:
            if "no notebook" not in str(error):  # a layout that is not understood is our fault
                print(error)
                return NOT_GRADED
            rows, notes, kind = [], ["There is no notebook in what was handed in."], ""
        failed = [each.not_graded for row in rows for each in row.results if each.not_graded]
        failed += [note for note in notes if note.startswith("Not graded")]
        if failed or len(rows) > 1:
            print(*failed or ["The submission was taken for several students'."], sep="\n")
            return NOT_GRADED
        written = reports.gradescope(rows[0]) if rows else {"score": 0.0, "tests": []}
        said = [written.get("output", ""), *notes, _SANDBOX.get(kind, "") if rows else ""]
        written["output"] = "\n".join(filter(None, said))
        write_atomically(target, json.dumps(written, indent=1) + "\n")
    return GRADED


def _number(root: Path) -> int:
    """Return the submission's number, 1 where the metadata has none."""
    try:
        text = (root / "submission_metadata.json").read_text(encoding="utf-8")
        return int(json.loads(text)["id"])
    except (OSError, ValueError, KeyError, TypeError):
        return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "/autograder")))
