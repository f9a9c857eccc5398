"""Which emails a purchase, a renewal and an end send, and under which keys ([MAILS], [OUTBOX])."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shared.domain.business import Location
from shared.domain.calendar import Frequency
from shared.domain.card import Card
from shared.domain.customer import Customer
from shared.domain.dunning import FirstSlot
from shared.domain.ending import EndReason
from shared.domain.invoice import Invoice, InvoiceLine, InvoiceState, Payment, PaymentKind
from shared.domain.message import Message, MessageKind
from shared.domain.money import Money
from shared.domain.next_payment import NextPayment
from shared.domain.pack import Pack
from shared.domain.product import Catalogue, Product
from shared.domain.product_kind import ProductKind
from shared.domain.recurring import Recurring
from shared.domain.recurs_when import RecursWhen
from shared.domain.settings import Settings
from shared.domain.subscription import Subscription, SubscriptionState
from shared.domain.terms import Terms
from shared.messages.builders import endings, invoices, purchases, reminders, renewals
from shared.messages.builders.telling import Telling
from shared.messages.facts.next_packs import NextPackDebitedFacts
from shared.messages.facts.purchases import PurchasedFacts
from shared.messages.facts.renewals import RenewalFacts

NOW = datetime(2026, 1, 31, 15, 0, tzinfo=UTC)
ZONE = "America/New_York"
CARD = Card(
    id="c", provider="sandbox", token="t", brand="visa", last4="4242", exp_month=1, exp_year=2030
)
CUSTOMER = Customer(
    id="customer-1",
    email="sam@example.org",
    name="Sam",
    locale="fr-CA",
    created_at=NOW,
    cards=(CARD,),
    default_card="c",
)
CATALOGUE = Catalogue(
    settings=Settings(merchant_name="Studio", support_email="hello@example.org", locale="en-GB"),
    locations=(Location(id="main", name="Main", zone=ZONE, currency="USD"),),
    products=(
        Product(id="ten", name="Ten", kind=ProductKind.PACKAGE, prices={"USD": 25000}),
        Product(
            id="club",
            name="Club",
            kind=ProductKind.SUBSCRIPTION,
            prices={"USD": 8900},
            frequency=Frequency.MONTHLY,
        ),
    ),
)
TELLING = Telling(customer=CUSTOMER, business=CATALOGUE, now=NOW)
WITH_TAX = Money(minor=9634, currency="USD")


def subscription(**changes: object) -> Subscription:
    return Subscription(
        id="sub-1",
        customer_id=CUSTOMER.id,
        location_id="main",
        zone=ZONE,
        state=SubscriptionState.ACTIVE,
        terms=Terms(
            product_id="club", name="Club", price=Money(minor=8900, currency="USD"), credits=8
        ),
        frequency=Frequency.MONTHLY,
        anchor=date(2026, 1, 31),
        created_at=NOW,
        first_invoice_id="invoice-1",
        next_period=1,
    ).model_copy(update=changes)


def invoice(*product_ids: str, period: int | None = None) -> Invoice:
    price = Money(minor=8900, currency="USD")
    tax = Money(minor=734, currency="USD")
    return Invoice(
        id="invoice-1",
        customer_id=CUSTOMER.id,
        location_id="main",
        state=InvoiceState.CLOSED,
        created_at=NOW,
        lines=tuple(
            InvoiceLine(product_id=each, name=each, unit=price, amount=price, tax=tax)
            for each in product_ids
        ),
        payments=(Payment(kind=PaymentKind.CARD, at=NOW, amount=price + tax),),
        period=period,
    )


def kinds(messages: tuple[Message, ...]) -> list[MessageKind]:
    return sorted(message.kind for message in messages)


def test_a_plain_order_sends_order_receipt_and_invoice() -> None:
    mails = purchases.purchase_mails(TELLING, invoice=invoice("ten"), subscriptions=())
    assert kinds(mails) == [MessageKind.INVOICE, MessageKind.ORDER_RECEIPT]


def test_a_first_purchase_of_a_subscription_sends_invoice_and_purchase_receipt() -> None:
    mails = purchases.purchase_mails(
        TELLING, invoice=invoice("club"), subscriptions=[(subscription(), WITH_TAX)]
    )
    assert kinds(mails) == [MessageKind.INVOICE, MessageKind.SUBSCRIPTION_PURCHASED]


def test_a_mixed_cart_sends_all_three_and_one_invoice() -> None:
    mails = purchases.purchase_mails(
        TELLING, invoice=invoice("ten", "club"), subscriptions=[(subscription(), WITH_TAX)]
    )
    assert kinds(mails) == [
        MessageKind.INVOICE,
        MessageKind.ORDER_RECEIPT,
        MessageKind.SUBSCRIPTION_PURCHASED,
    ]


def test_a_trial_alone_sends_its_start_and_no_receipt_of_money() -> None:
    trial = subscription(
        trial_days=14, state=SubscriptionState.TRIALING, next_period=0, anchor=date(2026, 2, 14)
    )
    mails = purchases.purchase_mails(TELLING, invoice=None, subscriptions=[(trial, WITH_TAX)])
    assert kinds(mails) == [MessageKind.TRIAL_STARTED]


def test_a_later_start_is_told_as_a_purchase_that_was_not_charged() -> None:
    later = subscription(
        state=SubscriptionState.SCHEDULED,
        next_period=0,
        anchor=date(2026, 3, 1),
        first=FirstSlot.AT_DAY_START,
    )
    (mail,) = purchases.purchase_mails(TELLING, invoice=None, subscriptions=[(later, WITH_TAX)])
    facts = PurchasedFacts.model_validate(mail.facts)
    assert mail.kind is MessageKind.SUBSCRIPTION_PURCHASED
    assert facts.bill is None
    assert facts.next_charge is not None
    assert facts.next_charge.at == datetime(2026, 3, 1, 5, 0, tzinfo=UTC)


def pack() -> Pack:
    return Pack(
        id="pack-1",
        customer_id=CUSTOMER.id,
        location_id="main",
        zone=ZONE,
        product_id="club",
        name="Club",
        granted=8,
        left=8,
        bought_at=NOW,
        usable_from=NOW,
        expires_at=NOW + timedelta(days=30),
    )


def test_a_next_pack_that_was_debited_sends_its_own_receipt_and_the_invoice() -> None:
    recurring = Recurring(when=RecursWhen.PACK_EXPIRES, next_payment=NextPayment.DEBIT)
    mails = renewals.renewal_mails(
        TELLING,
        subscription=subscription(next_period=2, frequency=None, recurring=recurring),
        invoice=invoice("club", period=1),
        pack=pack(),
        total_with_tax=WITH_TAX,
    )
    assert kinds(mails) == [MessageKind.INVOICE, MessageKind.NEXT_PACK_DEBITED]
    receipt = next(mail for mail in mails if mail.kind is MessageKind.NEXT_PACK_DEBITED)
    facts = NextPackDebitedFacts.model_validate(receipt.facts)
    assert facts.first_day == date(2026, 1, 31)
    assert facts.pack.expires_at == NOW + timedelta(days=30)


def test_a_renewal_sends_receipt_and_invoice_of_its_period() -> None:
    mails = renewals.renewal_mails(
        TELLING,
        subscription=subscription(next_period=2),
        invoice=invoice("club", period=1),
        pack=pack(),
        total_with_tax=WITH_TAX,
    )
    assert kinds(mails) == [MessageKind.INVOICE, MessageKind.RENEWAL_RECEIPT]
    receipt = next(mail for mail in mails if mail.kind is MessageKind.RENEWAL_RECEIPT)
    facts = RenewalFacts.model_validate(receipt.facts)
    assert (facts.first_day, facts.last_day) == (date(2026, 2, 28), date(2026, 3, 30))
    assert facts.next_charge is not None
    assert facts.next_charge.at == datetime(2026, 3, 31, 3, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "changes",
    [
        {"cancel_at_period_end": True},
        {"until": date(2026, 2, 27)},
        {"state": SubscriptionState.CANCELLED},
    ],
)
def test_no_next_charge_is_promised_where_none_will_come(changes: dict[str, object]) -> None:
    mail = purchases.subscription_purchased(
        TELLING,
        subscription=subscription(**changes),
        invoice=invoice("club"),
        total_with_tax=WITH_TAX,
    )
    assert PurchasedFacts.model_validate(mail.facts).next_charge is None


def test_a_reminder_is_told_once_per_period_and_only_while_it_is_to_come() -> None:
    mails = [
        reminders.renewal_reminder(
            TELLING, subscription=subscription(next_period=period), total_with_tax=WITH_TAX
        )
        for period in (1, 1, 2)
    ]
    assert mails[0].key == mails[1].key != mails[2].key
    assert mails[0].only_while == "sub-1"
    assert mails[0].period == 1


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (EndReason.BY_CUSTOMER, MessageKind.CANCELLED_BY_CUSTOMER),
        (EndReason.BY_STAFF, MessageKind.CANCELLED_BY_STAFF),
        (EndReason.PAYMENT_FAILED, MessageKind.CANCELLED_AFTER_FAILURES),
        (EndReason.UNTIL, MessageKind.CANCELLED_BY_CUSTOMER),
    ],
)
def test_an_end_is_told_by_its_reason(reason: EndReason, kind: MessageKind) -> None:
    assert endings.cancelled(TELLING, subscription=subscription(), reason=reason).kind is kind


def test_every_end_reason_has_its_email() -> None:
    for reason in EndReason:
        assert endings.cancelled(TELLING, subscription=subscription(), reason=reason).to


def test_a_cancellation_that_was_undone_and_asked_again_is_told_again() -> None:
    asked = [
        endings.cancellation_scheduled(
            TELLING,
            subscription=subscription(cancel_at_period_end=True, cancel_requested_at=at),
        )
        for at in (NOW, NOW + timedelta(hours=1))
    ]
    assert asked[0].key != asked[1].key


def test_a_message_takes_the_customers_locale_else_the_merchants() -> None:
    mail = invoices.order_receipt(TELLING, invoice=invoice("ten"))
    assert mail.locale == "fr-CA"
    plain = Telling(
        customer=CUSTOMER.model_copy(update={"locale": ""}), business=CATALOGUE, now=NOW
    )
    assert invoices.order_receipt(plain, invoice=invoice("ten")).locale == "en-GB"


def test_a_location_that_is_gone_does_not_stop_a_receipt() -> None:
    gone = invoice("ten").model_copy(update={"location_id": "closed-down"})
    assert invoices.order_receipt(TELLING, invoice=gone).to == CUSTOMER.email
