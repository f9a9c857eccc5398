"""A card that is entered in a page of ours, in a field that is the provider's ([CARDS]).

The number goes from the field to the provider; what reaches us is a token for it, and the expiry.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.domain.errors import Declined, Invalid, Missing, TooMany, Unavailable
from shared.operations.cards import Saved, check_room, customer_row, put_on_file, tell_staff
from shared.providers.errors import NoSuchProvider, ProviderUnavailable, RequestRefused
from shared.store import access
from shared.store.access import Limit
from shared.store.items import Lost
from shared.store.writing import commit

if TYPE_CHECKING:
    from shared.operations.context import Context
    from shared.providers.port import CardFrame

TRIES = Limit("card-hour", 10, timedelta(hours=1))
"""How many cards a customer may try in an hour. Thieves try numbers out where nobody counts."""


def frame(context: Context, provider: str) -> CardFrame:
    """The card field that a provider has for a page of ours. `Missing` when it has none."""
    try:
        found = context.provider(provider).card_frame
    except NoSuchProvider as error:
        raise Missing("There is no such card page.") from error
    except ProviderUnavailable as error:
        raise Unavailable("Cards can't be entered just now. Try again in a minute.") from error
    if found is None:
        raise Missing("There is no such card page.")
    return found


def enter(
    context: Context,
    provider: str,
    customer_id: str,
    *,
    token: str,
    exp_month: int,
    exp_year: int,
) -> Saved:
    """Put the card behind a token of the provider's card field on file. The same card again is
    the same card, with its new expiry. `Declined` when the bank does not take it, `Invalid` when
    it has expired, `TooMany` past the limit of tries. What is past due is tried at once, as by
    `finish`."""
    found, customer, now = frame(context, provider), customer_row(customer_id).value, context.now()
    check_room(customer)
    if (exp_year, exp_month) < (now.year, now.month):
        sentence = "This card has expired."
        raise Invalid(sentence, fields={"exp_month": sentence})
    _count(customer.id, now)
    try:
        setup = found.save(
            reference=customer.id,
            email=customer.email,
            provider_customer=customer.provider_customers.get(provider),
            token=token,
            exp_month=exp_month,
            exp_year=exp_year,
            idempotency_key=f"card-{context.new_id()}",
        )
    except (ProviderUnavailable, RequestRefused) as error:
        tell_staff(context, provider)
        raise Unavailable(
            "The card could not be saved just now. Nothing was charged. Try again in a minute."
        ) from error
    if setup.card is None or setup.provider_customer is None:
        raise Declined(
            "The bank does not take this card. Nothing was charged. Check what you entered, or "
            "use another card."
        )
    return put_on_file(
        context, setup, setup.card, setup.provider_customer, asked_by=customer_id, entered=True
    )


def _count(customer_id: str, now: datetime) -> None:
    try:
        commit([access.count(TRIES, customer_id, now)])
    except Lost as lost:
        raise TooMany(
            "You have tried many cards. Please wait a little, then try again.",
            retry_after_seconds=TRIES.seconds_left(now),
        ) from lost
