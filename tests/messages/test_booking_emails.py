"""What the emails of reservations say: when and where, which credits, what is to be paid, and until
when it can be cancelled ([MAILS], [PLACES])."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest

from shared.domain.business import Location, StaffPerson
from shared.domain.customer import Customer
from shared.domain.message import Message
from shared.domain.money import Money
from shared.domain.product import Catalogue
from shared.domain.reservation import Held, Reservation, ReservationState, Taxed
from shared.domain.settings import Settings
from shared.messages.builders import bookings
from shared.messages.builders.telling import Telling
from shared.messages.render import Email, render

NOW = datetime(2026, 3, 1, 17, tzinfo=UTC)
STARTS = datetime(2026, 3, 4, 0, 30, tzinfo=UTC)
"""Half past seven in the evening of Tuesday, 3 March, in New York."""

SETTINGS = Settings(merchant_name="Paws & Poses", support_email="hello@pawsandposes.example")
CATALOGUE = Catalogue(
    settings=SETTINGS,
    locations=(
        Location(
            id="ny",
            name="Brooklyn",
            address="12 Pier Road",
            zone="America/New_York",
            currency="USD",
        ),
    ),
    staff_people=(StaffPerson(id="ana", name="Ana Costa"),),
)
URL = "https://portal.example"
PAGE = f"{URL}/reservations/r1"


def telling(*, locale: str = "en-US", now: datetime = NOW) -> Telling:
    customer = Customer(id="c1", email="sam@example.org", name="Sam", locale=locale, created_at=NOW)
    return Telling(customer=customer, business=CATALOGUE, now=now)


def dollars(minor: int) -> Money:
    return Money(minor=minor, currency="USD")


def held(count: int = 1, **changes: Any) -> Held:
    defaults: dict[str, Any] = {
        "pack_id": "p1",
        "pack_name": "Ten classes",
        "participants": count,
        "credits": count,
        "worth": dollars(2_000 * count),
    }
    return Held(**{**defaults, **changes})


def reservation(**changes: Any) -> Reservation:
    """Two places of 20.00 each, both held by credits."""
    defaults: dict[str, Any] = {
        "id": "r1",
        "customer_id": "c1",
        "activity_id": "ny.20260304T0030.a",
        "location_id": "ny",
        "zone": "America/New_York",
        "service_id": "yoga",
        "name": "Evening yoga",
        "starts_at": STARTS,
        "ends_at": STARTS + timedelta(hours=1),
        "cutoff_at": STARTS - timedelta(hours=12),
        "staff_member": "ana",
        "participants": 2,
        "state": ReservationState.BOOKED,
        "held": (held(2),),
        "charge": dollars(4_000),
        "booked_at": NOW,
    }
    return Reservation(**{**defaults, **changes})


def offered(**changes: Any) -> Reservation:
    defaults: dict[str, Any] = {
        "state": ReservationState.OFFERED,
        "held": (),
        "offered_until": NOW + timedelta(hours=2),
    }
    return reservation(**{**defaults, **changes})


def mail(message: Message) -> Email:
    return render(message, settings=SETTINGS, public_url=URL)


def words(message: Message) -> str:
    return " ".join(mail(message).text.split())


def confirmed(told: Telling | None = None, **changes: Any) -> str:
    made = bookings.reservation_confirmed(told or telling(), reservation=reservation(**changes))
    return words(made)


def cancelled(*, by_merchant: bool = False, **changes: Any) -> str:
    made = reservation(**{"state": ReservationState.CANCELLED, **changes})
    return words(
        bookings.reservation_cancelled(telling(), reservation=made, by_merchant=by_merchant)
    )


# --- confirmed -------------------------------------------------------------------------------


def test_a_confirmation_says_what_when_where_with_whom_and_for_how_many() -> None:
    said = confirmed()
    for told in (
        "What: Evening yoga",
        "When: March 3, 2026, 7:30 PM to 8:30 PM",
        "Where: Brooklyn, 12 Pier Road",
        "With: Ana Costa",
        "Participants: 2",
    ):
        assert told in said
    assert PAGE in said


def test_one_that_ends_on_another_local_day_names_both_days() -> None:
    said = confirmed(ends_at=STARTS + timedelta(hours=14))
    assert "When: March 3, 2026, 7:30 PM to March 4, 2026, 9:30 AM" in said


def test_a_confirmation_is_in_the_customers_locale() -> None:
    assert "3. März 2026, 19:30 to 20:30" in confirmed(telling(locale="de-DE"))


def test_credits_that_hold_it_all_are_named_and_nothing_is_to_pay() -> None:
    said = confirmed()
    assert "Held by: Ten classes, 2 credits" in said
    assert "$" not in said


def test_what_credits_do_not_cover_is_to_be_paid_at_the_start() -> None:
    said = confirmed(held=(held(1),))
    assert "Held by: Ten classes, 1 credit" in said
    assert "$20.00 of it is not covered by credits" in said
    assert "To pay at the start: $20.00" in said


def test_without_credits_all_of_it_is_to_be_paid_at_the_start() -> None:
    said = confirmed(held=())
    assert "Held by" not in said
    assert "To pay at the start: $40.00" in said


def test_an_unlimited_pack_holds_without_a_number_of_credits() -> None:
    free = held(0, pack_name="Open month", participants=2, worth=dollars(4_000))
    assert "Held by: Open month, unlimited credits" in confirmed(held=(free,))


def test_it_says_until_when_it_can_be_cancelled_in_local_time() -> None:
    assert "before 7:30 AM on March 3, 2026" in confirmed()


@pytest.mark.parametrize(("past_minutes", "still"), [(-1, True), (0, False), (1, False)])
def test_from_the_cutoff_on_no_credit_is_promised_back(past_minutes: int, still: bool) -> None:
    at = STARTS - timedelta(hours=12) + timedelta(minutes=past_minutes)
    said = confirmed(telling(now=at))
    assert ("You can cancel or move it" in said) is still
    assert ("too soon to be moved" in said) is not still


def test_a_location_and_a_leader_that_are_gone_are_left_out() -> None:
    said = confirmed(location_id="closed-down", staff_member="gone")
    assert "Where:" not in said
    assert "With:" not in said
    assert "When: March 3, 2026, 7:30 PM" in said


@pytest.mark.parametrize("leader", ["ana", None])
def test_each_fact_has_a_line_of_its_own_in_the_text(leader: str | None) -> None:
    one = reservation(staff_member=leader, held=(held(1),))
    sent = mail(bookings.reservation_confirmed(telling(), reservation=one))
    labels = ["What", "When", "Where", "With", "Participants", "Held by", "To pay at the start"]
    begun = [line.partition(":")[0] for line in sent.text.splitlines() if ": " in line]
    assert [label for label in begun if label in labels] == [
        label for label in labels if leader or label != "With"
    ]


def test_a_place_without_credits_says_what_is_to_be_paid_at_the_start_with_tax() -> None:
    taxed = Taxed(rate=Decimal("0.0825"), name="Sales tax")
    said = confirmed(held=(), prices=(dollars(2_000), dollars(2_000)), taxed=taxed)
    assert "$43.30 is still to be paid when it starts." in said
    assert "To pay at the start: $43.30, tax included" in said


def test_a_pack_that_is_still_to_be_paid_asks_for_it_with_a_link() -> None:
    said = confirmed(invoice_id="i1", invoiced=dollars(27_063))
    assert "$270.63 is still to be paid for your Ten classes" in said
    assert "The rest of its credits are yours then." in said
    assert f"Pay $270.63: {URL}/invoices/i1" in said


def test_a_place_that_is_paid_says_so_and_asks_for_nothing() -> None:
    said = confirmed(held=(), invoice_id="i1")
    assert "It is paid." in said
    assert "still to be paid" not in said
    assert "/invoices/" not in said


# --- changed ---------------------------------------------------------------------------------


def moved(move_id: str = "m1", **changes: Any) -> Message:
    return bookings.reservation_changed(
        telling(),
        reservation=reservation(**changes),
        from_start=STARTS - timedelta(days=1),
        move_id=move_id,
    )


def test_a_change_says_from_when_to_when() -> None:
    said = words(moved())
    assert "was moved from March 2, 2026, 7:30 PM, to March 3, 2026, 7:30 PM." in said
    assert "The credits that held it went along." in said


def test_what_was_moved_unpaid_is_still_to_be_paid() -> None:
    said = words(moved(held=()))
    assert "$40.00 is still to be paid when it starts." in said
    assert "credits that held it went along" not in said


def test_moving_to_the_same_activity_again_is_told_again() -> None:
    assert moved("m1").key == moved("m1").key
    assert moved("m1").key != moved("m2").key


# --- cancelled -------------------------------------------------------------------------------


def test_cancelled_in_time_the_credits_came_back() -> None:
    said = cancelled()
    assert "As you asked" in said
    assert "2 credits came back to your Ten classes, with the expiry that it had." in said
    assert "stay used" not in said


def test_cancelled_late_the_credits_stay_used_and_the_cutoff_is_named() -> None:
    said = cancelled(state=ReservationState.CANCELLED_LATE)
    assert "which was March 3, 2026, 7:30 AM" in said
    assert "2 credits of your Ten classes stay used." in said
    assert "came back" not in said


def test_cancelled_by_the_merchant_says_so_and_the_credits_came_back() -> None:
    said = cancelled(by_merchant=True)
    assert "We cancelled your reservation of Evening yoga on March 3, 2026 at 7:30 PM" in said
    assert SETTINGS.support_email in said.partition("write to")[2]
    assert "2 credits came back" in said


def test_every_pack_that_held_it_is_told_of() -> None:
    said = cancelled(held=(held(1), held(1, pack_id="p2", pack_name="Gift")))
    assert "1 credit came back to your Ten classes" in said
    assert "1 credit came back to your Gift" in said


def test_what_was_to_be_paid_is_not_owed_after_cancelling_in_time() -> None:
    assert "The $40.00 that was to be paid for it is not owed any more." in cancelled(held=())


def test_a_pack_that_was_never_paid_is_not_owed_any_more_and_nothing_came_back_to_it() -> None:
    unpaid = reservation(invoice_id="i1", invoiced=dollars(27_063))
    over = unpaid.model_copy(update={"state": ReservationState.CANCELLED, "invoiced": None})
    said = words(
        bookings.reservation_cancelled(
            telling(), reservation=over, before=unpaid, by_merchant=False
        )
    )
    assert "The $270.63 that was to be paid for your Ten classes is not owed any more." in said
    assert "came back" not in said


def test_a_payment_that_failed_is_why_it_is_cancelled() -> None:
    unpaid = reservation(held=(), invoice_id="i1", invoiced=dollars(4_330))
    over = unpaid.model_copy(update={"state": ReservationState.CANCELLED, "invoiced": None})
    said = words(
        bookings.reservation_cancelled(
            telling(), reservation=over, before=unpaid, by_merchant=False, not_paid=True
        )
    )
    assert "The payment for Evening yoga on March 3, 2026 at 7:30 PM did not go through" in said
    assert "Nothing was charged." in said
    assert "As you asked" not in said


def test_places_that_were_paid_with_money_came_back_as_credits() -> None:
    said = cancelled(held=(), invoice_id="i1")
    assert "You had paid for 2 places, which came back as credits for another time." in said
    late = cancelled(held=(), invoice_id="i1", state=ReservationState.CANCELLED_LATE)
    assert "came back" not in late


def test_what_is_owed_after_cancelling_too_late_is_said() -> None:
    said = cancelled(held=(), state=ReservationState.CANCELLED_LATE)
    assert "$40.00 is still to be paid." in said


@pytest.mark.parametrize(
    "changes",
    [{"state": ReservationState.CANCELLED_LATE}, {"outstanding": True}, {"invoice_id": "i1"}],
)
def test_nothing_is_promised_about_money_that_may_still_be_asked_for(
    changes: dict[str, Any],
) -> None:
    assert "not owed" not in cancelled(held=(), **changes)


# --- offered ---------------------------------------------------------------------------------


def test_an_offer_says_until_when_it_is_held_where_to_accept_and_who_is_next() -> None:
    said = words(bookings.place_offered(telling(), reservation=offered()))
    assert "2 places are free, and held for you until 2:00 PM on March 1, 2026." in said
    assert "otherwise the next in line gets them" in said
    assert f"Accept the places: {PAGE}" in said
    assert "Price: $40.00, tax included, or credits that you have for it" in said
    assert "To pay at the start" not in said


def test_an_offer_of_one_place_is_of_one_place() -> None:
    one = offered(participants=1, charge=dollars(0))
    made = bookings.place_offered(telling(), reservation=one)
    assert mail(made).subject == "A place is free for you: Evening yoga on March 3, 2026"
    assert "Price" not in words(made)


def test_a_reservation_without_an_offer_has_no_such_email() -> None:
    with pytest.raises(ValueError, match="r1"):
        bookings.place_offered(telling(), reservation=offered(offered_until=None))


# --- keys, and names -------------------------------------------------------------------------


def test_each_thing_is_told_once() -> None:
    again = offered(offered_until=NOW + timedelta(hours=5))
    keys = [
        bookings.reservation_confirmed(telling(), reservation=reservation()).key,
        moved().key,
        bookings.reservation_cancelled(
            telling(), reservation=reservation(state=ReservationState.CANCELLED), by_merchant=False
        ).key,
        bookings.place_offered(telling(), reservation=offered()).key,
        bookings.place_offered(telling(), reservation=again).key,
    ]
    assert len(set(keys)) == len(keys)
    later = telling(now=NOW + timedelta(hours=1))
    assert bookings.reservation_confirmed(later, reservation=reservation()).key == keys[0]
    assert bookings.place_offered(later, reservation=offered()).key == keys[3]


def test_names_that_staff_typed_stay_words() -> None:
    hostile = "<img src=x>\r\nBcc: all@example.org"
    made = bookings.reservation_confirmed(
        telling(), reservation=reservation(name=hostile, held=(held(2, pack_name=hostile),))
    )
    sent = mail(made)
    assert "<img" not in sent.html
    assert "<img src=x>" in unescape(sent.html)
    assert "\nBcc" not in sent.text
    assert "\n" not in sent.subject
