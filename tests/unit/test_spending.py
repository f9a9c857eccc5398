"""Credits that hold places: which packs are used, their entries, their expiry ([LEDGER] [PACK])."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.activity import Activity
from shared.domain.errors import Conflict
from shared.domain.pack import Entry, EntryKind, Pack
from shared.domain.reservation import Held, Reservation, ReservationState, reserve
from shared.domain.spending import (
    expiry_with,
    forfeit,
    hold,
    in_order,
    plan,
    redeem,
    release,
    strands,
    usable_for,
)
from shared.domain.valid_from import ValidFrom
from tests.unit.places_samples import (
    NEW_YORK,
    NOW,
    activity_of,
    catalogue_of,
    dollars,
    pack_of,
)

DAY = timedelta(days=1)
SETTINGS = catalogue_of().settings


def reservation_of(activity: Activity, name: str = "r1", participants: int = 1) -> Reservation:
    return reserve(
        activity,
        reservation_id=name,
        customer_id="ada",
        customer_name="Ada",
        participants=participants,
        state=ReservationState.BOOKED,
        charge=dollars(3_000),
        held=(),
        now=NOW,
    )


def held_of(pack: Pack, count: int = 1) -> Held:
    return Held(
        pack_id=pack.id,
        pack_name=pack.name,
        participants=1,
        credits=0 if pack.unlimited else count,
        worth=dollars(3_000),
    )


def booked(pack: Pack, starts_at: datetime, name: str) -> Pack:
    """The pack with one place more booked for then, some days after `NOW`."""
    reservation = reservation_of(activity_of(starts_at=starts_at), name)
    return hold(pack, held_of(pack), reservation, entry_id=f"e-{name}", now=NOW)[0]


# --- which packs -----------------------------------------------------------------------------


def test_unlimited_packs_come_first_then_the_soonest_to_expire_then_the_oldest() -> None:
    late = pack_of("late", expires_at=NOW + 40 * DAY)
    soon = pack_of("soon", expires_at=NOW + 5 * DAY)
    old = pack_of("old", bought_at=NOW - 90 * DAY)
    young = pack_of("young", bought_at=NOW - DAY)
    endless = pack_of("endless", size=None)
    ordered = in_order([young, late, old, endless, soon])
    assert [one.id for one in ordered] == ["endless", "soon", "late", "old", "young"]


def test_several_packs_pay_together_and_what_none_pays_is_due() -> None:
    packs = [pack_of("one", left=1, expires_at=NOW + 5 * DAY), pack_of("two", left=1)]
    spent = plan(packs, activity_of(), 3, NEW_YORK, catalogue_of(), NOW)
    assert [(one.pack_id, one.credits) for one in spent.held] == [("one", 1), ("two", 1)]
    assert spent.covered == 2
    assert spent.due == dollars(2_700), "the third participant's place"


@pytest.mark.parametrize(
    "unusable",
    [
        {"service_id": "bath"},
        {"location_id": "la"},
        {"left": 0},
        {"expires_at": NOW + timedelta(hours=23)},
        {"expires_at": NOW + DAY},
        {"usable_from": NOW + 2 * DAY},
        {"ended_at": NOW - DAY},
        {"frozen_at": NOW - DAY},
        {"staff_members": ("kim",)},
    ],
)
def test_a_pack_that_does_not_fit_is_not_used(unusable: dict[str, Any]) -> None:
    assert usable_for(pack_of(), activity_of(staff_member="lee"), SETTINGS, NOW)
    pack = pack_of().model_copy(update=unusable)
    assert not usable_for(pack, activity_of(staff_member="lee"), SETTINGS, NOW)


def test_the_merchant_may_let_credits_be_used_everywhere_and_for_everybody() -> None:
    elsewhere = pack_of(location_id="la", service_id="bath")
    everywhere = catalogue_of(any_location=True, any_service=True).settings
    assert usable_for(elsewhere, activity_of(), everywhere, NOW)
    for_kim = pack_of(staff_members=("kim",))
    assert usable_for(for_kim, activity_of(staff_member="kim"), SETTINGS, NOW)


def test_an_activity_has_to_start_before_its_pack_expires_not_to_end() -> None:
    late = pack_of(expires_at=NOW + DAY + timedelta(minutes=1))
    assert usable_for(late, activity_of(), SETTINGS, NOW)


# --- entries -------------------------------------------------------------------------------------


def test_a_hold_takes_credits_out_and_redeeming_takes_no_more() -> None:
    reservation = reservation_of(activity_of())
    held, entry = hold(pack_of(), held_of(pack_of(), 2), reservation, entry_id="e1", now=NOW)
    assert (held.left, entry.kind, entry.delta, entry.left) == (8, EntryKind.HOLD, -2, 8)
    assert entry.reservation_id == "r1"
    used, entry = redeem(held, reservation, entry_id="e2", now=NOW + DAY)
    assert (used.left, used.booked, entry.kind, entry.delta) == (8, (), EntryKind.REDEEM, 0)


def test_what_is_released_comes_back_to_the_same_pack_with_its_expiry() -> None:
    pack = pack_of(expires_at=NOW + 5 * DAY)
    reservation = reservation_of(activity_of())
    held, _ = hold(pack, held_of(pack, 2), reservation, entry_id="e1", now=NOW)
    back, (entry,) = release(held, reservation, entry_id="e2", now=NOW, reason="Cancelled")
    assert back == pack
    assert (entry.kind, entry.delta, entry.left) == (EntryKind.RELEASE, 2, 10)


def test_into_a_pack_that_has_ended_credits_come_back_expired() -> None:
    reservation = reservation_of(activity_of())
    held, _ = hold(pack_of(), held_of(pack_of()), reservation, entry_id="e1", now=NOW)
    over = held.model_copy(update={"left": 0, "ended_at": NOW})
    back, entries = release(over, reservation, entry_id="e2", now=NOW, reason="Cancelled")
    assert back.left == 0
    assert [(one.kind, one.delta) for one in entries] == [
        (EntryKind.RELEASE, 1),
        (EntryKind.EXPIRE, -1),
    ]


def test_an_unlimited_pack_has_entries_of_nothing() -> None:
    endless = pack_of(size=None)
    reservation = reservation_of(activity_of())
    held, entry = hold(endless, held_of(endless), reservation, entry_id="e1", now=NOW)
    assert (held.left, entry.delta, entry.left) == (None, 0, None)
    back, (entry,) = release(held, reservation, entry_id="e2", now=NOW, reason="Cancelled")
    assert (back.left, entry.delta) == (None, 0)


def test_more_than_there_is_can_not_be_held() -> None:
    with pytest.raises(Conflict) as refused:
        hold(
            pack_of(left=1),
            held_of(pack_of(), 2),
            reservation_of(activity_of()),
            entry_id="e1",
            now=NOW,
        )
    assert refused.value.code == "not_enough_credits"


# --- from when a pack is valid -------------------------------------------------------------------


def utc(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def first_activity(**values: Any) -> Pack:
    return pack_of(valid_from=ValidFrom.FIRST_ACTIVITY, validity_days=30, **values)


def test_example_9_a_pack_is_valid_from_its_first_activity() -> None:
    """30 days, booked for 20 Mar: expires 18 Apr; then also for 10 Mar: 8 Apr."""
    pack = booked(first_activity(), utc("2026-03-20 15:00"), "r1")
    assert pack.expires_at == utc("2026-04-19 03:59")
    pack = booked(pack, utc("2026-03-10 15:00"), "r2")
    assert pack.expires_at == utc("2026-04-09 03:59")


def test_example_9_a_booking_that_would_strand_another_is_refused() -> None:
    """... refused if 15 Apr is booked."""
    pack = booked(first_activity(), utc("2026-03-20 15:00"), "r1")
    pack = booked(pack, utc("2026-04-15 15:00"), "r2")
    assert strands(pack, utc("2026-03-10 15:00"), NOW)
    assert not usable_for(pack, activity_of(starts_at=utc("2026-03-10 15:00")), SETTINGS, NOW)
    with pytest.raises(Conflict) as refused:
        booked(pack, utc("2026-03-10 15:00"), "r3")
    assert refused.value.code == "would_strand"


def test_when_the_first_activity_is_cancelled_the_next_one_counts() -> None:
    pack = booked(first_activity(), utc("2026-03-10 15:00"), "r1")
    pack = booked(pack, utc("2026-03-20 15:00"), "r2")
    first = reservation_of(activity_of(starts_at=utc("2026-03-10 15:00")), "r1")
    pack, _ = release(pack, first, entry_id="e3", now=NOW, reason="Cancelled")
    assert pack.expires_at == utc("2026-04-19 03:59")
    second = reservation_of(activity_of(starts_at=utc("2026-03-20 15:00")), "r2")
    pack, _ = release(pack, second, entry_id="e4", now=NOW, reason="Cancelled")
    assert pack.expires_at is None


def test_once_the_first_activity_has_begun_the_expiry_is_fixed() -> None:
    pack = booked(first_activity(), utc("2026-03-10 15:00"), "r1")
    first = reservation_of(activity_of(starts_at=utc("2026-03-10 15:00")), "r1")
    pack, _ = redeem(pack, first, entry_id="e2", now=utc("2026-03-10 17:00"))
    assert pack.begun_with == utc("2026-03-10 15:00")
    later = booked(pack, utc("2026-03-30 15:00"), "r2")
    assert later.expires_at == utc("2026-04-09 03:59")
    assert not usable_for(
        later, activity_of(starts_at=utc("2026-04-10 15:00")), SETTINGS, utc("2026-03-11 12:00")
    )


def test_what_is_cancelled_too_late_is_used_up_but_is_nobodys_first_activity() -> None:
    pack = booked(first_activity(), utc("2026-03-10 15:00"), "r1")
    pack = booked(pack, utc("2026-03-20 15:00"), "r2")
    first = reservation_of(activity_of(starts_at=utc("2026-03-10 15:00")), "r1")
    pack, entry = forfeit(pack, first, entry_id="e3", now=utc("2026-03-10 10:00"))
    assert (entry.kind, entry.delta, pack.left) == (EntryKind.REDEEM, 0, 8)
    assert pack.begun_with is None
    assert pack.expires_at == utc("2026-04-19 03:59"), "30 days from 20 March"


def test_redeeming_fixes_the_expiry_by_what_has_begun_and_by_nothing_to_come() -> None:
    pack = booked(first_activity(), utc("2026-03-20 15:00"), "r1")
    pack = booked(pack, utc("2026-03-20 14:00"), "long")
    later = reservation_of(activity_of(starts_at=utc("2026-03-20 15:00")), "r1")
    pack, _ = redeem(pack, later, entry_id="e3", now=utc("2026-03-20 16:00"))
    assert pack.begun_with == utc("2026-03-20 14:00"), "the longer one began first, and runs yet"
    checked_in = booked(first_activity(), utc("2026-03-12 15:00"), "r1")
    checked_in = booked(checked_in, utc("2026-03-10 15:00"), "r2")
    early = reservation_of(activity_of(starts_at=utc("2026-03-12 15:00")), "r1")
    checked_in, _ = redeem(checked_in, early, entry_id="e3", now=utc("2026-03-09 15:00"))
    assert checked_in.begun_with == utc("2026-03-12 15:00")


def test_a_pack_that_is_valid_from_booking_counts_from_the_first_booking() -> None:
    pack = pack_of(valid_from=ValidFrom.BOOKING, validity_days=30)
    assert pack.expires_at is None
    pack = booked(pack, utc("2026-03-20 15:00"), "r1")
    assert pack.expires_at == utc("2026-03-31 03:59"), "30 days from 1 March"
    assert booked(pack, utc("2026-03-10 15:00"), "r2").expires_at == pack.expires_at
    assert expiry_with(pack, utc("2026-03-10 15:00"), NOW + 9 * DAY) == pack.expires_at


# --- whatever happens ----------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["book", "release", "redeem"]),
        st.integers(min_value=0, max_value=5),
        st.integers(min_value=1, max_value=3),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(steps=STEPS, sizes=st.lists(st.integers(min_value=1, max_value=4), min_size=1, max_size=4))
def test_any_sequence_keeps_every_ledger_and_uses_no_credit_twice(
    steps: list[tuple[str, int, int]], sizes: list[int]
) -> None:
    packs = {
        f"p{at}": pack_of(f"p{at}", size=size, expires_at=NOW + (at + 3) * DAY)
        for at, size in enumerate(sizes)
    }
    entries: list[Entry] = []
    live: dict[str, Reservation] = {}
    used = 0
    for number, (what, which, participants) in enumerate(steps):
        name = sorted(live)[which % len(live)] if live else ""
        if what == "book":
            activity = activity_of(places=1000)
            spent = plan(
                list(packs.values()), activity, participants, NEW_YORK, catalogue_of(), NOW
            )
            reservation = reservation_of(activity, f"r{number:03d}", participants)
            live[reservation.id] = reservation.model_copy(update={"held": spent.held})
            expiries = [packs[one.pack_id].expires_at for one in spent.held]
            assert expiries == sorted(expiries, key=str), "the soonest to expire is spent first"
            for held in spent.held:
                packs[held.pack_id], entry = hold(
                    packs[held.pack_id], held, reservation, entry_id=f"e{number}", now=NOW
                )
                entries.append(entry)
        elif name:
            reservation = live.pop(name)
            for held in reservation.held:
                pack = packs[held.pack_id]
                if what == "release":
                    packs[held.pack_id], made = release(
                        pack, reservation, entry_id=f"e{number}", now=NOW, reason="x"
                    )
                    entries += made
                else:
                    packs[held.pack_id], entry = redeem(
                        pack, reservation, entry_id=f"e{number}", now=NOW
                    )
                    entries.append(entry)
                    used += held.credits
    for pack in packs.values():
        moved = sum(one.delta for one in entries if one.pack_id == pack.id)
        assert pack.left is not None and pack.granted is not None
        assert pack.left == pack.granted + moved >= 0
    still_held = sum(held.credits for one in live.values() for held in one.held)
    left = sum(pack.left or 0 for pack in packs.values())
    assert sum(sizes) == left + still_held + used
