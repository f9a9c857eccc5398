"""What the pages of schedule and reservations show in tests."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from pydantic import BaseModel

from functions.portal.pages.activity_models import (
    ActivityToBook,
    HeldView,
    PackOffer,
    PackToUse,
    PlaceChoice,
    PlanView,
    WeeklyOffer,
    WhyNotBook,
)
from functions.portal.pages.reservation_models import (
    MovePage,
    PlacePayment,
    ReservationPage,
    ReservationsPage,
    ReservationView,
    WhyNotMove,
)
from functions.portal.pages.schedule_models import (
    ActivityView,
    DayToBook,
    FilterChoice,
    Mine,
    SchedulePage,
    ScheduleView,
)
from shared.domain.invoice import InvoiceState, LineKind, PaymentStatus
from shared.domain.money import Money
from shared.domain.reservation import ReservationState
from shared.web.pages.cards import CardView
from shared.web.pages.invoices import InvoiceSummary
from shared.web.pages.lines import LineView, Totals
from shared.web.pages.weekly import WeeklyTime

ZONE = "America/New_York"


def _at(day: int, hour: int = 23, minute: int = 30) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def _dollars(minor: int) -> Money:
    return Money(minor=minor, currency="USD")


CLASS = ActivityView(
    id="riverside.20260303T2330.a",
    name="Slow flow",
    service_id="yoga",
    service="Yoga class",
    staff_member="Mira",
    location="Riverside Studio",
    zone=ZONE,
    starts_at=_at(3),
    ends_at=_at(4, 0, 45),
    cutoff_at=_at(3, 11),
    places=8,
    free=3,
    price=_dollars(2500),
    total=_dollars(2706),
)
FULL_CLASS = CLASS.model_copy(
    update={
        "id": "riverside.20260303T2330.b",
        "name": "Barre for beginners, in the small room upstairs",
        "free": 0,
        "waiting": 2,
        "mine": (Mine(reservation_id="res-2", state=ReservationState.WAITING),),
        "weekly": True,
    }
)
BEGUN = CLASS.model_copy(update={"id": "riverside.20260303T1200.c", "bookable": False})
HELD = HeldView(
    pack_id="pack-1", name="Ten-class pass", participants=1, credits=1, worth=_dollars(2500)
)
BOUNDLESS = HELD.model_copy(update={"pack_id": "pack-2", "name": "Unlimited month", "credits": 0})
PAID = PlanView(held=(HELD,), charge=_dollars(2500), due=_dollars(0), total=_dollars(0))
PART = PlanView(
    held=(HELD, BOUNDLESS),
    charge=_dollars(7500),
    due=_dollars(2500),
    total=_dollars(2706),
    on_hold=("Summer pass",),
)
PLACES = PlaceChoice(
    name="Slow flow", price=_dollars(2500), tax=_dollars(206), total=_dollars(2706), used=0
)
CHOICES = (
    PLACES,
    PlaceChoice(
        product_id="ten-classes",
        name="Ten-class pass",
        price=_dollars(25000),
        tax=_dollars(2063),
        total=_dollars(27063),
        credits=10,
        used=3,
    ),
    PlaceChoice(
        product_id="open-month",
        name="Unlimited month",
        price=_dollars(9900),
        tax=_dollars(0),
        total=_dollars(9900),
    ),
    PlaceChoice(
        product_id="try-it",
        name="First class on us",
        price=_dollars(0),
        tax=_dollars(0),
        total=_dollars(0),
        credits=1,
        used=1,
    ),
)
CARD = CardView(id="card-1", brand="visa", last4="4242", exp_month=4, exp_year=2028, default=True)
LINES = (
    LineView(
        kind=LineKind.SERVICE,
        name="Slow flow",
        detail="2026-03-03 18:30",
        quantity=2,
        unit=_dollars(2500),
        amount=_dollars(5000),
        tax=_dollars(412),
    ),
    LineView(
        kind=LineKind.CREDIT,
        name="Ten-class pass",
        detail="Paid with credits",
        unit=_dollars(-2500),
        amount=_dollars(-2500),
        tax=_dollars(-206),
    ),
)
TOTALS = Totals(
    subtotal=_dollars(2500), tax_name="Sales tax", tax=_dollars(206), total=_dollars(2706)
)
INVOICE = InvoiceSummary(
    id="inv-7",
    order_id="8XKQ-77AB",
    state=InvoiceState.OPEN,
    status=PaymentStatus.UNPAID,
    created_at=_at(1),
    zone=ZONE,
    location="Riverside Studio",
    description="Slow flow",
    total=_dollars(2706),
    owed=_dollars(2706),
)
EVERY_TUESDAY = WeeklyOffer(
    product_id="weekly",
    name="Your place, every week",
    price=_dollars(2000),
    total=_dollars(2165),
    time=WeeklyTime(weekday=1, clock=time(18, 30), name="Slow flow", staff_member="Mira"),
    starts_on=date(2026, 3, 10),
    minimum_payments=4,
)
OFFERS = (
    PackOffer(
        product_id="ten-classes",
        name="Ten-class pass",
        price=_dollars(25000),
        total=_dollars(27063),
    ),
)
BOOKED = ReservationView(
    id="res-1",
    activity_id=CLASS.id,
    name=CLASS.name,
    service=CLASS.service,
    staff_member=CLASS.staff_member,
    location=CLASS.location,
    zone=ZONE,
    starts_at=CLASS.starts_at,
    ends_at=CLASS.ends_at,
    cutoff_at=CLASS.cutoff_at,
    participants=2,
    state=ReservationState.BOOKED,
    upcoming=True,
    charge=_dollars(5000),
    due=_dollars(2500),
    owes=_dollars(2706),
    subscription_id="sub-1",
    booked_at=_at(1),
)


def _in_state(state: ReservationState, **more: object) -> ReservationView:
    free = {"due": _dollars(0), "owes": _dollars(0)}
    over = {"id": f"res-{state}", "state": state, **free, "ended_at": _at(2)}
    return BOOKED.model_copy(update={**over, "upcoming": False, **more})


OFFERED = _in_state(
    ReservationState.OFFERED, upcoming=True, offered_until=_at(2, 12), ended_at=None
)

FULL: Mapping[str, BaseModel] = {
    "schedule": SchedulePage(
        view=ScheduleView.WEEK,
        begins=date(2026, 3, 3),
        ends=date(2026, 3, 9),
        location="Riverside Studio",
        zone=ZONE,
        service="yoga",
        services=(
            FilterChoice(value="", name="All"),
            FilterChoice(value="yoga", name="Yoga class", selected=True),
        ),
        staff_members=(
            FilterChoice(value="", name="All", selected=True),
            FilterChoice(value="mira", name="Mira"),
            FilterChoice(value="jo", name="Jo"),
        ),
        days=(
            DayToBook(date=date(2026, 3, 3), today=True, activities=(BEGUN, CLASS, FULL_CLASS)),
            DayToBook(date=date(2026, 3, 4)),
        ),
        earlier="/schedule?from=2026-02-24&view=week",
        later="/schedule?from=2026-03-10&view=week",
        now_here="/schedule?view=week",
        day_here="/schedule?view=day",
        week_here="/schedule?view=week",
        cut=True,
    ),
    "activity": ActivityToBook(
        activity=CLASS.model_copy(
            update={"mine": (Mine(reservation_id="res-1", state=ReservationState.BOOKED),)}
        ),
        participants=3,
        max_participants=20,
        plan=PART,
        choices=CHOICES,
        pay_now=True,
        pay_later=True,
        cards=(CARD,),
        card=CARD.id,
        can_add_card=True,
        packs=OFFERS,
        weekly=(EVERY_TUESDAY,),
        schedule_here="/schedule?from=2026-03-03",
        idempotency_key="book-key-1",
    ),
    "reservations": ReservationsPage(
        reservations=(
            BOOKED,
            OFFERED,
            *(
                _in_state(one, outstanding=one is ReservationState.REDEEMED)
                for one in ReservationState
                if one not in (ReservationState.BOOKED, ReservationState.OFFERED)
            ),
        ),
        next="/reservations?skip=50",
    ),
    "reservation": ReservationPage(
        reservation=BOOKED,
        held=(HELD, BOUNDLESS),
        lines=LINES,
        totals=TOTALS,
        payment=PlacePayment.TO_PAY,
        invoice=INVOICE,
        can_cancel=True,
        can_move=True,
        cancel_key="cancel-key-1",
        accept_key="accept-key-1",
    ),
    "move": MovePage(
        reservation=BOOKED,
        activities=(CLASS, CLASS.model_copy(update={"id": "riverside.20260305T2330.d"})),
        days_ahead=14,
        idempotency_key="move-key-1",
    ),
}

MORE: Mapping[str, tuple[str, BaseModel]] = {
    "activity, with packs to choose from": (
        "activity",
        ActivityToBook(
            activity=CLASS,
            max_participants=20,
            plan=PAID,
            in_hand=(
                PackToUse(pack_id="pack-2", name="Unlimited month", left=None, zone=ZONE),
                PackToUse(
                    pack_id="pack-1", name="Ten-class pass", left=4, expires_at=_at(28), zone=ZONE
                ),
            ),
            pack="pack-1",
            idempotency_key="book-key-8",
        ),
    ),
    "activity, to be paid at once and no card": (
        "activity",
        ActivityToBook(
            activity=CLASS,
            max_participants=20,
            plan=PART,
            choices=CHOICES,
            pay_now=True,
            can_add_card=True,
            idempotency_key="book-key-6",
        ),
    ),
    "activity, a freed place to be paid for": (
        "activity",
        ActivityToBook(
            activity=CLASS.model_copy(
                update={"mine": (Mine(reservation_id="res-2", state=ReservationState.OFFERED),)}
            ),
            max_participants=20,
            plan=PART,
            choices=CHOICES,
            offer="res-2",
            offered_until=_at(2),
            pay_now=True,
            cards=(CARD,),
            card=CARD.id,
            idempotency_key="book-key-9",
        ),
    ),
    "activity, a freed place that credits pay for": (
        "activity",
        ActivityToBook(
            activity=CLASS,
            max_participants=20,
            plan=PAID,
            why_not=WhyNotBook.WAITING_ALREADY,
            offer="res-2",
            idempotency_key="book-key-10",
        ),
    ),
    "activity, to be paid later only": (
        "activity",
        ActivityToBook(
            activity=CLASS,
            max_participants=20,
            plan=PART,
            choices=CHOICES[:1],
            pay_later=True,
            idempotency_key="book-key-7",
        ),
    ),
    **{
        f"reservation, payment {payment}": (
            "reservation",
            ReservationPage(
                reservation=BOOKED.model_copy(
                    update={"outstanding": payment is PlacePayment.OUTSTANDING}
                ),
                lines=LINES,
                totals=TOTALS,
                payment=payment,
                invoice=INVOICE,
                buys_pack="pack-1" if payment is PlacePayment.UNDER_WAY else None,
                confirm_url="https://bank.example/confirm",
                credits_back=1 if payment is PlacePayment.CREDITS_BACK else 0,
                can_cancel=True,
                cancel_key="cancel-key-7",
                accept_key="accept-key-7",
            ),
        )
        for payment in PlacePayment
    },
    "activity, covered": (
        "activity",
        ActivityToBook(
            activity=CLASS, max_participants=20, plan=PAID, idempotency_key="book-key-2"
        ),
    ),
    "activity, full": (
        "activity",
        ActivityToBook(
            activity=FULL_CLASS.model_copy(update={"mine": ()}),
            max_participants=20,
            plan=PART,
            wait=True,
            packs=OFFERS,
            idempotency_key="book-key-3",
        ),
    ),
    **{
        f"activity, {why}": (
            "activity",
            ActivityToBook(
                activity=FULL_CLASS if why is WhyNotBook.WAITING_ALREADY else CLASS,
                max_participants=20,
                plan=None if why is WhyNotBook.SIGNED_OUT else PART,
                why_not=why,
                packs=OFFERS,
                idempotency_key="book-key-4",
            ),
        )
        for why in WhyNotBook
    },
    "reservation, too late": (
        "reservation",
        ReservationPage(
            reservation=BOOKED,
            held=(HELD,),
            can_cancel=True,
            cancel_loses=True,
            cancel_key="cancel-key-2",
            accept_key="accept-key-2",
        ),
    ),
    "reservation, offered": (
        "reservation",
        ReservationPage(
            reservation=OFFERED,
            can_cancel=True,
            offer=PART,
            packs=OFFERS,
            cancel_key="cancel-key-3",
            accept_key="accept-key-3",
        ),
    ),
    "reservation, offered and to be paid": (
        "reservation",
        ReservationPage(
            reservation=OFFERED,
            can_cancel=True,
            offer=PART,
            prepay_online=True,
            packs=OFFERS,
            cancel_key="cancel-key-4",
            accept_key="accept-key-4",
        ),
    ),
    **{
        f"reservation, {state}": (
            "reservation",
            ReservationPage(
                reservation=_in_state(state, upcoming=state is ReservationState.WAITING),
                held=(HELD,),
                can_cancel=state is ReservationState.WAITING,
                cancel_key="cancel-key-5",
                accept_key="accept-key-5",
            ),
        )
        for state in ReservationState
        if state is not ReservationState.OFFERED
    },
    **{
        f"move, {why}": (
            "move",
            MovePage(reservation=BOOKED, days_ahead=14, why_not=why, idempotency_key="move-key-2"),
        )
        for why in WhyNotMove
    },
}

EMPTY: Mapping[str, BaseModel] = {
    "schedule": SchedulePage(
        view=ScheduleView.DAY,
        begins=date(2026, 3, 3),
        ends=date(2026, 3, 3),
        location="Riverside Studio",
        zone=ZONE,
        days=(DayToBook(date=date(2026, 3, 3)),),
        now_here="/schedule?view=day",
        day_here="/schedule?view=day",
        week_here="/schedule?view=week",
    ),
    "activity": ActivityToBook(
        activity=CLASS.model_copy(update={"staff_member": "", "service": ""}),
        max_participants=20,
        why_not=WhyNotBook.SIGNED_OUT,
        idempotency_key="book-key-5",
    ),
    "reservations": ReservationsPage(),
    "reservation": ReservationPage(
        reservation=BOOKED.model_copy(update={"due": _dollars(0), "staff_member": ""}),
        cancel_key="cancel-key-6",
        accept_key="accept-key-6",
    ),
    "move": MovePage(reservation=BOOKED, days_ahead=14, idempotency_key="move-key-3"),
}

PATHS: Mapping[str, str] = {
    "activity": f"/schedule/{CLASS.id}",
    "reservation": "/reservations/res-1",
    "move": "/reservations/res-1/move",
}
