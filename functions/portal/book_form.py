"""What a form or a program sends to book places, with credits or with money ([BOOK])."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from functions.portal.ids import MAX_ID, Id
from shared.domain.errors import Invalid
from shared.operations.buying_place import Buying
from shared.web.answer import Input

MAX_TOTAL_MINOR = 10**12
"""More than anything here can come to."""

CHOICE = rf"^[0-9A-Za-z._-]{{0,{MAX_ID}}}\.[0-9]{{1,13}}$"


class Pay(StrEnum):
    NOW = "now"
    LATER = "later"


class Book(Input):
    """`wait`: join the waiting list where there are not enough places. `pack`: use only this pack's
    credits; else those that are spent first.

    What no credit pays is paid `now` with `card` (absent: the default one), or `later`; `pay_later`
    is the same as `pay: later`. `buy` names a pack on sale, of which a credit for each participant
    holds the places; it is paid now unless `pay` says later. `expected_total_minor` is what was
    shown to be paid, tax included, in minor units; a pack, or paying now, needs it. `choice` is the
    page's own: `buy` and `expected_total_minor` with a dot between. `offer` is the reservation to
    which a freed place is offered: that place is bought."""

    activity: Id
    participants: int = 1
    wait: bool = False
    pay_later: bool = False
    pack: Id | None = None
    buy: Id | None = None
    pay: Pay | None = None
    card: Id | None = None
    expected_total_minor: Annotated[int, Field(ge=0, le=MAX_TOTAL_MINOR)] | None = None
    choice: Annotated[str, StringConstraints(pattern=CHOICE)] | None = None
    offer: Id | None = None

    @property
    def later(self) -> bool:
        return self.pay is Pay.LATER or (self.pay is None and self.pay_later)

    @property
    def chosen(self) -> tuple[str | None, int | None]:
        """Which pack, if any, for how much. `Invalid` when it is said twice."""
        if self.choice is None:
            return self.buy, self.expected_total_minor
        if self.buy is not None or self.expected_total_minor is not None:
            raise Invalid(
                "Please check what is marked.",
                fields={"choice": "Leave this out where buy or expected_total_minor say it."},
            )
        product, _, minor = self.choice.rpartition(".")
        return product or None, int(minor)


def buying_of(body: Book) -> Buying | None:
    """How the places are paid for, where they are bought as they are booked; `Invalid` names what
    does not go together."""
    product, total = body.chosen
    if product is None and body.pay is not Pay.NOW:
        if body.offer is not None:
            said = "Only what is bought here; to use credits, or to pay at the start, accept it."
            raise Invalid("Please check what is marked.", fields={"offer": said})
        return None
    faults = {}
    if body.wait:
        faults["wait"] = "Nothing is bought while you wait for a place."
    if body.pack is not None:
        faults["pack"] = "Leave this out: credits in hand are used first, whichever they are of."
    if body.pay_later and body.pay is Pay.NOW:
        faults["pay_later"] = "Pay now or later."
    if total is None:
        faults["expected_total_minor"] = "Say what you were shown that it costs, with tax."
    if faults or total is None:
        raise Invalid("Please check what is marked.", fields=faults)
    return Buying(
        product_id=product,
        pay_now=not body.later,
        expected_total_minor=total,
        card_id=None if body.later else body.card,
    )
