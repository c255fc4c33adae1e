"""A server on the loopback address, which answers requests as a case states: HTTP in chunks, or messages over a WebSocket."""

from __future__ import annotations

import base64
import hashlib
import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Protocol

from .case import Replies, Reply

_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What RFC 6455, section 1.3, appends to the key of a handshake."""

_TEXT, _BINARY, _CLOSE = 1, 2, 8
"""Opcodes, RFC 6455, section 5.2."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, replies: Replies) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._left = {path: [reply] if isinstance(reply, Reply) else list(reply) for path, reply in replies.items()}
        self._lock = Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that leaves, as SDKs do after an error in a stream."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def reply_to(self, path: str) -> Reply | None:
        with self._lock:
            left = next((left for end, left in self._left.items() if path.endswith(end)), None)
            if not left:
                return None
            return left.pop(0) if len(left) > 1 else left[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        self._read_body()
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    do_PUT = do_POST

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature of the base class
        """Log nothing."""

    def _read_body(self) -> None:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return
        while size := int(self.rfile.readline().split(b";")[0], 16):
            self.rfile.read(size + 2)
        self.rfile.readline()

    def _answer(self) -> None:
        reply = self.server.reply_to(self.path.partition("?")[0])
        if reply is None:
            reply = Reply([b'{"error": {"message": "no such path"}}'], "application/json", 404)
        if reply.socket is not None:
            self._converse(reply.socket, reply.awaits)
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Transfer-Encoding", "chunked")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in [reply.body(self.server.url)] if callable(reply.body) else reply.body:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b"")
        self.wfile.write(b"0\r\n\r\n")

    def _converse(self, messages: Sequence[str | bytes], awaits: int) -> None:
        key = self.headers.get("Sec-WebSocket-Key", "").encode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key + _ACCEPT).digest()).decode())
        self.end_headers()
        self.close_connection = True
        for _ in range(awaits):
            _read_message(self.rfile)
        for message in messages:
            text = isinstance(message, str)
            self.wfile.write(_frame(_TEXT if text else _BINARY, message.encode() if isinstance(message, str) else message))
        self.wfile.write(_frame(_CLOSE, struct.pack(">H", 1000)))
        while (found := _read_message(self.rfile)) is not None and found[0] != _CLOSE:
            pass


def _frame(opcode: int, data: bytes) -> bytes:
    """A whole message of the server: one frame, which is not masked."""
    size = len(data)
    length = bytes([size]) if size < 126 else struct.pack(">BH", 126, size) if size < 1 << 16 else struct.pack(">BQ", 127, size)
    return bytes([0x80 | opcode]) + length + data


def _read_message(stream: _Readable) -> tuple[int, bytes] | None:
    """The opcode and the data of the client's next frame; None at the end."""
    head = stream.read(2)
    if len(head) < 2:
        return None
    size = head[1] & 0x7F
    if size > 125:
        size = int.from_bytes(stream.read(2 if size == 126 else 8))
    mask, data = stream.read(4), stream.read(size)
    return head[0] & 0x0F, bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))


@contextmanager
def serving(replies: Replies) -> Iterator[_Server]:
    """A server that answers in this way, as long as the block runs."""
    server = _Server(replies)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
