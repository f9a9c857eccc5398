"""When the next pack comes, and what recurs at all ([RECUR]). In New York; 23:59 there is 03:59 UTC
of the next day in summer."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.ledger import adjust
from shared.domain.next_payment import NextPayment
from shared.domain.pack import Booked, Pack, next_moment, next_turn
from shared.domain.product import Product
from shared.domain.product_kind import ProductKind
from shared.domain.recurring import Recurring, Turn
from shared.domain.recurs_when import RecursWhen
from shared.domain.renewal import NextCharge, decide_renewal
from shared.domain.subscription import (
    Subscription,
    SubscriptionState,
    reminder_at,
)
from shared.domain.subscription import next_moment as next_moment_of
from shared.domain.valid_from import ValidFrom
from tests.unit.subscription_samples import pack_of, subscription_of, utc

EXPIRY = utc("2026-05-01 03:59")
"""23:59 of 30 April."""
BEFORE_EXPIRY = utc("2026-04-29 03:59")
"""23:59 of 28 April."""


def recurring_pack(when: RecursWhen, **other: Any) -> Pack:
    return pack_of(**{"recurs_when": when, "expires_at": EXPIRY, **other})


def held_for(starts_at: str, hours: int = 1) -> Booked:
    begins = utc(starts_at)
    return Booked(
        reservation_id=starts_at,
        starts_at=begins,
        ends_at=begins + timedelta(hours=hours),
        credits=1,
    )


def turn_at(pack: Pack) -> datetime | None:
    turn = next_turn(pack)
    return turn.at if turn else None


def test_by_its_expiry_it_comes_at_2359_two_days_before_and_starts_the_day_after() -> None:
    turn = next_turn(recurring_pack(RecursWhen.PACK_EXPIRES))
    assert turn is not None
    assert turn.at == BEFORE_EXPIRY
    assert str(turn.starts_on) == "2026-05-01"


def test_by_its_expiry_it_does_not_come_because_the_credits_are_gone() -> None:
    gone = recurring_pack(RecursWhen.PACK_EXPIRES, left=0, last_used_at=utc("2026-04-02 12:00"))
    assert turn_at(gone) == BEFORE_EXPIRY


def test_an_expiry_that_is_moved_moves_it() -> None:
    moved = recurring_pack(RecursWhen.PACK_EXPIRES, expires_at=EXPIRY + timedelta(days=7))
    assert turn_at(moved) == BEFORE_EXPIRY + timedelta(days=7)


@pytest.mark.parametrize("left", [1, 10])
def test_without_credits_it_comes_by_the_expiry_while_some_are_left(left: int) -> None:
    assert turn_at(recurring_pack(RecursWhen.NO_CREDITS_REMAIN, left=left)) == BEFORE_EXPIRY


def test_without_credits_it_comes_a_day_after_the_last_activity_has_ended() -> None:
    held = held_for("2026-04-03 15:00"), held_for("2026-04-10 15:00", hours=2)
    pack = recurring_pack(RecursWhen.NO_CREDITS_REMAIN, left=0, booked=held)
    turn = next_turn(pack)
    assert turn == Turn(at=utc("2026-04-11 17:00"), starts_on=None)


def test_what_was_redeemed_counts_when_it_was_the_last() -> None:
    pack = recurring_pack(
        RecursWhen.NO_CREDITS_REMAIN,
        left=0,
        booked=(held_for("2026-04-03 15:00"),),
        last_used_at=utc("2026-04-20 16:00"),
    )
    assert turn_at(pack) == utc("2026-04-21 16:00")


def test_the_expiry_is_first_when_the_last_activity_is_close_to_it() -> None:
    pack = recurring_pack(
        RecursWhen.NO_CREDITS_REMAIN, left=0, booked=(held_for("2026-04-29 15:00"),)
    )
    assert turn_at(pack) == BEFORE_EXPIRY


def test_credits_that_staff_take_off_count_from_then() -> None:
    pack = recurring_pack(RecursWhen.NO_CREDITS_REMAIN, expires_at=None, left=3, granted=3)
    now = utc("2026-04-05 10:00")
    taken, _ = adjust(pack, -3, entry_id="e", now=now, reason="A gift for a friend", by="staff")
    assert turn_at(taken) == now + timedelta(days=1)
    given, _ = adjust(taken, 1, entry_id="e2", now=now, reason="Back", by="staff")
    assert turn_at(given) is None


def test_it_comes_once() -> None:
    assert next_turn(recurring_pack(RecursWhen.PACK_EXPIRES, turned=True)) is None


def test_a_pack_that_was_ended_before_its_moment_was_handled_still_has_it() -> None:
    ended = recurring_pack(RecursWhen.NO_CREDITS_REMAIN, left=0, ended_at=EXPIRY)
    assert turn_at(ended) == BEFORE_EXPIRY
    moment = next_moment(ended)
    assert moment is not None and moment.at == BEFORE_EXPIRY


def test_a_pack_that_does_not_recur_has_none() -> None:
    assert next_turn(pack_of(expires_at=EXPIRY)) is None


# --- its subscription ------------------------------------------------------------------------


def recurring(turn: Turn | None = None, **other: Any) -> Subscription:
    payment = other.pop("next_payment", NextPayment.DEBIT)
    drives = Recurring(when=RecursWhen.PACK_EXPIRES, next_payment=payment, turn=turn)
    return subscription_of(**{"frequency": None, "recurring": drives, **other})


COME = Turn(at=BEFORE_EXPIRY)


def test_while_nobody_knows_the_clock_has_nothing_to_do_and_nothing_is_announced() -> None:
    assert next_moment_of(recurring()) is None
    assert reminder_at(recurring()) is None
    assert decide_renewal(recurring(), EXPIRY) is NextCharge.NOT_YET


@pytest.mark.parametrize(
    ("other", "wanted"),
    [
        ({}, NextCharge.CHARGE),
        ({"next_payment": NextPayment.BY_HAND}, NextCharge.CART),
        ({"cancel_at_period_end": True}, NextCharge.CANCEL),
        ({"state": SubscriptionState.PAUSED}, NextCharge.NOT_YET),
    ],
)
def test_what_is_due_when_its_moment_has_come(other: dict[str, Any], wanted: NextCharge) -> None:
    assert decide_renewal(recurring(COME, **other), BEFORE_EXPIRY) is wanted


def test_what_waits_in_the_cart_waits_for_the_customer() -> None:
    carted = recurring(Turn(at=BEFORE_EXPIRY, carted=True), next_payment=NextPayment.BY_HAND)
    assert next_moment_of(carted) is None
    assert decide_renewal(carted, EXPIRY) is NextCharge.NOT_YET
    assert carted.awaits_payment


def test_what_was_stored_before_there_was_recurring_is_read_as_it_was() -> None:
    stored = subscription_of().model_dump(mode="json")
    del stored["recurring"]
    assert Subscription.model_validate(stored) == subscription_of()


# --- what recurs at all ----------------------------------------------------------------------


def product(**other: Any) -> Product:
    values: dict[str, Any] = {
        "id": "passes",
        "name": "Passes",
        "kind": ProductKind.PACKAGE,
        "prices": {"USD": 100},
        "credits": 5,
        "validity_days": 30,
        "recurs_when": RecursWhen.PACK_EXPIRES,
        **other,
    }
    return Product(**values)


@pytest.mark.parametrize(
    "other",
    [
        {"validity_days": 3},
        {"validity_days": None, "validity_months": 1},
        {"credits": None},
        {"minimum_payments": 12},
        {"recurs_when": RecursWhen.NO_CREDITS_REMAIN, "validity_days": None},
    ],
)
def test_packages_that_recur(other: dict[str, Any]) -> None:
    assert product(**other).recurs_when is not None


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"validity_days": 2}, "valid for 3 days or more"),
        ({"validity_days": None}, "needs a validity"),
        ({"kind": ProductKind.RETAIL}, "only packages recur"),
        ({"valid_from": ValidFrom.BOOKING}, "valid from its payment"),
        ({"trial_days": 7}, "only subscriptions have trials"),
        ({"recurs_when": RecursWhen.NO_CREDITS_REMAIN, "credits": 0}, "needs a number"),
        ({"recurs_when": RecursWhen.NO_CREDITS_REMAIN, "credits": None}, "needs a number"),
        ({"recurs_when": None, "minimum_payments": 2}, "only what recurs a commitment"),
    ],
)
def test_what_can_not_recur_is_refused_with_the_reason(other: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        product(**other)
