"""What stands around a started function, on loopback: AWS and the payment provider.

First the answers come from a world (`live`), and are written on a tape; then the tape is played as
often as one likes (`play`), so that every start meets the same bytes and changes nothing.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from infra.local.banks import ROOT
from infra.local.world import LocalWorld

SERVICE_OF_TARGET = {
    "DynamoDB_20120810": "dynamodb",
    "AWSEvents": "eventbridge",
    "AmazonSSM": "ssm",
}
SEND_EMAIL_PATH = "/v2/email/outbound-emails"
NOT_ON_THE_TAPE = 599


@dataclass(frozen=True)
class Answered:
    """One call, by name (`dynamodb:Query`, `provider:POST /_local/sandbox/v1/charges`), and what
    it was answered."""

    name: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_of_aws(self) -> bool:
        return not self.name.startswith("provider:")


@dataclass
class Tape:
    """The calls of one run, in order. `unexpected` are those that no answer was left for."""

    calls: list[Answered] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)


@contextmanager
def loopback() -> Iterator["Loopback"]:
    """Serve on loopback until the end of the block."""
    serving = Loopback()
    try:
        yield serving
    finally:
        serving.close()


def _collection(query: Mapping[str, Any]) -> str:
    """What a query reads: whose, and which kind of it."""
    values = query.get("ExpressionAttributeValues", {})
    return " ".join(str(values.get(name)) for name in (":pk", ":prefix"))


class Loopback:
    """Answers at `address`. `world` is asked by `live`."""

    def __init__(self) -> None:
        self.world: LocalWorld | None = None
        self._lock = Lock()
        self._recording: Tape | None = None
        self._left: list[Answered] = []
        self._tape = Tape()
        answer_of = self.answer

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answered = answer_of(self.command, self.path, dict(self.headers), body)
                self.send_response(answered.status)
                for name, value in answered.headers.items():
                    if name.lower() != "content-length":
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answered.body)))
                self.end_headers()
                self.wfile.write(answered.body)

            do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - as http.server names them

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @contextmanager
    def live(self) -> Iterator[Tape]:
        """The world answers; the tape is what it said."""
        self._recording = Tape()
        try:
            yield self._recording
        finally:
            self._recording = None

    @contextmanager
    def play(self, tape: Tape) -> Iterator[None]:
        """The tape answers, each call with the first answer left for its name."""
        self._tape, self._left = tape, list(tape.calls)
        yield

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answered:
        """Answer one call, from the world or from the tape."""
        target, _, operation = headers.get("X-Amz-Target", "").partition(".")
        if path.startswith(f"{ROOT}/"):
            name = f"provider:{method} {path}"
        elif path == SEND_EMAIL_PATH:
            name = "sesv2:SendEmail"
        else:
            name = f"{SERVICE_OF_TARGET[target]}:{operation}"
            if operation == "Query":  # several may be under way at once
                name += f" {_collection(json.loads(body))}"
        with self._lock:
            if self._recording is not None:
                answered = self._of_the_world(name, method, path, headers, body)
                self._recording.calls.append(answered)
                return answered
            for at, one in enumerate(self._left):
                if one.name == name:
                    return self._left.pop(at)
            self._tape.unexpected.append(name)
            return Answered(name, NOT_ON_THE_TAPE, {}, b"")

    def _of_the_world(
        self, name: str, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answered:
        world = self.world
        assert world is not None
        if name.startswith("provider:"):
            response = world.request(method, path, headers, body)
            return Answered(name, response.status, dict(response.headers), response.body)
        service, _, operation = name.partition(" ")[0].partition(":")
        serve = {
            "dynamodb": world.engine.call,
            "sesv2": world.mailbox.call,
            "eventbridge": world.bus.call,
            "ssm": world.parameters.call,
        }[service]
        answer = serve(operation, body)
        return Answered(name, answer.status, dict(answer.headers), answer.body)
