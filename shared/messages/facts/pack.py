"""A pack, as emails show it."""

from pydantic import AwareDatetime

from shared.domain.record import Record
from shared.messages.opening import Words


class PackShown(Record):
    """A pack's credits; `left` None is unlimited, no `expires_at` means that it keeps."""

    id: str
    name: Words
    service: Words = ""
    granted: int | None = None
    left: int | None = None
    expires_at: AwareDatetime | None = None
