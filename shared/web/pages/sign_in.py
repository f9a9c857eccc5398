"""Answers of the sign-in routes, the same for customers and staff."""

from enum import StrEnum

from shared.web.answer import View


class WhySignIn(StrEnum):
    """Why somebody stands before sign-in ([STALE])."""

    REQUIRED = "required"
    SESSION_ENDED = "session_ended"
    LINK_USED = "link_used"
    LINK_EXPIRED = "link_expired"
    LINK_UNKNOWN = "link_unknown"
    CODE_DEAD = "code_dead"
    """Too many tries, expired, or asked for in another browser."""


class SignInPage(View):
    """Ask for a link. `email` is filled in where known; `next` is the path to open afterwards."""

    email: str = ""
    next: str = ""
    why: WhySignIn | None = None


class SignInSentPage(View):
    """A link and a code are on their way, for known and unknown addresses alike ([ENUM])."""

    email: str
    next: str = ""
    link_minutes: int
    code_minutes: int


class SignInConfirmPage(View):
    """What a link's `GET` shows: one button; its `POST` signs in ([SCAN])."""

    email: str = ""
    next: str = ""
