"""What was sent by email on one machine ([MAIL]): SES, caught before it leaves."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from threading import Lock
from typing import Any

from infra.local.aws import Answer


@dataclass(frozen=True)
class Mail:
    """One email as it was handed to SES. `sent_at` is the local clock's."""

    to: tuple[str, ...]
    sender: str
    subject: str
    text: str
    html: str
    sent_at: datetime
    message_id: str
    headers: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, str]:
        return {
            "to": ", ".join(self.to),
            "subject": self.subject,
            "text": self.text,
            "html": self.html,
            "sent_at": self.sent_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


def _raw_parts(data: str) -> tuple[str, str, str, tuple[tuple[str, str], ...]]:
    # The older policy: the newer one parses every header, and takes ten times as long.
    message = message_from_bytes(base64.b64decode(data))
    found = {"text/plain": "", "text/html": ""}
    for part in message.walk():
        kind = part.get_content_type()
        if part.is_multipart() or part.get_content_disposition() == "attachment":
            continue
        if found.get(kind) == "":
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            text = content.decode(part.get_content_charset() or "utf-8", errors="replace")
            found[kind] = text.replace("\r\n", "\n")
    subject = str(make_header(decode_header(message.get("subject", ""))))
    headers = tuple((name, str(value)) for name, value in message.items())
    return subject, found["text/plain"], found["text/html"], headers


class Mailbox:
    """Serves `sesv2` and keeps every email. Safe for threads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = Lock()
        self._mails: list[Mail] = []

    def __len__(self) -> int:
        return len(self._mails)

    def call(self, operation: str, body: bytes) -> Answer:
        """Answer a call of SES's API, version 2."""
        if operation != "SendEmail":
            raise NotImplementedError(f"sesv2:{operation} is not served on this machine")
        asked: dict[str, Any] = json.loads(body)
        destination = asked.get("Destination", {})
        to = [*destination.get("ToAddresses", []), *destination.get("CcAddresses", [])]
        if not to:
            return Answer(
                400, b'{"__type": "BadRequestException", "message": "There is no destination."}'
            )
        content = asked["Content"]
        headers: tuple[tuple[str, str], ...] = ()
        if "Raw" in content:
            subject, text, html, headers = _raw_parts(content["Raw"]["Data"])
        else:
            simple = content["Simple"]
            subject = simple["Subject"]["Data"]
            text = simple["Body"].get("Text", {}).get("Data", "")
            html = simple["Body"].get("Html", {}).get("Data", "")
            headers = tuple((each["Name"], each["Value"]) for each in simple.get("Headers", []))
        with self._lock:
            message_id = f"local-{len(self._mails) + 1:08d}"
            self._mails.append(
                Mail(
                    to=tuple(to),
                    sender=asked.get("FromEmailAddress", ""),
                    subject=subject,
                    text=text,
                    html=html,
                    sent_at=self._now(),
                    message_id=message_id,
                    headers=headers,
                )
            )
        return Answer(200, json.dumps({"MessageId": message_id}).encode())

    def sent(self, to: str | None = None) -> list[Mail]:
        """What was sent, newest first; `to` keeps those to one address, whatever its case."""
        with self._lock:
            mails = list(reversed(self._mails))
        if to is None:
            return mails
        wanted = to.strip().casefold()
        return [mail for mail in mails if any(each.casefold() == wanted for each in mail.to)]
