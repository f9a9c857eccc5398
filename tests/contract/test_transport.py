"""The HTTP transport, against a server on loopback: whatever leaves it open is one error."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from shared.providers import transport
from shared.providers.transport import (
    MAX_ANSWER_BYTES,
    MAX_CONNECTIONS,
    TransportTimeout,
    over_http,
)


class Peer(BaseHTTPRequestHandler):
    """Answers by path, and writes down what came."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, str, str | None, bytes, int]]
    together: threading.Barrier
    """Where calls of `/wait` wait until as many have come."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        port = self.client_address[1]
        type(self).seen.append((self.command, self.path, self.headers["x-mark"], body, port))
        if self.path.endswith("/hang-up"):
            self.close_connection = True
            return
        if self.path.endswith("/wait"):
            self.together.wait(timeout=5)
        size = MAX_ANSWER_BYTES + 1 if self.path.endswith("/huge") else 2
        self.send_response(302 if self.path.endswith("/away") else 200)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self.wfile.write(b"x" * size)

    do_GET = do_POST  # noqa: N815 (the name is the server's)

    def log_message(self, *_args: object) -> None:
        """Quiet."""


@pytest.fixture
def root() -> Iterator[str]:
    Peer.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/mount/"
    transport._pool().clear()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_call_arrives_below_the_base_address_and_connections_are_kept(root: str) -> None:
    send = over_http(root)
    assert send("POST", "/v1/a?b=c", {"x-mark": "1"}, b"{}") == (200, b"xx")
    assert send("GET", "/v1/d", {"x-mark": "2"}, b"") == (200, b"xx")
    assert [seen[:4] for seen in Peer.seen] == [
        ("POST", "/mount/v1/a?b=c", "1", b"{}"),
        ("GET", "/mount/v1/d", "2", b""),
    ]
    assert len({port for *_, port in Peer.seen}) == 1


def test_a_connection_that_breaks_is_open_and_never_tried_again(root: str) -> None:
    send = over_http(root)
    with pytest.raises(TransportTimeout):
        send("POST", "/hang-up", {}, b"{}")
    assert len(Peer.seen) == 1


def test_an_answer_without_end_is_given_up(root: str) -> None:
    with pytest.raises(TransportTimeout):
        over_http(root)("GET", "/huge", {}, b"")


def test_a_redirect_is_not_followed(root: str) -> None:
    assert over_http(root)("POST", "/away", {}, b"{}") == (302, b"xx")
    assert len(Peer.seen) == 1


def test_a_refused_connection_is_the_same_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(TransportTimeout):
            over_http(address)("GET", "/", {}, b"")


def test_every_call_has_a_time_limit() -> None:
    timeout = transport._pool().connection_pool_kw["timeout"]
    assert (timeout.connect_timeout, timeout.read_timeout) == (3, 10)


def test_what_goes_wrong_does_not_use_up_the_connections(root: str) -> None:
    send = over_http(root)
    for path in ("/huge", "/hang-up") * (MAX_CONNECTIONS + 1):
        with pytest.raises(TransportTimeout):
            send("GET", path, {}, b"")
    assert send("GET", "/v1/a", {}, b"") == (200, b"xx")


def test_there_are_only_so_many_connections_at_once(root: str) -> None:
    send = over_http(root)
    Peer.together = threading.Barrier(MAX_CONNECTIONS + 1)
    calls = [
        threading.Thread(target=send, args=("GET", "/wait", {}, b""))
        for _ in range(2 * MAX_CONNECTIONS)
    ]
    for call in calls:
        call.start()
    for _ in range(2):
        Peer.together.wait(timeout=5)
    for call in calls:
        call.join()
    assert len(Peer.seen) == 2 * MAX_CONNECTIONS
    assert len({port for *_, port in Peer.seen}) == MAX_CONNECTIONS
