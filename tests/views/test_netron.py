"""Netron in the page: our own server, nothing from the outside, closed when replaced."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request

import pytest

from course_lib.views import netron
from course_lib.views.style import Picture
from tools import programs

pytest.importorskip("netron")

TWIN = Picture(b"\x89PNG\r\n\x1a\n", "the graph", 10)


@pytest.fixture
def viewer():
    yield netron.serve(b"some bytes", "my model.pb")
    netron.stop()


def get(viewer, path=""):
    with urllib.request.urlopen(viewer.url + path, timeout=5) as answer:
        return answer.read(), answer.headers


def test_the_page_never_expires_and_reports_nothing(viewer):
    page, headers = get(viewer)
    assert b'name="version" content="0.0.0"' in page and b'name="date"' not in page
    assert b'name="file" content="/data/my%20model.pb"' in page
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "http" not in headers["Content-Security-Policy"]
    script, _ = get(viewer, "browser.js")
    assert b"await consent();" not in script and b"await telemetry();" not in script


def test_the_keyboard_stays_with_who_writes(viewer):
    """Netron takes the focus when it has drawn; ours only where its frame has it already."""
    for taken in (b"element.focus();", b"container.focus();"):
        # where it is not there: look what takes the focus in this version of Netron
        assert taken in (netron._static_folder() / "view.js").read_bytes()
        script, _ = get(viewer, "view.js")
        assert script.count(taken) == script.count(b"document.hasFocus() && " + taken) > 0


def test_the_model_and_the_static_files_are_served(viewer):
    assert get(viewer, "data/my%20model.pb")[0] == b"some bytes"
    assert get(viewer, "view.js?cb=17")[1]["Content-Type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "path", ["../server.py", "server.py", "%2e%2e/%2e%2e/etc/passwd", "data/other.pb", "data/../x"]
)
def test_nothing_else_is_served(viewer, path):
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(viewer, path)
    assert caught.value.code == 404


def test_only_this_machine_can_reach_it(viewer):
    assert viewer.url.startswith("http://127.0.0.1:")


def test_the_one_before_is_closed_and_freed(viewer):
    before = threading.active_count()
    second = netron.serve(b"other bytes", "second.tflite")
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", viewer.port)) != 0
    assert get(second, "data/second.tflite")[0] == b"other bytes"
    netron.stop()
    netron.stop()
    assert threading.active_count() <= before


def test_a_path_is_read(tmp_path):
    (tmp_path / "m.pb").write_bytes(b"from a file")
    try:
        assert get(netron.serve(tmp_path / "m.pb", "m.pb"), "data/m.pb")[0] == b"from a file"
        with pytest.raises(FileNotFoundError):
            netron.serve(tmp_path / "gone.pb", "gone.pb")
    finally:
        netron.stop()


@pytest.fixture
def displayed(monkeypatch):
    import IPython.display

    shown = []
    monkeypatch.setattr(
        IPython.display,
        "display",
        lambda thing, metadata=None, raw=False: shown.append(thing),
    )
    yield shown
    netron.stop()


def test_no_port_stands_in_a_stored_output(displayed):
    netron.Netron(b"bytes", "m.pb", TWIN).show()
    assert displayed[0]["text/plain"] == "<widget: the graph>"
    assert "text/html" not in displayed[0] and "image/png" in displayed[0]


def test_without_the_package_there_is_a_sentence_and_the_picture(displayed, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    netron.Netron(b"bytes", "m.pb", TWIN).show()
    assert displayed[0]["text/plain"] == "<widget: the graph>"
    with pytest.raises(OSError, match="pip install netron"):
        netron.serve(b"bytes", "m.pb")


def test_colab_gets_its_own_frame(displayed, colab):
    netron.Netron(b"bytes", "m.pb", TWIN).show()
    (asked,) = colab()
    assert asked["called"] == "serve_kernel_port_as_iframe"
    assert isinstance(asked["port"], int) and asked["height"] == "520"
    assert len(displayed) == 1 and "image/png" in displayed[0]  # with a sentence, if it stays empty


def test_behind_a_hub_the_frame_goes_through_the_proxy(monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    frame = netron._frame(netron.Viewer(4711, "m.pb"), TWIN)
    assert 'src="/user/ada/proxy/4711/"' in frame and "127.0.0.1" not in frame


@pytest.mark.browser
def test_a_browser_draws_the_model_and_asks_nobody_else():
    sync_api = pytest.importorskip("playwright.sync_api")
    path = programs.chromium()
    if path is None:
        pytest.skip("no Chromium on the PATH: install one to test in a browser")
    from course_lib.session import data_path

    viewer = netron.serve(data_path("models", "spotter.pb"), "spotter.pb")
    flags = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync".split()
    try:
        with sync_api.sync_playwright() as play:
            browser = play.chromium.launch(executable_path=path, args=flags)
            page, asked = browser.new_page(), []
            page.on("request", lambda request: asked.append(request.url))
            page.set_content(f'<iframe src="{viewer.url}" width="900" height="600"></iframe>')
            frame = page.frame_locator("iframe")
            frame.locator(".node-item").first.wait_for(state="attached", timeout=30_000)
            assert frame.locator(".node-item").count() > 10
            assert not frame.locator("body.message, body.alert").count()
            assert all(url.startswith(viewer.url) for url in asked if url != "about:blank")
            browser.close()
    finally:
        netron.stop()
