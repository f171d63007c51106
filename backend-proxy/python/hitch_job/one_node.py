"""One node's part of a job of several (nodes.py): its program, what that prints, and its end. On other nodes it is Ray's actor."""

import io
import os
import signal
import socket
import subprocess
import sys
import tarfile
import threading

READ_BYTES = 256 * 1024
MOST_HELD_BYTES = 4 * 1024 * 1024


class OneNode:
    """On one of the nodes: one program, what it prints, and its end."""

    def __init__(self):
        self.process = None
        self.parts, self.held, self.code, self.tag = [], 0, None, ""
        self.changed = threading.Condition()

    def ready(self):
        return True

    def unpack(self, data, folder):
        place = os.path.join(os.environ["HITCH_WORK_FOLDER"], folder)
        os.makedirs(place, exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            filtered = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            archive.extractall(place, **filtered)

    def start(self, command, folder, variables, torchrun, tag, address):
        """@returns why it cannot be started; None: it runs."""
        if torchrun:
            import importlib.util

            if importlib.util.find_spec("torch") is None:
                return "torch is not in the environment of this cluster: add it with hitch env"
            command = [sys.executable, "-m", "torch.distributed.run", *command]
        interface = interface_of(address)
        if interface is not None:
            # Else gloo and NCCL take the interface of the machine's name, which other nodes may not reach.
            variables = {"GLOO_SOCKET_IFNAME": interface, "NCCL_SOCKET_IFNAME": interface, **variables}
        self.tag = f"HITCH_JOB_NODE={tag}"
        # What an earlier try of this job may have left here.
        self.end_tagged()
        environment = {**os.environ, **variables, "HITCH_JOB_NODE": tag, "PYTHONUNBUFFERED": "1"}
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=os.path.join(os.environ["HITCH_WORK_FOLDER"], folder),
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            return f"{command[0]} cannot be started: {error.strerror or error}"
        pump = threading.Thread(target=self.pump, daemon=True)
        pump.start()
        threading.Thread(target=self.wait, args=(pump,), daemon=True).start()
        return None

    def pump(self):
        while True:
            data = os.read(self.process.stdout.fileno(), READ_BYTES)
            if not data:
                return
            with self.changed:
                # Whoever prints faster than it is read waits, as at any pipe.
                while self.held > MOST_HELD_BYTES:
                    self.changed.wait()
                self.parts.append(data)
                self.held += len(data)
                self.changed.notify_all()

    def wait(self, pump):
        code = self.process.wait()
        # What it left running has the pipe open.
        self.end_tagged()
        pump.join()
        with self.changed:
            self.code = code
            self.changed.notify_all()

    def read(self):
        """@returns what was printed since the last time, and the exit code once it has ended; waited for a moment."""
        with self.changed:
            self.changed.wait_for(lambda: self.parts or self.code is not None, timeout=5)
            data, self.parts, self.held = b"".join(self.parts), [], 0
            self.changed.notify_all()
            return data, self.code

    def end(self, grace_s):
        """Asks it to end, and ends it when its grace is over."""
        if self.process is None:
            return
        signal_group(self.process.pid, signal.SIGTERM)
        with self.changed:
            if self.changed.wait_for(lambda: self.code is not None, timeout=grace_s):
                return
        signal_group(self.process.pid, signal.SIGKILL)
        self.end_tagged()

    def end_tagged(self):
        """What it started in groups of their own, as torchrun does, would hold the GPU unseen."""
        tag = self.tag.encode()
        try:
            pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        except OSError:
            return
        for pid in pids:
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if tag in file.read().split(b"\0"):
                        os.kill(pid, signal.SIGKILL)
            except OSError:
                pass


def signal_group(pid, which):
    try:
        os.killpg(pid, which)
    except OSError:
        pass


def interface_of(address):
    """The network interface that has the address; None where the system does not say."""
    try:
        import fcntl
        import struct

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            for _, name in socket.if_nameindex():
                try:
                    asked = struct.pack("256s", name.encode()[:15])
                    # SIOCGIFADDR (netdevice(7))
                    if socket.inet_ntoa(fcntl.ioctl(probe.fileno(), 0x8915, asked)[20:24]) == address:
                        return name
                except OSError:
                    pass
    except (ImportError, OSError):
        pass
    return None
