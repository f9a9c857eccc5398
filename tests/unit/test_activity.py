"""Places, and who waits for them ([PLACES]); activities that repeat."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from shared.domain import activity as places
from shared.domain.activity import Activity, Waiting, occurrences
from shared.domain.due import Worker
from shared.domain.errors import Conflict, Invalid
from shared.domain.invariants import Rule, places_breaches
from shared.domain.reservation import ReservationState, Seat
from tests.unit.places_samples import NOW, activity_of

HELD_FOR = timedelta(hours=2)


def waiting(name: str, participants: int = 1) -> Waiting:
    return Waiting(
        customer_id=name, reservation_id=f"r-{name}", participants=participants, since=NOW
    )


def full(*names: str, places_: int = 2) -> Activity:
    found = activity_of(places=places_, taken=places_)
    for name in names:
        found = places.join(found, waiting(name))
    return found


def test_there_are_never_more_participants_than_places() -> None:
    taken = places.take(activity_of(places=3), 2)
    assert taken.free == 1
    with pytest.raises(Conflict) as refused:
        places.take(taken, 2)
    assert refused.value.code == "activity_full"


def test_a_freed_place_is_offered_to_the_first_who_waits_and_held_for_them() -> None:
    freed = places.give_back(full("bo", "cy"), 1)
    offered, told = places.offer(freed, NOW, HELD_FOR)
    assert [one.customer_id for one in told] == ["bo"]
    assert told[0].offered_until == NOW + HELD_FOR
    assert offered.free == 0, "it is held: nobody else gets it meanwhile"
    again, nobody = places.offer(offered, NOW, HELD_FOR)
    assert (again, nobody) == (offered, ())


def test_who_needs_more_places_than_are_free_keeps_their_turn() -> None:
    two, one = waiting("bo", participants=2), waiting("cy")
    activity = places.join(places.join(full(), two), one)
    offered, told = places.offer(places.give_back(activity, 1), NOW, HELD_FOR)
    assert [one.customer_id for one in told] == ["cy"]
    after, told = places.offer(places.give_back(offered, 1), NOW, HELD_FOR)
    assert told == (), "bo still needs two"
    after, told = places.offer(places.give_back(places.leave(after, "r-cy"), 0), NOW, HELD_FOR)
    assert [one.customer_id for one in told] == ["bo"]


def test_an_offer_that_runs_out_goes_to_the_next() -> None:
    offered, _ = places.offer(places.give_back(full("bo", "cy"), 1), NOW, HELD_FOR)
    later = NOW + HELD_FOR
    left, gone = places.lapse(offered, later)
    assert [one.customer_id for one in gone] == ["bo"]
    again, told = places.offer(left, later, HELD_FOR)
    assert [one.customer_id for one in told] == ["cy"]
    assert again.free == 0


def test_whoever_takes_the_offer_has_the_place_and_the_list_is_shorter() -> None:
    offered, _ = places.offer(places.give_back(full("bo", "cy"), 1), NOW, HELD_FOR)
    taken = places.accept(offered, "r-bo", NOW + HELD_FOR - timedelta(seconds=1))
    assert (taken.taken, [one.customer_id for one in taken.waiting]) == (2, ["cy"])


@pytest.mark.parametrize("late", [HELD_FOR, HELD_FOR + timedelta(days=1)])
def test_an_offer_can_not_be_taken_when_it_has_run_out(late: timedelta) -> None:
    offered, _ = places.offer(places.give_back(full("bo"), 1), NOW, HELD_FOR)
    with pytest.raises(Conflict) as refused:
        places.accept(offered, "r-bo", NOW + late)
    assert refused.value.code == "offer_gone"


def test_an_offer_ends_with_the_start_and_none_is_made_after_it() -> None:
    soon = places.join(
        activity_of(places=1, taken=0, starts_at=NOW + timedelta(minutes=30)), waiting("bo")
    )
    _, told = places.offer(soon, NOW, HELD_FOR)
    assert told[0].offered_until == NOW + timedelta(minutes=30)
    assert places.offer(soon, NOW + timedelta(minutes=30), HELD_FOR)[1] == ()


def test_who_leaves_the_list_gives_an_offered_place_back_and_a_waiting_one_does_not() -> None:
    offered, _ = places.offer(places.give_back(full("bo", "cy"), 1), NOW, HELD_FOR)
    assert places.leave(offered, "r-bo").free == 1
    assert places.leave(offered, "r-cy").free == 0
    assert places.leave(offered, "nobody") == offered


def test_it_is_due_when_the_next_offer_runs_out_or_its_list_ends() -> None:
    assert places.next_moment(activity_of()) is None
    lined = full("bo")
    due = places.next_moment(lined)
    assert due is not None
    assert (due.at, due.worker) == (lined.starts_at, Worker.PLACES)
    offered, _ = places.offer(places.give_back(lined, 1), NOW, HELD_FOR)
    due = places.next_moment(offered)
    assert due is not None
    assert due.at == NOW + HELD_FOR


# --- repeating -----------------------------------------------------------------------------------


def test_a_repeating_activity_keeps_its_local_time_over_a_clock_change() -> None:
    found = list(
        occurrences(
            date(2026, 3, 1), date(2026, 3, 15), frozenset({6}), time(10), 60, "America/New_York"
        )
    )
    assert [starts for starts, _ in found] == [
        datetime(2026, 3, 1, 15, tzinfo=UTC),
        datetime(2026, 3, 8, 14, tzinfo=UTC),
        datetime(2026, 3, 15, 14, tzinfo=UTC),
    ]
    assert all(ends - starts == timedelta(minutes=60) for starts, ends in found)


@pytest.mark.parametrize(
    ("until", "weekdays", "field"),
    [
        (None, frozenset({0}), "until"),
        (date(2026, 2, 28), frozenset({0}), "until"),
        (date(2028, 3, 1), frozenset({0}), "until"),
        (date(2026, 4, 1), frozenset(), "weekdays"),
    ],
)
def test_one_without_an_end_or_a_day_is_refused_by_the_fields_name(
    until: date | None, weekdays: frozenset[int], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        list(occurrences(date(2026, 3, 1), until, weekdays, time(10), 60, "America/New_York"))
    assert field in refused.value.fields


# --- what always holds ---------------------------------------------------------------------------


def seat(participants: int, state: ReservationState, name: str = "r") -> Seat:
    return Seat(
        reservation_id=name,
        customer_id="ada",
        customer_name="Ada",
        participants=participants,
        state=state,
    )


def test_taken_places_are_those_of_seats_and_offers() -> None:
    offered, _ = places.offer(places.give_back(full("bo", places_=3), 1), NOW, HELD_FOR)
    assert (offered.taken, offered.places) == (3, 3)
    seats = [
        seat(1, ReservationState.BOOKED),
        seat(1, ReservationState.REDEEMED),
        seat(4, ReservationState.CANCELLED),
        seat(1, ReservationState.OFFERED),
    ]
    assert places_breaches(offered, seats) == []
    (breach,) = places_breaches(offered, seats[1:])
    assert breach.rule is Rule.PLACES_ADD_UP
    (breach,) = places_breaches(offered.model_copy(update={"places": 2}), seats)
    assert (breach.rule, breach.detail) == (Rule.PLACES_ADD_UP, "3 of 2")


def test_many_offers_are_made_some_at_a_time_and_the_rest_at_once() -> None:
    names = [f"w{at:02d}" for at in range(30)]
    emptied = places.give_back(full(*names, places_=40), 40)
    offered, told = places.offer(emptied, NOW, HELD_FOR)
    assert [one.customer_id for one in told] == names[:20]
    due = places.next_moment(offered)
    assert due is not None
    assert due.at <= NOW
    offered, told = places.offer(offered, NOW, HELD_FOR)
    assert [one.customer_id for one in told] == names[20:]
    due = places.next_moment(offered)
    assert due is not None
    assert due.at == NOW + HELD_FOR
