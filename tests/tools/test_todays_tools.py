"""What is recorded of today's tools needs them: one sentence says which are not there."""

from __future__ import annotations

from importlib import metadata

import pytest

from tools import todays_tools


def test_what_is_not_installed_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(metadata, "distributions", lambda: iter(()))
    with pytest.raises(SystemExit, match="2"):
        todays_tools.main(["--folder", str(tmp_path)])
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert "torch not installed here: pip install -e '.[tools]'" in line
    assert not list(tmp_path.iterdir())
