"""Booking, waiting, cancelling, moving, redeeming: through operations and the clock ([PLACES])."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from infra.local.world import LocalWorld
from shared.domain.activity import Activity, new_id
from shared.domain.activity_state import ActivityState
from shared.domain.errors import Conflict
from shared.domain.message import MessageKind, MessageState
from shared.domain.pack import EntryKind
from shared.domain.reservation import Reservation, ReservationState
from shared.operations import booking, giving_back, moving
from shared.operations.booking import NoCredits, Wish
from shared.store import accounts, bookings
from shared.store.bookings import Besides
from shared.store.reading import read
from tests.billing.conftest import Shop
from tests.shop_floor import (
    buy,
    context_of,
    customer_with_card,
    entries_of,
    go_to,
    head,
    messages_of,
    moment,
    packs_of,
)

OPENING = "2026-03-02 15:00"
"""A Monday, ten in the morning in New York."""

CLASS = "2026-03-04 15:00"


def offer_class(world: LocalWorld, starts: str = CLASS, **values: Any) -> Activity:
    """A yoga class of an hour in New York."""
    starts_at = moment(starts)
    defaults: dict[str, Any] = {
        "location_id": "ny",
        "zone": "America/New_York",
        "service_id": "yoga",
        "name": "Yoga",
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=1),
        "places": 2,
        "cutoff_minutes": 720,
    }
    merged = {**defaults, **values}
    activity = Activity(
        id=new_id(merged["location_id"], starts_at, world.wiring.new_id()), **merged
    )
    bookings.create_activities([activity])
    return activity


def book(
    world: LocalWorld, customer_id: str, activity: Activity, *, key: str = "", **wish: Any
) -> Reservation:
    wanted = Wish(customer_id, activity.id, **wish)
    press = wanted.press(key or world.wiring.new_id(), world.wiring.new_id())
    found = read(accounts.head(customer_id), *wanted.refs(press))
    made = booking.book(context_of(world), wanted, press, head(customer_id), found)
    world.run_due()
    return made


def cancel(world: LocalWorld, reservation: Reservation, **by: Any) -> Reservation:
    done = giving_back.cancel(context_of(world), reservation.customer_id, reservation.id, **by)
    world.run_due()
    return done


def of(reservation: Reservation) -> Reservation:
    ref = accounts.reservation(reservation.customer_id, reservation.id)
    row = read(ref).get(ref)
    assert row is not None
    return row.value


def stored(activity: Activity) -> Activity:
    ref = accounts.activity(activity.id)
    row = read(ref).get(ref)
    assert row is not None
    return row.value


def with_ten(world: LocalWorld, email: str = "ada@example.com") -> str:
    customer_id = customer_with_card(world, email=email)
    buy(world, customer_id, "ten")
    return customer_id


def kinds_of(customer_id: str) -> list[EntryKind]:
    (pack,) = packs_of(customer_id)
    return [one.kind for one in entries_of(pack)]


def sent(customer_id: str, kind: MessageKind) -> int:
    return sum(one.state is MessageState.SENT for one in messages_of(customer_id, kind))


# --- a life --------------------------------------------------------------------------------------


def test_a_booked_place_is_held_by_a_credit_and_redeemed_when_it_ends(shop: Shop) -> None:
    world = shop(OPENING)
    ada, yoga = with_ten(world), offer_class(world)
    reservation = book(world, ada, yoga)
    assert reservation.state is ReservationState.BOOKED
    assert (packs_of(ada)[0].left, stored(yoga).taken) == (9, 1)
    assert head(ada).value.has_reservations
    assert sent(ada, MessageKind.RESERVATION_CONFIRMED) == 1
    go_to(world, "2026-03-04 15:59")
    assert of(reservation).state is ReservationState.BOOKED
    go_to(world, "2026-03-04 16:00")
    assert of(reservation).state is ReservationState.REDEEMED
    assert kinds_of(ada) == [EntryKind.GRANT, EntryKind.HOLD, EntryKind.REDEEM]
    assert packs_of(ada)[0].left == 9
    assert packs_of(ada)[0].booked == ()


def test_cancelled_before_the_cutoff_the_credit_comes_back(shop: Shop) -> None:
    world = shop(OPENING)
    ada, yoga = with_ten(world), offer_class(world)
    reservation = book(world, ada, yoga)
    go_to(world, "2026-03-04 02:59")
    assert cancel(world, reservation).state is ReservationState.CANCELLED
    assert (packs_of(ada)[0].left, stored(yoga).taken) == (10, 0)
    assert kinds_of(ada) == [EntryKind.GRANT, EntryKind.HOLD, EntryKind.RELEASE]
    assert sent(ada, MessageKind.RESERVATION_CANCELLED) == 1
    assert cancel(world, reservation).state is ReservationState.CANCELLED, "again is harmless"
    assert packs_of(ada)[0].left == 10


def test_cancelled_after_the_cutoff_the_credit_stays_used_and_the_place_is_free(shop: Shop) -> None:
    world = shop(OPENING)
    ada, yoga = with_ten(world), offer_class(world)
    reservation = book(world, ada, yoga)
    go_to(world, "2026-03-04 03:00")
    assert cancel(world, reservation).state is ReservationState.CANCELLED_LATE
    assert (packs_of(ada)[0].left, stored(yoga).taken) == (9, 0)
    assert kinds_of(ada) == [EntryKind.GRANT, EntryKind.HOLD, EntryKind.REDEEM]


def test_staff_give_the_credit_back_also_after_the_cutoff(shop: Shop) -> None:
    world = shop(OPENING)
    ada, yoga = with_ten(world), offer_class(world)
    reservation = book(world, ada, yoga)
    go_to(world, "2026-03-04 14:00")
    assert cancel(world, reservation, by_staff="kim@x.com").state is ReservationState.CANCELLED
    assert packs_of(ada)[0].left == 10


def test_after_the_start_a_customer_can_not_cancel(shop: Shop) -> None:
    world = shop(OPENING)
    ada, yoga = with_ten(world), offer_class(world)
    reservation = book(world, ada, yoga)
    go_to(world, CLASS)
    with pytest.raises(Conflict) as refused:
        cancel(world, reservation)
    assert refused.value.code == "activity_begun"
    go_to(world, "2026-03-04 17:00")
    with pytest.raises(Conflict) as refused:
        cancel(world, reservation)
    assert refused.value.code == "reservation_over"


# --- waiting -------------------------------------------------------------------------------------


def test_a_full_activity_with_three_waiting(shop: Shop) -> None:
    """The first is offered the freed place and lets it run out, the second takes it, the third
    waits in vain."""
    world = shop(OPENING)
    yoga = offer_class(world)
    people = [with_ten(world, f"{n}@example.com") for n in range(5)]
    held = [book(world, one, yoga) for one in people[:2]]
    with pytest.raises(Conflict) as refused:
        book(world, people[2], yoga)
    assert refused.value.code == "activity_full"
    lined = [book(world, one, yoga, wait=True) for one in people[2:]]
    assert [one.state for one in lined] == [ReservationState.WAITING] * 3
    assert packs_of(people[2])[0].left == 10, "waiting costs nothing"
    cancel(world, held[0])
    assert of(lined[0]).state is ReservationState.OFFERED
    assert sent(people[2], MessageKind.PLACE_OFFERED) == 1
    with pytest.raises(Conflict):
        book(world, people[0], yoga)
    world.advance(timedelta(minutes=121))
    assert of(lined[0]).state is ReservationState.LAPSED
    assert of(lined[1]).state is ReservationState.OFFERED
    with pytest.raises(Conflict) as refused:
        accept(world, lined[0])
    assert refused.value.code == "offer_gone"
    assert accept(world, lined[1]).state is ReservationState.BOOKED
    assert packs_of(people[3])[0].left == 9
    assert stored(yoga).taken == 2
    go_to(world, "2026-03-04 15:01")
    assert of(lined[2]).state is ReservationState.LAPSED
    assert stored(yoga).waiting == ()


def accept(world: LocalWorld, reservation: Reservation, **more: Any) -> Reservation:
    press = Wish(reservation.customer_id, reservation.activity_id).press(
        world.wiring.new_id(), reservation.id
    )
    done = booking.accept(
        context_of(world), reservation.customer_id, reservation.id, press=press,
        **{"pay_later": False, **more},
    )  # fmt: skip
    world.run_due()
    return done


def test_who_leaves_an_offered_place_lets_the_next_have_it_at_once(shop: Shop) -> None:
    world = shop(OPENING)
    yoga = offer_class(world, places=1)
    people = [with_ten(world, f"{n}@example.com") for n in range(3)]
    held = book(world, people[0], yoga)
    lined = [book(world, one, yoga, wait=True) for one in people[1:]]
    cancel(world, held)
    cancel(world, lined[0])
    assert of(lined[0]).state is ReservationState.CANCELLED
    assert of(lined[1]).state is ReservationState.OFFERED


# --- without credits -----------------------------------------------------------------------------


def test_without_a_credit_it_is_refused_or_due_at_the_start_as_the_customer_says(
    shop: Shop,
) -> None:
    world = shop(OPENING)
    ada, yoga = customer_with_card(world), offer_class(world)
    with pytest.raises(NoCredits):
        book(world, ada, yoga)
    reservation = book(world, ada, yoga, pay_later=True)
    assert (reservation.held, reservation.due.minor) == ((), 2_000)
    go_to(world, "2026-03-04 14:59")
    assert not of(reservation).outstanding
    go_to(world, CLASS)
    assert of(reservation).outstanding
    go_to(world, "2026-03-04 16:00")
    assert (of(reservation).state, of(reservation).outstanding) == (
        ReservationState.REDEEMED,
        True,
    )


def test_where_it_has_to_be_paid_at_booking_later_is_not_enough(shop: Shop) -> None:
    world = shop(OPENING)
    ada, yoga = customer_with_card(world), offer_class(world, prepay_online=True)
    with pytest.raises(NoCredits):
        book(world, ada, yoga, pay_later=True)
    assert stored(yoga).taken == 0


# --- moving --------------------------------------------------------------------------------------


def move(world: LocalWorld, reservation: Reservation, to: Activity) -> Reservation:
    press = Wish(reservation.customer_id, to.id).press(world.wiring.new_id(), reservation.id)
    done = moving.move(context_of(world), reservation.customer_id, reservation.id, to.id, press)
    world.run_due()
    return done


def test_moving_keeps_the_credit_and_frees_the_place(shop: Shop) -> None:
    world = shop(OPENING)
    ada, yoga = with_ten(world), offer_class(world)
    other = offer_class(world, "2026-03-06 15:00")
    reservation = book(world, ada, yoga)
    moved = move(world, reservation, other)
    assert (moved.activity_id, moved.starts_at) == (other.id, other.starts_at)
    assert (stored(yoga).taken, stored(other).taken) == (0, 1)
    assert packs_of(ada)[0].left == 9
    assert [one.starts_at for one in packs_of(ada)[0].booked] == [other.starts_at]
    assert sent(ada, MessageKind.RESERVATION_CHANGED) == 1


def test_it_can_not_be_moved_after_the_cutoff_nor_to_a_full_one(shop: Shop) -> None:
    world = shop(OPENING)
    ada, yoga = with_ten(world), offer_class(world)
    other = offer_class(world, "2026-03-06 15:00", places=0)
    reservation = book(world, ada, yoga)
    with pytest.raises(Conflict) as refused:
        move(world, reservation, other)
    assert refused.value.code == "activity_full"
    free = offer_class(world, "2026-03-07 15:00")
    go_to(world, "2026-03-04 03:00")
    with pytest.raises(Conflict) as refused:
        move(world, reservation, free)
    assert refused.value.code == "past_cutoff"
    assert of(reservation).activity_id == yoga.id


def test_an_unlimited_pack_books_and_moves_within_its_period_and_not_outside(shop: Shop) -> None:
    """[UNLIMITED]: a monthly one, booked to its last minute, moved inside, refused outside."""
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    buy(world, ada, "open")
    (pack,) = packs_of(ada)
    last = offer_class(world, "2026-02-27 15:00")
    reservation = book(world, ada, last)
    assert packs_of(ada)[0].left is None
    inside = offer_class(world, "2026-02-26 15:00")
    assert move(world, reservation, inside).activity_id == inside.id
    assert move(world, of(reservation), last).activity_id == last.id
    assert [one.delta for one in entries_of(pack)] == [0] * len(entries_of(pack))


# --- refused -------------------------------------------------------------------------------------


def test_in_the_past_cancelled_unknown_or_twice_nothing_is_booked(shop: Shop) -> None:
    world = shop(OPENING)
    ada = with_ten(world)
    gone = offer_class(world, "2026-03-02 14:00")
    off = offer_class(world)
    bookings.change_activity(
        _row(off), off.model_copy(update={"state": ActivityState.CANCELLED}), Besides()
    )
    for activity, code in ((gone, "activity_begun"), (off, "activity_cancelled")):
        with pytest.raises(Conflict) as refused:
            book(world, ada, activity)
        assert refused.value.code == code
    yoga = offer_class(world, "2026-03-05 15:00", places=1)
    first = book(world, ada, yoga, key="one-press-of-it")
    again = book(world, ada, yoga, key="one-press-of-it")
    assert again.id == first.id, "a double click books once"
    assert packs_of(ada)[0].left == 9


def test_of_a_cancelled_activity_nothing_is_redeemed_though_the_cancelling_was_cut_short(
    shop: Shop,
) -> None:
    world = shop(OPENING)
    ada, yoga = with_ten(world), offer_class(world)
    reservation = book(world, ada, yoga)
    update = {"state": ActivityState.CANCELLED, "cancelled_by": "kim@example.com"}
    bookings.change_activity(_row(yoga), stored(yoga).model_copy(update=update), Besides())
    go_to(world, "2026-03-04 16:00")
    assert of(reservation).state is ReservationState.CANCELLED
    assert packs_of(ada)[0].left == 10
    assert world.errors == []
    assert kinds_of(ada) == [EntryKind.GRANT, EntryKind.HOLD, EntryKind.RELEASE]
    assert sent(ada, MessageKind.RESERVATION_CANCELLED) == 1


def _row(activity: Activity) -> Any:
    ref = accounts.activity(activity.id)
    return read(ref).get(ref)


def test_a_place_is_not_booked_with_an_expired_pack(shop: Shop) -> None:
    world = shop(OPENING)
    ada = with_ten(world)
    (pack,) = packs_of(ada)
    assert pack.expires_at is not None
    late = offer_class(world, f"{pack.expires_at + timedelta(hours=1):%Y-%m-%d %H:%M}")
    with pytest.raises(NoCredits):
        book(world, ada, late)
    early: datetime = pack.expires_at - timedelta(minutes=1)
    assert book(world, ada, offer_class(world, f"{early:%Y-%m-%d %H:%M}")).held
