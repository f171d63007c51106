"""The routes: requests, event streams, files and sockets pass through; credentials stay on their own side."""

import asyncio
import json
import os
import re
from urllib.parse import parse_qsl, quote, urlencode

from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.services.contents.filemanager import FileContentsManager
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler, websocket_connect

from .daemon import Unreachable

#: Where files of this computer may be copied from and to: the daemon takes their paths as relative to this folder. Said
#: here and never by a page, whose script could otherwise read and write all files of the user.
LOCAL_ROOT = "X-Hitch-Local-Root"
#: What a browser may say to the daemon. Cookies, tokens and origins of this server are none of its business.
REQUEST_HEADERS = ("Accept", "Content-Type", "Range", "If-Range", "Last-Event-Id", "X-Hitch-Client", "X-Hitch-Protocol")
ANSWER_HEADERS = (
    "Content-Length", "Content-Range", "Accept-Ranges", "Etag", "Last-Modified", "Content-Disposition",
    "Cache-Control", "Retry-After", "X-Hitch-Log",
)
#: Nothing that a browser would render passes: what comes from a cluster is a stranger's.
PASSED_TYPES = re.compile(r"^(application/([\w.+-]+\+)?json|text/event-stream|application/octet-stream)\s*(;|$)", re.I)
#: A page gives up sooner by itself; a stream has no end.
CONNECT_WITHIN_S = 5.0
#: As every socket on the way of a kernel's messages: a message, and its number before it.
MAX_MESSAGE_BYTES = 2**28 + 8
#: Close codes that a peer may not send; whoever gets 1012 comes back.
COME_BACK = 1012
UNSENDABLE = (None, 1005, 1006, 1015)
SOCKETS = r"clusters/[^/]+/(?:jupyter/api/kernels/[^/]+/channels|terminals/[^/]+/socket)"


def local_root(contents_manager):
    """The folder that this server shows, percent-encoded; empty where what it shows does not lie on this computer."""
    if not isinstance(contents_manager, FileContentsManager):
        # Others have a `root_dir` too, which is "/" unless somebody set it.
        return ""
    root = os.path.abspath(os.path.expanduser(contents_manager.root_dir))
    return quote(os.fsencode(root), safe="/:\\")


def is_for_this_server(name, value):
    """Its own token, and the moment that JupyterLab puts behind addresses so that no browser keeps the answer
    (`handleRequest` in @jupyterlab/services, serverconnection.ts): the daemon refuses fields that it does not know."""
    return name == "token" or (value == "" and name.isdigit())


class DaemonRoute:
    """Where a request of this server goes on the daemon."""

    def initialize(self, daemon):
        self.daemon = daemon

    def target(self):
        path = self.request.path[len(url_path_join(self.settings["base_url"], "hitch")):]
        pairs = parse_qsl(self.request.query, keep_blank_values=True)
        query = urlencode([(name, value) for name, value in pairs if not is_for_this_server(name, value)])
        return path + ("?" + query if query else "")

    def headers_for(self, place):
        headers = {name: self.request.headers[name] for name in REQUEST_HEADERS if name in self.request.headers}
        return {**headers, **self.own_headers(place)}

    def own_headers(self, place):
        root = local_root(self.settings.get("contents_manager"))
        return {"Authorization": f"Bearer {place.token}", LOCAL_ROOT: root}


