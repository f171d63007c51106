"""Kernel sockets for Jupyter Server as Hitch's agent needs them: prompt, whole and bounded.

The stock handler leaves Nagle's algorithm on (40 ms a round trip), drops output over a rate, and buffers without
limit what its client does not take. The agent is the only client; it journals everything and never wants less.
"""

from collections import deque
import json

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.websocket import WebSocketClosedError
from traitlets import Bool, Int
import zmq


def beginning_of(frame):
    """A frame's channel, header and parent header, as bytes."""
    count = int.from_bytes(frame[:8], "little")
    offsets = [int.from_bytes(frame[8 * at : 8 * at + 8], "little") for at in range(1, count + 1)]
    return (frame[offsets[at] : offsets[at + 1]] for at in range(3))


def left_out(frame):
    """What is sent in the place of a frame that no socket on the way would carry: whose it was, and how long."""
    channel, header, parent = beginning_of(frame)
    was = json.loads(header)
    header = json.dumps({**was, "msg_type": "hitch_left_out"}).encode()
    content = json.dumps({"msg_type": was["msg_type"], "bytes": len(frame)}).encode()
    parts = [channel, header, parent, b"{}", content]
    ends = [8 * (2 + len(parts))]
    for part in parts:
        ends.append(ends[-1] + len(part))
    return b"".join([number.to_bytes(8, "little") for number in [len(ends), *ends]] + parts)


class Kept:
    """What was sent to one session and may not have arrived: a killed agent takes along what it had not read.

    The agent says how many frames it holds (``hitch-have N``); a connection that comes in the place of an earlier one
    begins with how many were dropped before and how many follow again (``hitch-again FIRST COUNT``), then those.
    Where output had to go that the agent has not said to hold, ``hitch-lost`` comes first, with the id of the last of
    its messages and whose they were: an agent that does not know that id has lost some.
    """

    # An execution whose end was lost is found by asking the kernel.
    no_output = {"status", "execute_input"}
    sessions = {}

    def __init__(self):
        self.frames = deque()
        self.first = 0
        self.size = 0
        self.lost = {}
        self.last_lost = ""
        self.lost_until = 0

    def add(self, frame, most_bytes):
        self.frames.append(frame)
        self.size += len(frame)
        while self.size > most_bytes:
            self._lose()

    def arrived(self, count):
        while self.frames and self.first < count:
            self._drop()
        if count >= self.lost_until:
            self.lost.clear()

    def lost_words(self):
        return "hitch-lost " + json.dumps({"last": self.last_lost, "cells": list(self.lost.values())})

    def _lose(self):
        frame = self._drop()
        channel, header, parent = beginning_of(frame)
        header, parent = json.loads(header), json.loads(parent)
        if channel != b"iopub" or header["msg_type"] in self.no_output:
            return
        self.last_lost = header["msg_id"]
        self.lost_until = self.first
        parent_id = parent.get("msg_id", "")
        cell = {"parent": parent_id, "session": parent.get("session", ""), "bytes": 0}
        self.lost.setdefault(parent_id, cell)["bytes"] += len(frame)

    def _drop(self):
        frame = self.frames.popleft()
        self.size -= len(frame)
        self.first += 1
        return frame


class HitchKernelConnection(ZMQChannelsWebsocketConnection):
    """A kernel's socket that sends at once and stops reading from the kernel while its client does not take more."""

    limit_rate = Bool(False, config=True, help="Whether to drop output over a rate.")

    longest = Int(256 * 1024 * 1024, config=True, help="Bytes of a message above which it is left out, which is said.")
    kept = Int(16 * 1024 * 1024, config=True, help="Bytes kept until the agent holds them; what goes is said.")
    high_water = Int(8 * 1024 * 1024, config=True, help="Unsent bytes above which the kernel is not read.")
    low_water = Int(2 * 1024 * 1024, config=True, help="Unsent bytes below which the kernel is read again.")

    _unsent = 0
    _paused = False
    _kept = None
    _ports = None
    _protocol = None

    @property
    def subprotocol(self):
        """While a close is under way (5 s for a client that stands still) the handler knows none, and a frame of no
        protocol is not kept."""
        self._protocol = super().subprotocol or self._protocol
        return self._protocol

    def create_stream(self):
        super().create_stream()
        self._ports = self.kernel_manager.ports
        # ZeroMQ counts messages, not bytes, and drops what is over: 1000 short prints are nothing.
        self.channels["iopub"].socket.setsockopt(zmq.RCVHWM, 0)

    def connect(self):
        self.websocket_handler.set_nodelay(True)
        # Of streams that the server kept; others are made anew.
        self._ports = self.kernel_manager.ports
        if self.session.session.startswith("hitch-"):
            self._send_again()
        return super().connect()

    def _send_again(self):
        known = self.multi_kernel_manager
        for key in [key for key in Kept.sessions if key.partition(":")[0] not in known]:
            del Kept.sessions[key]
        self._kept = Kept.sessions.setdefault(f"{self.kernel_id}:{self.session.session}", Kept())
        if self._kept.lost:
            self._pass_on(self._kept.lost_words(), False)
        self._pass_on(f"hitch-again {self._kept.first} {len(self._kept.frames)}", False)
        for frame in self._kept.frames:
            self._pass_on(frame, True)

    def _pass_on(self, message, binary):
        try:
            self.websocket_handler.write_message(message, binary=binary)
        except WebSocketClosedError:
            pass

    def handle_incoming_message(self, incoming_msg):
        if self._kept is not None and isinstance(incoming_msg, str):
            word, _, count = incoming_msg.partition(" ")
            if word == "hitch-have" and count.isdecimal():
                self._kept.arrived(int(count))
            return
        self._follow_ports()
        super().handle_incoming_message(incoming_msg)

    def _follow_ports(self):
        """A kernel that died young is started again on other ports, and the stock handler speaks to the old ones."""
        ports = self.kernel_manager.ports
        # Without numbers the next process is not started yet.
        if not self.channels or ports == self._ports or 0 in ports:
            return
        for stream in self.channels.values():
            if not stream.closed():
                stream.on_recv(None)
                stream.close()
        self.create_stream()
        if not self._paused:
            self._read()
        known = self.multi_kernel_manager
        if self.kernel_id in known and known.ports_changed(self.kernel_id):
            known.stop_watching_activity(self.kernel_id)
            self.kernel_manager.execution_state = "starting"
            known.start_watching_activity(self.kernel_id)

    @property
    def write_message(self):
        return self._write

    def _write(self, message, binary=False):
        if binary and len(message) > self.longest:
            message = left_out(message)
        if binary and self._kept is not None:
            self._kept.add(message, self.kept)
        try:
            sent = self.websocket_handler.write_message(message, binary=binary)
        except WebSocketClosedError:
            # The close is under way; what follows is kept or buffered for the client's return.
            return
        size = len(message)
        self._unsent += size
        sent.add_done_callback(lambda future: self._sent(future, size))
        if self._unsent > self.high_water and not self._paused:
            self._pause()

    def _sent(self, future, size):
        self._unsent -= size
        if not future.cancelled():
            future.exception()
        if self._paused and self._unsent < self.low_water:
            self._resume()

    def _pause(self):
        self._paused = True
        for stream in self.channels.values():
            if not stream.closed():
                stream.stop_on_recv()

    def _resume(self):
        self._paused = False
        # After a disconnect the streams belong to the server's buffer.
        if self in self._open_sockets:
            self._read()

    def _read(self):
        for stream in self.channels.values():
            if not stream.closed():
                stream.on_recv_stream(self.handle_outgoing_message)
