/** The Python that Jupyter Server loads: its configuration and the kernel manager that gives kernels their environment. */

/**
 * Loaded by `jupyter server --config`. All values, the token among them, stand in `settings.json` beside it (0600), so
 * that nothing secret is in an argument list or an environment.
 */
export const CONFIG_SOURCE = `\
import json
import os
import sys

folder = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(folder, "python"))
with open(os.path.join(folder, "settings.json"), encoding="utf-8") as file:
    settings = json.load(file)

c = get_config()
for section, values in settings.items():
    c[section].update(values)
`;

/**
 * Kernels read their environment when they start and when they are restarted: Ray's address is known only after the
 * server runs, and secrets are for kernels and not for the server.
 *
 * A start is over when the kernel answers, or when its process has ended: Jupyter would say that a kernel runs whose
 * process ends a moment later, start it five times more, and keep what it said last to its log. A kernel that takes
 * longer than `PATIENCE_S` is left to itself. The reason travels in hexadecimal digits, so that it passes through any quoting.
 */
export const KERNEL_MANAGER_SOURCE = `\
import json
import os
import re
import time

from jupyter_client.ioloop.restarter import AsyncIOLoopKernelRestarter
from jupyter_server.services.kernels.kernelmanager import ServerKernelManager
from tornado.web import HTTPError

HERE = os.path.dirname(os.path.abspath(__file__))
FILE = os.path.join(os.path.dirname(HERE), "kernel-environment.json")
LOG = os.path.join(os.path.dirname(os.path.dirname(HERE)), "logs", "jupyter.log")
LAUNCHER = os.path.join(os.path.dirname(HERE), "kernel", "ipykernel_launcher.py")
PATIENCE_S = 30
LONGEST_REASON = 300
#: Lines of Jupyter Server itself, in the log that its kernels share.
SERVER_LINE = re.compile(r"\\[[A-Z] [0-9]{4}-")
#: What Python programs put before their last words.
LOG_PREFIX = re.compile(r"^\\[[\\w.]+\\] (?:CRITICAL|ERROR) \\| ")


def launched(command):
    """The command of an IPython kernel with our launcher in the place of ipykernel's; every other as it is."""
    program, *rest = command
    python = re.fullmatch(r"python[w\\d.]*(\\.exe)?", os.path.basename(program), re.I)
    at = rest.index("-m") if python and "-m" in rest else len(rest)
    if rest[at + 1 : at + 2] not in (["ipykernel_launcher"], ["ipykernel"]):
        return command
    return [program, *rest[:at], LAUNCHER, *rest[at + 2 :]]


class NotStarted(HTTPError):
    """The kernel's process ended before the kernel answered. Of other errors Jupyter's answers keep the words back."""

    def __init__(self, message):
        super().__init__(500, message)


def log_size():
    try:
        return os.path.getsize(LOG)
    except OSError:
        return 0


def last_words(since):
    """The last line of an error that was written to the log after that place."""
    try:
        with open(LOG, "rb") as file:
            end = file.seek(0, os.SEEK_END)
            # A log that was emptied meanwhile begins anew.
            file.seek(max(since if since <= end else 0, end - 65536))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line.rstrip() for line in text.splitlines()]
    said = [line for line in lines if line and not line[0].isspace() and not SERVER_LINE.match(line)]
    errors = [line for line in said if re.search(r"error|exception|critical|bad config|no module", line, re.I)]
    last = LOG_PREFIX.sub("", (errors or said or [""])[-1])
    return last if len(last) <= LONGEST_REASON else f"{last[:LONGEST_REASON]}… ({len(last) - LONGEST_REASON} more characters)"


def silent_end(code):
    if code < 0:
        return f"its process was ended by signal {-code}; signal 9 comes as a rule when the memory is used up"
    return f"its process ended with code {code} and said nothing"


def note_end(kernel_id, reason):
    """Beside the answer, because Jupyter answers a failed restart without a reason. None: forget an earlier one."""
    path = os.path.join(os.path.dirname(HERE), f"not-started-{kernel_id}")
    try:
        if reason is None:
            os.remove(path)
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write(reason)
    except OSError:
        pass


class HitchRestarter(AsyncIOLoopKernelRestarter):
    async def poll(self):
        try:
            await super().poll()
        except NotStarted:
            # Trying again would end the same way.
            self._fire_callbacks("dead")
            self._restarting = False
            self.stop()


class HitchKernelManager(ServerKernelManager):
    restarter_class = HitchRestarter

    async def _async_pre_start_kernel(self, **kw):
        environment = dict(kw.get("env") or os.environ)
        environment.pop("JUPYTER_NO_CONFIG", None)
        try:
            with open(FILE, encoding="utf-8") as file:
                environment.update(json.load(file))
        except FileNotFoundError:
            pass
        kw["env"] = environment
        return await super()._async_pre_start_kernel(**kw)

    async def _async_launch_kernel(self, kernel_cmd, **kw):
        since = log_size()
        await super()._async_launch_kernel(launched(kernel_cmd), **kw)
        note_end(self.provisioner.kernel_id, None)
        code = await self._until_it_answers()
        # Who asked it to end meanwhile, as a person who restarts it, starts the next one.
        if code is not None and not self.shutting_down:
            reason = last_words(since) or silent_end(code)
            note_end(self.provisioner.kernel_id, reason)
            raise NotStarted(f"hitch-kernel-ended {reason.encode().hex()}")

    async def _until_it_answers(self):
        """None once the kernel answers or has had time enough; else the code with which its process ended."""
        socket = self._create_connected_socket("shell")
        try:
            self.session.send(socket, self.session.msg("kernel_info_request"))
            give_up = time.monotonic() + PATIENCE_S
            while time.monotonic() < give_up:
                if await socket.poll(50):
                    return None
                code = await self.provisioner.poll()
                if code is not None:
                    return code
            return None
        finally:
            socket.close(linger=0)
`;
