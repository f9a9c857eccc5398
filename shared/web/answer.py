"""What a route gives back, and the cookies that go with it."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

from aws_lambda_powertools.shared.cookies import Cookie, SameSite
from pydantic import BaseModel, ConfigDict

from shared.domain.record import Record

SESSION_COOKIE = "__Host-session"
STAFF_COOKIE = "__Host-staff"
VISITOR_COOKIE = "__Host-visitor"
LOCATION_COOKIE = "__Host-location"
SIGN_IN_COOKIE = "__Host-sign-in"
STAFF_SIGN_IN_COOKIE = "__Host-staff-sign-in"
VISITOR_KEPT = timedelta(days=30)
LOCATION_KEPT = timedelta(days=365)


def cookie(name: str, value: str, *, lasts: timedelta) -> Cookie:
    """A cookie that only this host gets, only over TLS (browsers count loopback as such), and no
    script sees."""
    return Cookie(
        name,
        value,
        path="/",
        secure=True,
        http_only=True,
        max_age=int(lasts.total_seconds()),
        same_site=SameSite.LAX_MODE,
    )


def no_cookie(name: str) -> Cookie:
    """The browser forgets the cookie."""
    return cookie(name, "", lasts=timedelta(0))


class View(Record):
    """What a page shows and a program reads. Frozen; subclasses say what is in it."""


class Input(Record):
    """What a form or a JSON body may hold. Unknown fields are refused, text is trimmed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Query(Record):
    """What the part behind `?` may hold. What is not known is ignored."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)


class Answer(NamedTuple):
    """One model for people and programs; or what makes it, where people are sent on and never see
    it.

    For people it is rendered with the route's page (or `page`); with `location`, a path of ours or
    the address of a provider's hosted page, they are sent there with 303, and `done` is the code of
    the sentence that the next page shows (`notices.py`). Programs get the model with `status` and,
    where there is a `location`, the `Location` header.

    `leads_to` are the origins outside ours where a form on this page may end up after redirects
    (browsers check them against `form-action`), such as a provider's hosted card page. `frames`
    are the origins of what this page shows in a frame, such as a provider's card field.
    """

    model: BaseModel | Callable[[], BaseModel]
    status: int = 200
    page: str | None = None
    location: str | None = None
    done: str | None = None
    cookies: tuple[Cookie, ...] = ()
    headers: Mapping[str, str] = MappingProxyType({})
    leads_to: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()

    @property
    def shown(self) -> BaseModel:
        """The model, made by now."""
        return self.model if isinstance(self.model, BaseModel) else self.model()


class Raw(NamedTuple):
    """Something that is neither page nor model: a file. Not cached unless `headers` say so."""

    body: bytes
    content_type: str
    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})
    compress: bool = False
