"""The bridge in a real Jupyter server, with a daemon made of a few lines: what passes, what is taken off, what is refused."""

import asyncio
import hashlib
import hmac
import json
import os
import sys
from contextlib import asynccontextmanager
from urllib.parse import unquote

import pytest
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.contents.manager import ContentsManager
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler, websocket_connect

TOKEN = "of-the-jupyter-server"
BEARER = "of-the-daemon"
KEY = "proof"
#: Nothing of what a browser says to Jupyter is for the daemon.
NOT_FOR_THE_DAEMON = ("Cookie", "Origin", "Referer", "X-Xsrftoken")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HITCH_HOME", str(tmp_path / "hitch"))
    # A program that is not there: where no daemon answers, none is to be started by a test.
    monkeypatch.setenv("HITCH_PROGRAM", str(tmp_path / "nowhere.mjs"))
    for name in ("CONFIG", "DATA", "RUNTIME"):
        monkeypatch.setenv(f"JUPYTER_{name}_DIR", str(tmp_path / name.lower()))
    (tmp_path / "hitch").mkdir()
    return tmp_path / "hitch"


def listen(app):
    server = HTTPServer(app)
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    return server, sockets[0].getsockname()[1]


class Daemon:
    """Answers everything with what it was asked."""

    def __init__(self, home, key=KEY):
        self.asked = []
        daemon = self

        class Challenge(RequestHandler):
            def post(self):
                daemon.asked.append(self.request)
                nonce = json.loads(self.request.body)["nonce"]
                self.write({"proof": hmac.new(key.encode(), nonce.encode(), hashlib.sha256).hexdigest()})

        class Page(RequestHandler):
            def get(self):
                self.set_header("Content-Type", "text/html")
                self.write("<script>alert(1)</script>")

        class Socket(WebSocketHandler):
            def open(self):
                daemon.asked.append(self.request)

            def on_message(self, message):
                self.write_message(message)

        class Echo(RequestHandler):
            def get(self):
                daemon.asked.append(self.request)
                self.set_header("Set-Cookie", "of=the-daemon")
                self.write({"uri": self.request.uri, "body": self.request.body.decode()})

            post = put = delete = get

        self.server, port = listen(
            Application(
                [
                    ("/challenge", Challenge),
                    ("/api/page", Page),
                    ("/clusters/c1/terminals/1/socket", Socket),
                    ("/.*", Echo),
                ]
            )
        )
        discovery = {"pid": os.getpid(), "port": port, "token": "of-programs", "pageToken": BEARER, "challengeKey": KEY}
        (home / "daemon.json").write_text(json.dumps(discovery))

    @property
    def requests(self):
        return [request for request in self.asked if request.path != "/challenge"]

    @property
    def last(self):
        return self.requests[-1]


class Jupyter:
    """A Jupyter server with the bridge, asked as a browser does."""

    def __init__(self, app, port):
        self.app = app
        self.base_url = app.base_url
        self.port = port
        self.client = AsyncHTTPClient(force_instance=True)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{self.base_url}{path}"

    async def ask(self, path, headers=None, token=True, **more):
        login = {"Authorization": f"token {TOKEN}"} if token else {}
        request = HTTPRequest(
            self.url(path), headers={**login, **(headers or {})}, follow_redirects=False, request_timeout=30, **more
        )
        return await self.client.fetch(request, raise_error=False)

    async def cookies(self):
        """Those of a page that was opened with the token."""
        answer = await self.ask(f"tree?token={TOKEN}", token=False)
        answer = answer if answer.headers.get_list("Set-Cookie") else await self.ask(f"login?token={TOKEN}", token=False)
        return dict(line.split(";")[0].split("=", 1) for line in answer.headers.get_list("Set-Cookie"))


def cookie_header(cookies):
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


@asynccontextmanager
async def jupyter(base_url, *arguments):
    app = ServerApp()
    app.initialize(
        argv=[
            "--no-browser",
            "--allow-root",
            f"--ServerApp.base_url={base_url}",
            f"--IdentityProvider.token={TOKEN}",
            "--ServerApp.jpserver_extensions=jupyterlab_hitch=True",
            *arguments,
        ],
        find_extensions=False,
        new_httpserver=False,
    )
    server, port = listen(app.web_app)
    try:
        yield Jupyter(app, port)
    finally:
        server.stop()
        await app._cleanup()
        ServerApp.clear_instance()


def run(scenario, home, base_url="/", key=KEY, daemon=True, arguments=()):
    async def main():
        async with jupyter(base_url, *arguments) as server:
            there = Daemon(home, key) if daemon else None
            await asyncio.wait_for(scenario(server, there), 60)
            if there:
                there.server.stop()

    asyncio.run(main())


