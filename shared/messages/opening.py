"""What every email knows, and the one that lets somebody in.

It stands apart from the other facts and builders (`facts/`, `builders/`): whoever asks to sign
in is told nothing of packs, invoices and reservations.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator

from shared.domain.message import Message, MessageKind, message_key
from shared.domain.record import Record

MAX_WORDS = 500
"""Names and descriptions longer than this are cut in an email."""

_DIRECTION_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def one_line(text: str) -> str:
    """`text` without anything that could start a line, a header or a change of direction."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())[:MAX_WORDS]
    plain = "".join(" " if unicodedata.category(char)[0] == "Z" else char for char in text)
    plain = "".join(" " if unicodedata.category(char) == "Cc" else char for char in plain)
    return " ".join(_DIRECTION_MARKS.sub("", plain).split())[:MAX_WORDS]


Words = Annotated[str, AfterValidator(one_line)]


class Facts(Record):
    """What every email knows: whom it greets (empty: nobody by name), and whose days it names."""

    greeting: Words = ""
    zone: str = "UTC"


class SignInFacts(Facts):
    """What minting the link needs at sending; the link and the code themselves are secrets."""

    request: dict[str, str] = {}


def sign_in(
    *,
    email: str,
    request_id: str,
    request: Mapping[str, str],
    locale: str,
    now: datetime,
    staff: bool = False,
) -> Message:
    """Sent to whoever asks to sign in, known or not ([LINK], [ENUM]); with `staff`, to a staff
    member who asks to sign in to the console ([ACCESS]). `request` is what minting the link needs
    at sending, never a secret. Once per `request_id`."""
    kind = MessageKind.STAFF_SIGN_IN if staff else MessageKind.SIGN_IN
    return Message(
        key=message_key(kind, request_id),
        kind=kind,
        to=email,
        locale=locale,
        created_at=now,
        facts=SignInFacts(request=dict(request)).model_dump(mode="json", exclude_defaults=True),
    )
