"""A shop that is paid through Stripe's adapter, the front and localstripe."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from infra.local.world import LocalWorld
from shared.domain.business import Location, Service
from shared.domain.calendar import Frequency
from shared.domain.charge import RefundState
from shared.domain.invariants import breaches
from shared.domain.message import NoticeKind
from shared.domain.product import Catalogue, Product
from shared.domain.product_kind import ProductKind
from shared.domain.reversal import money_kept
from shared.domain.self_cancel import SelfCancel
from shared.domain.settings import Settings
from shared.operations.audit import books_of
from shared.store import catalogue as catalogues
from shared.store.staff import Role, StaffMember, write_staff_member
from tests.localstripe.front import Front
from tests.localstripe.service import Content, LocalStripe
from tests.localstripe.webhooks import Webhooks, receiving
from tests.shop_floor import customers, notices

STRIPE = "stripe"
OLGA = "olga@happypaws.example"

CATALOGUE = Catalogue(
    settings=Settings(
        merchant_name="Happy Paws",
        support_email="hello@happypaws.example",
        self_cancel=SelfCancel.CHOICE,
    ),
    locations=(
        Location(
            id="ny",
            name="New York",
            zone="America/New_York",
            currency="USD",
            tax_rate=Decimal("0.0825"),
        ),
    ),
    services=(Service(id="yoga", name="Yoga", unit="class"),),
    products=(
        Product(
            id="ten",
            name="Ten classes",
            kind=ProductKind.PACKAGE,
            prices={"USD": 25_000},
            service="yoga",
            credits=10,
            validity_days=90,
            taxed=True,
        ),
        Product(
            id="weekly",
            name="Weekly yoga",
            kind=ProductKind.SUBSCRIPTION,
            prices={"USD": 2_000},
            service="yoga",
            credits=8,
            frequency=Frequency.WEEKLY,
            taxed=True,
        ),
    ),
)
ALARMS = (
    NoticeKind.UNEXPECTED_CHARGE,
    NoticeKind.INVARIANT_BREACHED,
    NoticeKind.PROVIDER_REFUSES,
    NoticeKind.PARKED,
)
"""Notices that say that something is not as it should be, between us and the provider too."""

TEN = 27_063
"""250.00 with 8.25% tax."""

WEEKLY = 2_165
"""20.00 with 8.25% tax."""


@dataclass(frozen=True)
class Shop:
    """`front` can be told to go wrong; `webhooks` holds localstripe's until they are handed on."""

    world: LocalWorld
    localstripe: LocalStripe
    front: Front
    webhooks: Webhooks

    def paid(self) -> list[int]:
        """What localstripe has taken, in cents, oldest first."""
        return [one["amount"] for one in self.localstripe.all("charges") if one["paid"]]

    def tries(self, payment: str) -> list[Content]:
        """Every try that localstripe has of a payment, oldest first."""
        charges = self.localstripe.all("charges")
        return [one for one in charges if one["payment_intent"] == payment]


@contextmanager
def open_shop(localstripe: LocalStripe, start: datetime) -> Iterator[Shop]:
    """Its clock stands at `start`. In the end its books and localstripe's have to agree."""
    with LocalWorld(start=start, parameters={"Provider": STRIPE}) as world:
        settings = world.banks.settings[STRIPE]
        (secret,) = settings["webhook_secrets"]
        front = Front(
            localstripe, world.now, world.deliver, settings["key"], [secret], world.public_url
        )
        world.banks.stripe = front
        catalogues.publish(CATALOGUE)
        write_staff_member(StaffMember(email=OLGA, name="Olga", role=Role.OWNER))
        with receiving(localstripe, secret) as webhooks:
            shop = Shop(world, localstripe, front, webhooks)
            yield shop
        world.run_due()
        assert world.errors == []
        assert world.dead_letters == []
        books_agree(shop)


def books_agree(shop: Shop) -> None:
    """What each side says was kept and given back, charge by charge, and localstripe's balance.
    Nothing is read through the front; the daily audit, which reads through it and the adapter, has
    found nothing either."""
    assert notices(*ALARMS) == []
    kept: Counter[str] = Counter()
    returned: Counter[str] = Counter()
    for customer_id in customers():
        books = books_of(customer_id)
        assert books is not None
        assert breaches(books, shop.world.now()) == []
        for charge in books.charges:
            if charge.refund is RefundState.DONE:
                returned[charge.ref] += charge.amount.minor
            elif charge.settled_at is not None:
                kept[charge.ref] += money_kept(charge).minor
    theirs = [one for one in shop.localstripe.all("charges") if one["paid"]]
    refs = [one["metadata"]["charge_ref"] for one in theirs]
    assert len(set(refs)) == len(refs), "one charge was paid more than once"
    given = {
        ref: (one["amount"] - one["amount_refunded"], one["amount_refunded"])
        for ref, one in zip(refs, theirs, strict=True)
    }
    assert given == {ref: (kept[ref], returned[ref]) for ref in kept | returned}
    assert all(one["currency"] == "usd" for one in theirs)
    balance = sum(one["amount"] for one in shop.localstripe.all("balance_transactions"))
    assert balance == kept.total()
