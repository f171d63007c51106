"""Kernel sockets for Jupyter Server as Hitch's agent needs them: prompt, whole and bounded.

The stock handler leaves Nagle's algorithm on (40 ms a round trip), drops output over a rate, and buffers without
limit what its client does not take. The agent is the only client; it journals everything and never wants less.
"""

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.websocket import WebSocketClosedError
from traitlets import Bool, Int
import zmq


class HitchKernelConnection(ZMQChannelsWebsocketConnection):
    """A kernel's socket that sends at once and stops reading from the kernel while its client does not take more."""

    limit_rate = Bool(False, config=True, help="Whether to drop output over a rate.")

    high_water = Int(8 * 1024 * 1024, config=True, help="Unsent bytes above which the kernel is not read.")
    low_water = Int(2 * 1024 * 1024, config=True, help="Unsent bytes below which the kernel is read again.")

    _unsent = 0
    _paused = False

    def create_stream(self):
        super().create_stream()
        # ZeroMQ counts messages, not bytes, and drops what is over: 1000 short prints are nothing.
        self.channels["iopub"].socket.setsockopt(zmq.RCVHWM, 0)

    def connect(self):
        self.websocket_handler.set_nodelay(True)
        return super().connect()

    @property
    def write_message(self):
        return self._write

    def _write(self, message, binary=False):
        try:
            sent = self.websocket_handler.write_message(message, binary=binary)
        except WebSocketClosedError:
            # The close is under way; what follows is buffered for the client's return.
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
            for stream in self.channels.values():
                if not stream.closed():
                    stream.on_recv_stream(self.handle_outgoing_message)
