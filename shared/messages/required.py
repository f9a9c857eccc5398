"""Templates that must say how to cancel: the card networks' rule for subscriptions ([REMIND])."""

import re

from shared.domain.errors import Invalid
from shared.domain.message import MessageKind
from shared.domain.settings import Settings
from shared.messages.render import Links, Unrenderable, render
from shared.messages.samples import SECRETS, samples

SAYS_HOW_TO_CANCEL = frozenset(
    {
        MessageKind.SUBSCRIPTION_PURCHASED,
        MessageKind.TRIAL_STARTED,
        MessageKind.RENEWAL_REMINDER,
        MessageKind.TRIAL_ENDING,
        MessageKind.NEXT_PACK_IN_CART,
    }
)
"""A subscription's purchase receipt (a trial's is its start) and the emails ahead of a charge."""

MAX_TEMPLATE = 50_000
"""The longest template of a merchant's own, in characters."""

_PUBLIC_URL = "https://portal.example"


def check_template(kind: MessageKind, own: str, settings: Settings) -> None:
    """Refuse a merchant's own template for `kind`: one that does not render, and a required one
    without how to cancel. One of its paragraphs has to say it and name the way, the
    subscription's page or the support address, in the text and in the HTML. Raises `Invalid`,
    naming the field `template`."""
    if len(own) > MAX_TEMPLATE:
        raise _refused(f"At most {MAX_TEMPLATE} characters.", "template_too_long")
    sample = samples(settings)[kind]
    try:
        email = render(sample, settings=settings, public_url=_PUBLIC_URL, secrets=SECRETS, own=own)
    except Unrenderable as error:
        raise _refused("The template can't be filled in.", "template_broken") from error
    if not email.subject:
        raise _refused("The template has no subject.", "template_without_subject")
    if kind not in SAYS_HOW_TO_CANCEL:
        return
    page = Links(_PUBLIC_URL).subscription(sample.facts["agreement"]["id"])
    ways = (page, settings.support_email)
    for paragraphs in (email.text.split("\n\n"), re.split(r"</(?:p|div|li|h\d)>", email.html)):
        if not any(_says_how(paragraph, ways) for paragraph in paragraphs):
            raise _refused(
                "A paragraph has to say how to cancel, with the subscription's page or the "
                "support address.",
                "how_to_cancel_missing",
            )


def _says_how(paragraph: str, ways: tuple[str, ...]) -> bool:
    """Whether it speaks of cancelling and names a way to do so. Addresses are escaped in HTML
    only where they hold characters that neither kind has."""
    words = re.sub(r"<[^>]+>", " ", paragraph)
    return bool(re.search(r"\bcancel", words, re.IGNORECASE)) and any(
        way in paragraph for way in ways
    )


def _refused(reason: str, code: str) -> Invalid:
    return Invalid(reason, fields={"template": reason}, code=code)
