"""A small business, its customers and its provider, for tests of the flow of money.

Everything is done through operations and the clock, without pages, so it works on either engine.
`books_hold` is what has to be true whatever happened before.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import replace as with_fields
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from infra.local.aws import Engine
from infra.local.banks import SANDBOX
from infra.local.sandbox import ChargeSeen, Sandbox
from infra.local.schedules import is_tick
from infra.local.template import Template
from infra.local.template import load as load_template
from infra.local.world import LocalWorld
from shared.domain.business import Location, Service
from shared.domain.calendar import Frequency
from shared.domain.card import Card
from shared.domain.cart import Cart, CartLine, with_lines
from shared.domain.charge import Charge, RefundState
from shared.domain.customer import Customer
from shared.domain.due import due_moment
from shared.domain.invariants import CustomerBooks, breaches
from shared.domain.invoice import Invoice, InvoiceState, PaymentKind
from shared.domain.message import Message, MessageKind, MessageState, Notice, NoticeKind
from shared.domain.next_payment import NextPayment
from shared.domain.pack import Entry, Pack
from shared.domain.pricing import price_cart
from shared.domain.product import Catalogue, Product
from shared.domain.product_kind import ProductKind
from shared.domain.recurs_when import RecursWhen
from shared.domain.reservation import Reservation
from shared.domain.reversal import money_kept
from shared.domain.self_cancel import SelfCancel
from shared.domain.settings import Settings
from shared.domain.subscription import Subscription
from shared.domain.weekly import Standing
from shared.operations import cards, checkout
from shared.operations.answered import Answered, Checked
from shared.operations.audit import books_of
from shared.operations.context import Context
from shared.store import accounts, snapshot
from shared.store import catalogue as catalogues
from shared.store.items import Row
from shared.store.listed import DirectoryEntry
from shared.store.people import Address
from shared.store.reading import Found, read
from shared.store.writing import commit, create, put, replace
from tests import banking

PUBLIC_URL = "http://127.0.0.1:8000"

WORKS = "4242424242424242"
ALSO_WORKS = "5555555555554444"
FAILS_LATER = "4000000000000341"
LOST_CARD = "4000000000009987"
NEEDS_AUTHENTICATION = "4000002500003155"

NEW_YORK = Location(
    id="ny",
    name="Brooklyn",
    zone="America/New_York",
    currency="USD",
    tax_name="Sales tax",
    tax_rate=Decimal("0.0825"),
    service_rates={"yoga": 2_000},
)
BERLIN = Location(
    id="be",
    name="Berlin",
    zone="Europe/Berlin",
    currency="EUR",
    tax_name="MwSt.",
    tax_rate=Decimal("0.19"),
    service_rates={"yoga": 1_800},
)
LOCATIONS = {one.id: one for one in (NEW_YORK, BERLIN)}


def _product(product_id: str, kind: ProductKind, minor: int, **more: Any) -> Product:
    values: dict[str, Any] = {
        "name": product_id.replace("_", " ").capitalize(),
        "prices": {"USD": minor, "EUR": minor},
        "service": "yoga",
        "taxed": True,
        **more,
    }
    return Product(id=product_id, kind=kind, **values)


def _subscription(product_id: str, minor: int, frequency: Frequency, **more: Any) -> Product:
    return _product(
        product_id,
        ProductKind.SUBSCRIPTION,
        minor,
        frequency=frequency,
        frequencies=tuple(Frequency),
        **more,
    )


def _weekly_place(product_id: str, minor: int, **more: Any) -> Product:
    return _product(
        product_id,
        ProductKind.SUBSCRIPTION,
        minor,
        frequency=Frequency.WEEKLY,
        credits=1,
        standing=True,
        **more,
    )


PRODUCTS = (
    _product("ten", ProductKind.PACKAGE, 25_000, credits=10, validity_days=90),
    _product(
        "thirty",
        ProductKind.PACKAGE,
        9_000,
        credits=5,
        validity_days=30,
        recurs_when=RecursWhen.PACK_EXPIRES,
    ),
    _product(
        "agreed",
        ProductKind.PACKAGE,
        9_000,
        credits=5,
        validity_days=30,
        recurs_when=RecursWhen.PACK_EXPIRES,
        minimum_payments=3,
    ),
    _product(
        "two", ProductKind.PACKAGE, 4_000, credits=2, recurs_when=RecursWhen.NO_CREDITS_REMAIN
    ),
    _product(
        "two_by",
        ProductKind.PACKAGE,
        4_000,
        credits=2,
        validity_days=20,
        recurs_when=RecursWhen.NO_CREDITS_REMAIN,
    ),
    _product("mat", ProductKind.RETAIL, 3_000, service=None),
    _subscription("month", 4_900, Frequency.MONTHLY, credits=8),
    _subscription("five_days", 2_000, Frequency.WEEKLY, credits=5, validity_days=5),
    _subscription("open", 9_900, Frequency.MONTHLY, credits=None),
    _subscription("support", 1_000, Frequency.MONTHLY, credits=0),
    _subscription("gift", 0, Frequency.MONTHLY, credits=2),
    _subscription("trial", 6_000, Frequency.MONTHLY, credits=4, trial_days=14),
    _subscription("short_trial", 6_000, Frequency.MONTHLY, credits=4, trial_days=5),
    _subscription("yearly", 50_000, Frequency.ANNUAL, credits=100),
    _subscription("committed", 4_900, Frequency.MONTHLY, credits=8, minimum_payments=12),
    _weekly_place("standing", 3_000),
    _weekly_place("standing_four", 2_500, minimum_payments=4),
)
"""`thirty`, `agreed`, `two` and `two_by` recur without a calendar. `month` and `support` have packs
without a validity of their own; `open` is unlimited."""


def catalogue_of(**settings: Any) -> Catalogue:
    """The catalogue, with settings of the merchant other than the defaults of these tests."""
    values: dict[str, Any] = {
        "merchant_name": "Happy Paws",
        "support_email": "help@example.com",
        "self_cancel": SelfCancel.CHOICE,
        **settings,
    }
    return Catalogue(
        settings=Settings(**values),
        locations=tuple(LOCATIONS.values()),
        services=(Service(id="yoga", name="Yoga", unit="class"),),
        products=PRODUCTS,
    )


def moment(text: str) -> datetime:
    """An instant in UTC: `2026-02-28 04:59`."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


