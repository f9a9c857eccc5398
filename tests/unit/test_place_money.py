"""What places cost, line by line, and packs that are bought with one ([VOUCHER] [TAX] [BOOK])."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import bought_place
from shared.domain.errors import Conflict
from shared.domain.invoice import LineKind
from shared.domain.ledger import adjust
from shared.domain.pack import EntryKind, PackStatus
from shared.domain.pack import next_moment as pack_moment
from shared.domain.place_lines import invoice_lines
from shared.domain.reservation import (
    Held,
    Reservation,
    ReservationState,
    Taxed,
    estimated,
    next_moment,
    reserve,
)
from shared.domain.spending import hold, release, usable_for
from shared.domain.valid_from import ValidFrom
from tests.unit.places_samples import NOW, activity_of, catalogue_of, dollars, pack_of

NEW_YORK_TAX = Taxed(rate=Decimal("0.0825"), name="Sales tax", account_code="4000")


def place(prices: list[int], worths: list[list[int]], taxed: Taxed = NEW_YORK_TAX) -> Reservation:
    """A reservation of as many participants as there are prices; each list of `worths` is what one
    pack pays of one participant after the other."""
    held = tuple(
        Held(
            pack_id=f"p{at}",
            pack_name=f"Pack {at}",
            participants=len(each),
            credits=len(each),
            worth=dollars(sum(each)),
            each=tuple(map(dollars, each)),
        )
        for at, each in enumerate(worths)
    )
    return reserve(
        activity_of(),
        reservation_id="r1",
        customer_id="ada",
        customer_name="Ada",
        participants=len(prices),
        state=ReservationState.BOOKED,
        charge=dollars(sum(prices)),
        prices=tuple(map(dollars, prices)),
        taxed=taxed,
        held=held,
        now=NOW,
    )


def told(reservation: Reservation) -> list[tuple[LineKind, int, int, int]]:
    return [
        (line.kind, line.quantity, line.amount.minor, line.tax.minor)
        for line in invoice_lines(reservation)
    ]


def test_a_credit_that_pays_the_whole_place_leaves_nothing_tax_included() -> None:
    paid = place([3_000], [[3_000]])
    assert told(paid) == [(LineKind.SERVICE, 1, 3_000, 248), (LineKind.CREDIT, 1, -3_000, -248)]
    assert estimated(paid) == dollars(0)
    assert not paid.owes


def test_example_11_a_credit_on_a_dearer_service_leaves_the_rest_and_its_tax() -> None:
    boarding = place([5_000], [[3_000]])
    assert told(boarding) == [
        (LineKind.SERVICE, 1, 5_000, 413),
        (LineKind.CREDIT, 1, -3_000, -248),
    ]
    assert boarding.owes == dollars(2_000 + 165)


def test_places_of_one_price_are_one_line_and_further_participants_another() -> None:
    family = place([3_000, 2_700, 2_700], [[3_000]])
    assert told(family) == [
        (LineKind.SERVICE, 1, 3_000, 248),
        (LineKind.CREDIT, 1, -3_000, -248),
        (LineKind.SERVICE, 2, 5_400, 446),
    ]


@given(
    prices=st.lists(st.integers(min_value=1, max_value=20_000), min_size=1, max_size=12),
    cuts=st.lists(st.integers(min_value=1, max_value=12), max_size=4),
    rate=st.decimals(min_value=0, max_value=1, places=4),
)
def test_whatever_packs_share_it_what_credits_pay_whole_comes_to_nothing(
    prices: list[int], cuts: list[int], rate: Decimal
) -> None:
    bounds = sorted({0, len(prices), *(cut for cut in cuts if cut < len(prices))})
    worths = [prices[a:b] for a, b in pairwise(bounds)]
    paid = place(prices, worths, Taxed(rate=rate))
    assert estimated(paid) == dollars(0)
    amounts = [line.amount for line in invoice_lines(paid) if line.kind is LineKind.SERVICE]
    assert sum(one.minor for one in amounts) == sum(prices)


def test_a_place_is_looked_at_when_it_begins_only_while_something_is_owed() -> None:
    unpaid = place([3_000], [])
    moment = next_moment(unpaid)
    assert moment is not None and moment.at == unpaid.starts_at
    invoiced = unpaid.model_copy(update={"invoice_id": "i1", "invoiced": None})
    moment = next_moment(invoiced)
    assert moment is not None and moment.at == invoiced.ends_at, "its invoice is paid"
    waived = unpaid.model_copy(update={"waived": True})
    assert not waived.owes


# --- packs that are bought with a place ----------------------------------------------------------


def test_one_credit_holds_the_place_and_the_rest_come_with_the_payment() -> None:
    pack, first = bought_place.begin_unpaid(pack_of(), 1, entry_id="e1")
    assert (first.kind, first.delta, pack.left) == (EntryKind.GRANT, 1, 1)
    held = Held(
        pack_id=pack.id, pack_name=pack.name, participants=1, credits=1, worth=dollars(3_000)
    )
    pack, _ = hold(pack, held, place([3_000], []), entry_id="e2", now=NOW)
    assert (pack.left, pack.status(NOW)) == (0, PackStatus.UNPAID)
    assert not usable_for(pack, activity_of(), catalogue_of().settings, NOW)
    paid, rest = bought_place.activate(pack, entry_id="e3", now=NOW, reason="Paid")
    assert (rest.kind, rest.delta, rest.left) == (EntryKind.GRANT, 9, 9)
    assert paid.status(NOW) is PackStatus.ACTIVE


def test_an_unlimited_pack_that_is_not_paid_can_not_be_used_either() -> None:
    pack, entry = bought_place.begin_unpaid(pack_of(size=None), 0, entry_id="e1")
    assert (entry.delta, pack.left, pack.unlimited) == (0, None, True)
    assert not usable_for(pack, activity_of(), catalogue_of().settings, NOW)
    paid, rest = bought_place.activate(pack, entry_id="e2", now=NOW, reason="Paid")
    assert (rest.delta, paid.left) == (0, None)
    assert usable_for(paid, activity_of(), catalogue_of().settings, NOW)


@pytest.mark.parametrize(
    ("valid_from", "begins"), [(ValidFrom.PAYMENT, True), (ValidFrom.BOOKING, False)]
)
def test_a_validity_from_payment_begins_when_it_is_paid(
    valid_from: ValidFrom, begins: bool
) -> None:
    as_paid = pack_of(valid_from=valid_from, validity_days=30, expires_at=NOW + timedelta(days=29))
    pack, _ = bought_place.begin_unpaid(as_paid, 1, entry_id="e1")
    assert (pack.expires_at is None) is begins
    later = NOW + timedelta(days=10)
    paid, _ = bought_place.activate(pack, entry_id="e2", now=later, reason="Paid")
    assert paid.expires_at is not None
    assert (paid.expires_at > NOW + timedelta(days=38)) is begins


def test_a_pack_that_is_never_paid_ends_with_nothing_when_its_place_is_given_back() -> None:
    pack, _ = bought_place.begin_unpaid(pack_of(), 1, entry_id="e1")
    reservation = place([3_000], [])
    held = Held(
        pack_id=pack.id, pack_name=pack.name, participants=1, credits=1, worth=dollars(3_000)
    )
    pack, _ = hold(pack, held, reservation, entry_id="e2", now=NOW)
    pack, _ = release(pack, reservation, entry_id="e3", now=NOW, reason="Cancelled")
    over, entry = bought_place.revoke(pack, entry_id="e4", now=NOW)
    assert (entry.kind, entry.delta, over.left) == (EntryKind.REVOKE, -1, 0)
    assert over.status(NOW) is PackStatus.EXPIRED


def test_credits_of_an_unpaid_pack_are_not_changed_by_hand() -> None:
    pack, _ = bought_place.begin_unpaid(pack_of(), 1, entry_id="e1")
    with pytest.raises(Conflict) as refused:
        adjust(pack, 5, entry_id="e2", now=NOW, reason="A gift", by="kim@example.com")
    assert refused.value.code == "pack_unpaid"


def test_a_paid_place_that_is_given_back_in_time_comes_back_as_credits() -> None:
    paid = place([3_000, 3_000], []).model_copy(update={"invoice_id": "i1"})
    pack, entry = bought_place.make_up(paid, 2, pack_id="p9", entry_id="e1", hourly=False, now=NOW)
    assert (pack.left, pack.granted, pack.expires_at) == (2, 2, None)
    assert (entry.delta, entry.reservation_id, entry.invoice_id) == (2, "r1", "i1")
    assert usable_for(pack, activity_of(), catalogue_of().settings, NOW)


@pytest.mark.parametrize("valid_from", list(ValidFrom))
def test_no_validity_runs_out_before_the_pack_is_paid(valid_from: ValidFrom) -> None:
    as_paid = pack_of(valid_from=valid_from, validity_days=3)
    pack, _ = bought_place.begin_unpaid(as_paid, 1, entry_id="e1")
    reservation = place([3_000], [])
    held = Held(
        pack_id=pack.id, pack_name=pack.name, participants=1, credits=1, worth=dollars(3_000)
    )
    pack, _ = hold(pack, held, reservation, entry_id="e2", now=NOW)
    much_later = NOW + timedelta(days=60)
    assert pack_moment(pack) is None
    assert pack.status(much_later) is PackStatus.UNPAID
    paid, _ = bought_place.activate(pack, entry_id="e3", now=much_later, reason="Paid")
    assert paid.expires_at is not None
    assert paid.expires_at > much_later + timedelta(days=1)
