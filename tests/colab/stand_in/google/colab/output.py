"""Colab's `google.colab.output`: the calls go to the file that WORKBOOK_COLAB_CALLS names."""

import json
import os

answers = ["!NotAllowedError"]
"""What `eval_js` says, in turn; the last one again and again."""


def enable_custom_widget_manager():
    _write("enable_custom_widget_manager")


def serve_kernel_port_as_iframe(
    port, path="/", width="100%", height="400", cache_in_notebook=False
):
    _write("serve_kernel_port_as_iframe", port=port, path=path, width=width, height=height)


def eval_js(script, ignore_result=False, timeout_sec=None):
    _write("eval_js", script=script)
    return None if ignore_result else answers.pop(0) if answers[1:] else answers[0]


def _write(name, **given):
    with open(os.environ["WORKBOOK_COLAB_CALLS"], "a", encoding="utf-8") as file:
        file.write(json.dumps({"called": name, **given}) + "\n")