@cache
def template(provider: str = SANDBOX) -> Template:
    """The project's own, without the daily audit: `books_hold` does its work once, at the end.
    New cards go to `provider`."""
    parameters = {"PublicUrl": PUBLIC_URL, "SenderAddress": "hi@example.com", "Provider": provider}
    whole = load_template(parameters)
    return with_fields(whole, schedules=tuple(one for one in whole.schedules if is_tick(one)))


def open_shop(start: str, *, engine: Engine | None = None, **settings: Any) -> LocalWorld:
    """A world whose clock stands at `start`, with the catalogue published. Close it."""
    world = LocalWorld(
        engine=engine, start=moment(start), public_url=PUBLIC_URL, template=template()
    )
    catalogues.publish(catalogue_of(**settings))
    return world


def go_to(world: LocalWorld, when: str) -> None:
    world.advance_to(moment(when))


def context_of(world: LocalWorld) -> Context:
    """What a handler would give to an operation now."""
    return world.wiring.context(snapshot.load(Catalogue, world.now()))


def _there(row: Row[Any] | None) -> Any:
    assert row is not None
    return row


# --- customers and their cards -------------------------------------------------------------------


def newcomer(world: LocalWorld, email: str = "ada@example.com") -> str:
    """A customer without a card; answers the id."""
    customer = Customer(id=world.wiring.new_id(), email=email, name="Ada", created_at=world.now())
    entry = DirectoryEntry(customer_id=customer.id, email=email, name=customer.name)
    commit(
        [
            create(accounts.head(customer.id), customer),
            create(accounts.address(email), Address(customer_id=customer.id, email=email)),
            create(accounts.directory(customer), entry),
        ]
    )
    return customer.id


def customer_with_card(
    world: LocalWorld,
    number: str = WORKS,
    email: str = "ada@example.com",
    *,
    provider: str | None = None,
) -> str:
    customer_id = newcomer(world, email)
    card_on_file(world, customer_id, number, provider=provider)
    return customer_id


def card_on_file(
    world: LocalWorld,
    customer_id: str,
    number: str = WORKS,
    *,
    default: bool = True,
    provider: str | None = None,
) -> Card:
    """A card that is simply there, whatever is past due: nothing is tried on it. It is kept by
    `provider`, or where new cards go."""
    row = head(customer_id)
    name = provider or banking.preferred(world)
    held_by = row.value.provider_customers
    owner, token = banking.stand_in(world, name).save_card(
        number, row.value.email, held_by.get(name), customer_id
    )
    card = Card(
        id=token.replace("/", "-"),
        provider=name,
        token=token,
        brand="visa",
        last4=number[-4:],
        exp_month=12,
        exp_year=world.now().year + 4,
    )
    first = row.value.default_card is None
    changed = row.value.model_copy(
        update={
            "cards": (*row.value.cards, card),
            "default_card": card.id if default or first else row.value.default_card,
            "provider_customers": {**held_by, name: owner},
        }
    )
    commit([replace(row, changed)])
    return card


