"""What is said of a card that said no: to people beside the card, to programs as an error. Pure."""

from functions.portal.pages.decline_models import Decline, WhyDeclined
from shared.domain.charge import Attempt
from shared.domain.errors import Declined
from shared.domain.outcome import Outcome

SENTENCES = {
    WhyDeclined.DECLINED: "The card was declined by the bank.",
    WhyDeclined.INSUFFICIENT_FUNDS: "The card does not have enough money on it.",
    WhyDeclined.EXPIRED_CARD: "The card has expired.",
    WhyDeclined.FINAL: "The card can't be used any more.",
    WhyDeclined.REFUSED: (
        "We can't take this payment just now. Your card is not to blame, and we have been told."
    ),
    WhyDeclined.NOT_CHARGEABLE: "This card can't be charged any more.",
}


def decline_of(attempt: Attempt | None) -> Decline:
    """What to tell who paid: the provider's own word is for staff."""
    if attempt is None:
        return Decline(reason=WhyDeclined.DECLINED)
    reason = WhyDeclined.DECLINED
    if attempt.outcome is Outcome.REFUSED:
        ours = attempt.merchants_trouble
        reason = WhyDeclined.REFUSED if ours else WhyDeclined.NOT_CHARGEABLE
    elif attempt.decline_code == "insufficient_funds":
        reason = WhyDeclined.INSUFFICIENT_FUNDS
    elif attempt.decline_code == "expired_card":
        reason = WhyDeclined.EXPIRED_CARD
    elif attempt.outcome is Outcome.DECLINED_FINAL:
        reason = WhyDeclined.FINAL
    return Decline(reason=reason, brand=attempt.card.brand, last4=attempt.card.last4)


def declined(attempt: Attempt | None) -> Declined:
    """The error that answers a program; people see the page it came from, with `decline`."""
    told = decline_of(attempt)
    ours = told.reason is WhyDeclined.REFUSED
    again = "Try again later" if ours else "Use another card"
    return Declined(
        f"{SENTENCES[told.reason]} Nothing was charged. {again}, with a new key.",
        code="payment_refused" if ours else None,
        reason=told.reason.value,
        brand=told.brand,
        last4=told.last4,
    )


def said_of(error: Declined) -> str:
    """What a decline says to people, beside the card."""
    return f"{SENTENCES[decline_in(error).reason]} Nothing was charged."


def decline_in(error: Declined) -> Decline:
    return Decline.model_validate(dict(error.facts))
