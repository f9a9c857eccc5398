"""What staff find in lists: items beside the customers' own, by address or by location."""

from pydantic import AwareDatetime

from shared.domain.money import Money
from shared.domain.record import Record


class DirectoryEntry(Record):
    """A customer as staff find them."""

    customer_id: str
    email: str
    name: str
    location: str | None = None


class Outstanding(Record):
    """What began unpaid ([BOOK]): `amount` is what a reservation still owes, tax included. It is
    there for as long as the reservation says so. `invoice_id` is the invoice that asks for it;
    `for_pack`: that is of a pack which was bought with the place."""

    location_id: str
    reservation_id: str
    activity_id: str
    customer_id: str
    customer_name: str
    what: str
    starts_at: AwareDatetime
    zone: str
    amount: Money
    invoice_id: str | None = None
    for_pack: bool = False


class Commitment(Record):
    """Where a subscription with a minimum of payments is ([COMMIT]). `done`: it is fulfilled, or
    over, and is listed no more."""

    customer_id: str
    subscription_id: str
    since: AwareDatetime
    done: bool = False


class OpenInvoice(Record):
    """An invoice that no subscription collects, while something is owed on it: what staff see of a
    location's, wherever the place behind it stands."""

    location_id: str
    invoice_id: str
    customer_id: str
    what: str
    created_at: AwareDatetime
    total: Money
    owed: Money
    reservation_id: str | None = None
    pack_id: str | None = None
