"""What tests of delivering stand on: a customer with a subscription, and a reminder to send."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from shared.domain.business import Location
from shared.domain.calendar import Frequency
from shared.domain.card import Card
from shared.domain.customer import Customer
from shared.domain.due import utc_text
from shared.domain.message import Message
from shared.domain.money import Money
from shared.domain.product import Catalogue
from shared.domain.settings import Settings
from shared.domain.subscription import Subscription, SubscriptionState
from shared.domain.terms import Terms
from shared.messages.builders import collecting, reminders
from shared.messages.builders.telling import Telling
from shared.messages.sender import Mailer
from shared.operations.deliver import Delivered, Post, deliver
from shared.store import accounts
from shared.store.items import Ref
from shared.store.reading import read
from shared.store.writing import commit, overwrite
from tests.messages.ses import StandInSes

START = datetime(2026, 2, 21, 4, 59, tzinfo=UTC)
"""23:59 of 20 February in New York: seven days before the charge of period 1."""

SENDER = "mail@studio.example"
URL = "https://portal.example"
SETTINGS = Settings(merchant_name="Studio", support_email="hello@example.org")
CATALOGUE = Catalogue(
    settings=SETTINGS,
    locations=(Location(id="main", name="Main", zone="America/New_York", currency="USD"),),
)
CARD = Card(
    id="c", provider="sandbox", token="t", brand="visa", last4="4242", exp_month=1, exp_year=2030
)
CUSTOMER = Customer(
    id="customer-1",
    email="sam@example.org",
    name="Sam",
    created_at=START,
    cards=(CARD,),
    default_card="c",
)
SUBSCRIPTION = Subscription(
    id="sub-1",
    customer_id=CUSTOMER.id,
    location_id="main",
    zone="America/New_York",
    state=SubscriptionState.ACTIVE,
    terms=Terms(product_id="club", name="Club", price=Money(minor=8900, currency="USD"), credits=8),
    frequency=Frequency.MONTHLY,
    anchor=date(2026, 1, 31),
    created_at=datetime(2026, 1, 31, 15, 0, tzinfo=UTC),
    first_invoice_id="invoice-1",
    next_period=1,
)


def reminder(customer: Customer = CUSTOMER) -> Message:
    return reminders.renewal_reminder(
        Telling(customer=customer, business=CATALOGUE, now=START),
        subscription=SUBSCRIPTION,
        total_with_tax=Money(minor=9634, currency="USD"),
    )


def card_update() -> Message:
    return collecting.card_update(
        Telling(customer=CUSTOMER, business=CATALOGUE, now=START),
        request_id="asked-1",
        subscription=SUBSCRIPTION,
        owed=Money(minor=9634, currency="USD"),
    )


def ref_of(message: Message) -> Ref[Message]:
    return accounts.message(message.customer_id, message.to, message.key)


def store(
    *messages: Message, customer: Customer = CUSTOMER, subscription: Subscription = SUBSCRIPTION
) -> None:
    commit(
        [
            overwrite(accounts.head(customer.id), customer),
            overwrite(accounts.subscription(customer.id, subscription.id), subscription),
            *(overwrite(ref_of(message), message) for message in messages),
        ]
    )


def stored(message: Message) -> Message:
    row = read(ref_of(message)).get(ref_of(message))
    assert row is not None
    return row.value


def due_at(message: Message) -> str | None:
    """When the due index has the message up next."""
    row = read(ref_of(message)).get(ref_of(message))
    assert row is not None
    return row.due_at.partition("#")[0] if row.due_at else None


def _numbered(word: str) -> Callable[[], str]:
    numbers: Iterator[int] = count(1)
    return lambda: f"{word}-{next(numbers)}"


def post(ses: StandInSes, now: datetime = START, **changes: Any) -> Post:
    given: dict[str, Any] = {
        "now": now,
        "mailer": Mailer(ses, sender=SENDER),
        "settings": SETTINGS,
        "public_url": URL,
        "new_id": _numbered("id"),
        "new_secret": _numbered(f"secret-{utc_text(now)}"),
        "new_code": lambda: "042137",
    }
    return Post(**(given | changes))


def run(ses: StandInSes, message: Message, now: datetime = START) -> Delivered:
    ref = ref_of(message)
    return deliver(post(ses, now), ref.pk, ref.sk)
