"""From a message to an email: subject, plain text and HTML ([MAILS]).

Each email is one template, `templates/emails/{kind}.j2`, which is rendered twice: once with the
parts of `parts.html`, once with those of `parts.txt`. So both bodies carry the same facts. A
merchant's own template is one text of the same form, given as `own`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import BaseLoader, StrictUndefined, Template, TemplateError, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from shared import templates
from shared.domain.message import Message, MessageKind
from shared.domain.settings import Settings
from shared.messages import formats
from shared.messages.facts.of_kind import facts_of
from shared.messages.formats import Formats, locale_of
from shared.messages.opening import one_line

TEMPLATES = Path(__file__).parent / "templates"
BODIES = ("txt", "html")
MAX_SUBJECT = 150

WITHOUT_PORTAL_BUTTON = frozenset(
    {MessageKind.SIGN_IN, MessageKind.STAFF_SIGN_IN, MessageKind.CARD_UPDATE}
)
"""Their own link is what they are about; another one to sign in would only confuse."""

NEEDS_SECRETS = frozenset({MessageKind.SIGN_IN, MessageKind.STAFF_SIGN_IN, MessageKind.CARD_UPDATE})


class Unrenderable(Exception):
    """A message that can't become an email: its facts or its template don't fit."""


@dataclass(frozen=True)
class Secrets:
    """What is made at sending and stored nowhere in the clear. A sign-in link's lifetimes count
    from the asking."""

    link: str
    code: str = ""
    link_minutes: int = 0
    code_minutes: int = 0


@dataclass(frozen=True)
class Email:
    """What is sent. `subject` is one line."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Links:
    """The portal's pages as emails link to them. They ask to sign in and then open."""

    public_url: str

    def subscription(self, subscription_id: str) -> str:
        return f"{self.public_url}/subscriptions/{quote(subscription_id, safe='')}"

    def invoice(self, invoice_id: str) -> str:
        return f"{self.public_url}/invoices/{quote(invoice_id, safe='')}"

    def invoices(self) -> str:
        return f"{self.public_url}/invoices"

    def pack(self, pack_id: str) -> str:
        return f"{self.public_url}/packs/{quote(pack_id, safe='')}"

    def reservation(self, reservation_id: str) -> str:
        return f"{self.public_url}/reservations/{quote(reservation_id, safe='')}"

    def cards(self) -> str:
        return f"{self.public_url}/cards"

    def shop(self) -> str:
        return f"{self.public_url}/shop"

    def sign_in(self, email: str) -> str:
        """The portal button's plain address, with the email filled in ([AUTOLOGIN])."""
        return f"{self.public_url}/sign-in?email={quote(email, safe='')}"


def render(
    message: Message,
    *,
    settings: Settings,
    public_url: str,
    secrets: Secrets | None = None,
    own: str | None = None,
) -> Email:
    """The email of a message, in the merchant's look and the recipient's locale.

    Raises `Unrenderable` when its facts or its template don't fit, and when it needs `secrets`
    that are not given.
    """
    if message.kind in NEEDS_SECRETS and secrets is None:
        raise Unrenderable(f"{message.kind} without its link")
    try:
        return _render(message, settings, Links(public_url), secrets, own)
    except (TemplateError, ValueError, LookupError, TypeError, ArithmeticError) as error:
        raise Unrenderable(f"{message.kind}: {type(error).__name__}") from error


def _render(
    message: Message, settings: Settings, links: Links, secrets: Secrets | None, own: str | None
) -> Email:
    facts = facts_of(message.kind).model_validate(message.facts)
    locale = locale_of(message.locale, settings.locale)
    portal = settings.email_button and message.kind not in WITHOUT_PORTAL_BUTTON
    values: dict[str, Any] = {
        **{name: getattr(facts, name) for name in type(facts).model_fields},
        "merchant": _one_lined(settings),
        "links": links,
        "secrets": secrets,
        "portal": links.sign_in(message.to) if portal else "",
        "with_tax": False,
        "cancel_before": None,
    }
    text_template, html_template = (_template(body, message.kind, own) for body in BODIES)
    plain = values | {"formats": Formats(locale, facts.zone, marked=False), "layout": "layout.txt"}
    subject = _block(text_template, "subject", plain)
    marked = values | {
        "formats": Formats(locale, facts.zone, marked=True),
        "layout": "layout.html",
        "subject": subject,
    }
    return Email(
        subject=subject,
        text=_tidy(text_template.render(plain)),
        html=html_template.render(marked),
    )


def _one_lined(settings: Settings) -> Settings:
    names = ("merchant_name", "support_email", "support_phone", "address")
    return settings.model_copy(update={name: one_line(getattr(settings, name)) for name in names})


def _template(body: str, kind: MessageKind, own: str | None) -> Template:
    environment = _environment(body)
    if own is not None:
        return environment.from_string(own)
    return environment.get_template(f"emails/{kind.value}.j2")


def _block(template: Template, name: str, values: Mapping[str, Any]) -> str:
    context = template.new_context(dict(values))
    return one_line("".join(template.blocks[name](context)))[:MAX_SUBJECT]


def _tidy(text: str) -> str:
    """No blanks at the ends of lines, and never more than one empty line."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"


# --- the templates' words --------------------------------------------------------------------


@pass_context
def _money(context: Context, amount: Any) -> str:
    return _formats(context).money(amount)


@pass_context
def _day(context: Context, when: Any) -> str:
    return _formats(context).day(when)


@pass_context
def _time(context: Context, when: Any) -> str:
    return _formats(context).time(when)


def _formats(context: Context) -> Formats:
    found = context["formats"]
    assert isinstance(found, Formats)
    return found


def _minutes(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if hours and not rest:
        return "1 hour" if hours == 1 else f"{hours} hours"
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def _flow(text: str) -> str:
    """One paragraph as one line. Mail programs wrap it; wrapped here, a name could be made long
    enough for its rest to begin a line of its own."""
    return re.sub(r"[ \t\r\n]+", " ", text).strip()


@cache
def _environment(body: str) -> ImmutableSandboxedEnvironment:
    made = environment(body, templates.loader([TEMPLATES], body))
    made.globals["e"] = made.get_template(f"parts.{body}").module
    return made


def environment(body: str, loader: BaseLoader) -> ImmutableSandboxedEnvironment:
    """What emails are compiled and rendered with, as `html` or as `txt`. Sandboxed, since
    merchants will write some."""
    made = ImmutableSandboxedEnvironment(
        loader=loader,
        undefined=StrictUndefined,
        autoescape=body == "html",
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "money": _money,
        "day": _day,
        "time": _time,
        "minutes": _minutes,
        "flow": _flow,
        "every": formats.every,
        "often": formats.often,
        "apiece": formats.apiece,
        "card": formats.card,
    }
    made.globals["credits_of"] = formats.credits_of
    return made
