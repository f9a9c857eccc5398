"""Answers about reservations ([BOOK] [PLACES])."""

from enum import StrEnum

from pydantic import AwareDatetime

from functions.portal.pages.activity_models import HeldView, PackOffer, PlanView
from functions.portal.pages.schedule_models import ActivityView
from shared.domain.money import Money
from shared.domain.reservation import ReservationState
from shared.web.answer import View
from shared.web.pages.invoices import InvoiceSummary
from shared.web.pages.lines import LineView, Totals


class ReservationView(View):
    """A reservation in one row. `due` is what no credit pays, before tax. `owes` is what is still
    to be paid, tax included: for the places, or for the pack that was bought with them."""

    id: str
    activity_id: str
    name: str
    service: str = ""
    staff_member: str = ""
    location: str
    zone: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    cutoff_at: AwareDatetime
    participants: int
    state: ReservationState
    upcoming: bool
    charge: Money
    due: Money
    owes: Money
    outstanding: bool = False
    invoice_id: str | None = None
    offered_until: AwareDatetime | None = None
    booked_at: AwareDatetime
    subscription_id: str | None = None
    """The subscription whose weekly place it is ([WEEKLY])."""
    ended_at: AwareDatetime | None = None


class ReservationsPage(View):
    """`GET /reservations`: those to come by their start, then the past ones, the latest first."""

    reservations: tuple[ReservationView, ...] = ()
    next: str | None = None


class PlacePayment(StrEnum):
    """Where the money for a reservation stands ([BOOK])."""

    NOTHING = "nothing"
    """Credits pay for all of it, it is free, or it was given back."""
    PAID = "paid"
    UNDER_WAY = "under_way"
    """A payment was begun, and nobody has said yet what became of it."""
    TO_BE_CONFIRMED = "to_be_confirmed"
    TO_PAY = "to_pay"
    """Its invoice is open: that can be paid online."""
    AT_START = "at_start"
    OUTSTANDING = "outstanding"
    """It began unpaid, and there is no invoice yet."""
    WAIVED = "waived"
    CREDITS_BACK = "credits_back"
    """It was paid with money and given back in time: credits came back ([PLACES])."""


class ReservationPage(View):
    """`GET /reservations/{reservation}`. `cancel_loses` says that cancelling now comes too late to
    get credits back; `offer` is what accepting would use, while a place is offered. The keys are
    for the forms of this page, each used once.

    `lines` and `totals` are what its places come to, credits counted ([VOUCHER]); `invoice` asks
    for money, for the places or for the pack `buys_pack` that was bought with them;
    `visit_invoice_id` shows the credits that paid for all of it."""

    reservation: ReservationView
    held: tuple[HeldView, ...] = ()
    lines: tuple[LineView, ...] = ()
    totals: Totals | None = None
    payment: PlacePayment = PlacePayment.NOTHING
    invoice: InvoiceSummary | None = None
    buys_pack: str | None = None
    visit_invoice_id: str | None = None
    confirm_url: str | None = None
    credits_back: int = 0
    can_cancel: bool = False
    cancel_loses: bool = False
    can_move: bool = False
    offer: PlanView | None = None
    prepay_online: bool = False
    packs: tuple[PackOffer, ...] = ()
    cancel_key: str
    accept_key: str


class WhyNotMove(StrEnum):
    NOT_BOOKED = "not_booked"
    PAST_CUTOFF = "past_cutoff"


class MovePage(View):
    """`GET /reservations/{reservation}/move`: activities of the same service that it can go to."""

    reservation: ReservationView
    activities: tuple[ActivityView, ...] = ()
    days_ahead: int
    why_not: WhyNotMove | None = None
    idempotency_key: str
