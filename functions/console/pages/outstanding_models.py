"""Answers of the console about what began unpaid ([BOOK])."""

from pydantic import AwareDatetime

from functions.console.pages.models import PlaceChoice
from shared.domain.money import Money
from shared.domain.subscription import SubscriptionState
from shared.web.answer import View
from shared.web.pages.packs import PackSummary


class OutstandingRow(View):
    """A reservation that began unpaid; `amount` is what it still owes, tax included. `invoice_id`
    is the invoice that asks for it, `order_id` what people call that. `for_pack`: what is owed is a
    pack that was bought with the place."""

    reservation_id: str
    activity_id: str
    customer_id: str
    customer_name: str = ""
    what: str
    starts_at: AwareDatetime
    zone: str
    amount: Money
    invoice_id: str | None = None
    order_id: str | None = None
    for_pack: bool = False


class OpenInvoiceRow(View):
    """An invoice that no subscription collects and that is not paid yet; `owed` is what is still
    to come of its `total`, tax included. `for_pack`: a pack waits for it."""

    invoice_id: str
    order_id: str
    customer_id: str
    customer_name: str = ""
    what: str
    created_at: AwareDatetime
    zone: str
    total: Money
    owed: Money
    reservation_id: str | None = None
    for_pack: bool = False


class CommitmentRow(View):
    """An agreement for a minimum of payments that is not fulfilled yet ([COMMIT]). `price` is of
    one payment, before tax."""

    customer_id: str
    customer_name: str = ""
    subscription_id: str
    name: str
    state: SubscriptionState
    price: Money
    minimum_payments: int
    made: int
    remaining: int


class OutstandingPage(View):
    """`GET /console/outstanding`: what began unpaid at a location, the latest first; further open
    invoices, of what is still to begin or was taken back; and the commitments that are not
    fulfilled. `may_change`: this person may let it go."""

    location_id: str
    location: str
    locations: tuple[PlaceChoice, ...] = ()
    outstanding: tuple[OutstandingRow, ...] = ()
    next: str | None = None
    open_invoices: tuple[OpenInvoiceRow, ...] = ()
    open_next: str | None = None
    commitments: tuple[CommitmentRow, ...] = ()
    commitments_next: str | None = None
    may_change: bool = False
    idempotency_key: str = ""
    """New for each page; forms add what they are about."""


class PlaceOwed(View):
    """What a reservation owes now, tax included, and which invoice asks for it."""

    reservation_id: str
    customer_id: str
    owed: Money
    outstanding: bool
    invoice_id: str | None = None
    waived: bool = False


class PackActivated(View):
    """A pack that staff released before it was paid ([PACK])."""

    pack: PackSummary
