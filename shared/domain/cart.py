"""A cart: what is about to be bought at one location ([CART], [LOCATION])."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import AwareDatetime

from shared.domain.calendar import Frequency
from shared.domain.next_payment import NextPayment
from shared.domain.record import Record
from shared.domain.recurring import NextPack
from shared.domain.terms import Terms
from shared.domain.weekly import Standing

if TYPE_CHECKING:
    from shared.domain.customer import Customer

MAX_LINES = 20
KEPT_FOR = timedelta(days=30)


class CartLine(Record):
    """`price_minor` is what the customer chose for a pay-what-you-want product, else None.
    `seen_minor` is the unit price that was shown when it was added, `seen_trial` whether a free
    trial was."""

    id: str
    product_id: str
    quantity: int = 1
    price_minor: int | None = None
    seen_minor: int
    frequency: Frequency | None = None
    starts_on: date | None = None
    until: date | None = None
    next_payment: NextPayment | None = None
    """Of a package that recurs: how the next ones are paid ([RECUR])."""
    next_pack: NextPack | None = None
    """The next pack of a subscription that the customer pays by hand, on its `terms`."""
    terms: Terms | None = None
    seen_trial: bool = False
    standing: Standing | None = None
    """The weekday and time of a standing weekly reservation ([WEEKLY])."""


class Cart(Record):
    """`id` and `version` together name what was seen: a charge is made for exactly that.
    `claimed_by` is the charge that is being collected for it; while it is set, the cart rests."""

    id: str
    location_id: str
    version: int = 1
    lines: tuple[CartLine, ...] = ()
    changed_at: AwareDatetime
    claimed_by: str | None = None
    visitor: bool = False
    """Whether it is an unknown visitor's, which lives 30 days."""

    @property
    def token(self) -> str:
        return f"{self.id}.{self.version}"

    @property
    def count(self) -> int:
        return sum(line.quantity for line in self.lines)


def with_lines(cart: Cart, lines: tuple[CartLine, ...], now: datetime) -> Cart:
    """The next version of a cart."""
    return cart.model_copy(update={"lines": lines, "version": cart.version + 1, "changed_at": now})


def counted(customer: "Customer", cart: Cart) -> "Customer":
    """The customer whose head knows how many things lie in this cart."""
    counts = {**customer.cart_counts, cart.location_id: cart.count}
    return customer.model_copy(update={"cart_counts": counts})


def is_kept(cart: Cart, now: datetime) -> bool:
    """Whether a cart is still there at `now`: what is forgotten may be read for a while yet."""
    ends_at = expires_at(cart)
    return ends_at is None or ends_at > now


def expires_at(cart: Cart) -> datetime | None:
    """When an unknown visitor's cart is forgotten; a customer's is kept."""
    return cart.changed_at + KEPT_FOR if cart.visitor else None
