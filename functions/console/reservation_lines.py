"""What became of each reservation, as a customer's timeline tells it ([BOOK], [PLACES])."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from functions.console import words
from functions.console.pages.models import TimelineKind
from functions.console.telling import Line, Rank, Telling
from shared.domain.by import By
from shared.domain.reservation import Reservation, ReservationState

ENDED: Mapping[ReservationState, str] = {
    ReservationState.REDEEMED: "{what} took place",
    ReservationState.CANCELLED: "{what} was cancelled; held credits came back",
    ReservationState.CANCELLED_LATE: "{what} was cancelled too late; its credits stay used",
    ReservationState.LAPSED: "No place came free in time for {what}, or an offer was not taken",
}
"""What is said of the end of a reservation, by its state; one that is live has none."""

BY_THE_CLOCK = frozenset({ReservationState.REDEEMED, ReservationState.LAPSED})


def reservation_lines(telling: Telling, one: Reservation) -> Iterator[Line]:
    """That it was made, and how it ended, with who did that."""
    what = f"{one.name}, {telling.moment(one.starts_at, one.zone)}"
    yield _line(
        telling,
        one,
        "made",
        one.booked_at,
        f"Reserved {words.counted(one.participants, 'place')}: {what}",
        by=By.CUSTOMER.value,
        detail="Moved once since then." if one.moved_from else "",
    )
    if one.checked_in_at is not None:
        by = _staff_who(telling, one, "seat:checked_in")
        yield _line(telling, one, "in", one.checked_in_at, f"Checked in: {what}", by=by)
    if one.ended_at is None or one.state not in ENDED or one.ended_at == one.checked_in_at:
        return
    if _was_not_paid(telling, one):
        gone = f"{what} was given back: it had to be paid at booking, and was not"
        yield _line(telling, one, "ended", one.ended_at, gone, by=By.CLOCK.value, failed=True)
        return
    usual = By.CLOCK if one.state in BY_THE_CLOCK else By.CUSTOMER
    yield _line(
        telling,
        one,
        "ended",
        one.ended_at,
        ENDED[one.state].format(what=what),
        by=_staff_who(telling, one, "seat:cancelled") or usual.value,
        detail=f"{telling.money(one.owes)} with tax is outstanding." if one.outstanding else "",
        failed=one.state is ReservationState.CANCELLED_LATE,
    )


def _was_not_paid(telling: Telling, one: Reservation) -> bool:
    """Whether its place went because the payment that it was booked on failed."""
    return one.state is ReservationState.CANCELLED and any(
        charge.reservation_id == one.id
        and charge.holds_place
        and charge.given_up
        and charge.last is not None
        and charge.last.decided_at == one.ended_at
        for charge in telling.books.charges
    )


def _staff_who(telling: Telling, one: Reservation, what: str) -> str:
    """The address of the staff member who did it; empty when none did."""
    found = (
        event.by
        for event in telling.books.events
        if event.reservation_id == one.id and event.what == what
    )
    return next(found, "")


def _line(
    telling: Telling,
    one: Reservation,
    part: str,
    at: datetime,
    what: str,
    *,
    by: str,
    detail: str = "",
    failed: bool = False,
) -> Line:
    return telling.line(
        Rank.RESERVATION,
        TimelineKind.RESERVATION,
        f"{one.id}-{part}",
        at,
        one.zone,
        what,
        detail=detail,
        by=words.person(by) if by else "",
        failed=failed,
    )
