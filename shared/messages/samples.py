"""One example of every email, by made-up entities: for previews, and to check templates."""

from datetime import UTC, datetime, timedelta

from shared.domain.business import Location, Service, StaffPerson
from shared.domain.by import By
from shared.domain.calendar import Frequency
from shared.domain.card import Card
from shared.domain.charge import Attempt, Charge, Purpose
from shared.domain.collected_by import CollectedBy
from shared.domain.customer import Customer
from shared.domain.dunning import FirstSlot
from shared.domain.ending import EndReason
from shared.domain.invoice import Invoice, InvoiceLine, InvoiceState, Payment, PaymentKind
from shared.domain.message import Message, MessageKind
from shared.domain.money import Money
from shared.domain.next_payment import NextPayment
from shared.domain.outcome import Outcome
from shared.domain.pack import Pack
from shared.domain.product import Catalogue, Product
from shared.domain.product_kind import ProductKind
from shared.domain.recurring import Recurring, Turn
from shared.domain.recurs_when import RecursWhen
from shared.domain.reservation import Held, Reservation, ReservationState
from shared.domain.settings import Settings
from shared.domain.subscription import Collection, Subscription, SubscriptionState
from shared.domain.terms import Terms
from shared.messages import opening
from shared.messages.builders import (
    bookings,
    collecting,
    endings,
    invoices,
    next_packs,
    of_packs,
    purchases,
    refunds,
    reminders,
    renewals,
)
from shared.messages.builders.telling import Telling
from shared.messages.facts.card import CardShown
from shared.messages.render import Secrets

NOW = datetime(2026, 2, 28, 4, 59, tzinfo=UTC)
"""23:59 of 27 February in New York: the renewal of an anchor on 31 January."""

SECRETS = Secrets(
    link="https://portal.example/sign-in/sample", code="042137", link_minutes=60, code_minutes=10
)
BOUGHT_AT = datetime(2026, 1, 31, 15, 20, tzinfo=UTC)
ZONE = "America/New_York"
PRICE = Money(minor=8900, currency="USD")
TAX = Money(minor=734, currency="USD")
_NO_TAX = Money.zero("USD")

_CARD = Card(
    id="card-1",
    provider="sandbox",
    token="sample",  # noqa: S106 - nobody's
    brand="visa",
    last4="4242",
    exp_month=12,
    exp_year=2030,
)


def samples(settings: Settings, *, locale: str = "") -> dict[MessageKind, Message]:
    """An example of every kind, as `settings` would have it. `locale` is the customer's."""
    customer = Customer(
        id="01JSAMPLECUSTOMER",
        email="sam@example.org",
        name="Sam Rivera",
        locale=locale,
        created_at=NOW,
        cards=(_CARD,),
        default_card=_CARD.id,
    )
    telling = Telling(customer=customer, business=_catalogue(settings), now=NOW)
    messages = (*_signing_in(locale), *_paid(telling), *_to_be_charged(telling), *_ended(telling))
    return {
        message.kind: message for message in (*messages, *_packs(telling), *_reservations(telling))
    }


def _catalogue(settings: Settings) -> Catalogue:
    return Catalogue(
        settings=settings,
        locations=(Location(id="main", name="Harbour Street", zone=ZONE, currency="USD"),),
        services=(Service(id="yoga", name="Yoga class", unit="class"),),
        staff_people=(StaffPerson(id="ana", name="Ana Costa"),),
        products=(
            Product(
                id="ten",
                name="Ten-class pack",
                kind=ProductKind.PACKAGE,
                prices={"USD": 25000},
                service="yoga",
                credits=10,
            ),
            Product(
                id="club",
                name="Yoga Club",
                kind=ProductKind.SUBSCRIPTION,
                prices={"USD": PRICE.minor},
                service="yoga",
                credits=8,
                frequency=Frequency.MONTHLY,
            ),
        ),
    )


def _subscription(
    *, state: SubscriptionState = SubscriptionState.ACTIVE, next_period: int = 2
) -> Subscription:
    return Subscription(
        id="01JSAMPLESUBSCRIPTION",
        customer_id="01JSAMPLECUSTOMER",
        location_id="main",
        zone=ZONE,
        state=state,
        terms=Terms(product_id="club", name="Yoga Club", price=PRICE, service_id="yoga", credits=8),
        frequency=Frequency.MONTHLY,
        anchor=datetime(2026, 1, 31, tzinfo=UTC).date(),
        created_at=BOUGHT_AT,
        first_invoice_id="01JSAMPLEINVOICE7Q2KM4XD",
        next_period=next_period,
    )


