"""What the pages show in tests: one customer's life with a daycare and studio, and its absence."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from pydantic import BaseModel

from functions.console.pages.activity_models import (
    ActivityPage,
    ActivityRow,
    ConsoleSchedule,
    ScheduleDay,
    SeatView,
    Span,
)
from functions.console.pages.models import (
    ConsoleHome,
    CreditUse,
    CustomerPage,
    CustomerRow,
    CustomersPage,
    FrozenPack,
    LinkKind,
    NoticeView,
    PlaceChoice,
    PolicyRefusal,
    RetryPolicyPage,
    TimelineEntry,
    TimelineKind,
    TimelineLink,
)
from functions.console.pages.outstanding_models import (
    CommitmentRow,
    OpenInvoiceRow,
    OutstandingPage,
    OutstandingRow,
)
from functions.portal.pages.account_models import AccountPage
from functions.portal.pages.card_models import (
    CardEnterPage,
    CardOnFile,
    CardsPage,
    CardUpdatePage,
    CardUpdateState,
    Owed,
    UsedBy,
    WhyCardStays,
)
from functions.portal.pages.cart_models import (
    CartLineView,
    CartPage,
    DueLater,
    LaterReason,
    LineNotice,
    WhyNotCheckOut,
)
from functions.portal.pages.checkout_models import CheckoutPage, SubscriptionTerms
from functions.portal.pages.contact_models import ContactPage, PlaceView
from functions.portal.pages.decline_models import Decline, WhyDeclined
from functions.portal.pages.invoice_models import (
    EstimateView,
    InvoicePage,
    InvoicesPage,
    PayForm,
    PaymentsPage,
    WhyNotPay,
)
from functions.portal.pages.order_models import AccessLink, OrderPage, OrderState
from functions.portal.pages.pack_models import PackPage, PacksPage
from functions.portal.pages.product_models import LineForm, ProductPage, TimeChoice
from functions.portal.pages.shop_models import ProductView, ShopPage, ShopTab, WhyEmpty
from functions.portal.pages.subscription_models import (
    CancelConsequence,
    CancelOptions,
    CancelPage,
    CancelWhen,
    Commitment,
    FailingCharge,
    ForecastLine,
    NextPlace,
    SubscriptionPage,
    SubscriptionsPage,
    WhyNotCancel,
)
from shared.domain.activity_state import ActivityState
from shared.domain.business import Location
from shared.domain.by import By
from shared.domain.calendar import Frequency, charge_moment
from shared.domain.collected_by import CollectedBy
from shared.domain.customer import Attention, PastDue
from shared.domain.dunning import RetryPolicy
from shared.domain.ending import EndReason
from shared.domain.expiry_policy import ExpiryPolicy
from shared.domain.invoice import InvoiceState, PaymentKind, PaymentStatus
from shared.domain.message import NoticeKind
from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.domain.pack import EntryKind, PackStatus
from shared.domain.policy_trial import try_policy
from shared.domain.product_kind import ProductKind
from shared.domain.reservation import ReservationState
from shared.domain.self_cancel import SelfCancel
from shared.domain.shopping import Hidden
from shared.domain.subscription import PausedBy, SubscriptionState
from shared.operations.visit import Audience
from shared.web.pages.cards import CardView
from shared.web.pages.charges import AttemptView, ChargeView
from shared.web.pages.choices import Choice
from shared.web.pages.entries import EntryView
from shared.web.pages.invoices import InvoiceSummary, PaymentRow, PaymentView
from shared.web.pages.lines import LineView, Totals
from shared.web.pages.packs import CreditsLeft, PackSummary
from shared.web.pages.sign_in import SignInConfirmPage, SignInPage, SignInSentPage, WhySignIn
from shared.web.pages.subscriptions import (
    ChargeAhead,
    PastDueView,
    SubscriptionSummary,
    UpcomingCharge,
)
from shared.web.pages.weekly import WeeklyTime
from shared.web.problem import Problem
from shared.web.render import ROOT, Frame
from tests.portal import booking_samples, desk_samples, recurring_samples, statement_samples

ZONE = "America/New_York"
PORTAL = ROOT / "functions" / "portal" / "pages"
CONSOLE = ROOT / "functions" / "console" / "pages"


def dollars(minor: int) -> Money:
    return Money(minor=minor, currency="USD")


def at(year: int, month: int, day: int, hour: int = 14, minute: int = 5) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


ZERO = dollars(0)
NOTHING = Totals(subtotal=ZERO, tax=ZERO, total=ZERO)
VISA = CardView(
    id="card-visa", brand="visa", last4="4242", exp_month=4, exp_year=2029, default=True
)
GONE = VISA.model_copy(update={"id": "card-gone", "default": False, "chargeable": False})
MASTERCARD = CardView(
    id="card-mc", brand="mastercard", last4="5556", exp_month=11, exp_year=2025, expired=True
)

LOCATIONS = (
    Location(id="riverside", name="Riverside Studio", zone=ZONE, currency="USD"),
    Location(id="hillside", name="Hillside Daycare", zone="America/Denver", currency="USD"),
)

FRAME = Frame(
    merchant="Willow & Paws",
    support_email="hello@willowpaws.example",
    signed_in=True,
    name="Ana Ferreira",
    email="ana@example.com",
    cart_count=3,
    locations=LOCATIONS,
    location=LOCATIONS[0],
    zone=ZONE,
)
PAST_DUE = PastDue(
    subscription_id="sub-1",
    name="Yoga every month",
    owed=dollars(9634),
    zone="America/Denver",
    next_try_at=at(2026, 3, 1, 6, 59),
)
STAFF_FRAME = FRAME._replace(audience=Audience.STAFF, name="Sam Okafor", role="owner", past_due=())
NOBODY = Frame(merchant="Willow & Paws", locations=LOCATIONS[:1], location=LOCATIONS[0], zone=ZONE)


TEN_CLASSES = ProductView(
    id="ten-classes",
    name="Ten-class pass",
    kind=ProductKind.PACKAGE,
    description="Any yoga or barre class at Riverside. Share it with nobody, or with everyone.",
    category="Classes",
    price=dollars(25000),
    service="Yoga class",
    unit="class",
    credits=10,
    expiry=ExpiryPolicy.AFTER_DAYS,
    validity_days=90,
    taxed=True,
    tax_name="Sales tax",
)
UNLIMITED = ProductView(
    id="unlimited",
    name="Unlimited month",
    kind=ProductKind.PACKAGE,
    description="Come as often as you like for a month.",
    category="Classes",
    price=dollars(18900),
    service="Yoga class",
    unit="class",
    unlimited=True,
    expiry=ExpiryPolicy.AFTER_MONTHS,
    validity_months=1,
)
FIVE_DAYS = ProductView(
    id="five-days",
    name="Five days of daycare",
    kind=ProductKind.PACKAGE,
    category="Daycare",
    price=dollars(16000),
    service="Dog daycare",
    unit="day",
    credits=5,
)
YOGA_MONTHLY = ProductView(
    id="yoga-monthly",
    name="Yoga every month",
    kind=ProductKind.SUBSCRIPTION,
    description="Eight classes arrive at the start of each of your months.",
    category="Classes",
    price=dollars(8900),
    service="Yoga class",
    unit="class",
    credits=8,
    expiry=ExpiryPolicy.NEXT_RENEWAL,
    frequency=Frequency.MONTHLY,
    frequencies=(Frequency.MONTHLY, Frequency.ANNUAL),
    trial_days=14,
    taxed=True,
    tax_name="Sales tax",
    minimum_payments=3,
)
DONATION = ProductView(
    id="rescue",
    name="Help the rescue dogs",
    kind=ProductKind.RETAIL,
    description="Every dollar goes to the shelter next door.",
    price=dollars(1500),
    pay_what_you_want=True,
    minimum=dollars(100),
)
VIDEO = ProductView(
    id="video",
    name="Morning flow, the video",
    kind=ProductKind.ACCESS,
    price=dollars(1200),
)
LEASH = ProductView(
    id="leash", name="Hemp leash", kind=ProductKind.RETAIL, price=dollars(3250), taxed=True
)


def tabs(selected: ShopTab) -> tuple[Choice, ...]:
    return tuple(Choice(value=tab, count=3, selected=tab is selected) for tab in ShopTab)


PACK = PackSummary(
    id="pack-1",
    name="Ten-class pass",
    status=PackStatus.ACTIVE,
    granted=10,
    left=6,
    service="Yoga class",
    unit="class",
    location_id="riverside",
    location="Riverside Studio",
    zone=ZONE,
    bought_at=at(2026, 1, 12),
    usable_from=at(2026, 1, 12, 5, 0),
    expires_at=at(2026, 4, 12, 3, 59),
    invoice_id="inv-1",
)
UNLIMITED_PACK = PACK.model_copy(
    update={
        "id": "pack-2",
        "name": "Unlimited month",
        "unlimited": True,
        "granted": None,
        "left": None,
        "expires_at": None,
        "expires_with_next": True,
        "subscription_id": "sub-1",
    }
)
EXPIRED_PACK = PACK.model_copy(
    update={
        "id": "pack-3",
        "name": "Intro week",
        "status": PackStatus.EXPIRED,
        "left": 0,
        "trial": True,
    }
)
FROZEN_PACK = PACK.model_copy(
    update={
        "id": "pack-5",
        "name": "Ten-class pass, disputed",
        "status": PackStatus.FROZEN,
        "frozen_at": at(2026, 2, 10),
        "invoice_id": "inv-3",
    }
)
UNPAID_PACK = PACK.model_copy(
    update={
        "id": "pack-6",
        "name": "Ten classes, to be paid",
        "status": PackStatus.UNPAID,
        "left": 0,
        "to_come": 9,
        "holds_place_at": at(2026, 3, 3),
        "expires_at": None,
        "invoice_id": "inv-7",
    }
)
UPCOMING_PACK = PACK.model_copy(
    update={"id": "pack-4", "name": "Five days", "unit": "day", "status": PackStatus.UPCOMING}
)

NEXT = ChargeAhead(
    period=2,
    at=at(2026, 3, 31, 3, 59),
    starts_on=date(2026, 3, 31),
    amount=dollars(9634),
    card=VISA,
)
ACTIVE = SubscriptionSummary(
    id="sub-1",
    name="Yoga every month",
    state=SubscriptionState.ACTIVE,
    price=dollars(8900),
    frequency=Frequency.MONTHLY,
    service="Yoga class",
    unit="class",
    credits=8,
    location_id="riverside",
    location="Riverside Studio",
    zone=ZONE,
    anchor=date(2026, 1, 31),
    next_charge=NEXT,
)
LATE = ACTIVE.model_copy(update={"state": SubscriptionState.PAST_DUE})
ENDING = ACTIVE.model_copy(
    update={
        "id": "sub-2",
        "name": "Daycare every week",
        "frequency": Frequency.WEEKLY,
        "cancel_at_period_end": True,
        "ends_at": at(2026, 3, 8, 5, 0),
        "next_charge": None,
    }
)
CANCELLED = ACTIVE.model_copy(
    update={
        "id": "sub-3",
        "state": SubscriptionState.CANCELLED,
        "ends_at": at(2025, 11, 5, 4, 59),
        "end_reason": EndReason.PAYMENT_FAILED,
        "next_charge": None,
    }
)
PAUSED = ACTIVE.model_copy(
    update={
        "id": "sub-4",
        "state": SubscriptionState.PAUSED,
        "next_charge": None,
        "paused_at": at(2026, 3, 1),
        "paused_by": PausedBy.STAFF,
    }
)
BY_RECORDING = ACTIVE.model_copy(
    update={
        "id": "sub-6",
        "state": SubscriptionState.PAST_DUE,
        "collected_by": CollectedBy.RECORDING,
        "next_charge": None,
    }
)

INVOICE = InvoiceSummary(
    id="inv-1",
    order_id="7KQ2-M4XA",
    number="R-2026-0042",
    state=InvoiceState.CLOSED,
    status=PaymentStatus.PAID,
    created_at=at(2026, 1, 12),
    zone=ZONE,
    location="Riverside Studio",
    description="Ten-class pass and 1 more",
    total=dollars(30581),
    owed=ZERO,
)
OPEN_INVOICE = INVOICE.model_copy(
    update={
        "id": "inv-2",
        "order_id": "9PLM-T0BB",
        "number": None,
        "state": InvoiceState.OPEN,
        "status": PaymentStatus.FAILED,
        "description": "Yoga every month",
        "total": dollars(9634),
        "owed": dollars(9634),
        "subscription_id": "sub-1",
    }
)
REVERSED_INVOICE = INVOICE.model_copy(
    update={
        "id": "inv-3",
        "order_id": "3FGT-81RS",
        "state": InvoiceState.OPEN,
        "status": PaymentStatus.REVERSED,
        "owed": dollars(34099),
    }
)


def payment(day: int, minor: int, order: str, status: PaymentStatus) -> PaymentRow:
    return PaymentRow(
        at=at(2026, 1, day),
        amount=dollars(minor),
        order_id=order,
        status=status,
        description="Ten-class pass",
        invoice_id="inv-1",
        brand="visa",
        last4="4242",
        zone=ZONE,
    )


PAYMENTS = (
    payment(31, 9634, "9PLM-T0BB", PaymentStatus.FAILED),
    payment(20, 121, "4HHT-22QF", PaymentStatus.PROCESSING),
    payment(12, 30581, "7KQ2-M4XA", PaymentStatus.PAID),
    payment(3, 1200, "1AAC-80PX", PaymentStatus.REFUNDED),
    payment(2, 34099, "3FGT-81RS", PaymentStatus.REVERSED),
)
CREDITS = (
    CreditsLeft(
        service="Yoga class",
        unit="class",
        left=6,
        packs=2,
        next_expiry_at=at(2026, 4, 12, 3, 59),
        zone=ZONE,
    ),
    CreditsLeft(service="Dog daycare", unit="day", left=None, unlimited=True, packs=1, zone=ZONE),
)
TUESDAYS = WeeklyTime(weekday=1, clock=time(18, 30), name="Slow flow", staff_member="Mira")
CART_LINES = (
    CartLineView(
        id="line-1",
        product_id="ten-classes",
        kind=ProductKind.PACKAGE,
        name="Ten-class pass",
        quantity=1,
        max_quantity=20,
        unit=dollars(25000),
        amount=dollars(25000),
        tax=dollars(2063),
        credits=10,
        credit_unit="class",
        notice=LineNotice.PRICE_CHANGED,
        was=dollars(23000),
    ),
    CartLineView(
        id="line-2",
        product_id="yoga-monthly",
        kind=ProductKind.SUBSCRIPTION,
        name="Yoga every month",
        quantity=1,
        unit=dollars(8900),
        amount=dollars(8900),
        tax=dollars(734),
        credits=8,
        credit_unit="class",
        frequency=Frequency.MONTHLY,
        starts_on=date(2026, 1, 31),
        until=date(2026, 12, 31),
        trial_days=14,
    ),
    CartLineView(
        id="line-3",
        product_id="leash",
        kind=ProductKind.RETAIL,
        name="Hemp leash",
        quantity=2,
        max_quantity=99,
        unit=dollars(3250),
        amount=dollars(6500),
        tax=dollars(536),
    ),
)
CART_TOTALS = Totals(
    subtotal=dollars(40400), tax_name="Sales tax", tax=dollars(3333), total=dollars(43733)
)
LATER = DueLater(
    line_id="line-2",
    name="Yoga every month",
    why=LaterReason.TRIAL,
    starts_on=date(2026, 2, 14),
    at=at(2026, 2, 14, 4, 59),
    amount=dollars(9634),
    zone=ZONE,
)
LINES = (
    LineView(
        name="Ten-class pass",
        unit=dollars(25000),
        amount=dollars(25000),
        tax=dollars(2063),
    ),
    LineView(
        name="Hemp leash",
        detail="Green",
        quantity=2,
        unit=dollars(3250),
        amount=dollars(6500),
        tax=dollars(536),
    ),
)
ATTEMPTS = (
    AttemptView(
        id="charge-1-1",
        at=at(2026, 2, 28, 4, 59),
        by=By.CLOCK,
        brand="visa",
        last4="0341",
        outcome=Outcome.DECLINED,
        decline_code="insufficient_funds",
    ),
    AttemptView(
        id="charge-1-2",
        at=at(2026, 3, 1, 4, 59),
        by=By.CUSTOMER,
        brand="visa",
        last4="4242",
        outcome=Outcome.AUTHENTICATION_REQUIRED,
    ),
)
NOT_TAKEN = ATTEMPTS[0].model_copy(update={"outcome": Outcome.REFUSED, "decline_code": None})
CHARGES = (
    ChargeView(
        id="charge-1",
        period=1,
        starts_on=date(2026, 2, 28),
        invoice_id="inv-2",
        amount=dollars(9634),
        outcome=Outcome.DECLINED,
        attempts=ATTEMPTS,
    ),
    ChargeView(
        id="charge-0",
        period=0,
        starts_on=date(2026, 1, 31),
        invoice_id="inv-1",
        amount=dollars(9634),
        outcome=Outcome.SUCCEEDED,
        settled_at=at(2026, 1, 31),
        attempts=ATTEMPTS[:1],
    ),
)


def forecast() -> tuple[ForecastLine, ...]:
    anchor, lines = date(2026, 1, 31), []
    for n in range(2, 14):
        moment = charge_moment(anchor, Frequency.MONTHLY, n, ZONE)
        lines.append(
            ForecastLine(
                period=n,
                at=moment,
                starts_on=(moment + timedelta(minutes=1)).date(),
                amount=dollars(8900),
                tax=dollars(734),
                total=dollars(9634),
            )
        )
    return tuple(lines)


SUBSCRIPTION_PAGE = SubscriptionPage(
    subscription=ACTIVE,
    expiry=ExpiryPolicy.NEXT_RENEWAL,
    payments_made=2,
    commitment=Commitment(minimum_payments=3, made=2, remaining=1),
    paid_until=at(2026, 3, 31, 4, 0),
    forecast=forecast(),
    forecast_total=dollars(9634 * 12),
    cancel=CancelOptions(ways=(CancelWhen.REQUEST,), why_not=WhyNotCancel.COMMITMENT),
    cards=(VISA, MASTERCARD),
    packs=(UNLIMITED_PACK, EXPIRED_PACK),
    charges=CHARGES,
    pay_key="pay-key-1",
    undo_key="undo-key-1",
)
FAILING = SUBSCRIPTION_PAGE.model_copy(
    update={
        "subscription": LATE,
        "failing": FailingCharge(
            invoice_id="inv-2",
            owed=dollars(9634),
            slots_used=2,
            slots=6,
            next_try_at=at(2026, 3, 2, 4, 59),
        ),
    }
)


def statuses(selected: str) -> tuple[Choice, ...]:
    return tuple(
        Choice(value=value, count=count, selected=value == selected)
        for value, count in (("", 4), *((status.value, 1) for status in PackStatus))
    )


def states(selected: str) -> tuple[Choice, ...]:
    values = ("", "active", "past_due", "cancelled")
    return tuple(Choice(value=value, count=2, selected=value == selected) for value in values)


CHECKOUT = CheckoutPage(
    location="Riverside Studio",
    cart="cart-1.4",
    lines=CART_LINES,
    totals=CART_TOTALS,
    due_now=dollars(34099),
    due_later=(LATER,),
    expected_total=34099,
    cards=(VISA, MASTERCARD),
    card="card-visa",
    idempotency_key="checkout-key-1",
    terms=(
        SubscriptionTerms(
            line_id="line-2",
            name="Yoga every month",
            amount=dollars(9634),
            frequency=Frequency.MONTHLY,
            starts_on=date(2026, 1, 31),
            first_charge_at=at(2026, 2, 14, 4, 59),
            next_charge_at=at(2026, 3, 14, 3, 59),
            trial_days=14,
            minimum_payments=3,
            first_place_at=at(2026, 2, 3, 23, 30),
            self_cancel=SelfCancel.CHOICE,
            zone=ZONE,
        ),
    ),
)
ORDER = OrderPage(
    order_id="7KQ2-M4XA",
    state=OrderState.PAID,
    at=at(2026, 1, 12),
    zone=ZONE,
    location="Riverside Studio",
    lines=LINES,
    totals=Totals(
        subtotal=dollars(31500), tax_name="Sales tax", tax=dollars(2599), total=dollars(34099)
    ),
    card=VISA,
    invoice_id="inv-1",
    due_later=(LATER,),
    packs=(PACK,),
    subscriptions=(ACTIVE,),
    access=(AccessLink(product_id="video", name="Morning flow", url="https://video.example/1"),),
)
ESTIMATE = EstimateView(
    reservation_id="res-1",
    name="Slow flow",
    starts_at=at(2026, 3, 3),
    zone="America/New_York",
    location="Riverside Studio",
    lines=booking_samples.LINES,
    totals=booking_samples.TOTALS,
)
INVOICE_PAGE = InvoicePage(
    invoice=INVOICE,
    lines=LINES,
    totals=ORDER.totals,
    payments=(
        PaymentView(
            kind=PaymentKind.CARD,
            at=at(2026, 1, 12),
            amount=dollars(34099),
            brand="visa",
            last4="4242",
        ),
    ),
    paid=dollars(34099),
    merchant="Willow & Paws",
    merchant_address="12 River Lane, Troy NY",
    customer_name="Ana Ferreira",
    customer_email="ana@example.com",
    attempts=CHARGES[1:],
)

FULL: Mapping[str, BaseModel] = {
    **booking_samples.FULL,
    **statement_samples.FULL,
    "shop": ShopPage(
        tab=ShopTab.PACKAGES,
        tabs=tabs(ShopTab.PACKAGES),
        categories=(
            Choice(value="", count=3, selected=True),
            Choice(value="Classes", count=2),
            Choice(value="Daycare", count=1),
        ),
        products=(TEN_CLASSES, UNLIMITED, FIVE_DAYS),
    ),
    "product": ProductPage(
        product=YOGA_MONTHLY,
        form=LineForm(),
        today=date(2026, 1, 31),
        latest_start=date(2027, 1, 31),
        trial_ends_on=date(2026, 2, 13),
        first_charge_at=at(2026, 2, 14, 4, 59),
    ),
    "cart": CartPage(
        location_id="riverside",
        location="Riverside Studio",
        cart="cart-1.4",
        lines=CART_LINES,
        added="Hemp leash",
        totals=CART_TOTALS,
        due_now=dollars(34099),
        due_later=(LATER,),
        can_check_out=True,
    ),
    "checkout": CHECKOUT,
    "order": ORDER,
    "card_enter": CardEnterPage(
        provider="cardpointe",
        frame_url="https://fts-uat.cardconnect.com/itoke/ajax-tokenizer.html?usecvv=true",
        next="/checkout?cart=7",
        years=(2026, 2027),
        owed=(Owed(name="Yoga every month", owed=dollars(9634), zone=ZONE),),
    ),
    "cards": CardsPage(
        cards=(
            CardOnFile(
                card=VISA,
                used_by=(UsedBy(subscription_id="sub-1", name="Yoga every month"),),
                removable=False,
                why_not=WhyCardStays.LAST_NEEDED,
            ),
            CardOnFile(card=MASTERCARD, removable=True),
        ),
        max_cards=10,
    ),
    "card_update": CardUpdatePage(
        state=CardUpdateState.OPEN,
        owed=(
            Owed(
                name="Yoga every month",
                owed=dollars(9634),
                next_try_at=at(2026, 3, 2, 4, 59),
                zone=ZONE,
            ),
        ),
        card=VISA,
    ),
    "contact": ContactPage(
        merchant="Willow & Paws",
        support_email="hello@willowpaws.example",
        support_phone="+1 518 555 0100",
        address="12 River Lane, Troy NY",
        locations=(
            PlaceView(id="riverside", name="Riverside Studio", address="12 River Lane"),
            PlaceView(id="hillside", name="Hillside Daycare", phone="+1 303 555 0100"),
        ),
        social=("https://social.example/willowpaws",),
    ),
    "account": AccountPage(
        name="Ana Ferreira",
        email="ana@example.com",
        credits=CREDITS,
        next_charges=(
            UpcomingCharge(subscription_id="sub-1", name=ACTIVE.name, zone=ZONE, charge=NEXT),
        ),
        forecast=(
            UpcomingCharge(subscription_id="sub-1", name=ACTIVE.name, zone=ZONE, charge=NEXT),
        ),
        forecast_totals=(NEXT.amount,),
        store_credit=(dollars(1500),),
    ),
    "packs": PacksPage(
        statuses=statuses(""),
        credits=CREDITS,
        packs=(PACK, UNLIMITED_PACK, UPCOMING_PACK, UNPAID_PACK, EXPIRED_PACK),
        next="/packs?after=pack-3",
    ),
    "pack": PackPage(
        pack=PACK,
        lives=statement_samples.LIVES,
        entries=(
            EntryView(
                id="entry-2",
                kind=EntryKind.DEDUCT,
                delta=-4,
                left=6,
                at=at(2026, 2, 2),
                reason="Used before we had the portal",
                by="Sam Okafor",
            ),
            EntryView(
                id="entry-1",
                kind=EntryKind.GRANT,
                delta=10,
                left=10,
                at=at(2026, 1, 12),
                invoice_id="inv-1",
            ),
        ),
    ),
    "subscriptions": SubscriptionsPage(
        states=states(""), subscriptions=(ACTIVE, ENDING, PAUSED, CANCELLED)
    ),
    "subscription": SUBSCRIPTION_PAGE,
    "cancel": CancelPage(
        subscription=ACTIVE,
        choices=(
            CancelConsequence(
                when=CancelWhen.PERIOD_END,
                ends_at=at(2026, 3, 31, 4, 0),
                credits_kept=5,
                can_undo=True,
            ),
            CancelConsequence(
                when=CancelWhen.NOW,
                ends_at=at(2026, 3, 2),
                void=dollars(9634),
                outcome_unknown=True,
                credits_kept=5,
            ),
            CancelConsequence(when=CancelWhen.REQUEST, ends_at=at(2026, 4, 30, 4, 0)),
        ),
        commitment=Commitment(minimum_payments=3, made=2, remaining=1),
        why_not=WhyNotCancel.COMMITMENT,
        idempotency_key="cancel-key-1",
    ),
    "invoices": InvoicesPage(
        states=tuple(
            Choice(value=value, count=2, selected=value == "")
            for value in ("", "open", "closed", "void")
        ),
        invoices=(OPEN_INVOICE, booking_samples.INVOICE, INVOICE),
        estimates=(
            ESTIMATE,
            ESTIMATE.model_copy(update={"outstanding": True, "totals": NOTHING}),
        ),
        owed=(dollars(9634),),
        store_credit=(dollars(1500),),
    ),
    "invoice": INVOICE_PAGE,
    "payments": PaymentsPage(payments=PAYMENTS, next="/payments?after=4"),
    "sign_in": SignInPage(email="ana@example.com", next="/cart", why=WhySignIn.LINK_USED),
    "sign_in_sent": SignInSentPage(
        email="ana@example.com", next="/cart", link_minutes=60, code_minutes=10
    ),
    "sign_in_confirm": SignInConfirmPage(email="ana@example.com", next="/cart"),
    "error": Problem(
        title="Unprocessable Content",
        status=422,
        detail="Some of what you entered does not fit.",
        code="invalid",
        fields={"quantity": "Choose a quantity from 1 to 20."},
    ),
}
"""One answer for each page of the portal, with everything in it."""

MORE: Mapping[str, tuple[str, BaseModel]] = {
    **booking_samples.MORE,
    **statement_samples.MORE,
    **recurring_samples.MORE,
    "shop, subscriptions": (
        "shop",
        ShopPage(
            tab=ShopTab.SUBSCRIPTIONS,
            tabs=tabs(ShopTab.SUBSCRIPTIONS),
            products=(YOGA_MONTHLY,),
            query="yoga",
        ),
    ),
    "shop, retail": (
        "shop",
        ShopPage(tab=ShopTab.RETAIL, tabs=tabs(ShopTab.RETAIL), products=(LEASH, VIDEO, DONATION)),
    ),
    "product, package": (
        "product",
        ProductPage(product=TEN_CLASSES, today=date(2026, 1, 31), max_quantity=20),
    ),
    "product, pay what you want": (
        "product",
        ProductPage(product=DONATION, form=LineForm(price="15.00"), today=date(2026, 1, 31)),
    ),
    "product, a weekly place": (
        "product",
        ProductPage(
            product=YOGA_MONTHLY.model_copy(
                update={"standing": True, "frequency": Frequency.WEEKLY, "trial_days": None}
            ),
            today=date(2026, 1, 31),
            times=(
                TimeChoice(
                    activity_id="riverside.20260203T2330.a",
                    name="Slow flow",
                    starts_at=at(2026, 2, 3, 23, 30),
                    zone=ZONE,
                    staff_member="Mira",
                    free=3,
                ),
            ),
        ),
    ),
    "product, no weekly place": (
        "product",
        ProductPage(
            product=YOGA_MONTHLY.model_copy(update={"standing": True}), today=date(2026, 1, 31)
        ),
    ),
    "cart, a weekly place that is gone": (
        "cart",
        CartPage(
            location_id="riverside",
            location="Riverside Studio",
            cart="cart-1.5",
            lines=(
                CART_LINES[1].model_copy(
                    update={"weekly": TUESDAYS, "notice": LineNotice.TIME_GONE}
                ),
            ),
            totals=NOTHING,
            due_now=ZERO,
            why_not=WhyNotCheckOut.NOT_FOR_SALE,
        ),
    ),
    "subscription, a weekly place": (
        "subscription",
        SUBSCRIPTION_PAGE.model_copy(
            update={
                "subscription": ACTIVE.model_copy(
                    update={"weekly": TUESDAYS, "frequency": Frequency.WEEKLY}
                ),
                "next_place": NextPlace(starts_at=at(2026, 3, 3, 23, 30), reservation_id="res-1"),
            }
        ),
    ),
    "subscription, a week that is not booked": (
        "subscription",
        SUBSCRIPTION_PAGE.model_copy(
            update={"next_place": NextPlace(starts_at=at(2026, 3, 3, 23, 30))}
        ),
    ),
    "product, not here": (
        "product",
        ProductPage(
            product=LEASH,
            today=date(2026, 1, 31),
            can_add=False,
            why_not=Hidden.OTHER_LOCATION,
        ),
    ),
    "product, owned": (
        "product",
        ProductPage(product=VIDEO, today=date(2026, 1, 31), access_link="https://video.example/1"),
    ),
    "checkout, declined": (
        "checkout",
        CHECKOUT.model_copy(
            update={
                "decline": Decline(
                    reason=WhyDeclined.INSUFFICIENT_FUNDS, brand="visa", last4="9995"
                ),
                "cart_changed": True,
            }
        ),
    ),
    "order, processing": ("order", ORDER.model_copy(update={"state": OrderState.PROCESSING})),
    "order, confirm": (
        "order",
        ORDER.model_copy(
            update={"state": OrderState.CONFIRM, "confirm_url": "https://pay.example/confirm"}
        ),
    ),
    "order, declined": (
        "order",
        ORDER.model_copy(
            update={"state": OrderState.DECLINED, "decline": Decline(reason=WhyDeclined.FINAL)}
        ),
    ),
    "checkout, not taken by the provider": (
        "checkout",
        CHECKOUT.model_copy(
            update={
                "decline": Decline(reason=WhyDeclined.REFUSED, brand="visa", last4="4242"),
                "cards": (VISA, GONE),
            }
        ),
    ),
    "order, not taken by the provider": (
        "order",
        ORDER.model_copy(
            update={"state": OrderState.DECLINED, "decline": Decline(reason=WhyDeclined.REFUSED)}
        ),
    ),
    "order, on a card of a provider that is gone": (
        "order",
        ORDER.model_copy(
            update={
                "state": OrderState.DECLINED,
                "decline": Decline(reason=WhyDeclined.NOT_CHARGEABLE, brand="visa", last4="4242"),
            }
        ),
    ),
    "cards, one of a provider that is gone": (
        "cards",
        CardsPage(cards=(CardOnFile(card=GONE, removable=True),), can_add=True, max_cards=10),
    ),
    "subscription, not taken by the provider": (
        "subscription",
        FAILING.model_copy(
            update={
                "failing": FAILING.failing
                and FAILING.failing.model_copy(update={"needs": Attention.MERCHANT}),
                "charges": (CHARGES[0].model_copy(update={"attempts": (NOT_TAKEN,)}),),
            }
        ),
    ),
    "card update, settled": ("card_update", CardUpdatePage(state=CardUpdateState.SETTLED)),
    "subscription, failing": ("subscription", FAILING),
    "subscription, ending": (
        "subscription",
        SUBSCRIPTION_PAGE.model_copy(
            update={
                "subscription": ENDING,
                "cancel": CancelOptions(why_not=WhyNotCancel.ALREADY_ENDS, can_undo=True),
                "forecast": (),
            }
        ),
    ),
    "subscription, cancelled": (
        "subscription",
        SUBSCRIPTION_PAGE.model_copy(
            update={
                "subscription": CANCELLED,
                "cancel": CancelOptions(why_not=WhyNotCancel.OVER),
                "forecast": (),
            }
        ),
    ),
    "subscription, paused": (
        "subscription",
        SUBSCRIPTION_PAGE.model_copy(update={"subscription": PAUSED}),
    ),
    "subscription, paid in cash and due": (
        "subscription",
        SUBSCRIPTION_PAGE.model_copy(
            update={
                "subscription": BY_RECORDING,
                "failing": FailingCharge(
                    invoice_id="inv-3",
                    owed=dollars(9_634),
                    slots_used=2,
                    slots=6,
                    pay_by=at(2026, 3, 9, 4, 59),
                ),
            }
        ),
    ),
    "account, paused": (
        "account",
        AccountPage(email="sam@willowpaws.example", paused=(PAUSED,)),
    ),
    "pack, unlimited": ("pack", PackPage(pack=UNLIMITED_PACK)),
    "pack, expired": ("pack", PackPage(pack=EXPIRED_PACK)),
    "pack, frozen": ("pack", PackPage(pack=FROZEN_PACK)),
    "pack, to be paid": ("pack", PackPage(pack=UNPAID_PACK)),
    "invoice, of a place and to be confirmed": (
        "invoice",
        INVOICE_PAGE.model_copy(
            update={
                "invoice": booking_samples.INVOICE,
                "lines": booking_samples.LINES,
                "totals": booking_samples.TOTALS,
                "payments": (
                    PaymentView(kind=PaymentKind.CASH, at=at(2026, 3, 1), amount=dollars(1000)),
                ),
                "paid": dollars(1000),
                "reservation_id": "res-1",
                "pack_id": "pack-6",
                "pay": PayForm(
                    amount=dollars(1706),
                    cards=(VISA,),
                    idempotency_key="invoice-key-7",
                    why_not=WhyNotPay.TO_BE_CONFIRMED,
                    confirm_url="https://bank.example/confirm",
                ),
            }
        ),
    ),
    "invoice, taken back": (
        "invoice",
        INVOICE_PAGE.model_copy(
            update={
                "invoice": REVERSED_INVOICE,
                "payments": (
                    *INVOICE_PAGE.payments,
                    PaymentView(
                        kind=PaymentKind.REVERSAL,
                        at=at(2026, 2, 10),
                        amount=dollars(-34099),
                        brand="visa",
                        last4="4242",
                    ),
                ),
                "paid": ZERO,
            }
        ),
    ),
    "invoice, won": (
        "invoice",
        INVOICE_PAGE.model_copy(
            update={
                "payments": (
                    *INVOICE_PAGE.payments,
                    PaymentView(
                        kind=PaymentKind.REVERSAL, at=at(2026, 2, 10), amount=dollars(-34099)
                    ),
                    PaymentView(
                        kind=PaymentKind.REINSTATED, at=at(2026, 3, 10), amount=dollars(34099)
                    ),
                ),
            }
        ),
    ),
    "invoice, open": (
        "invoice",
        INVOICE_PAGE.model_copy(
            update={
                "invoice": OPEN_INVOICE,
                "payments": (),
                "paid": ZERO,
                "attempts": CHARGES[:1],
                "pay": PayForm(
                    amount=dollars(9634),
                    cards=(VISA, MASTERCARD),
                    card="card-visa",
                    idempotency_key="invoice-key-1",
                ),
            }
        ),
    ),
    "error, not found": (
        "error",
        Problem(title="Not Found", status=404, detail="There is nothing here.", code="not_found"),
    ),
    "error, ours": (
        "error",
        Problem(
            title="Internal Server Error",
            status=500,
            detail="Something went wrong on our side. We have been told.",
            code="unexpected",
        ),
    ),
}
"""Other faces of the same pages, by a name of their own."""

EMPTY: Mapping[str, BaseModel] = {
    **booking_samples.EMPTY,
    **statement_samples.EMPTY,
    "shop": ShopPage(
        tab=ShopTab.SUBSCRIPTIONS,
        tabs=tabs(ShopTab.SUBSCRIPTIONS),
        why_empty=WhyEmpty.NO_PROVIDER,
    ),
    "product": ProductPage(product=FIVE_DAYS, today=date(2026, 1, 31)),
    "cart": CartPage(
        location_id="riverside",
        location="Riverside Studio",
        totals=NOTHING,
        due_now=ZERO,
        why_not=WhyNotCheckOut.EMPTY,
    ),
    "checkout": CheckoutPage(
        location="Riverside Studio",
        cart="cart-1.1",
        lines=(),
        totals=NOTHING,
        due_now=ZERO,
        expected_total=0,
        card_required=False,
        can_add_card=False,
        idempotency_key="checkout-key-2",
    ),
    "order": OrderPage(
        order_id="7KQ2-M4XA",
        state=OrderState.PAID,
        at=at(2026, 1, 12),
        zone=ZONE,
        location="Riverside Studio",
        totals=NOTHING,
    ),
    "card_enter": CardEnterPage(
        provider="cardpointe", frame_url="https://x.example/field", next="/cards", years=(2026,)
    ),
    "cards": CardsPage(max_cards=10),
    "card_update": CardUpdatePage(state=CardUpdateState.STALE),
    "contact": ContactPage(merchant="Willow & Paws", support_email="hello@willowpaws.example"),
    "account": AccountPage(email="ana@example.com"),
    "packs": PacksPage(),
    "pack": PackPage(pack=PACK.model_copy(update={"expires_at": None, "service": ""})),
    "subscriptions": SubscriptionsPage(),
    "subscription": SubscriptionPage(
        subscription=ACTIVE.model_copy(
            update={"state": SubscriptionState.SCHEDULED, "next_charge": None, "credits": 0}
        ),
        expiry=ExpiryPolicy.NEXT_RENEWAL,
        forecast_total=ZERO,
        cancel=CancelOptions(),
        pay_key="pay-key-2",
        undo_key="undo-key-2",
    ),
    "cancel": CancelPage(
        subscription=CANCELLED, why_not=WhyNotCancel.OVER, idempotency_key="cancel-key-2"
    ),
    "invoices": InvoicesPage(),
    "invoice": InvoicePage(
        invoice=INVOICE.model_copy(update={"number": None}),
        lines=(),
        totals=NOTHING,
        paid=ZERO,
        merchant="Willow & Paws",
    ),
    "payments": PaymentsPage(),
    "sign_in": SignInPage(),
    "sign_in_sent": SignInSentPage(email="ana@example.com", link_minutes=60, code_minutes=10),
    "sign_in_confirm": SignInConfirmPage(),
    "error": Problem(title="Not Found", status=404, detail="Nothing here.", code="not_found"),
}
"""The same pages with nothing in them that need not be."""


def entry(number: int, kind: TimelineKind, what: str, **more: object) -> TimelineEntry:
    return TimelineEntry.model_validate(
        {"id": f"event-{number}", "at": at(2026, 2, 28 - number), "kind": kind, "what": what} | more
    )


POLICY = RetryPolicy()
PLACES = (PlaceChoice(id="riverside", name="Riverside"),)

DESK_CLASS = ActivityRow(
    id="riverside.20260303T2330.a",
    name="Slow flow",
    service_id="yoga",
    service="Yoga",
    staff_member="Mira",
    starts_at=at(2026, 3, 3, 23, 30),
    ends_at=at(2026, 3, 4, 0, 45),
    zone=ZONE,
    places=8,
    taken=8,
    free=0,
    waiting=1,
    prepay_online=True,
    state=ActivityState.SCHEDULED,
)
DESK_SCHEDULE = ConsoleSchedule(
    view=Span.WEEK,
    first=date(2026, 3, 3),
    previous=date(2026, 2, 24),
    next=date(2026, 3, 10),
    today=date(2026, 3, 3),
    location_id="riverside",
    location="Riverside",
    zone=ZONE,
)


def desk_seat(name: str, state: ReservationState, **more: object) -> SeatView:
    return SeatView.model_validate(
        {
            "reservation_id": f"res-{name}-{state.value}",
            "customer_id": "cus-1",
            "customer_name": name,
            "participants": 1,
            "state": state,
        }
        | more
    )


CONSOLE_FULL: Mapping[str, BaseModel] = {
    **statement_samples.CONSOLE_FULL,
    **desk_samples.CONSOLE_FULL,
    "console_schedule": DESK_SCHEDULE.model_copy(
        update={
            "days": (
                ScheduleDay(
                    day=date(2026, 3, 3),
                    activities=(
                        DESK_CLASS,
                        DESK_CLASS.model_copy(update={"id": "riverside.b", "taken": 2, "free": 6}),
                        DESK_CLASS.model_copy(update={"state": ActivityState.CANCELLED}),
                    ),
                ),
                ScheduleDay(day=date(2026, 3, 4)),
            ),
            "whole": False,
            "locations": (*PLACES, PlaceChoice(id="hill", name="Hill")),
            "services": (PlaceChoice(id="yoga", name="Yoga"),),
            "staff_people": (PlaceChoice(id="mira", name="Mira"),),
            "may_change": True,
            "idempotency_key": "console-key-2",
        }
    ),
    "console_activity": ActivityPage(
        activity=DESK_CLASS,
        location="Riverside",
        cutoff_at=at(2026, 3, 3, 11, 30),
        roster=(
            desk_seat("Ana Ferreira", ReservationState.BOOKED, participants=2),
            desk_seat("Bo Lin", ReservationState.REDEEMED, checked_in_at=at(2026, 3, 3)),
        ),
        waiting=(
            desk_seat("Cy", ReservationState.OFFERED, offered_until=at(2026, 3, 2)),
            desk_seat("", ReservationState.WAITING),
        ),
        gone=(desk_seat("Di", ReservationState.CANCELLED_LATE),),
        whole=False,
        made_at=at(2026, 2, 1),
        made_by="sam@willowpaws.example",
        may_change=True,
        may_cancel=True,
        may_check_in=True,
    ),
    "console_outstanding": OutstandingPage(
        location_id="riverside",
        location="Riverside",
        locations=(*PLACES, PlaceChoice(id="hill", name="Hill")),
        outstanding=(
            OutstandingRow(
                reservation_id="res-1",
                activity_id=DESK_CLASS.id,
                customer_id="cus-1",
                customer_name="Ana Ferreira",
                what="Slow flow",
                starts_at=at(2026, 3, 3),
                zone=ZONE,
                amount=dollars(2165),
            ),
            OutstandingRow(
                reservation_id="res-2",
                activity_id=DESK_CLASS.id,
                customer_id="cus-2",
                what="Slow flow",
                starts_at=at(2026, 3, 3),
                zone=ZONE,
                amount=dollars(27063),
                invoice_id="01JABCDEFGHJKMNPQRSTVW0001",
                order_id="TVW0-0001",
                for_pack=True,
            ),
            OutstandingRow(
                reservation_id="res-3",
                activity_id=DESK_CLASS.id,
                customer_id="cus-3",
                customer_name="Bo Larsen",
                what="Slow flow",
                starts_at=at(2026, 3, 2),
                zone=ZONE,
                amount=dollars(2165),
                invoice_id="01JABCDEFGHJKMNPQRSTVW0002",
                order_id="TVW0-0002",
            ),
        ),
        next="riverside#2026-03-03T14:05:00Z#res-1",
        open_invoices=(
            OpenInvoiceRow(
                invoice_id="01JABCDEFGHJKMNPQRSTVW0003",
                order_id="TVW0-0003",
                customer_id="cus-4",
                customer_name="Cleo Brandt",
                what="Ten classes",
                created_at=at(2026, 3, 1),
                zone=ZONE,
                total=dollars(27063),
                owed=dollars(17063),
                reservation_id="res-4",
                for_pack=True,
            ),
        ),
        open_next="riverside#01JABCDEFGHJKMNPQRSTVW0003",
        commitments=(
            CommitmentRow(
                customer_id="cus-1",
                customer_name="Ana Ferreira",
                subscription_id="sub-1",
                name="Yoga every month",
                state=SubscriptionState.ACTIVE,
                price=dollars(8_900),
                minimum_payments=12,
                made=5,
                remaining=7,
            ),
        ),
        commitments_next="riverside#sub-1",
        may_change=True,
        idempotency_key="key-of-this-page",
    ),
    "console_retry_policy": RetryPolicyPage(
        present=POLICY,
        policy=POLICY,
        frequency=Frequency.MONTHLY,
        starts_on=date(2026, 1, 31),
        location_id="riverside",
        zone=ZONE,
        pattern="decline, final, success",
        locations=PLACES,
        trial=try_policy(
            POLICY,
            Frequency.MONTHLY,
            date(2026, 1, 31),
            1,
            ZONE,
            (Outcome.DECLINED, Outcome.DECLINED_FINAL),
        ),
        refusals=(
            PolicyRefusal(
                product_id="week",
                name="Monday to Friday",
                frequency=Frequency.WEEKLY,
                reason="The last of 7 tries would reach the next renewal.",
            ),
        ),
    ),
    "console_home": ConsoleHome(
        notices=(
            NoticeView(
                id="notice-1",
                kind=NoticeKind.SUBSCRIPTION_FAILED_PAYMENT,
                title="Subscription failed payment",
                detail="Yoga every month of Ana Ferreira was cancelled after 6 tries.",
                created_at=at(2026, 3, 5, 4, 59),
                location="Riverside Studio",
                customer_id="cus-1",
                customer_name="Ana Ferreira",
            ),
            NoticeView(
                id="notice-2",
                kind=NoticeKind.PAYMENT_REVERSED,
                title="A payment was taken back",
                detail="Ana Ferreira (ana@example.com): the bank took back $340.99 of Visa ending"
                " in 4242 for Ten-class pass, order 3FGT-81RS. Ten-class pass: 10 credits granted."
                " 2 credits used: Slow flow on January 14, 2026; Slow flow on January 21, 2026."
                " None held for what is booked. 8 credits unused.",
                created_at=at(2026, 3, 5),
            ),
            NoticeView(
                id="notice-4",
                kind=NoticeKind.CANCELLATION_REQUESTED,
                title="Asks to cancel",
                created_at=at(2026, 3, 4),
            ),
            NoticeView(
                id="notice-3",
                kind=NoticeKind.PARKED,
                title="A renewal was set aside",
                detail="It failed 5 times and is not tried any more by itself.",
                created_at=at(2026, 3, 3),
                customer_id="cus-2",
                customer_name="ana@example.org",
                work="renewals of customer#01JHZ7Q5S1N9V7M1Y8R4K2D3EF/subscription#01JHZ7Q5S1N9V7",
                may_release=True,
            ),
        )
    ),
    "console_customers": CustomersPage(
        email="ana@example.com",
        customers=(
            CustomerRow(id="cus-1", name="Ana Ferreira", email="ana@example.com", past_due=True),
            CustomerRow(id="cus-2", email="ana@example.org"),
        ),
    ),
    "console_customer": CustomerPage(
        id="01JHZ7Q5S1N9V7M1Y8R4K2D3EF",
        name="Ana Ferreira",
        email="ana@example.com",
        locale="en-US",
        created_at=at(2025, 12, 1),
        mail_blocked=True,
        store_credit=(dollars(1500),),
        past_due=(
            PastDueView(
                subscription_id="sub-1",
                name="Yoga every month",
                owed=dollars(9634),
                zone=ZONE,
                next_try_at=at(2026, 3, 2, 4, 59),
            ),
        ),
        cards=(VISA, MASTERCARD),
        packs=(PACK, FROZEN_PACK, EXPIRED_PACK),
        frozen=(
            FrozenPack(
                pack_id="pack-5",
                frozen_at=at(2026, 2, 10),
                zone=ZONE,
                uses=(
                    CreditUse(
                        reservation_id="res-1",
                        name="Slow flow",
                        at=at(2026, 1, 14),
                        zone=ZONE,
                        credits=1,
                        over=True,
                    ),
                    CreditUse(
                        reservation_id="res-2",
                        name="Open gym",
                        at=at(2026, 3, 14),
                        zone=ZONE,
                        credits=0,
                        over=False,
                    ),
                ),
                unused=8,
            ),
            FrozenPack(pack_id="pack-1", frozen_at=at(2026, 2, 10), zone=ZONE, unused=None),
        ),
        subscriptions=(LATE, CANCELLED),
        invoices=(OPEN_INVOICE, REVERSED_INVOICE, INVOICE),
        timeline=(
            entry(
                1,
                TimelineKind.ATTEMPT,
                "Declined: Visa ending in 0341",
                detail="Renewal for the period from 28 February, try 1 of 6; not enough money.",
                amount=dollars(9634),
                by="clock",
                links=(
                    TimelineLink(kind=LinkKind.SUBSCRIPTION, id="sub-1", name="Yoga every month"),
                    TimelineLink(kind=LinkKind.INVOICE, id="inv-2", name="Order 9PLM-T0BB"),
                ),
            ),
            entry(2, TimelineKind.MESSAGE, "Email sent: renewal reminder"),
            entry(
                3,
                TimelineKind.PAYMENT,
                "Paid: Ten-class pass and 1 more",
                amount=dollars(34099),
                links=(TimelineLink(kind=LinkKind.INVOICE, id="inv-1"),),
            ),
            entry(4, TimelineKind.PACK, "10 classes added", detail="Ten-class pass"),
        ),
        next="/console/customers/cus-1?after=event-4",
        zone=ZONE,
    ),
    "console_sign_in": SignInPage(why=WhySignIn.SESSION_ENDED),
    "console_sign_in_sent": SignInSentPage(
        email="sam@willowpaws.example", link_minutes=60, code_minutes=10
    ),
    "console_sign_in_confirm": SignInConfirmPage(email="sam@willowpaws.example"),
    "error": EMPTY["error"],
}

CONSOLE_MORE: Mapping[str, tuple[str, BaseModel]] = {
    "console customer, not taken by the provider": (
        "console_customer",
        CONSOLE_FULL["console_customer"].model_copy(
            update={"past_due": (PAST_DUE.model_copy(update={"needs": Attention.MERCHANT}),)}
        ),
    ),
    "console activity, cancelled in part": (
        "console_activity",
        CONSOLE_FULL["console_activity"].model_copy(
            update={
                "activity": DESK_CLASS.model_copy(update={"state": ActivityState.CANCELLED}),
                "cancelled_at": at(2026, 3, 1),
                "cancelled_by": "sam@willowpaws.example",
                "may_cancel": False,
                "may_check_in": False,
                "to_cancel": 2,
            }
        ),
    ),
    "console home, no provider": (
        "console_home",
        CONSOLE_FULL["console_home"].model_copy(
            update={"provider_ready": False, "next": "notice-9"}
        ),
    ),
    "console customer, to be changed": (
        "console_customer",
        CONSOLE_FULL["console_customer"].model_copy(
            update={
                "may_change": True,
                "whole": False,
                "subscriptions": (LATE, ENDING, CANCELLED),
                "idempotency_key": "console-key-1",
            }
        ),
    ),
}

CONSOLE_EMPTY: Mapping[str, BaseModel] = {
    **statement_samples.CONSOLE_EMPTY,
    **desk_samples.CONSOLE_EMPTY,
    "console_schedule": DESK_SCHEDULE,
    "console_activity": ActivityPage(activity=DESK_CLASS, cutoff_at=at(2026, 3, 3)),
    "console_outstanding": OutstandingPage(location_id="riverside", location="Riverside"),
    "console_retry_policy": RetryPolicyPage(
        present=POLICY,
        policy=POLICY,
        frequency=Frequency.MONTHLY,
        starts_on=date(2026, 1, 31),
        location_id="riverside",
        zone=ZONE,
        pattern="",
    ),
    "console_home": ConsoleHome(),
    "console_customers": CustomersPage(),
    "console_customer": CustomerPage(
        id="cus-3", email="new@example.com", created_at=at(2026, 1, 1), zone=ZONE
    ),
    "console_sign_in": SignInPage(),
    "console_sign_in_sent": SignInSentPage(
        email="sam@willowpaws.example", link_minutes=60, code_minutes=10
    ),
    "console_sign_in_confirm": SignInConfirmPage(),
    "error": EMPTY["error"],
}


def path_of(page: str) -> str:
    """Where a page is reached, for the frame."""
    paths = {
        **booking_samples.PATHS,
        **statement_samples.PATHS,
        **desk_samples.PATHS,
        "product": "/shop/ten-classes",
        "order": "/orders/7KQ2-M4XA",
        "card_update": "/card-update/token",
        "pack": "/packs/pack-1",
        "subscription": "/subscriptions/sub-1",
        "cancel": "/subscriptions/sub-1/cancel",
        "invoice": "/invoices/inv-1",
        "sign_in": "/sign-in",
        "sign_in_sent": "/sign-in",
        "sign_in_confirm": "/sign-in/token",
        "console_home": "/console",
        "console_retry_policy": "/console/retry-policy",
        "console_schedule": "/console/schedule",
        "console_activity": "/console/activities/riverside.20260303T2330.a",
        "console_outstanding": "/console/outstanding",
        "console_customers": "/console/customers",
        "console_customer": "/console/customers/cus-1",
    }
    return paths.get(page, f"/{page}")


def folder_of(page: str) -> Path:
    return CONSOLE if page.startswith("console") else PORTAL
