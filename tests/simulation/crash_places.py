"""Booking, giving back, offering and redeeming places, for the crash sweep."""

from collections.abc import Iterator
from datetime import timedelta

from shared.domain.message import NoticeKind
from shared.domain.reservation import Reservation
from shared.domain.weekly import standing_of
from tests import shop_floor
from tests.billing.test_places import offer_class, stored
from tests.simulation.crash_buying import differs
from tests.simulation.crash_renewing import press
from tests.simulation.crash_runs import Operation
from tests.simulation.crash_scene import Scene

OPENING = "2026-03-02 15:00"


def with_ten(scene: Scene) -> None:
    """Ada has ten credits, and a class is on the schedule."""
    scene.ada = shop_floor.customer_with_card(scene.world)
    shop_floor.buy(scene.world, scene.ada, "ten")
    scene.world.advance(timedelta(minutes=1))
    scene.kept["class"] = offer_class(scene.world)
    scene.kept["person"] = scene.customer()


def to_book(scene: Scene) -> None:
    with_ten(scene)
    scene.kept["path"] = "/reservations"
    scene.kept["form"] = {
        "activity": scene.kept["class"].id,
        "idempotency_key": scene.world.wiring.new_id(),
    }


def booked(scene: Scene) -> None:
    """Ada has booked, and her reservation's page is open."""
    to_book(scene)
    press(scene)
    scene.world.advance(timedelta(minutes=1))
    scene.kept["path"] = f"/reservations/{_reservation(scene).id}/cancel"
    scene.kept["form"] = {"idempotency_key": scene.world.wiring.new_id()}


def about_to_end(scene: Scene) -> None:
    booked(scene)
    scene.go_to("2026-03-04 15:59")


def ends(scene: Scene) -> None:
    scene.go_to("2026-03-04 16:00")


def _reservation(scene: Scene) -> Reservation:
    (row,) = shop_floor.reservation_rows(scene.ada)
    return row.value


def _stands(scene: Scene, state: str, left: int, taken: int, kinds: list[str]) -> Iterator[str]:
    yield from differs("reservation", _reservation(scene).state.value, state)
    yield from differs("packs", scene.packs(), [("ten", left)])
    yield from differs("taken", stored(scene.kept["class"]).taken, taken)
    (pack,) = shop_floor.packs_of(scene.ada)
    yield from differs("entries", [one.kind.value for one in shop_floor.entries_of(pack)], kinds)


def booked_once(scene: Scene) -> Iterator[str]:
    """[LEDGER] [KEY]: one place and one credit, however often it was pressed; then it was used."""
    yield from redeemed_once(scene)
    yield from differs("told", scene.told().get("reservation_confirmed"), 1)


def redeemed_once(scene: Scene) -> Iterator[str]:
    yield from _stands(scene, "redeemed", 9, 1, ["grant", "hold", "redeem"])


def given_back(scene: Scene) -> Iterator[str]:
    yield from _stands(scene, "cancelled", 10, 0, ["grant", "hold", "release"])
    yield from differs("told", scene.told().get("reservation_cancelled"), 1)


WEEK_PAID = "2026-03-09 03:59"
"""23:59 of the Sunday before Ada's second week."""


def has_a_weekly_place(scene: Scene) -> None:
    """Ada's Wednesdays at ten: the first is booked, and the second week is about to be paid."""
    scene.kept["class"] = first = offer_class(scene.world)
    scene.kept["second"] = offer_class(scene.world, "2026-03-11 14:00")
    standing = standing_of(first, 1, same_staff=False)
    scene.ada = shop_floor.subscribed(scene.world, "standing", standing=standing)
    scene.go_to("2026-03-09 03:58")


def week_is_paid(scene: Scene) -> None:
    scene.go_to(WEEK_PAID)


def both_weeks_booked_once(scene: Scene) -> Iterator[str]:
    """[WEEKLY]: one place for each paid week, with that week's credit, and each told once."""
    rows = shop_floor.reservation_rows(scene.ada)
    states = sorted((row.value.activity_id, row.value.state.value) for row in rows)
    wanted = [(scene.kept[one].id, "redeemed") for one in ("class", "second")]
    yield from differs("reservations", states, sorted(wanted))
    yield from differs("packs", scene.packs(), [("standing", 0), ("standing", 0)])
    taken = [stored(scene.kept[one]).taken for one in ("class", "second")]
    yield from differs("taken", taken, [1, 1])
    yield from differs("told", scene.told().get("reservation_confirmed"), 1)
    yield from differs("notices", scene.notices(NoticeKind.WEEKLY_PLACE), 0)


PLACES = (
    Operation("book a place", to_book, press, booked_once, start=OPENING),
    Operation("cancel a reservation", booked, press, given_back, start=OPENING),
    Operation("a class ends", about_to_end, ends, redeemed_once, start=OPENING),
    Operation(
        "a paid week is booked",
        has_a_weekly_place,
        week_is_paid,
        both_weeks_booked_once,
        start=OPENING,
    ),
)
