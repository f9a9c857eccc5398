"""What signing in takes and answers beside its pages."""

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, StringConstraints

from shared.web.answer import Input, Query, View
from shared.web.email_address import EmailAddress

CODE_DIGITS = 6


class SignInQuery(Query):
    """`email` fills the address in, `next` is opened afterwards."""

    email: str = ""
    next: str = ""
    reason: str = ""


class AskForLink(Input):
    email: EmailAddress
    next: Annotated[str, StringConstraints(max_length=1000)] | None = None


def _digits(text: str) -> str:
    digits = text.replace(" ", "").replace("-", "")
    if len(digits) != CODE_DIGITS or not (digits.isascii() and digits.isdigit()):
        raise ValueError("The code has six digits.")
    return digits


class EnterCode(Input):
    code: Annotated[str, StringConstraints(max_length=20), AfterValidator(_digits)]


class LinkSent(View):
    """The same for every address ([ENUM])."""

    sent_to: str


class Person(View):
    """Who is signed in. `id` is a customer's."""

    id: str | None = None
    email: str
    name: str = ""


class SignedIn(View):
    """`next` is the page that was asked for before, or the first one. `ends_at` is in UTC."""

    customer: Person | None = None
    staff: Person | None = None
    is_new: bool = False
    next: str
    ends_at: AwareDatetime


class SignedOut(View):
    signed_out: bool = True


class Redirected(View):
    """Where people are led instead of a page."""

    location: str
