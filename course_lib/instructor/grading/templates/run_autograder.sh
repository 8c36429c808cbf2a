#!/usr/bin/env bash
# Gradescope runs this for every submission, in a container of its own.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"
cd "$root/source"
export PYTHONPATH="$root/source"
exec "${AUTOGRADER_PYTHON:-$root/venv/bin/python}" -m course_lib.instructor.grading.container "$root"
