#!/usr/bin/env bash
# Gradescope runs this once, when the image of the autograder is built.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"
if [ -n "${AUTOGRADER_PYTHON:-}" ]; then exit 0; fi # everything is installed there already
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends bubblewrap ca-certificates python3-venv
# The image's own Python may be too old: uv brings the version that this was exported with.
python3 -m venv "$root/uv"
"$root/uv/bin/pip" install -q "uv<1"
"$root/uv/bin/uv" venv --seed --python @PYTHON@ "$root/venv"
"$root/uv/bin/uv" pip install -q --python "$root/venv/bin/python" -r "$root/source/requirements.txt"
