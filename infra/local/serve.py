"""Serves Punchcard on this machine: `python -m infra.local.serve` ([RUN]).

`PORT` (8000) says where on 127.0.0.1. Everything is in memory and gone when it ends.
"""

import importlib
import importlib.util
import io
import ipaddress
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from threading import Event, Thread
from types import ModuleType
from typing import Any, TextIO, cast

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from infra.local.happened import NeverQuiet
from infra.local.http_api import MAX_BODY_BYTES
from infra.local.world import LocalWorld

HOST = "127.0.0.1"
DEFAULT_PORT = 8000
LONGEST_WAIT_SECONDS = 5.0
SHORTEST_WAIT_SECONDS = 0.05

log = logging.getLogger(__name__)


class CannotServe(Exception):
    """Why nothing was started, in a sentence."""


class _Quiet(WSGIRequestHandler):
    """Says nothing about each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class WithoutMetrics(io.TextIOBase):
    """Hands on what functions print, but for the metrics, which nobody collects here."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._dropping = False

    def write(self, text: str) -> int:
        if text.startswith('{"_aws"'):
            # `print` writes the end of the line by itself.
            self._dropping = not text.endswith("\n")
        elif self._dropping and text == "\n":
            self._dropping = False
        else:
            self._out.write(text)
        return len(text)

    def flush(self) -> None:
        self._out.flush()


StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class App:
    """The world as a WSGI application."""

    def __init__(self, world: LocalWorld) -> None:
        self._world = world

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        # One byte more than is taken, so that the world sees that it is too much.
        body = environ["wsgi.input"].read(_length(environ)) if _has_body(environ) else b""
        response = self._world.request(
            environ["REQUEST_METHOD"],
            environ.get("REQUEST_URI") or environ["PATH_INFO"],
            _headers(environ),
            body,
            source_ip=environ.get("REMOTE_ADDR", HOST),
        )
        content = b"" if environ["REQUEST_METHOD"] == "HEAD" else response.body
        headers = [
            (name, value) for name, value in response.headers if name.lower() != "content-length"
        ]
        if response.status not in (204, 304):
            headers.append(("content-length", str(len(response.body))))
        start_response(f"{response.status} {_reason(response.status)}", headers)
        return [content]


def _has_body(environ: dict[str, Any]) -> bool:
    return bool(environ.get("CONTENT_LENGTH")) or bool(environ.get("wsgi.input_terminated"))


def _length(environ: dict[str, Any]) -> int:
    announced = int(environ.get("CONTENT_LENGTH") or MAX_BODY_BYTES + 1)
    return min(announced, MAX_BODY_BYTES + 1)


def _headers(environ: dict[str, Any]) -> list[tuple[str, str]]:
    headers = [
        (name[5:].replace("_", "-").lower(), str(value))
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    return headers + [
        (name.replace("_", "-").lower(), str(environ[name]))
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH")
        if environ.get(name)
    ]


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `CannotServe` for anything but loopback, or a busy port."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise CannotServe(f"{host} is not an address; this serves 127.0.0.1 only.") from None
    if not address.is_loopback or address.version != 4:
        raise CannotServe(f"This serves 127.0.0.1 only, not {host}: it has no locks on its doors.")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        raise CannotServe(
            f"Port {port} is not free; choose another, such as PORT={DEFAULT_PORT + 1}. ({error})"
        ) from error
    return listener


class Hand:
    """Moves with real time: runs what falls due while nobody moves the clock."""

    def __init__(self) -> None:
        self._wake = Event()
        self._stopping = Event()
        self._thread: Thread | None = None

    def wake(self) -> None:
        """Look again now: something may have fallen due."""
        self._wake.set()

    def start(self, world: LocalWorld) -> None:
        self._thread = Thread(target=self._run, args=(world,), name="due work", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(LONGEST_WAIT_SECONDS)

    def _run(self, world: LocalWorld) -> None:
        while not self._stopping.is_set():
            wait = LONGEST_WAIT_SECONDS
            try:
                upcoming = world.next_moment()
                if upcoming is not None:
                    wait = (upcoming - world.now()).total_seconds()
            except Exception:  # the hand must not stop; the next turn tries again
                log.exception("could not see what is due")
            self._wake.wait(min(max(wait, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS))
            self._wake.clear()
            if self._stopping.is_set():
                return
            try:
                world.run_due()
            except NeverQuiet as error:
                log.error("%s", error)
            except Exception:  # the hand must not stop; the next turn tries again
                log.exception("due work failed")


class Running:
    """Punchcard, served, with its demo data; `stop` ends it."""

    def __init__(self, host: str = HOST, port: int = DEFAULT_PORT, *, demo: bool = True) -> None:
        listener = listen(host, port)
        bound: int = listener.getsockname()[1]
        self.port = bound
        self.address = f"http://{host}:{self.port}"
        self._hand = Hand()
        now = datetime.now(UTC).replace(microsecond=0)
        module = _demo() if demo else None
        try:
            self.world = LocalWorld(
                start=now if module is None else module.begins(now),
                public_url=self.address,
                banks_over_http=True,
                woken=self._hand.wake,
            )
        except BaseException:
            listener.close()
            raise
        self._server: BaseWSGIServer = make_server(
            host,
            self.port,
            App(self.world),
            threaded=True,
            request_handler=_Quiet,
            fd=listener.fileno(),
        )
        listener.close()  # the server has a descriptor of its own
        # Before the demo data: a request that comes early waits for it instead of failing.
        Thread(target=self._server.serve_forever, name="http", daemon=True).start()
        try:
            with self.world.lock:
                if module is not None:
                    module.load(self.world, now)
                self.world.clock.go_on()
        except BaseException:
            self.stop()
            raise
        self._hand.start(self.world)

    def stop(self) -> None:
        self._hand.stop()
        self._server.shutdown()
        self._server.server_close()
        self.world.close()


def _demo() -> ModuleType | None:
    """`infra.local.demo`: `begins(now)` says when its story starts, `load(world, now)` plays it."""
    if importlib.util.find_spec("infra.local.demo") is None:
        return None
    return importlib.import_module("infra.local.demo")


def main() -> int:
    # The ready line has standard output for itself; what functions log goes where errors go.
    ready, sys.stdout = sys.stdout, cast(TextIO, WithoutMetrics(sys.stderr))
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "WARNING")
    try:
        port = int(os.environ.get("PORT") or DEFAULT_PORT)
        running = Running(os.environ.get("HOST") or HOST, port)
    except ValueError:
        print(f"PORT is a number, not {os.environ['PORT']!r}.", file=sys.stderr)
        return 2
    except CannotServe as error:
        print(error, file=sys.stderr)
        return 2
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    print(f"Punchcard is ready at {running.address}", file=ready, flush=True)
    ended.wait()
    running.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