class Forward(DaemonRoute, APIHandler):
    # Pages ask without anybody at them; a server that is culled when idle must not be kept by that.
    _track_activity = False
    _gone = False
    #: The answer is of a kind that a browser would render.
    _refused = False

    @property
    def content_security_policy(self):
        return "default-src 'none'; frame-ancestors 'none'; sandbox"

    def set_default_headers(self):
        super().set_default_headers()
        self.set_header("X-Content-Type-Options", "nosniff")

    @web.authenticated
    async def get(self):
        await self._forward()

    head = post = put = patch = delete = get

    async def _forward(self):
        try:
            place = await self.daemon.place()
            answer = await self.daemon.client.fetch(self._request(place), raise_error=False)
        except Unreachable as error:
            return await self._unreachable(str(error), error.next)
        if self._gone:
            return None
        if answer.code == 599:
            if self._headers_written:
                # The page must not take half an answer for a whole one.
                self.request.connection.stream.close()
                return None
            return await self._unreachable("Hitch's daemon does not answer.", "Run “hitch doctor” if this stays.")
        if self._refused:
            return await self._envelope(415, "INTERNAL", "The answer is of a kind that is not passed on.", None)
        await self.finish()

    def _request(self, place):
        has_body = bool(self.request.body) or self.request.method in ("POST", "PUT", "PATCH")
        return HTTPRequest(
            place.origin + self.target(),
            method=self.request.method,
            headers=self.headers_for(place),
            body=self.request.body if has_body else None,
            allow_nonstandard_methods=True,
            connect_timeout=CONNECT_WITHIN_S,
            request_timeout=0,
            follow_redirects=False,
            decompress_response=False,
            header_callback=self._header,
            streaming_callback=self._chunk,
        )

    def _header(self, line):
        line = line.strip()
        if line.startswith("HTTP/"):
            self.set_status(int(line.split()[1]))
        elif ":" in line:
            name, value = (part.strip() for part in line.split(":", 1))
            if name.title() == "Content-Type":
                self._content_type = value
                self._refused = not PASSED_TYPES.match(value)
            elif name.title() in ANSWER_HEADERS:
                self.set_header(name, value)

    _content_type = "application/json"

    def _chunk(self, data):
        if self._gone:
            # The one way to end a request to the daemon that is under way.
            raise StreamClosedError
        if self._refused:
            return None
        self.set_header("Content-Type", self._content_type)
        self.write(data)
        # Awaited by Tornado, so that a slow page slows the daemon and not this server's memory.
        return self.flush()

    def finish(self, *args, **kwargs):
        kwargs.setdefault("set_content_type", self._content_type)
        return super().finish(*args, **kwargs)

    def on_connection_close(self):
        self._gone = True
        super().on_connection_close()

    async def _unreachable(self, message, next):
        await self._envelope(503, "UNREACHABLE", message, next)

    async def _envelope(self, status, code, message, next):
        self.clear_header("Content-Length")
        self._content_type = "application/json"
        self.set_status(status)
        envelope = {"code": code, "message": message, "retryable": status == 503}
        await self.finish(json.dumps({**envelope, **({"next": next} if next else {})}))


class Socket(DaemonRoute, WebSocketHandler, JupyterHandler):
    _upstream = None

    @property
    def max_message_size(self):
        return MAX_MESSAGE_BYTES

    def check_origin(self, origin=None):
        return JupyterHandler.check_origin(self, origin)

    @ws_authenticated
    async def get(self):
        try:
            place = await self.daemon.place()
            request = HTTPRequest(
                place.origin.replace("http", "ws", 1) + self.target(),
                headers=self.own_headers(place),
                connect_timeout=CONNECT_WITHIN_S,
            )
            offered = self.request.headers.get("Sec-WebSocket-Protocol", "")
            self._upstream = await websocket_connect(
                request,
                subprotocols=[name.strip() for name in offered.split(",") if name.strip()] or None,
                max_message_size=MAX_MESSAGE_BYTES,
            )
        except HTTPClientError as error:
            # What says "there is no such kernel" for good must not look like an outage.
            raise web.HTTPError(error.code if 400 <= error.code < 500 else 503) from None
        except (Unreachable, OSError, StreamClosedError, WebSocketClosedError):
            raise web.HTTPError(503) from None
        await WebSocketHandler.get(self)

    def select_subprotocol(self, subprotocols):
        return self._upstream.selected_subprotocol

    def open(self):
        self.set_nodelay(True)
        self._pump = asyncio.ensure_future(self._pass_down())

    async def _pass_down(self):
        try:
            while (message := await self._upstream.read_message()) is not None:
                await self.write_message(message, binary=isinstance(message, bytes))
        except (WebSocketClosedError, StreamClosedError):
            pass
        code = self._upstream.close_code
        self.close(COME_BACK if code in UNSENDABLE else code, self._upstream.close_reason)

    async def on_message(self, message):
        try:
            await self._upstream.write_message(message, binary=isinstance(message, bytes))
        except (WebSocketClosedError, StreamClosedError):
            self.close(COME_BACK)

    def on_close(self):
        if self._upstream is not None:
            self._upstream.close()


def handlers(base_url, daemon):
    arguments = {"daemon": daemon}
    return [
        (url_path_join(base_url, "hitch", SOCKETS), Socket, arguments),
        (url_path_join(base_url, "hitch", r"(?:api|clusters)/.*"), Forward, arguments),
    ]