BASE_URLS = ("/", "/user/ann/", "/user/ann%40lab.example/notebooks/")


@pytest.mark.parametrize("base_url", BASE_URLS)
def test_passes_requests_below_any_base_url(home, base_url):
    async def scenario(server, daemon):
        answer = await server.ask("hitch/api/clusters?after=a%20b&after=&name=%C3%A9")
        assert answer.code == 200
        assert json.loads(answer.body)["uri"] == "/api/clusters?after=a+b&after=&name=%C3%A9"
        sent = await server.ask("hitch/clusters/c1/jupyter/api/contents/a%2Fb", method="PUT", body='{"a":1}')
        assert json.loads(sent.body) == {"uri": "/clusters/c1/jupyter/api/contents/a%2Fb", "body": '{"a":1}'}
        for path in ("hitch/challenge", "hitch/lab", "hitch/api"):
            assert (await server.ask(path)).code == 404, path
        assert [request.path for request in daemon.requests if not request.path.startswith(("/api/", "/clusters/"))] == []

    run(scenario, home, base_url)


def test_gives_the_daemon_its_bearer_and_nothing_of_the_browsers(home):
    async def scenario(server, daemon):
        cookies = await server.cookies()
        headers = {
            "Cookie": cookie_header(cookies),
            "X-XSRFToken": cookies["_xsrf"],
            "Referer": server.url("lab"),
            "X-Hitch-Client": "jupyterlab",
            "Accept": "text/event-stream",
        }
        answer = await server.ask(f"hitch/api/clusters?token={TOKEN}&limit=1&1795971006875", headers)
        assert daemon.last.uri == "/api/clusters?limit=1"
        assert daemon.last.headers["Authorization"] == f"Bearer {BEARER}"
        assert daemon.last.headers["X-Hitch-Client"] == "jupyterlab"
        assert daemon.last.headers["Accept"] == "text/event-stream"
        assert [name for name in NOT_FOR_THE_DAEMON if name in daemon.last.headers] == []
        assert TOKEN not in str(daemon.last.headers)
        assert "of=the-daemon" not in str(answer.headers), "the daemon sets no cookie here"
        assert BEARER not in str(answer.headers) + answer.body.decode()

    run(scenario, home)


@pytest.mark.parametrize("name", ["X-Hitch-Local-Root", "x-hitch-local-root", "X-HITCH-LOCAL-ROOT", "x-hItCh-LoCaL-rOoT"])
def test_says_which_folder_local_paths_are_in_whatever_the_page_says(home, tmp_path, name):
    root = tmp_path / "my notebooks é"
    root.mkdir()

    async def scenario(server, daemon):
        for method, body in (("GET", None), ("POST", "{}")):
            assert (await server.ask("hitch/api/clusters/c1/copies", {name: "/"}, method=method, body=body)).code == 200
            said = daemon.last.headers.get_list("X-Hitch-Local-Root")
            assert [unquote(value) for value in said] == [str(root)]
            assert said[0].isascii() and " " not in said[0]
        socket = await connect(server, {"Authorization": f"token {TOKEN}", name: "/"})
        assert [unquote(value) for value in daemon.last.headers.get_list("X-Hitch-Local-Root")] == [str(root)]
        socket.close()

    run(scenario, home, arguments=[f"--ServerApp.root_dir={root}"])


def test_names_no_local_folder_where_the_files_lie_elsewhere(home):
    async def scenario(server, daemon):
        server.app.web_app.settings["contents_manager"] = ContentsManager()
        assert (await server.ask("hitch/api/clusters", {"X-Hitch-Local-Root": "/"})).code == 200
        assert daemon.last.headers.get_list("X-Hitch-Local-Root") == [""]

    run(scenario, home)


