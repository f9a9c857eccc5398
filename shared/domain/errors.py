"""Errors that answer a caller: a small tree, each with a stable code ([ERRORS]).

Only `shared/web` knows which HTTP status belongs to which branch of the tree.
"""

from collections.abc import Mapping
from typing import Any


class PunchcardError(Exception):
    """An answer that is not a success. `code` is stable; `detail` is a plain sentence."""

    code = "error"

    def __init__(self, detail: str, *, code: str | None = None, **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts: Mapping[str, Any] = facts
        if code is not None:
            self.code = code


class Invalid(PunchcardError):
    """The input is wrong; `fields` names each wrong field with a plain sentence."""

    code = "invalid"

    def __init__(
        self,
        detail: str,
        *,
        fields: Mapping[str, str] | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(detail, code=code)
        self.fields: Mapping[str, str] = fields or {}


class Unauthenticated(PunchcardError):
    """Nobody is signed in, or the session has ended."""

    code = "sign_in_required"


class Forbidden(PunchcardError):
    """The caller is known and may not do this."""

    code = "forbidden"


class Missing(PunchcardError):
    """There is no such thing, or it belongs to somebody else ([OWN])."""

    code = "not_found"


class Conflict(PunchcardError):
    """What the caller saw has changed meanwhile, or the same key came with other content."""

    code = "conflict"


class Declined(PunchcardError):
    """A card was asked to pay and did not: nothing was bought or paid ([CHECKOUT])."""

    code = "card_declined"


class TooMany(PunchcardError):
    """A limit is reached; try again after `retry_after_seconds`."""

    code = "too_many_requests"

    def __init__(self, detail: str, *, retry_after_seconds: int, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(PunchcardError):
    """Something we depend on does not answer now; nothing was changed."""

    code = "unavailable"
