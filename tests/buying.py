"""Places that are paid for as they are booked, through operations: for tests of their money."""

from datetime import timedelta
from typing import Any

from infra.local.world import LocalWorld
from shared.domain.activity import Activity, new_id
from shared.domain.invoice import Invoice
from shared.domain.pack import Pack
from shared.domain.reservation import Reservation
from shared.operations import buying_place, paying_invoice
from shared.operations.answered import Answered
from shared.operations.booking import Wish
from shared.operations.buying_place import Bought, Buying
from shared.operations.planning import packs_in_hand
from shared.operations.quoting import quote
from shared.operations.submissions import Press
from shared.store import accounts, bookings
from shared.store.reading import read
from tests.shop_floor import context_of, head


def class_in(world: LocalWorld, days: float = 3, **values: Any) -> Activity:
    """A yoga class of an hour in New York, so many days from now."""
    starts_at = world.now() + timedelta(days=days)
    defaults: dict[str, Any] = {
        "location_id": "ny",
        "zone": "America/New_York",
        "service_id": "yoga",
        "name": "Yoga",
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=1),
        "places": 5,
        "cutoff_minutes": 720,
    }
    merged = {**defaults, **values}
    one = Activity(id=new_id(merged["location_id"], starts_at, world.wiring.new_id()), **merged)
    bookings.create_activities([one])
    return one


def total_of(
    world: LocalWorld, customer_id: str, activity: Activity, product_id: str, participants: int = 1
) -> int:
    """What the page would say that buying this pack here costs, tax included."""
    context = context_of(world)
    product = context.catalogue.product(product_id)
    assert product is not None
    quoted = quote(
        context, activity, packs_in_hand(customer_id), product, customer_id, participants
    )
    assert quoted is not None
    return quoted.total.minor


def buy_place(
    world: LocalWorld,
    customer_id: str,
    activity: Activity,
    product_id: str | None = None,
    *,
    total: int,
    pay_now: bool = False,
    participants: int = 1,
    key: str = "",
) -> Bought:
    """Book it, and buy this pack for it, or just the place; what that set going is done after."""
    wish = Wish(customer_id, activity.id, participants=participants)
    buying = Buying(product_id, pay_now, total)
    press = buying.press(wish, key or world.wiring.new_id(), world.wiring.new_id())
    found = read(accounts.head(customer_id), *wish.refs(press))
    bought = buying_place.buy_place(
        context_of(world), wish, buying, press, head(customer_id), found
    )
    world.run_due()
    return bought


def pay_invoice(
    world: LocalWorld, invoice: Invoice, *, key: str = "", card_id: str | None = None
) -> Answered:
    """The customer pays an open invoice by card."""
    press = Press(
        invoice.customer_id, key or world.wiring.new_id(), "pay_invoice", (invoice.id, card_id)
    )
    earlier = read(press.ref).get(press.ref)
    answered = paying_invoice.pay_invoice(
        context_of(world), invoice.id, card_id=card_id, press=press, earlier=earlier
    )
    world.run_due()
    return answered


def reservation_now(one: Reservation) -> Reservation:
    ref = accounts.reservation(one.customer_id, one.id)
    row = read(ref).get(ref)
    assert row is not None
    return row.value


def pack_now(one: Pack) -> Pack:
    ref = accounts.pack(one.customer_id, one.id)
    row = read(ref).get(ref)
    assert row is not None
    return row.value


def invoice_now(one: Reservation) -> Invoice:
    """The invoice that asks for a reservation, or for the pack bought with it."""
    ref = accounts.invoice(one.customer_id, reservation_now(one).invoice_id or "none")
    row = read(ref).get(ref)
    assert row is not None
    return row.value