def new_card(world: LocalWorld, customer_id: str, number: str = WORKS) -> cards.Saved:
    """The customer adds a card on the provider's page and comes back, before its webhook does."""
    context = context_of(world)
    setup = cards.start(context, head(customer_id).value, return_path="/cards")
    assert setup.url is not None
    assert banking.type_card(world, setup.url, number), "the page sends the customer back"
    name = banking.preferred(world)
    return cards.finish(context, name, setup.setup_id, customer_id=customer_id)


def let_card_behave_as(world: LocalWorld, card: Card, number: str) -> None:
    """From now on the bank does with this card what it does with the test number."""
    banking.stand_in(world, card.provider).let_card_behave_as(card.token, number)


def head(customer_id: str) -> Row[Customer]:
    ref = accounts.head(customer_id)
    row: Row[Customer] = _there(read(ref).get(ref))
    return row


def card_of(customer_id: str) -> Card:
    """The default card."""
    card = head(customer_id).value.card_for(None)
    assert card is not None
    return card


# --- buying --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    product_id: str
    quantity: int = 1
    frequency: Frequency | None = None
    starts_on: date | None = None
    until: date | None = None
    next_payment: NextPayment | None = None
    standing: Standing | None = None


def fill_cart(
    world: LocalWorld, customer_id: str, *wanted: Wanted | str, location: str = "ny"
) -> Cart:
    """The customer's cart at a location, holding exactly this."""
    ref = accounts.cart(accounts.customer_pk(customer_id), location)
    row = read(ref).get(ref)
    asked = [Wanted(one) if isinstance(one, str) else one for one in wanted]
    lines = tuple(_line(at, one, location, world.now()) for at, one in enumerate(asked))
    if row is None:
        cart = Cart(
            id=world.wiring.new_id(), location_id=location, lines=lines, changed_at=world.now()
        )
    else:
        cart = with_lines(row.value, lines, world.now())
    commit([put(ref, row, cart)])
    return cart


def _line(at: int, wanted: Wanted, location: str, _now: datetime) -> CartLine:
    product = catalogue_of().product(wanted.product_id)
    assert product is not None
    return CartLine(
        id=f"line{at}",
        product_id=product.id,
        quantity=wanted.quantity,
        seen_minor=product.prices[LOCATIONS[location].currency],
        frequency=wanted.frequency or product.frequency,
        starts_on=wanted.starts_on,
        until=wanted.until,
        standing=wanted.standing,
        next_payment=wanted.next_payment,
    )


@dataclass(frozen=True)
class Press:
    """One press of "pay", ready to be carried out, also by several at once."""

    customer_id: str
    location: Location
    submitted: checkout.Submitted

    def carry_out(self, context: Context) -> Answered:
        customer = accounts.head(self.customer_id)
        found: Found = read(
            customer, *checkout.refs(self.customer_id, self.location.id, self.submitted)
        )
        row = found.get(customer)
        assert row is not None
        return checkout.check_out(
            context, customer=row, location=self.location, submitted=self.submitted, found=found
        )


def press_pay(
    world: LocalWorld,
    customer_id: str,
    cart: Cart,
    *,
    key: str | None = None,
    card_id: str | None = None,
) -> Press:
    """What the page would submit for this cart: its token, and the total as it shows it now."""
    location = LOCATIONS[cart.location_id]
    priced = price_cart(
        cart,
        snapshot.load(Catalogue, world.now()),
        location,
        head(customer_id).value,
        world.now(),
        provider_ready=True,
    )
    assert len(priced.lines) == len(cart.lines), priced.changes
    return Press(
        customer_id,
        location,
        checkout.Submitted(
            cart=cart.token,
            card_id=card_id,
            expected_total_minor=priced.total.minor,
            key=key or f"key-{world.wiring.new_id()}",
        ),
    )