def test_answers_503_with_a_sentence_while_no_daemon_runs(home):
    async def scenario(server, _):
        for _attempt in range(2):
            answer = await server.ask("hitch/api/clusters")
            assert answer.code == 503
            envelope = json.loads(answer.body)
            assert (envelope["code"], envelope["retryable"]) == ("UNREACHABLE", True)
            assert envelope["message"].endswith(".") and envelope["next"]
        with pytest.raises(HTTPClientError) as refused:
            await connect(server)
        assert refused.value.code == 503

    run(scenario, home, daemon=False)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('{ // as JupyterLab writes it\n "busyCpuPercent": 50, "busyKilobytesPerSecond": 2000, }', ["50", "2000"]),
        ('{ "busyCpuPercent": 5, "busyKilobytesPerSecond": 0.5 }', ["of the server", None]),
        ('{ "busyCpuPercent": "many", "busyKilobytesPerSecond": true }', ["of the server", None]),
        ("{ it is no JSON", ["of the server", None]),
    ],
)
def test_starts_a_daemon_with_the_limits_of_jupyterlabs_settings(home, tmp_path, monkeypatch, said, told):
    program, answer = tmp_path / "program.py", tmp_path / "told.json"
    names = ["HITCH_BUSY_CPU_PERCENT", "HITCH_BUSY_KB_PER_SECOND"]
    program.write_text(
        f"import json, os, pathlib\n"
        f"told = json.dumps([os.environ.get(name) for name in {names}])\n"
        f"pathlib.Path({str(answer)!r}).with_suffix('.new').write_text(told)\n"
        f"os.rename({str(answer.with_suffix('.new'))!r}, {str(answer)!r})\n"
    )
    monkeypatch.setenv("HITCH_PROGRAM", str(program))
    monkeypatch.setenv("HITCH_NODE_PROGRAM", sys.executable)
    monkeypatch.setenv("HITCH_BUSY_CPU_PERCENT", "of the server")
    monkeypatch.delenv("HITCH_BUSY_KB_PER_SECOND", raising=False)
    settings = tmp_path / "settings" / "jupyterlab-hitch" / "settings.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text(said)

    async def scenario(server, _):
        await server.ask("hitch/api/clusters")
        while not answer.exists():
            await asyncio.sleep(0.05)
        assert json.loads(answer.read_text()) == told

    lab = ("--ServerApp.jpserver_extensions=jupyterlab=True", f"--LabApp.user_settings_dir={tmp_path / 'settings'}")
    run(scenario, home, daemon=False, arguments=lab)


def test_answers_503_when_the_daemon_of_the_file_is_gone(home):
    async def scenario(server, daemon):
        daemon.server.stop()
        answer = await server.ask("hitch/api/clusters")
        assert (answer.code, json.loads(answer.body)["code"]) == (503, "UNREACHABLE")

    run(scenario, home)


def test_sends_no_bearer_to_a_listener_that_did_not_write_the_file(home):
    async def scenario(server, squatter):
        assert (await server.ask("hitch/api/clusters")).code == 503
        assert squatter.asked and squatter.requests == []
        assert BEARER not in "".join(str(request.headers) for request in squatter.asked)

    run(scenario, home, key="somebody else's")


def test_wants_a_login_and_with_a_cookie_the_xsrf_token(home):
    async def scenario(server, daemon):
        assert (await server.ask("hitch/api/clusters", token=False)).code == 403
        cookies = await server.cookies()
        cookie = {"Cookie": cookie_header(cookies)}
        xsrf = {"X-XSRFToken": cookies["_xsrf"]}
        refused = await server.ask("hitch/api/quotes", cookie, token=False, method="POST", body="{}")
        assert refused.code == 403
        assert daemon.requests == []
        passed = await server.ask("hitch/api/quotes", {**cookie, **xsrf}, token=False, method="POST", body="{}")
        assert passed.code == 200
        other = {**cookie, **xsrf, "Origin": "http://elsewhere.example"}
        assert (await server.ask("hitch/api/quotes", other, token=False, method="POST", body="{}")).code in (403, 404)
        assert len(daemon.requests) == 1

    run(scenario, home, "/user/ann/")


async def connect(server, headers=None):
    url = server.url("hitch/clusters/c1/terminals/1/socket").replace("http", "ws", 1)
    return await websocket_connect(HTTPRequest(url, headers=headers or {"Authorization": f"token {TOKEN}"}))


def test_passes_sockets_of_whoever_is_logged_in_and_comes_from_here(home):
    async def scenario(server, daemon):
        socket = await connect(server)
        await socket.write_message('["stdin","ls"]')
        assert await socket.read_message() == '["stdin","ls"]'
        assert daemon.last.headers["Authorization"] == f"Bearer {BEARER}"
        assert TOKEN not in str(daemon.last.headers)
        socket.close()
        cookie = {"Cookie": cookie_header(await server.cookies())}
        (await connect(server, cookie)).close()
        for headers in (
            {"X-Nobody": "1"},
            {"Authorization": "token wrong"},
            {**cookie, "Origin": "http://elsewhere.example"},
        ):
            with pytest.raises(HTTPClientError) as refused:
                await connect(server, headers)
            assert refused.value.code == 403

    run(scenario, home, "/user/ann/")


def test_passes_nothing_that_a_browser_would_render(home):
    async def scenario(server, _):
        answer = await server.ask("hitch/api/page")
        assert answer.code == 415
        assert b"script" not in answer.body
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]

    run(scenario, home)
