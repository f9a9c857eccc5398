"""How the Stripe stand-in signs its events (docs.stripe.com/webhooks#verify-manually).

`Stripe-Signature: t=…,v1=…`: HMAC-SHA256 of the moment, a dot and the body, once for each secret
while one is being rolled. Made here anew, and not by the code that checks it on our side: a mistake
there must not cancel itself out.
"""

import hashlib
import hmac
import json
import random
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from infra.local.webhook_queue import Deliver, WebhookQueue

WEBHOOK_PATH = "/webhooks/stripe"
EVERY_EVENT = ("*",)


class StripeWebhooks(WebhookQueue):
    """The events to the merchant's endpoint, which has asked for those of `enabled_events`."""

    def __init__(
        self,
        now: Callable[[], datetime],
        deliver: Deliver,
        secrets: Sequence[str],
        rng: random.Random,
        enabled_events: Collection[str] = EVERY_EVENT,
    ) -> None:
        super().__init__(now, deliver, rng, path=WEBHOOK_PATH, sign=self._headers)
        self._secrets = tuple(secrets)
        self._enabled = frozenset(enabled_events)

    def send(self, event: dict[str, Any], delay_seconds: int) -> None:
        if "*" in self._enabled or event["type"] in self._enabled:
            self.add(json.dumps(event, indent=2).encode(), delay_seconds)

    def _headers(self, body: bytes, at: datetime) -> dict[str, str]:
        return {"Stripe-Signature": stripe_signature(body, at, self._secrets)}


def stripe_signature(body: bytes, at: datetime, secrets: Sequence[str]) -> str:
    """The header's value for `body` signed at `at` with each of `secrets`."""
    moment = int(at.timestamp())
    signed = f"{moment}.".encode() + body
    made = (hmac.new(s.encode(), signed, hashlib.sha256).hexdigest() for s in secrets)
    return ",".join([f"t={moment}", *(f"v1={signature}" for signature in made)])