def buy(
    world: LocalWorld,
    customer_id: str,
    *wanted: Wanted | str,
    location: str = "ny",
    key: str | None = None,
    card_id: str | None = None,
) -> Answered:
    """Fill the cart and pay for it; what that set going is done before it answers."""
    cart = fill_cart(world, customer_id, *wanted, location=location)
    press = press_pay(world, customer_id, cart, key=key, card_id=card_id)
    answered = press.carry_out(context_of(world))
    world.run_due()
    return answered


def subscribed(
    world: LocalWorld,
    product_id: str,
    *,
    number: str = WORKS,
    location: str = "ny",
    email: str = "ada@example.com",
    **line: Any,
) -> str:
    """A new customer who has just bought this subscription with a card that works, which then
    becomes `number`; answers the customer's id."""
    customer_id = customer_with_card(world, email=email)
    answered = buy(world, customer_id, Wanted(product_id, **line), location=location)
    assert answered.state is Checked.PAID
    if number != WORKS:
        let_card_behave_as(world, card_of(customer_id), number)
    return customer_id


# --- what has come of it -------------------------------------------------------------------------


def subscription_of(customer_id: str) -> Subscription:
    """The customer's one subscription."""
    (row,) = accounts.subscriptions_of(customer_id).rows
    return row.value


def packs_of(customer_id: str) -> list[Pack]:
    """Oldest first."""
    pages = accounts.packs_of(customer_id), accounts.ended_packs_of(customer_id)
    rows = [row.value for page in pages for row in page.rows]
    return sorted(rows, key=lambda pack: (pack.bought_at, pack.usable_from, pack.id))


def entries_of(pack: Pack) -> list[Entry]:
    rows = accounts.entries_of(pack.customer_id, pack.id).rows
    return sorted((row.value for row in rows), key=lambda entry: (entry.at, entry.id))


def reservation_rows(customer_id: str) -> list[Row[Reservation]]:
    """Newest first by when they were made."""
    pages = accounts.reservations_of(customer_id), accounts.past_reservations_of(customer_id)
    rows = [row for page in pages for row in page.rows]
    return sorted(rows, key=lambda row: row.value.id, reverse=True)


def invoices_of(customer_id: str) -> list[Invoice]:
    """Oldest first."""
    pages = (
        accounts.invoices_of(customer_id),
        accounts.asking_invoices_of(customer_id),
        accounts.used_invoices_of(customer_id),
    )
    rows = [row.value for page in pages for row in page.rows]
    return sorted(rows, key=lambda invoice: (invoice.created_at, invoice.id))


def charges_of(customer_id: str) -> list[Charge]:
    """Oldest first."""
    rows = [row.value for row in accounts.charges_of(customer_id).rows]
    return sorted(rows, key=lambda charge: (charge.created_at, charge.id))


def charge_of_period(customer_id: str, period: int) -> Charge:
    (found,) = [one for one in charges_of(customer_id) if one.period == period]
    return found


def messages_of(customer_id: str, *kinds: MessageKind) -> list[Message]:
    """Those of `kinds` (all without), as they were written."""
    found: list[Message] = []
    after: str | None = None
    while True:
        page = accounts.messages_of(customer_id, after=after)
        told = [one for row in page.rows for one in row.value.each]
        found += [one for one in told if not kinds or one.kind in kinds]
        after = page.next
        if after is None:
            return sorted(found, key=lambda message: (message.created_at, message.key))


def told_at(customer_id: str, *kinds: MessageKind) -> list[str]:
    """When emails of these kinds were sent, as UTC text; those not sent are left out."""
    sent = [one.sent_at for one in messages_of(customer_id, *kinds) if one.sent_at is not None]
    return [text(at) for at in sorted(sent)]


def notices(*kinds: NoticeKind) -> list[Notice]:
    rows = accounts.open_notices().rows
    return [row.value for row in rows if not kinds or row.value.kind in kinds]