def _recurring(payment: NextPayment = NextPayment.DEBIT) -> Subscription:
    """Five passes for 30 days, which recur by their expiry: that of 28 February in New York."""
    return Subscription(
        id="01JSAMPLERECURRING",
        customer_id="01JSAMPLECUSTOMER",
        location_id="main",
        zone=ZONE,
        state=SubscriptionState.ACTIVE,
        terms=Terms(
            product_id="passes",
            name="Five passes",
            price=Money(minor=9000, currency="USD"),
            service_id="yoga",
            credits=5,
            validity_days=30,
        ),
        recurring=Recurring(
            when=RecursWhen.PACK_EXPIRES,
            next_payment=payment,
            expected_at=NOW + timedelta(days=30),
        ),
        anchor=BOUGHT_AT.date(),
        created_at=BOUGHT_AT,
        first_invoice_id="01JSAMPLEINVOICE7Q2KM4XD",
        next_period=2,
        payments_made=2,
    )


def _by_hand() -> Subscription:
    """The same, paid by hand, with its next pack in the cart."""
    found = _recurring(NextPayment.BY_HAND)
    assert found.recurring is not None
    turn = Turn(at=NOW, starts_on=NOW.date() + timedelta(days=2), carted=True)
    in_cart = found.recurring.model_copy(update={"turn": turn})
    return found.model_copy(update={"recurring": in_cart})


def _next_pack() -> Pack:
    return _pack().model_copy(
        update={
            "name": "Five passes",
            "granted": 5,
            "left": 5,
            "usable_from": NOW + timedelta(days=2),
            "expires_at": NOW + timedelta(days=32),
        }
    )


def _invoice(*, product_id: str, name: str, amount: Money, tax: Money) -> Invoice:
    line = InvoiceLine(product_id=product_id, name=name, unit=amount, amount=amount, tax=tax)
    paid = Payment(
        kind=PaymentKind.CARD, at=NOW, amount=amount + tax, brand=_CARD.brand, last4=_CARD.last4
    )
    return Invoice(
        id="01JSAMPLEINVOICE7Q2KM4XD",
        customer_id="01JSAMPLECUSTOMER",
        location_id="main",
        state=InvoiceState.CLOSED,
        created_at=NOW,
        lines=(line,),
        tax_name="Sales tax",
        payments=(paid,),
    )


def _signing_in(locale: str) -> tuple[Message, ...]:
    return tuple(
        opening.sign_in(
            email="sam@example.org",
            request_id="sample",
            request={},
            locale=locale,
            now=NOW,
            staff=staff,
        )
        for staff in (False, True)
    )


def _paid(telling: Telling) -> tuple[Message, ...]:
    pack = _invoice(
        product_id="ten",
        name="Ten-class pack",
        amount=Money(minor=25000, currency="USD"),
        tax=Money(minor=2063, currency="USD"),
    )
    period = _invoice(product_id="club", name="Yoga Club", amount=PRICE, tax=TAX)
    renewal = period.model_copy(update={"period": 1})
    recurring = _recurring()
    next_pack = _invoice(
        product_id="passes", name="Five passes", amount=recurring.terms.price, tax=_NO_TAX
    ).model_copy(update={"period": 1})
    first = period.model_copy(
        update={
            "created_at": BOUGHT_AT,
            "payments": (period.payments[0].model_copy(update={"at": BOUGHT_AT}),),
        }
    )
    trial = _subscription(state=SubscriptionState.TRIALING, next_period=0).model_copy(
        update={"trial_days": 14, "anchor": NOW.date() + timedelta(days=14)}
    )
    amount = PRICE + TAX
    return (
        invoices.order_receipt(telling, invoice=pack),
        purchases.subscription_purchased(
            telling,
            subscription=_subscription(next_period=1),
            invoice=first,
            total_with_tax=amount,
        ),
        purchases.trial_started(telling, subscription=trial, total_with_tax=amount),
        reminders.trial_ending(telling, subscription=trial, total_with_tax=amount),
        *renewals.renewal_mails(
            telling,
            subscription=_subscription(),
            invoice=renewal,
            pack=_pack(),
            total_with_tax=amount,
        ),
        next_packs.next_pack_debited(
            telling, subscription=recurring, invoice=next_pack, pack=_next_pack()
        ),
        refunds.refund(
            telling,
            invoice=pack,
            refund_id="sample",
            amount=pack.total,
            card=CardShown(brand=_CARD.brand, last4=_CARD.last4),
        ),
    )


