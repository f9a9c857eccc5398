"""How the sandbox reports: signed events, which it can hold back, repeat and shuffle ([SANDBOX]).

The signature is made here anew, and not by the code that checks it on our side: a mistake there
must not cancel itself out.
"""

import hashlib
import hmac
import json
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from infra.local.webhook_queue import Deliver, WebhookQueue

WEBHOOK_PATH = "/webhooks/sandbox"


class Webhooks(WebhookQueue):
    """The sandbox's events and their signatures."""

    def __init__(
        self,
        now: Callable[[], datetime],
        deliver: Deliver,
        secrets: Sequence[str],
        rng: random.Random,
    ) -> None:
        super().__init__(now, deliver, rng, path=WEBHOOK_PATH, sign=self._headers)
        self.secrets = tuple(secrets)

    def send(self, type_: str, about: dict[str, Any], delay_seconds: int = 0) -> None:
        """Report `about` as an event that happens `delay_seconds` from now."""
        happens = self._now() + timedelta(seconds=delay_seconds)
        content = {
            "id": f"evt_{self._rng.getrandbits(96):024x}",
            "type": type_,
            "created": int(happens.timestamp()),
            "object": about,
        }
        self.add(json.dumps(content, separators=(",", ":")).encode(), delay_seconds)

    def _headers(self, body: bytes, at: datetime) -> dict[str, str]:
        return {"Sandbox-Signature": self.signature(body, at)}

    def signature(self, body: bytes, at: datetime) -> str:
        """The header's value for `body` signed at `at`, once per secret."""
        moment = int(at.timestamp())
        signed = f"{moment}.".encode() + body
        made = (hmac.new(s.encode(), signed, hashlib.sha256).hexdigest() for s in self.secrets)
        return ",".join([f"t={moment}", *(f"v1={signature}" for signature in made)])
