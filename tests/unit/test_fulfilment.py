"""What a settled payment brings: packs with their windows, subscriptions with their anchors."""

from datetime import date
from typing import Any

import pytest

from shared.domain.calendar import Frequency
from shared.domain.fulfilment import fulfil
from shared.domain.granting import grant_period_pack
from shared.domain.invoice import InvoiceLine
from shared.domain.money import Money
from shared.domain.order import Due, OrderLine
from shared.domain.pack import EntryKind
from shared.domain.product_kind import ProductKind
from shared.domain.subscription import SubscriptionState
from tests.unit.subscription_samples import NEW_YORK, subscription_of, terms_of, utc

BOUGHT = utc("2026-03-10 15:00")


def line_of(kind: ProductKind, **other: Any) -> OrderLine:
    price = Money(minor=1000, currency="USD")
    values: dict[str, Any] = {
        "product_id": "p",
        "kind": kind,
        "name": "P",
        "line": InvoiceLine(name="P", unit=price, amount=price, tax=price),
        **other,
    }
    return OrderLine(**values)


def package(**other: Any) -> OrderLine:
    return line_of(ProductKind.PACKAGE, terms=terms_of(**other))


def subscription_line(due: Due = Due.NOW, **other: Any) -> OrderLine:
    values: dict[str, Any] = {
        "due": due,
        "terms": terms_of(),
        "frequency": Frequency.MONTHLY,
        "starts_on": date(2026, 3, 10),
        **other,
    }
    return line_of(ProductKind.SUBSCRIPTION, **values)


def brought(*order: OrderLine, now: Any = BOUGHT) -> Any:
    return fulfil(
        order, charge_id="c", customer_id="ada", location=NEW_YORK, invoice_id="i", now=now
    )


@pytest.mark.parametrize(
    ("terms", "expires_at"),
    [
        ({"validity_days": 1}, "2026-03-11 03:59"),
        ({"validity_days": 90}, "2026-06-08 03:59"),
        # To 23:59 of the day before the same date.
        ({"validity_months": 1}, "2026-04-10 03:59"),
        ({}, None),
    ],
)
def test_a_package_is_valid_from_payment_the_first_day_counted(
    terms: dict[str, int], expires_at: str | None
) -> None:
    (granted,) = brought(package(**terms)).granted
    assert granted.pack.expires_at == (utc(expires_at) if expires_at else None)
    assert granted.pack.usable_from == utc("2026-03-10 04:00")
    assert not granted.pack.expires_with_next


def test_of_each_copy_there_is_a_pack_and_an_entry_that_explains_it() -> None:
    three = package().model_copy(update={"quantity": 3})
    granted = brought(three, package()).granted
    assert len({one.pack.id for one in granted}) == 4
    for one in granted:
        assert (one.entry.kind, one.entry.delta, one.entry.left) == (EntryKind.GRANT, 8, 8)
        assert one.entry.pack_id == one.pack.id


@pytest.mark.parametrize(("credits_given", "left", "delta"), [(None, None, 0), (0, 0, 0)])
def test_unlimited_and_empty_packs_have_entries_of_nothing(
    credits_given: int | None, left: int | None, delta: int
) -> None:
    (granted,) = brought(package(credits=credits_given)).granted
    assert (granted.pack.left, granted.entry.delta) == (left, delta)


def test_settling_twice_would_make_the_very_same_things() -> None:
    order = (package(), subscription_line(), subscription_line(Due.LATER))
    assert brought(*order) == brought(*order)


def test_retail_brings_no_pack_and_access_is_remembered() -> None:
    found = brought(line_of(ProductKind.RETAIL), line_of(ProductKind.ACCESS))
    assert (found.granted, found.subscriptions, found.access) == ((), (), ("p",))


def test_a_subscription_bought_today_has_its_first_pack_and_its_next_period_due() -> None:
    found = brought(subscription_line())
    (subscription,) = found.subscriptions
    (granted,) = found.granted
    assert (subscription.anchor, subscription.next_period) == (date(2026, 3, 10), 1)
    assert subscription.state is SubscriptionState.ACTIVE
    assert subscription.last_pack_id == granted.pack.id
    assert granted.pack.usable_from == utc("2026-03-10 04:00")
    assert granted.pack.expires_with_next


def test_a_later_start_brings_no_pack_yet() -> None:
    found = brought(subscription_line(Due.LATER, starts_on=date(2026, 4, 1), line=None))
    (subscription,) = found.subscriptions
    assert (found.granted, subscription.next_period) == ((), 0)
    assert subscription.state is SubscriptionState.SCHEDULED
    assert subscription.charged_at(0) == utc("2026-04-01 04:00")


def test_a_trial_brings_a_free_pack_until_its_last_minute_and_its_anchor_after_it() -> None:
    found = brought(subscription_line(Due.AFTER_TRIAL, trial_days=14, line=None))
    (subscription,) = found.subscriptions
    (granted,) = found.granted
    assert granted.pack.trial
    assert granted.pack.expires_at == utc("2026-03-24 03:59")
    assert granted.pack.invoice_id is None
    assert subscription.anchor == date(2026, 3, 24)
    assert subscription.charged_at(0) == utc("2026-03-24 03:59")
    assert subscription.last_pack_id is None, "the first paid pack replaces nothing"
    assert subscription.payments_made == 0


@pytest.mark.parametrize(
    ("settled_at", "usable_from", "expires_at"),
    [
        # In the 23:59 minute before, the period's own first day counts.
        ("2026-02-28 04:59", "2026-02-28 05:00", "2026-03-05 04:59"),
        ("2026-02-28 12:00", "2026-02-28 05:00", "2026-03-05 04:59"),
        ("2026-03-02 12:00", "2026-03-02 05:00", "2026-03-07 04:59"),
        # 23:59 of 2 March counts as 3 March.
        ("2026-03-03 04:59", "2026-03-03 05:00", "2026-03-08 04:59"),
        ("2026-03-03 04:58", "2026-03-02 05:00", "2026-03-07 04:59"),
    ],
)
def test_day_one_is_the_later_of_the_period_s_start_and_the_day_of_settlement(
    settled_at: str, usable_from: str, expires_at: str
) -> None:
    granted = grant_period_pack(
        pack_id="p",
        entry_id="e",
        subscription=subscription_of(terms=terms_of(validity_days=5), last_pack_id=None),
        period=1,
        location=NEW_YORK,
        invoice_id="i",
        now=utc(settled_at),
    )
    assert (granted.pack.usable_from, granted.pack.expires_at) == (
        utc(usable_from),
        utc(expires_at),
    )


def test_a_pack_without_validity_brings_the_former_one_to_its_end() -> None:
    granted = grant_period_pack(
        pack_id="p1",
        entry_id="e",
        subscription=subscription_of(last_pack_id="p0", last_pack_period=0),
        period=1,
        location=NEW_YORK,
        invoice_id="i",
        now=utc("2026-02-28 04:59"),
    )
    assert (granted.pack.replaces, granted.pack.expires_at) == ("p0", None)
