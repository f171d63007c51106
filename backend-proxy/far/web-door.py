"""The door of a machine that the world reaches by a web address alone: ssh inside a WebSocket.

It listens where the network's gateway forwards requests to, and gives each WebSocket that shows the machine's access token
an `sshd -i` of its own: binary messages are the bytes of ssh, the text `end` says that no more of them come, and a close
says that sshd has ended. What a gateway in between can read is ssh. Whoever shows no token is told 403, or 200 and nothing more
where nothing but a page was asked for. Both have places of their own: who has not shown the token yet takes none of the owner's.

Python's own library only, from 3.8. Started by web-door.sh, which says what stands in the environment.
"""

import asyncio
import base64
import hashlib
import hmac
import os
import socket
import struct

PORT = int(os.environ.get("HITCH_DOOR_PORT") or "8022")
SSHD = os.environ["HITCH_DOOR_SSHD"]
CONFIG = os.environ["HITCH_DOOR_CONFIG"]
# The same words as in web-door.ts. The boot secret itself never leaves the machine.
TOKEN = hmac.new(os.environ["HITCH_PROOF"].encode(), b"hitch web door", hashlib.sha256).hexdigest()

# Of the WebSocket protocol (RFC 6455, 1.3).
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUED, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

PIECE = 64 * 1024
LONGEST_MESSAGE = 4 * 1024 * 1024
# Those who have shown the token.
VISITS_AT_ONCE = 64
# Those who have not, which is more than are accepted in one go: whoever sends a head at once has it read.
STRANGERS_AT_ONCE = 256
ACCEPTED_IN_ONE_GO = 100
HEAD_WITHIN_S = 5
# Gateways cut what is silent for a minute.
PING_EVERY_S = 20
SILENT_FOR_S = 90
ENDS_WITHIN_S = 10

visits_now = 0
# Each by what ends its connection, the one that came first in front.
strangers = {}


class Answered(Exception):
    """What is said to whoever does not come in."""


def head_of(raw):
    lines = raw.decode("latin-1").split("\r\n")
    pairs = (line.split(":", 1) for line in lines[1:] if ":" in line)
    return {name.strip().lower(): value.strip() for name, value in pairs}


def checked_key(raw):
    """The key of a handshake that may come in."""
    head = head_of(raw)
    if "upgrade" not in head and "x-hitch-access" not in head:
        # Networks look whether anything answers before they lead anybody here.
        raise Answered("200 OK")
    if not hmac.compare_digest(head.get("x-hitch-access", "").encode("latin-1"), TOKEN.encode()):
        raise Answered("403 Forbidden")
    if head.get("upgrade", "").lower() != "websocket" or "sec-websocket-key" not in head:
        raise Answered("426 Upgrade Required")
    return head["sec-websocket-key"].encode("latin-1")


def frame(kind, payload):
    size = len(payload)
    if size < 126:
        head = struct.pack(">BB", 0x80 | kind, size)
    elif size < 65536:
        head = struct.pack(">BBH", 0x80 | kind, 126, size)
    else:
        head = struct.pack(">BBQ", 0x80 | kind, 127, size)
    return head + payload


async def read_frame(reader):
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack(">H", await reader.readexactly(2))
    elif size == 127:
        (size,) = struct.unpack(">Q", await reader.readexactly(8))
    # A client's frames are masked, and nothing was agreed upon that would use the other bits.
    if not second & 0x80 or first & 0x70 or size > LONGEST_MESSAGE:
        raise ConnectionError("no frame of a client")
    mask = await reader.readexactly(4)
    payload = await reader.readexactly(size)
    key = (mask * (size // 4 + 1))[:size]
    return first & 0x0F, (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


class Visit:
    """One WebSocket and its sshd."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.heard_at = asyncio.get_running_loop().time()

    def send(self, kind, payload):
        self.writer.write(frame(kind, payload))

    async def from_client(self, sshd):
        while True:
            kind, payload = await read_frame(self.reader)
            self.heard_at = asyncio.get_running_loop().time()
            # It is a stream: a piece that continues a message is a piece like any other.
            if kind in (BINARY, CONTINUED):
                sshd.write(payload)
                await sshd.drain()
            elif kind == TEXT and payload == b"end":
                sshd.write_eof()
            elif kind == PING:
                self.send(PONG, payload)
            elif kind == CLOSE:
                return

    async def to_client(self, sshd):
        while True:
            piece = await sshd.read(PIECE)
            if not piece:
                self.send(CLOSE, struct.pack(">H", 1000))
                await self.writer.drain()
                return
            self.send(BINARY, piece)
            await self.writer.drain()

    async def keep_alive(self):
        while True:
            await asyncio.sleep(PING_EVERY_S)
            if asyncio.get_running_loop().time() - self.heard_at > SILENT_FOR_S:
                return
            self.send(PING, b"")

    async def run(self):
        ours, theirs = socket.socketpair()
        # sshd ends the session itself when this side of the pair is closed.
        sshd = await asyncio.create_subprocess_exec(SSHD, "-i", "-e", "-f", CONFIG, stdin=theirs, stdout=theirs)
        theirs.close()
        said, told = await asyncio.open_connection(sock=ours)
        works = [
            asyncio.ensure_future(work)
            for work in (self.from_client(told), self.to_client(said), self.keep_alive())
        ]
        try:
            await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for work in works:
                work.cancel()
            # What each of them ended with is of no use to anybody any more.
            await asyncio.gather(*works, return_exceptions=True)
            told.close()
            try:
                await asyncio.wait_for(sshd.wait(), ENDS_WITHIN_S)
            except asyncio.TimeoutError:
                sshd.kill()


async def first_words(reader, writer):
    """The head of a request. Where there are many strangers, whoever waits longest with theirs leaves for one that comes."""
    if len(strangers) >= STRANGERS_AT_ONCE:
        longest = next(iter(strangers))
        del strangers[longest]
        longest.transport.abort()
    strangers[writer] = True
    try:
        return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_WITHIN_S)
    finally:
        strangers.pop(writer, None)


async def visit(key, reader, writer):
    global visits_now
    if visits_now >= VISITS_AT_ONCE:
        raise Answered("503 Service Unavailable")
    visits_now += 1
    try:
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        await Visit(reader, writer).run()
    finally:
        visits_now -= 1


async def come_in(reader, writer):
    try:
        key = checked_key(await first_words(reader, writer))
        await visit(key, reader, writer)
    except Answered as answered:
        writer.write(f"HTTP/1.1 {answered}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode())
    except (OSError, EOFError, asyncio.TimeoutError, asyncio.LimitOverrunError):
        # Whoever left, broke off or said nothing: there is nobody to be told.
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(come_in, port=PORT, limit=PIECE, backlog=ACCEPTED_IN_ONE_GO)
    async with server:
        await server.serve_forever()


asyncio.run(main())
