"""Hands an email to SES ([OUTBOX]).

The same message always becomes the same bytes but for its date: its `Message-ID` is derived from
its key. SES puts an id of its own in its place on the way out, so ours also travels as
`X-Message-Key`, by which a repeat can be told.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from enum import StrEnum
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.domain.message import Message
from shared.domain.settings import Settings
from shared.messages.opening import one_line
from shared.messages.render import Email

ID_LETTERS = 40
BOUNDARY_LETTERS = 24

REFUSES_THE_ADDRESS = frozenset({"BadRequestException", "MessageRejected"})
"""What SES answers to an address that it will never send to."""

SENDER_NOT_READY = "not verified"
"""Part of SES's refusal while the merchant's own address or account is not set up: that passes."""


class Handover(StrEnum):
    """What became of handing an email over. `TRY_LATER` covers what is open: SES may have it."""

    ACCEPTED = "accepted"
    TRY_LATER = "try_later"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Answer:
    """`why` names the reason in one word or two; never an address."""

    handover: Handover
    why: str = ""


def message_id(message: Message) -> str:
    """The same for the same message, different for every other; tells nothing about it."""
    whose = message.customer_id or message.to.strip().casefold()
    return hashlib.sha256(f"{whose}/{message.key}".encode()).hexdigest()[:ID_LETTERS]


class Mailer:
    """Sends through `client` (AWS's `sesv2`) from the address `sender`.

    The client must not retry by itself: a timeout may hide an email that was accepted.
    """

    def __init__(self, client: Any, *, sender: str) -> None:
        self._client = client
        self._sender = parseaddr(sender)[1] or sender

    def send(self, message: Message, email: Email, *, settings: Settings, now: datetime) -> Answer:
        """Hand `email` over, once. Never raises for what the mail service answers or fails to."""
        try:
            to = _address(message.to)
            mime = self._mime(message, email, settings, to, now)
        except (MessageError, ValueError, IndexError) as error:
            return Answer(Handover.REJECTED, f"malformed address: {type(error).__name__}")
        try:
            self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [to.addr_spec]},
                Content={"Raw": {"Data": mime.as_bytes(policy=SMTP)}},
            )
        except ClientError as error:
            return _refusal(error)
        except BotoCoreError as error:
            return Answer(Handover.TRY_LATER, type(error).__name__)
        return Answer(Handover.ACCEPTED)

    def _mime(
        self, message: Message, email: Email, settings: Settings, to: Address, now: datetime
    ) -> EmailMessage:
        own_id = message_id(message)
        mime = EmailMessage(policy=SMTP)
        mime["From"] = Address(
            display_name=one_line(settings.merchant_name), addr_spec=self._sender
        )
        mime["To"] = to
        if settings.support_email:
            mime["Reply-To"] = _address(settings.support_email)
        mime["Subject"] = one_line(email.subject)
        mime["Date"] = format_datetime(now)
        mime["Message-ID"] = f"<{own_id}@{self._sender.rpartition('@')[2]}>"
        mime["X-Message-Key"] = own_id
        mime["Auto-Submitted"] = "auto-generated"
        mime.set_content(email.text, cte="quoted-printable")
        mime.add_alternative(email.html, subtype="html", cte="quoted-printable")
        # Chosen here, so that a repeat is the same to the byte and nothing is left to chance.
        mime.set_boundary(f"=_{own_id[:BOUNDARY_LETTERS]}")
        return mime


def _address(text: str) -> Address:
    """`ValueError` for what is no address that SES can reach: the part before the @ is ASCII,
    and a domain of other letters is written in its ASCII form."""
    local, at, domain = text.strip().rpartition("@")
    if not (local and at and domain and local.isascii()):
        raise ValueError("not an email address")
    return Address(addr_spec=f"{local}@{domain.encode('idna').decode()}")


def _refusal(error: ClientError) -> Answer:
    said = error.response.get("Error", {})
    code = str(said.get("Code", "unknown"))
    if code in REFUSES_THE_ADDRESS and SENDER_NOT_READY not in str(said.get("Message", "")):
        return Answer(Handover.REJECTED, code)
    return Answer(Handover.TRY_LATER, code)
