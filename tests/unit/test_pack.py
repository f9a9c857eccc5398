"""A pack through its days: what it is called, and what is due when."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.pack import EntryKind, PackStatus, next_moment
from shared.operations.packs import run_out
from tests.unit.subscription_samples import pack_of, utc

NOW = utc("2026-03-20 12:00")
SOON, GONE = NOW + timedelta(days=10), NOW - timedelta(days=1)


@pytest.mark.parametrize(
    ("pack", "status"),
    [
        ({}, PackStatus.ACTIVE),
        ({"expires_at": SOON}, PackStatus.ACTIVE),
        ({"expires_at": NOW}, PackStatus.EXPIRED),
        ({"expires_at": GONE, "left": 3}, PackStatus.EXPIRED),
        ({"ended_at": GONE}, PackStatus.EXPIRED),
        ({"left": 0}, PackStatus.USED_UP),
        # A pack of no credits has not been used up: it never had any.
        ({"granted": 0, "left": 0}, PackStatus.ACTIVE),
        ({"granted": None, "left": None}, PackStatus.ACTIVE),
        ({"usable_from": SOON}, PackStatus.UPCOMING),
        ({"usable_from": NOW}, PackStatus.ACTIVE),
        ({"granted": 0, "left": 0, "usable_from": SOON}, PackStatus.UPCOMING),
    ],
)
def test_a_pack_has_one_status(pack: dict[str, Any], status: PackStatus) -> None:
    assert pack_of(**pack).status(NOW) is status


def test_a_pack_without_end_is_never_due() -> None:
    assert next_moment(pack_of()) is None


def test_its_expiry_is_announced_and_then_due() -> None:
    pack = pack_of(expires_at=SOON, email_days_before_expiry=7)
    announced = next_moment(pack)
    assert announced is not None
    assert announced.at == SOON - timedelta(days=7)
    told = next_moment(pack.model_copy(update={"expiry_announced": True}))
    assert told is not None
    assert told.at == SOON


def test_an_announcement_does_not_come_before_the_purchase() -> None:
    pack = pack_of(expires_at=pack_of().bought_at + timedelta(days=3), email_days_before_expiry=7)
    announced = next_moment(pack)
    assert announced is not None
    assert announced.at == pack.bought_at


def test_the_former_pack_is_ended_when_this_one_becomes_usable() -> None:
    pack = pack_of(replaces="former", usable_from=SOON)
    due = next_moment(pack)
    assert due is not None
    assert due.at == SOON
    assert next_moment(pack.model_copy(update={"replaced": True})) is None


def test_what_has_ended_is_never_due_again() -> None:
    pack = pack_of(expires_at=SOON, email_days_before_expiry=7, replaces="former", ended_at=GONE)
    assert next_moment(pack) is None


@pytest.mark.parametrize(("granted", "left"), [(10, 10), (10, 3), (10, 0), (0, 0), (None, None)])
def test_at_its_end_the_ledger_comes_to_nothing(granted: int | None, left: int | None) -> None:
    pack = pack_of(granted=granted, left=left, expires_at=NOW)
    ended, entry = run_out(pack, "e", NOW, NOW, "Expired")
    assert entry.kind is EntryKind.EXPIRE
    assert (left or 0) + entry.delta == (ended.left or 0) == 0
    assert ended.status(NOW) is PackStatus.EXPIRED


@pytest.mark.parametrize(
    ("left", "low"), [(10, False), (3, False), (2, True), (0, True), (None, False)]
)
def test_credits_are_low_at_the_number_that_the_product_names(left: int | None, low: bool) -> None:
    granted = None if left is None else 10
    assert pack_of(granted=granted, left=left, email_credits_left=2).low is low
    assert not pack_of(granted=granted, left=left).low
