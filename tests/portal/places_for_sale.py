"""Places that are sold with money or with a pack, and what a customer asks of them, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.activity import Activity
from shared.domain.business import Location, Service
from shared.domain.message import MessageKind
from shared.domain.pack import Entry, EntryKind
from shared.domain.product import Catalogue, Product
from shared.domain.product_kind import ProductKind
from shared.domain.settings import Settings
from shared.store import accounts
from shared.store import catalogue as catalogues
from shared.store.writing import commit, create
from tests.portal.customers import Customer
from tests.portal.people import CountingEngine
from tests.portal.studio import START, class_of, give, pack_of, put_on
from tests.shop_floor import (
    books_hold,
    entries_of,
    messages_of,
    open_shop,
    packs_of,
)

YOGA = class_of(places=2)
"""On 4 March from 15:00 UTC, to be cancelled until 12 hours before; two places."""

WORKSHOP = class_of("2026-03-05 15:00", name="Workshop", prepay_online=True)
EMAIL = "ada@example.com"
PLACE, TEN = 3_248, 27_063
"""30.00 and 250.00 with 8.25% tax, rounded half up."""

CATALOGUE = Catalogue(
    settings=Settings(merchant_name="Happy Paws", support_email="help@example.com"),
    locations=(
        Location(
            id="ny",
            name="Brooklyn",
            zone="America/New_York",
            currency="USD",
            tax_name="Sales tax",
            tax_rate=Decimal("0.0825"),
            service_rates={"yoga": 3_000, "bath": 5_000},
        ),
    ),
    services=(
        Service(id="yoga", name="Yoga", unit="class", taxed=True),
        Service(id="bath", name="Bath", unit="bath"),
    ),
    products=(
        Product(
            id="ten",
            name="Ten classes",
            kind=ProductKind.PACKAGE,
            prices={"USD": 25_000},
            service="yoga",
            taxed=True,
            credits=10,
            validity_days=90,
        ),
        Product(
            id="gift",
            name="First class on us",
            kind=ProductKind.PACKAGE,
            prices={"USD": 0},
            service="yoga",
            credits=1,
        ),
        Product(
            id="baths",
            name="Five baths",
            kind=ProductKind.PACKAGE,
            prices={"USD": 9_000},
            service="bath",
            credits=5,
        ),
        Product(
            id="desk",
            name="Only at the desk",
            kind=ProductKind.PACKAGE,
            prices={"USD": 1_000},
            service="yoga",
            credits=10,
            sell_online=False,
        ),
        Product(id="mat", name="A mat", kind=ProductKind.RETAIL, prices={"USD": 3_000}, taxed=True),
    ),
)


@contextmanager
def selling(*activities: Activity) -> Iterator[LocalWorld]:
    """A shop that sells `CATALOGUE` and has these on its schedule; at the end its books have to
    hold."""
    with open_shop(START, engine=CountingEngine()) as opened:
        catalogues.publish(CATALOGUE)
        put_on(*activities)
        yield opened
        opened.run_due()
        books_hold(opened)


def ask(customer: Customer, key: str = "key-0001", **more: Any) -> Response:
    wanted = {"activity": YOGA.id, "expected_total_minor": PLACE, **more}
    return customer.post("/reservations", wanted, key=key)


def buy_ten(customer: Customer, key: str = "key-0001", **more: Any) -> Response:
    return ask(customer, key, **{"buy": "ten", "expected_total_minor": TEN, **more})


def page_of(answer: Response, status: int = 201) -> Any:
    assert answer.status == status, answer.text
    return answer.json()


def code(answer: Response) -> tuple[int, str]:
    return answer.status, answer.json()["code"]


def free(customer: Customer, activity: Any = YOGA) -> int:
    found: int = customer.read(f"/schedule/{activity.id}")["activity"]["free"]
    return found


def ledger(customer: Customer, number: int = 0) -> list[tuple[EntryKind, int]]:
    return [(one.kind, one.delta) for one in entries_of(packs_of(customer.id)[number])]


def cancel(customer: Customer, page: Any, key: str = "key-cancel") -> Any:
    path = f"/reservations/{page['reservation']['id']}/cancel"
    return page_of(customer.post(path, key=key), 200)


def told(customer: Customer, kind: MessageKind) -> int:
    customer.world.run_due()
    return len(messages_of(customer.id, kind))


def in_hand(customer: Customer, **more: Any) -> None:
    """A pack for yoga, with its line in the ledger."""
    pack = pack_of(customer.id, customer.world.now(), **more)
    entry = Entry(
        id="grant",
        pack_id=pack.id,
        customer_id=customer.id,
        kind=EntryKind.GRANT,
        delta=pack.granted or 0,
        left=pack.left,
        at=pack.bought_at,
    )
    give([pack])
    commit([create(accounts.entry(customer.id, pack.id, entry.id), entry)])


def unknown_outcome(world: LocalWorld, fault: str) -> None:
    """The provider's next answer does not come, and no webhook tells of it."""
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave("charge", fault)
