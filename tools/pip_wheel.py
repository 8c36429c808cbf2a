"""Fetch pip with the standard library alone, for a Python that came without ensurepip.

The same settings count as for pip itself: PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS and
PIP_CERT, or the same names in pip's configuration files.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import os
import re
import ssl
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import urljoin, urlsplit, urlunsplit

__all__ = ["install_into", "newest", "setting"]

_DEBIAN_WHEELS = "/usr/share/python-wheels"
_WHEEL = re.compile(r"pip-(\d+(?:\.\d+)*)-py3-none-any\.whl$")
_TIMEOUT_SECONDS = 60


def install_into(python: Path) -> None:
    """Install pip into the environment of `python`; raise OSError where no pip can be had."""
    local = newest(
        str(path)
        for folder in [*setting("find-links").split(), _DEBIAN_WHEELS]
        if Path(folder).is_dir()
        for path in Path(folder).glob("pip-*.whl")
    )
    with tempfile.TemporaryDirectory() as folder:
        wheel = Path(local) if local else _download(Path(folder))
        command = [python, wheel / "pip", "install", "-q", "--no-index", "--no-deps", wheel]
        run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise OSError(f"pip did not install itself: {run.stderr.strip()[-300:]}")


def newest(names: object) -> str | None:
    """Return the name of the newest released pip wheel among file names or addresses."""
    found = [(_numbers(match[1]), name) for name in names if (match := _wheel(name))]
    return max(found)[1] if found else None


def setting(name: str) -> str:
    """Return pip's setting `name`, such as "index-url", from environment or files; "" if unset."""
    if value := os.environ.get("PIP_" + name.upper().replace("-", "_")):
        return value
    value = ""
    for path in _configurations():
        parser = configparser.RawConfigParser()
        parser.read(path, encoding="utf-8")
        for section in ("global", "install"):
            value = parser.get(section, name, fallback=value)
    return value


def _configurations() -> list[Path]:
    """Return pip's configuration files, the one that counts most last."""
    home = Path.home()
    xdg = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    named = os.environ.get("PIP_CONFIG_FILE")
    files = [Path("/etc/pip.conf"), home / ".pip" / "pip.conf", xdg / "pip" / "pip.conf"]
    return [*files, Path(named)] if named else files


def _download(folder: Path) -> Path:
    """Download the newest pip from the first index that has one."""
    indexes = [setting("index-url") or "https://pypi.org/simple"]
    indexes += setting("extra-index-url").split()
    reasons = []
    for index in indexes:
        page = index.rstrip("/") + "/pip/"
        try:
            text = _get(page).decode("utf-8", "replace")
        except OSError as error:
            reasons.append(str(error))
            continue
        links = re.findall(r"""href=["']([^"']+)["']""", text)
        if link := newest(links):
            return _save(urljoin(page, link), folder)
    raise OSError("; ".join(reasons) or "no index lists it")


def _save(address: str, folder: Path) -> Path:
    """Download one wheel into `folder`; raise OSError where its hash is not as announced."""
    address, _, fragment = address.partition("#")
    content = _get(address)
    expected = fragment.removeprefix("sha256=")
    if "sha256=" in fragment and hashlib.sha256(content).hexdigest() != expected:
        raise OSError(f"{address} is damaged")
    path = folder / address.rpartition("/")[2]
    path.write_bytes(content)
    return path


def _get(address: str) -> bytes:
    """Return what is at an address, with the certificates and the password that pip would use."""
    parts = urlsplit(address)
    headers = {"Accept": "text/html"}
    if "@" in parts.netloc:
        login, _, host = parts.netloc.rpartition("@")
        headers["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
        address = urlunsplit(parts._replace(netloc=host))
    context = ssl.create_default_context(cafile=setting("cert") or None)
    request = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS, context=context) as answer:
        return answer.read()


def _wheel(name: str) -> re.Match[str] | None:
    """Return the match of a released pip wheel's name at the end of a path or an address."""
    return _WHEEL.search(name.partition("#")[0])


def _numbers(version: str) -> tuple[int, ...]:
    """Return "24.10.1" as (24, 10, 1)."""
    return tuple(int(part) for part in version.split("."))
