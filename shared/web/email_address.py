"""Email addresses as people type them."""

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

MAX_ADDRESS = 254
MAX_LOCAL_PART = 64
LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", re.IGNORECASE)


def email_address(text: str) -> str:
    """`text` trimmed, its domain as DNS has it. `ValueError` for what no mail could reach."""
    local, at, domain = text.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode() if not domain.isascii() else domain
    except UnicodeError as error:
        raise ValueError("This is not an email address.") from error
    address = f"{local}@{domain}"
    is_right = (
        at
        and len(address) <= MAX_ADDRESS
        and len(local) <= MAX_LOCAL_PART
        and LOCAL_PART.fullmatch(local)
        and DOMAIN.fullmatch(domain)
    )
    if not is_right:
        raise ValueError("This is not an email address.")
    return address


EmailAddress = Annotated[
    str, StringConstraints(max_length=MAX_ADDRESS), AfterValidator(email_address)
]
"""In an `Input`: checked, trimmed; upper and lower case stay as typed."""
