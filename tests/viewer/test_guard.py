import asyncio
from types import SimpleNamespace

import pytest

from ecop.viewer.guard import MOST_WAITING, Guard, cookie_of
from ecop.viewer.sessions import Sessions

ANN, BOB = "a" * 32, "b" * 32


async def hello(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": scope["state"]["owner"].encode()})


@pytest.fixture
def ask(tmp_path):
    """Asks a guarded application that answers who it takes one for."""
    sessions = Sessions(tmp_path)
    guard = Guard(hello, sessions, ("127.0.0.1", "localhost"), 1000)

    def request(path="/", method="GET", cookie=None, host="127.0.0.1:7860", length=None):
        sent = []
        given = {"host": host, "cookie": cookie and f"other=1; ecop_view={cookie}", "content-length": length}
        headers = [(name.encode(), str(value).encode()) for name, value in given.items() if value is not None]
        scope = {"type": "http", "method": method, "path": path, "headers": headers}

        async def send(message):
            sent.append(message)

        asyncio.run(guard(scope, None, send))
        return SimpleNamespace(
            status=sent[0]["status"], headers=dict(sent[0]["headers"]), body=sent[1]["body"].decode()
        )

    request.sessions = sessions
    return request


def test_a_new_browser_gets_a_cookie_that_scripts_cannot_read(ask):
    answer = ask()
    cookie = answer.headers[b"set-cookie"].decode()
    assert cookie.startswith(f"ecop_view={answer.body};")
    assert {"HttpOnly", "SameSite=Strict"} <= set(cookie.split("; "))
    assert ask().body != answer.body
    again = ask(cookie=answer.body)
    assert again.body == answer.body
    assert b"set-cookie" not in again.headers


@pytest.mark.parametrize("header", ["", "ecop_view=x", "ecop_view=" + "A" * 32, "ecop_view=../../etc", "=;;="])
def test_cookies_that_are_not_ours(header):
    assert cookie_of(header) is None


def test_browsers_are_told_to_ask_nobody_else(ask):
    policy = ask().headers[b"content-security-policy"].decode()
    assert "default-src 'self'" in policy
    assert "http" not in policy
    assert "*" not in policy


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", ""])
def test_other_names_are_refused(ask, host):
    assert ask(host=host).status == 421


@pytest.mark.parametrize("route", ["/gradio_api/file=", "/file=", "/gradio_api/file/"])
def test_files_are_their_owners(ask, route, tmp_path):
    ann = ask.sessions.of(ANN, "tab")
    path = ann.folder / "cat.png"
    assert ask(f"{route}{path}", cookie=ANN).status == 200
    assert ask(f"{route}{path}", cookie=BOB).status == 404
    assert ask(f"{route}{path}").status == 404


@pytest.mark.parametrize("path", ["/etc/passwd", "{root}/upload/cat.png", "{own}/../{other}/cat.png", "{root}"])
def test_no_other_files_are_served(ask, tmp_path, path):
    own, other = ask.sessions.of(ANN, "tab").folder, ask.sessions.of(BOB, "tab").folder
    named = path.format(root=tmp_path, own=own, other=other.name)
    if named == str(tmp_path):
        named += "/"
    assert ask(f"/gradio_api/file={named}", cookie=ANN).status == 404


@pytest.mark.parametrize("path", ["/gradio_api/proxy=http://evil.example", "/gradio_api/runs", "/gradio_api/mcp/sse"])
def test_what_the_page_does_not_need_is_closed(ask, path):
    assert ask(path, cookie=ANN).status == 404


def test_uploads_are_bounded(ask):
    assert ask("/gradio_api/upload", "POST", ANN, length=1000).status == 200
    refused = ask("/gradio_api/upload", "POST", ANN, length=10**6)
    assert refused.status == 413
    assert "--max-upload" in refused.body
    assert ask("/gradio_api/queue/join", "POST", ANN, length=2 * 10**6).status == 413
    assert ask("/gradio_api/upload", "POST", ANN).status == 411


def test_a_form_from_elsewhere_has_no_cookie(ask):
    assert ask("/gradio_api/upload", "POST", length=10).status == 403


def test_uploads_that_nobody_takes_up_are_bounded(ask, tmp_path):
    for number in range(MOST_WAITING):
        (tmp_path / str(number)).mkdir()
    assert ask("/gradio_api/upload", "POST", ANN, length=10).status == 429
    assert ask("/gradio_api/queue/join", "POST", ANN, length=10).status == 200
