"""Where localstripe's webhooks arrive, and how they reach ours.

localstripe signs as Stripe does, with the time of this machine, and posts over HTTP about a second
later. What arrives waits here until a test hands it on, so that the test decides what is late.

Our side goes by the local clock and takes nothing that was signed more than 300 seconds away from
it ([VERIFY]). In a world that stands in the present the bytes and headers go on just as they came.
In one whose clock is elsewhere the signature is checked here as it came, by this machine's time,
and the same bytes are signed anew with the same secret for the moment of the local clock.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any

from infra.local.stripe_webhooks import WEBHOOK_PATH, stripe_signature
from infra.local.world import LocalWorld
from shared.providers.signatures import verify
from tests.localstripe.service import LocalStripe

WAIT_SECONDS = 10
SIGNATURE = "stripe-signature"


@dataclass(frozen=True)
class Arrived:
    """An event as it came: header names in lower case, the raw bytes."""

    id: str
    type: str
    headers: Mapping[str, str]
    body: bytes


class Webhooks:
    """What has arrived so far, by the id of the event."""

    def __init__(self, localstripe: LocalStripe, secret: str) -> None:
        self._localstripe = localstripe
        self._secret = secret
        self._arrived: dict[str, Arrived] = {}
        self._changed = Condition()
        self._handed_on: set[str] = set()

    def take(self, headers: Mapping[str, str], body: bytes) -> None:
        event = json.loads(body)
        with self._changed:
            self._arrived[event["id"]] = Arrived(event["id"], event["type"], headers, body)
            self._changed.notify_all()

    def waiting(self) -> list[Arrived]:
        """Wait for every event that localstripe has had; those not handed on yet, oldest first."""
        ids = [event["id"] for event in self._localstripe.all("events")]
        return [self._wait_for(id_) for id_ in ids if id_ not in self._handed_on]

    def hand_on(self, world: LocalWorld, *, as_they_came: bool = False) -> list[str]:
        """Post those that wait to our webhook route, which has to acknowledge each; answers their
        types."""
        types = []
        for arrived in self.waiting():
            headers = dict(arrived.headers)
            if not as_they_came:
                verify(headers[SIGNATURE], arrived.body, [self._secret], datetime.now(UTC))
                signed = stripe_signature(arrived.body, world.now(), [self._secret])
                headers[SIGNATURE] = signed
            answer = world.request("POST", WEBHOOK_PATH, headers, arrived.body)
            assert answer.status == 200, answer.text
            self._handed_on.add(arrived.id)
            types.append(arrived.type)
        return types

    def _wait_for(self, event_id: str) -> Arrived:
        with self._changed:
            there = self._changed.wait_for(lambda: event_id in self._arrived, WAIT_SECONDS)
            assert there, f"{event_id} did not arrive within {WAIT_SECONDS} seconds"
            return self._arrived[event_id]


@contextmanager
def receiving(localstripe: LocalStripe, secret: str) -> Iterator[Webhooks]:
    """Listens on loopback and has localstripe's webhooks sent there."""
    webhooks = Webhooks(localstripe, secret)

    class Receive(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            webhooks.take(headers, self.rfile.read(length))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (as it is there)
            """Tests are quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receive) as server:
        serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            port = server.server_address[1]
            localstripe.post_webhooks_to(f"http://127.0.0.1:{port}/", secret)
            yield webhooks
        finally:
            server.shutdown()
            serving.join(WAIT_SECONDS)
