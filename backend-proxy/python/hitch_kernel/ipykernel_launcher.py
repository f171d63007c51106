"""Starts an IPython kernel, as ``python -m ipykernel_launcher`` does, whose output waits for its readers.

ipykernel publishes output on a ZeroMQ socket, which drops without a word what is more than 1000 messages ahead of a
reader. Short prints need a tenth of a second for that, and a busy machine keeps a reader away for longer. Here the
kernel waits, as a program does that writes into a full pipe. Where a reader takes nothing for ``PATIENCE_S`` the kernel
goes on without its output: how much is lost, and of which cell, is said as soon as everybody reads again.
"""

import os
import sys
import threading
import time

PATIENCE_S = 60
LOOK_EVERY_MS = 100
SAY_AGAIN_S = 1
FLUSH_S = 10
#: They say where a cell is, and are kept: a cell whose end is lost would seem to run for ever.
STATES = ("status", "execute_input")
MOST_STATES = 1000
DELIMITER = b"<IDS|MSG>"


class Publisher:
    """What a kernel's output thread sends with, in the place of the socket's own ``send_multipart``."""

    def __init__(self, thread, session):
        self.patience_s = PATIENCE_S
        self._thread = thread
        self._session = session
        self._process = os.getpid()
        self._send = None
        self._lost = {}
        self._states = []
        # Cleared while the output thread waits.
        self._has_room = threading.Event()
        self._has_room.set()
        # A socket belongs to one thread.
        thread.schedule(self._begin)

    def _begin(self):
        import zmq

        self._zmq = zmq
        socket = self._thread.socket
        socket.setsockopt(zmq.XPUB_NODROP, 1)
        socket.setsockopt(zmq.SNDTIMEO, LOOK_EVERY_MS)
        self._send = socket.send_multipart
        socket.send_multipart = self.send_multipart

    def hold(self, stream):
        """Has whoever prints wait too: the stream's buffer has no bound."""
        write = stream.write

        def write_with_room(text):
            # A child that was forked sends by a socket of its own.
            if os.getpid() == self._process and threading.current_thread() is not self._thread.thread:
                self._has_room.wait()
            return write(text)

        stream.write = write_with_room
        # It would say in the cell that it gave up, and the output comes nevertheless.
        stream.flush_timeout = PATIENCE_S + FLUSH_S

    def send_multipart(self, parts, flags=0, copy=True, track=False, **more):
        def send(more_flags):
            self._say_what_is_lost(more_flags)
            return self._send(parts, flags | more_flags, copy, track, **more)

        try:
            return send(self._zmq.NOBLOCK)
        except self._zmq.Again:
            if self._lost:
                return self._lose(parts)
        self._has_room.clear()
        try:
            give_up = time.monotonic() + self.patience_s
            while time.monotonic() < give_up and not self._thread._stopped:
                try:
                    return send(0)
                except self._zmq.Again:
                    pass
        finally:
            self._has_room.set()
        return self._lose(parts)

    def _lose(self, parts):
        if not self._lost:
            self._thread.io_loop.call_later(SAY_AGAIN_S, self._say_again)
        at = parts.index(DELIMITER)
        header, parent = (self._session.unpack(part) for part in parts[at + 2 : at + 4])
        cell = self._lost.setdefault(parent.get("msg_id", ""), {"parent": parent, "bytes": 0})
        if header["msg_type"] in STATES:
            self._states.append(parts)
            del self._states[:-MOST_STATES]
        else:
            cell["bytes"] += sum(memoryview(part).nbytes for part in parts)

    def _say_what_is_lost(self, flags):
        while self._lost:
            key, cell = next(iter(self._lost.items()))
            if cell["bytes"] > 0:
                self._send(self._said(cell), flags)
            del self._lost[key]
        while self._states:
            self._send(self._states[0], flags)
            del self._states[0]

    def _say_again(self):
        """Nothing may be sent any more that would bring it along."""
        try:
            self._say_what_is_lost(self._zmq.NOBLOCK)
        except self._zmq.Again:
            self._thread.io_loop.call_later(SAY_AGAIN_S, self._say_again)

    def _said(self, cell):
        content = {"msg_type": "stream", "bytes": cell["bytes"], "reason": "unread"}
        message = self._session.msg("hitch_left_out", content, parent={"header": cell["parent"]})
        return self._session.serialize(message, b"hitch_left_out")


def start():
    from ipykernel.iostream import OutStream
    from ipykernel.kernelapp import IPKernelApp

    class HitchKernelApp(IPKernelApp):
        publisher = None

        def init_iopub(self, context):
            super().init_iopub(context)
            self.publisher = Publisher(self.iopub_thread, self.session)

        def init_io(self):
            super().init_io()
            for stream in (sys.stdout, sys.stderr):
                if isinstance(stream, OutStream):
                    self.publisher.hold(stream)

    HitchKernelApp.launch_instance()


if __name__ == "__main__":
    # With -m the first place to look for modules is the current folder, and a kernel puts it there by itself later.
    if sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
        del sys.path[0]
    start()
