"""The emails of reservations as they are written and delivered, through operations ([MAILS])."""

from shared.domain.message import MessageKind
from tests.billing.conftest import Shop
from tests.billing.test_places import (
    OPENING,
    accept,
    book,
    cancel,
    move,
    offer_class,
    sent,
    with_ten,
)
from tests.shop_floor import entries_of, messages_of, packs_of


def test_moved_there_and_back_and_there_again_it_is_told_each_time(shop: Shop) -> None:
    world = shop(OPENING)
    ada = with_ten(world)
    one, other = offer_class(world), offer_class(world, "2026-03-05 15:00")
    reservation = book(world, ada, one)
    for target in (other, one, other):
        move(world, reservation, target)
    assert sent(ada, MessageKind.RESERVATION_CHANGED) == 3
    (pack,) = packs_of(ada)
    assert pack.left == 9
    assert sum(entry.delta for entry in entries_of(pack)) == 9


def test_whoever_waited_is_offered_a_place_and_told_once_that_it_is_theirs(shop: Shop) -> None:
    world = shop(OPENING)
    ada, bob = with_ten(world), with_ten(world, "bob@example.com")
    yoga = offer_class(world, places=1)
    first, waiting = book(world, ada, yoga), book(world, bob, yoga, wait=True)
    assert sent(bob, MessageKind.RESERVATION_CONFIRMED) == 0
    cancel(world, first)
    assert sent(bob, MessageKind.PLACE_OFFERED) == 1
    (offer,) = messages_of(bob, MessageKind.PLACE_OFFERED)
    assert offer.facts["offered_until"] == "2026-03-02T17:00:00Z", "two hours, as the setting says"
    for _ in range(2):
        accept(world, waiting)
    assert sent(bob, MessageKind.RESERVATION_CONFIRMED) == 1


def test_leaving_the_waiting_list_is_not_told_as_a_cancelled_reservation(shop: Shop) -> None:
    world = shop(OPENING)
    ada, bob = with_ten(world), with_ten(world, "bob@example.com")
    yoga = offer_class(world, places=1)
    book(world, ada, yoga)
    cancel(world, book(world, bob, yoga, wait=True))
    assert messages_of(bob, MessageKind.RESERVATION_CANCELLED) == []
