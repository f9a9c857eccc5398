"""The signature on a webhook: an HMAC over the moment and the raw bytes ([VERIFY]).

The header reads `t=<unix seconds>,v1=<hex hmac-sha256 of "t.body">`, with one more `v1` for each
further secret while secrets are being rotated. Elements of other names belong to schemes that
we do not know and are passed over.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from shared.providers.events import InvalidSignature

TOLERANCE_SECONDS = 300
"""How far the moment of signing may lie from now, either way."""

MAX_HEADER_CHARACTERS = 4096
MAX_SIGNATURES = 16

_MOMENT = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.ASCII)


def verify(header: str | None, body: bytes, secrets: Sequence[str], now: datetime) -> datetime:
    """Hold `header` against the raw `body`; answers the moment of signing, in UTC.

    One good signature under one of `secrets` is enough. Raises `InvalidSignature` for a missing
    or malformed header, a moment more than 300 seconds before or after `now`, and when nothing
    matches. Every signature is compared with every secret in constant time, so how long it
    takes does not tell which came close.
    """
    moment, signatures = _read(header)
    signed_at = int(moment)
    if abs(now.timestamp() - signed_at) > TOLERANCE_SECONDS:
        raise InvalidSignature("The moment of signing is too far from now.")
    matches = False
    for secret in secrets:
        expected = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256)
        for signature in signatures:
            matches |= hmac.compare_digest(expected.hexdigest(), signature)
    if not matches:
        raise InvalidSignature("No signature matches the body.")
    return datetime.fromtimestamp(signed_at, UTC)


def _read(header: str | None) -> tuple[str, list[str]]:
    """The moment as it was written (it is signed as it was written) and the signatures."""
    if not header or len(header) > MAX_HEADER_CHARACTERS:
        raise InvalidSignature("There is no signature header of a sensible length.")
    moment: str | None = None
    signatures: list[str] = []
    for element in header.split(","):
        name, separator, value = element.partition("=")
        if not separator:
            raise InvalidSignature("The signature header is malformed.")
        if name == "t":
            if moment is not None or not _MOMENT.fullmatch(value):
                raise InvalidSignature("The moment of signing is malformed.")
            moment = value
        elif name == "v1" and _SIGNATURE.fullmatch(value):
            signatures.append(value)
    if moment is None or not signatures or len(signatures) > MAX_SIGNATURES:
        raise InvalidSignature("The signature header names no moment, or no usable signature.")
    return moment, signatures