def text(at: datetime | None) -> str:
    """The counterpart of `moment`; the empty text for None."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def tried_at(world: LocalWorld, customer_id: str, state: str | None = None) -> list[str]:
    """When the provider was asked for money of this customer, as UTC text."""
    return [
        text(one.created_at)
        for one in asked_of(world, customer_id)
        if state is None or one.state == state
    ]


def charged_at(world: LocalWorld, customer_id: str) -> list[str]:
    """When money moved."""
    return tried_at(world, customer_id, "succeeded")


def asked_of(world: LocalWorld, customer_id: str) -> list[ChargeSeen]:
    """Every try at a provider to collect from this customer, oldest first."""
    return [one for one in banking.tries(world) if (one.charge_ref or "").startswith(customer_id)]


# --- what always holds ---------------------------------------------------------------------------


def customers() -> list[str]:
    found: list[str] = []
    after: str | None = None
    while True:
        page = accounts.customers_by_address("", after=after)
        found += [row.value.customer_id for row in page.rows]
        after = page.next
        if after is None:
            return found


def books_hold(
    world: LocalWorld,
    *,
    errors: bool = False,
    mail_repeats: bool = False,
    beside: Iterable[Sandbox] = (),
) -> None:
    """Ours and the providers' books say the same, nothing was told twice, nothing lies about.

    `errors`: whether a handler may have failed on the way. `mail_repeats`: whether the answer of
    an email that was handed over may have been lost, so that it was handed over again. `beside`:
    providers beside the world's own.
    """
    ours: Counter[str] = Counter()
    refunded: Counter[str] = Counter()
    mails = 0
    for customer_id in customers():
        books = books_of(customer_id)
        assert books is not None
        assert breaches(books, world.now()) == []
        _packs_match(books)
        for charge in books.charges:
            by_card = charge.settled_at is not None and not charge.recorded
            if by_card and charge.amount and money_kept(charge):
                ours[charge.ref] += 1
            if charge.refund is RefundState.FAILED and charge.settled_at is None:
                # Nobody wanted it, and it could not be given back: staff are told.
                ours[charge.ref] += 1
            if charge.refund is RefundState.DONE and not _bank_was_first(charge):
                refunded[charge.ref] += 1
        mails += _mails_sent(messages_of(customer_id))
    seen = [*banking.charges(world), *(one for bank in beside for one in bank.charges())]
    assert _kept(seen) == ours, "what the providers kept is what we settled"
    assert all(count == 1 for count in ours.values()), "one source was paid more than once"
    given_back, voided = _given_back(seen)
    assert not given_back - refunded, "nothing goes back that we did not ask for"
    assert not refunded - given_back - voided, "what we say went back did"
    sent = len(world.mailbox)
    assert sent == mails or (mail_repeats and sent > mails), "every email exactly once"
    waiting = world.engine.first_due(world.wiring.environment.accounts_table)
    assert waiting is None or due_moment(waiting)[0] > world.now(), f"{waiting} lies about"
    if not errors:
        assert world.errors == []
        assert world.dead_letters == []


def _packs_match(books: CustomerBooks) -> None:
    """Each paid period has its one pack, and nothing that was not paid has any but the pack that
    was bought with a place, which is over when its invoice is void."""
    of_invoice = Counter(pack.invoice_id for pack in books.packs if pack.invoice_id)
    for invoice in books.invoices:
        paid = invoice.state is InvoiceState.CLOSED or _was_taken_back(invoice)
        if invoice.period is not None:
            assert of_invoice[invoice.id] == paid, f"{invoice.id} is {invoice.state}"
        elif not paid:
            theirs = [pack for pack in books.packs if pack.invoice_id == invoice.id]
            assert [pack.id for pack in theirs] == ([invoice.pack_id] if invoice.pack_id else [])
            over = invoice.state is InvoiceState.VOID
            assert all(pack.ended_at is not None for pack in theirs if over)


def _bank_was_first(charge: Charge) -> bool:
    """Whether a bank took back what was to be refunded."""
    owed = charge.attempt(charge.refund_attempt or "")
    return owed is not None and owed.reversed is not None


def _was_taken_back(invoice: Invoice) -> bool:
    return any(one.kind is PaymentKind.REVERSAL for one in invoice.payments)


def _mails_sent(messages: Iterable[Message]) -> int:
    return sum(message.state is MessageState.SENT for message in messages)


def _kept(seen: Iterable[ChargeSeen]) -> Counter[str]:
    kept: Counter[str] = Counter()
    for one in seen:
        if one.kept and not one.refunds:
            kept[one.charge_ref or ""] += 1
    return kept


def _given_back(seen: Iterable[ChargeSeen]) -> tuple[Counter[str], Counter[str]]:
    """What was refunded, and what was voided before it settled. A void may also undo what nobody
    was told had been paid: a part of a payment, or one that was lost on its way."""
    back: Counter[str] = Counter()
    voided: Counter[str] = Counter()
    for one in seen:
        if one.refunds:
            assert one.refunds == (one.amount,), "refunded once, and whole"
            (voided if one.state == "voided" else back)[one.charge_ref or ""] += 1
    return back, voided
