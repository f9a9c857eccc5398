"""Answers of the sign-in routes, the same for customers and staff; and of what went wrong."""

from enum import StrEnum

from pydantic import Field

from shared.web.pages.parts import Answer


class WhySignIn(StrEnum):
    """Why somebody stands before sign-in ([STALE])."""

    REQUIRED = "required"
    SESSION_ENDED = "session_ended"
    LINK_USED = "link_used"
    LINK_EXPIRED = "link_expired"
    LINK_UNKNOWN = "link_unknown"
    CODE_DEAD = "code_dead"
    """Too many tries, expired, or asked for in another browser."""


class SignInPage(Answer):
    """Ask for a link. `email` is filled in where known; `next` is the path to open afterwards."""

    email: str = ""
    next: str = ""
    why: WhySignIn | None = None
    errors: dict[str, str] = Field(default_factory=dict)


class SignInSentPage(Answer):
    """A link and a code are on their way, for known and unknown addresses alike ([ENUM])."""

    email: str
    next: str = ""
    link_minutes: int
    code_minutes: int
    errors: dict[str, str] = Field(default_factory=dict)


class SignInConfirmPage(Answer):
    """What a link's `GET` shows: one button; its `POST` signs in ([SCAN])."""

    email: str = ""
    next: str = ""


class ErrorPage(Answer):
    """A problem in plain words (RFC 9457). `back` is where to go on; `fields` names what to
    correct."""

    status: int
    code: str
    title: str
    detail: str = ""
    fields: dict[str, str] = Field(default_factory=dict)
    back: str | None = None
    retry_after_seconds: int | None = None
