"""What every error message has to be."""

import pytest


def one_sentence(error: pytest.ExceptionInfo) -> str:
    text = str(error.value)
    assert "\n" not in text and text.endswith(".") and len(text) < 300, text
    return text