def _to_be_charged(telling: Telling) -> tuple[Message, ...]:
    amount = PRICE + TAX
    invoice_id = "01JSAMPLEINVOICE7Q2KM4XD"
    failing = _subscription(state=SubscriptionState.PAST_DUE, next_period=1)
    collection = Collection(
        period=1,
        source="sample",
        invoice_id=invoice_id,
        first_day=datetime(2026, 2, 27, tzinfo=UTC).date(),
        first=FirstSlot.AT_2359,
        policy=telling.business.settings.retry,
    )
    attempt = Attempt(
        id="sample-1",
        by=By.CLOCK,
        card=_CARD,
        provider_customer="sample",
        amount=amount,
        started_at=NOW,
        outcome=Outcome.DECLINED,
        decided_at=NOW,
        decline_code="insufficient_funds",
    )
    charge = Charge(
        id="sample",
        source="sample",
        purpose=Purpose.PERIOD,
        customer_id=telling.customer.id,
        location_id="main",
        amount=amount,
        description="Yoga Club",
        invoice_id=invoice_id,
        created_at=NOW,
        attempts=(attempt,),
        period=1,
    )
    failing = failing.model_copy(update={"collection": collection})
    tomorrow = NOW + timedelta(days=1)
    return (
        reminders.renewal_reminder(
            telling, subscription=_subscription(next_period=1), total_with_tax=amount
        ),
        collecting.charge_failed(
            telling, subscription=failing, charge=charge, attempt=attempt, next_try_at=tomorrow
        ),
        collecting.confirm_payment(
            telling,
            charge=charge,
            attempt=attempt,
            confirm_url="https://provider.example/confirm/sample",
            subscription=failing,
            next_try_at=tomorrow,
        ),
        collecting.card_update(telling, request_id="sample", subscription=failing, owed=amount),
        _due(telling, failing),
        next_packs.next_pack_in_cart(
            telling, subscription=_by_hand(), total_with_tax=_recurring().terms.price
        ),
    )


def _due(telling: Telling, failing: Subscription) -> Message:
    """A period whose payment staff record."""
    invoice = _invoice(product_id="club", name="Yoga Club", amount=PRICE, tax=TAX)
    owed = invoice.model_copy(
        update={"state": InvoiceState.OPEN, "payments": (), "number": None, "period": 1}
    )
    by_hand = failing.model_copy(update={"collected_by": CollectedBy.RECORDING})
    return collecting.payment_due(telling, subscription=by_hand, invoice=owed)


def _ended(telling: Telling) -> tuple[Message, ...]:
    over = _subscription(state=SubscriptionState.CANCELLED).model_copy(update={"ended_at": NOW})
    asked = _subscription().model_copy(
        update={"cancel_at_period_end": True, "cancel_requested_at": NOW}
    )
    reasons = (EndReason.BY_CUSTOMER, EndReason.BY_STAFF, EndReason.PAYMENT_FAILED)
    return (
        *(
            endings.cancelled(
                telling,
                subscription=over,
                reason=reason,
                pack=_pack(),
                waived=PRICE + TAX if reason is EndReason.PAYMENT_FAILED else None,
            )
            for reason in reasons
        ),
        endings.cancellation_scheduled(telling, subscription=asked),
    )


def _packs(telling: Telling) -> tuple[Message, ...]:
    expiring = _pack().model_copy(update={"expires_at": NOW + timedelta(days=7)})
    return (
        of_packs.pack_expiring(telling, pack=expiring, subscription=_subscription()),
        of_packs.credits_low(telling, pack=_pack()),
    )


def _pack() -> Pack:
    return Pack(
        id="01JSAMPLEPACK",
        customer_id="01JSAMPLECUSTOMER",
        location_id="main",
        zone=ZONE,
        product_id="ten",
        name="Ten-class pack",
        service_id="yoga",
        granted=10,
        left=2,
        bought_at=NOW - timedelta(days=60),
        usable_from=NOW - timedelta(days=60),
    )


def _reservations(telling: Telling) -> tuple[Message, ...]:
    booked = _reservation()
    moved = booked.model_copy(update={"moved_from": "main.20260302T2300.sample"})
    over = booked.model_copy(update={"state": ReservationState.CANCELLED, "ended_at": NOW})
    offered = booked.model_copy(
        update={
            "state": ReservationState.OFFERED,
            "held": (),
            "offered_until": NOW + timedelta(hours=2),
        }
    )
    return (
        bookings.reservation_confirmed(telling, reservation=booked),
        bookings.reservation_changed(
            telling,
            reservation=moved,
            from_start=booked.starts_at - timedelta(days=1),
            move_id="sample",
        ),
        bookings.reservation_cancelled(telling, reservation=over, by_merchant=False),
        bookings.place_offered(telling, reservation=offered),
    )


def _reservation() -> Reservation:
    """Two participants on the evening of 3 March in New York; a credit holds one place."""
    starts_at = datetime(2026, 3, 3, 23, 0, tzinfo=UTC)
    rate = Money(minor=2000, currency="USD")
    pack = _pack()
    return Reservation(
        id="01JSAMPLERESERVATION",
        customer_id="01JSAMPLECUSTOMER",
        activity_id="main.20260303T2300.sample",
        location_id="main",
        zone=ZONE,
        service_id="yoga",
        name="Evening yoga",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=75),
        cutoff_at=starts_at - timedelta(hours=12),
        staff_member="ana",
        participants=2,
        state=ReservationState.BOOKED,
        held=(Held(pack_id=pack.id, pack_name=pack.name, participants=1, credits=1, worth=rate),),
        charge=rate * 2,
        booked_at=NOW,
    )
