"""From errors to answers: the one place that knows status numbers ([ERRORS]).

| error | status |
|---|---|
| a body that can't be read (not UTF-8, not JSON, too many fields) | 400 `malformed` |
| `Unauthenticated` | 401 |
| `Declined` | 402 |
| `Forbidden`, and a change asked for by another site (`cross_site`) | 403 |
| `Missing` | 404 |
| a method that the path does not have | 405 `method_not_allowed`, with `Allow` |
| `Conflict`, and a lost race (`changed_meanwhile`) | 409 |
| a body over the limit | 413 `too_large` |
| a body that is neither JSON nor a form | 415 `unsupported_type` |
| `Invalid`: read, and wrong; `fields` names each wrong field | 422 |
| `TooMany` | 429, with `Retry-After` |
| anything unexpected | 500 `unexpected`; the answer says nothing of the cause |
| `Unavailable`, and a store that does not answer | 503 |
"""

from collections.abc import Mapping
from http import HTTPStatus

from botocore.exceptions import BotoCoreError, ClientError

from shared.domain.errors import (
    Conflict,
    Declined,
    Forbidden,
    Invalid,
    Missing,
    PunchcardError,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from shared.operations.visit import Lost, StoreUnavailable

OF_THE_STORE = (StoreUnavailable, BotoCoreError, ClientError)
"""What the store raises when it does not answer."""

THROTTLED = {
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
}


class Malformed(PunchcardError):
    """The request can't be read at all."""

    code = "malformed"


class TooLarge(PunchcardError):
    """The body is over the limit."""

    code = "too_large"


class UnsupportedType(PunchcardError):
    """The body is neither JSON nor a form."""

    code = "unsupported_type"


class MethodNotAllowed(PunchcardError):
    """The path exists, the method does not; `allow` lists those that do."""

    code = "method_not_allowed"

    def __init__(self, allow: tuple[str, ...]) -> None:
        super().__init__("This address can't be used in that way.")
        self.allow = allow


class Unexpected(PunchcardError):
    """A bug, or something nobody thought of. Its cause is in the log, never in the answer."""

    code = "unexpected"


STATUS: Mapping[type[PunchcardError], HTTPStatus] = {
    Malformed: HTTPStatus.BAD_REQUEST,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Declined: HTTPStatus.PAYMENT_REQUIRED,
    Forbidden: HTTPStatus.FORBIDDEN,
    Missing: HTTPStatus.NOT_FOUND,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    Conflict: HTTPStatus.CONFLICT,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


def known(error: Exception) -> PunchcardError:
    """The error of our tree that `error` comes to; `Unexpected` for what nobody foresaw."""
    if isinstance(error, PunchcardError):
        return error
    if isinstance(error, Lost):
        return Conflict(
            "This changed while you were at it. Please look again.", code="changed_meanwhile"
        )
    throttled = (
        isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in THROTTLED
    )
    if throttled or isinstance(error, StoreUnavailable | BotoCoreError):
        return Unavailable("We can't do this right now. Please try again in a minute.")
    return Unexpected("Something went wrong on our side. We have been told.")


def headers(error: PunchcardError) -> dict[str, str]:
    """What the answer's headers say beside it."""
    if isinstance(error, TooMany):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, MethodNotAllowed):
        return {"Allow": ", ".join(error.allow)}
    if isinstance(error, Unavailable):
        return {"Retry-After": "60"}
    return {}
