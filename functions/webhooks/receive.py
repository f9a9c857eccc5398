"""A provider's event comes in: verified on its raw bytes, stored once, answered ([VERIFY])."""

import base64
import json
from typing import Any

from shared.domain.due import Worker
from shared.log import logger
from shared.operations.bus import event as bus_event
from shared.operations.bus import put_events
from shared.operations.receiving import Receipt, Stored, receive
from shared.providers.errors import NoSuchProvider
from shared.providers.events import InvalidSignature, ReadsWebhooks
from shared.store.items import StoreUnavailable
from shared.wiring import SECRETS_READ_AGAIN_AFTER, Wiring, current

MAX_BODY_BYTES = 256 * 1024


def _answer(status: int, code: str, detail: str, **headers: str) -> dict[str, Any]:
    kind = "application/json" if status < 400 else "application/problem+json"
    body = {"status": status, "code": code, "detail": detail}
    return {
        "statusCode": status,
        "headers": {
            "content-type": kind,
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            **headers,
        },
        "body": json.dumps(body),
    }


def _raw(event: dict[str, Any]) -> bytes | None:
    body: str = event.get("body") or ""
    try:
        if event.get("isBase64Encoded"):
            return base64.b64decode(body, validate=True)
        return body.encode()
    except ValueError:
        return None


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """400 for anything that does not verify, and nothing is stored; 200 for what does, also when
    it came before. 503 when it could not be stored: the provider sends it again."""
    method = event["requestContext"]["http"]["method"]
    if method != "POST":
        return _answer(405, "method_not_allowed", "Events are posted.", allow="POST")
    wiring = current()
    name = (event.get("pathParameters") or {}).get("provider", "")
    try:
        reader = wiring.webhook_reader(name)
    except NoSuchProvider:
        return _answer(404, "not_found", "There is no such provider here.")
    raw = _raw(event)
    if raw is None or len(raw) > MAX_BODY_BYTES:
        return _answer(400, "invalid_event", "The body can't be read.")
    headers = {key.lower(): value for key, value in (event.get("headers") or {}).items()}
    try:
        receipt = _received(wiring, reader, headers, raw)
    except InvalidSignature:
        logger.info("webhook refused", provider=name)
        return _answer(400, "invalid_signature", "The signature does not hold.")
    except StoreUnavailable:
        return _answer(503, "unavailable", "Try again later.")
    if receipt.stored is Stored.NEW and receipt.event.applied_at is None:
        _hand_over(wiring, receipt.ref.pk, receipt.ref.sk)
    logger.info("webhook stored", provider=name, type=receipt.event.type, new=receipt.stored.value)
    return _answer(200, "received", "Stored.")


def _received(
    wiring: Wiring, reader: ReadsWebhooks, headers: dict[str, str], raw: bytes
) -> Receipt:
    """By the secrets as they are now: what does not verify may be signed by one that has come
    since they were read, so they are read again, at most once a minute."""
    try:
        return receive(wiring.now(), reader, headers, raw)
    except InvalidSignature:
        newer = wiring.webhook_reader(reader.name, SECRETS_READ_AGAIN_AFTER)
        if newer == reader:
            raise
        return receive(wiring.now(), newer, headers, raw)


def _hand_over(wiring: Wiring, pk: str, sk: str) -> None:
    """Apply it at once; when the bus does not take it, the sweep has it within a minute."""
    entry = bus_event(
        wiring.environment.event_bus, Worker.APPLY, [{"pk": pk, "sk": sk, "due_at": ""}]
    )
    try:
        put_events(wiring.events, [entry])
    except Exception:
        logger.exception("event not handed over")
