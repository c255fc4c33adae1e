"""The server that `make far` reads from."""

import socket
import struct
from http.client import HTTPConnection

from compatibility.bodies import lines, sse, whole
from compatibility.case import Replies, Reply
from compatibility.server import serving


def _asked(replies: Replies, *requests: tuple[str, str]) -> list[tuple[int, str, bytes]]:
    """Status, type and body of each answer."""
    with serving(replies) as server:
        connection = HTTPConnection("127.0.0.1", server.server_port, timeout=60)
        found = []
        for method, path in requests:
            connection.request(method, path, body=b"{}" if method == "POST" else None)
            answer = connection.getresponse()
            found.append((answer.status, answer.headers["content-type"], answer.read()))
        connection.close()
        return found


def test_it_answers_by_the_end_of_the_path() -> None:
    """Whatever stands before it, and without the query; another path is not found."""
    replies = {"/chat": sse([{"a": 1}]), "/lines": lines([{"a": 1}, {"b": 2}]), "/token": whole({"t": 1}, status=201)}
    found = _asked(replies, ("POST", "/v1/chat?version=2"), ("POST", "/lines"), ("GET", "/token"), ("GET", "/other"))
    assert found[:3] == [
        (200, "text/event-stream", b'data: {"a": 1}\n\ndata: [DONE]\n\n'),
        (200, "application/x-ndjson", b'{"a": 1}\n{"b": 2}\n'),
        (201, "application/json", b'{"t": 1}'),
    ]
    assert found[3][0] == 404


def test_several_requests_get_several_answers() -> None:
    """In their order; the last one is repeated."""
    replies = {"/x": [whole(1), whole(2)]}
    assert [body for _, _, body in _asked(replies, *[("POST", "/x")] * 3)] == [b"1", b"2", b"2"]


def test_an_answer_may_need_the_address() -> None:
    """A body made by a function is given it."""
    with serving({"/x": Reply(lambda url: url.encode())}) as server:
        connection = HTTPConnection("127.0.0.1", server.server_port, timeout=60)
        connection.request("GET", "/x")
        assert connection.getresponse().read().decode() == server.url
        connection.close()


def test_a_socket_gets_messages_after_it_has_said_something() -> None:
    """The handshake of RFC 6455 with its own example, then text, bytes and the end."""
    with serving({"/live": Reply(socket=["hello", b"\x01" * 200])}) as server:
        client = socket.create_connection(("127.0.0.1", server.server_port), timeout=60)
        client.sendall(b"GET /live HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        reader = client.makefile("rb")
        head = b"".join(iter(reader.readline, b"\r\n"))
        assert head.startswith(b"HTTP/1.1 101")
        assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
        client.sendall(bytes([0x81, 0x82, 1, 2, 3, 4]) + bytes([ord("h") ^ 1, ord("i") ^ 2]))
        assert reader.read(7) == b"\x81\x05hello"
        assert reader.read(204) == b"\x82\x7e\x00\xc8" + b"\x01" * 200
        assert reader.read(4) == b"\x88\x02" + struct.pack(">H", 1000)
        client.sendall(bytes([0x88, 0x80, 0, 0, 0, 0]))
        assert reader.read() == b""
        client.close()
