"""What staff do at their desks, for the crash sweep."""

from collections.abc import Iterator
from datetime import timedelta

from shared.domain.message import NoticeKind
from tests import shop_floor
from tests.billing.test_poison import spoil
from tests.simulation.crash_buying import differs
from tests.simulation.crash_renewing import BEFORE_RENEWAL, month, press, renewed
from tests.simulation.crash_runs import Operation
from tests.simulation.crash_scene import Scene


def credits_form(scene: Scene, delta: int) -> None:
    """Ada has ten credits, and her page is open at a desk."""
    scene.ada = shop_floor.customer_with_card(scene.world)
    shop_floor.buy(scene.world, scene.ada, "ten")
    scene.world.advance(timedelta(minutes=1))
    owner = scene.kept["person"] = scene.staff()
    key = owner.data(f"/console/customers/{scene.ada}")["idempotency_key"]
    (pack,) = shop_floor.packs_of(scene.ada)
    scene.kept["path"] = f"/console/customers/{scene.ada}/packs/{pack.id}/credits"
    scene.kept["form"] = {"delta": delta, "reason": "a class fell out", "idempotency_key": key}
    scene.kept["delta"] = delta


def changed_once(scene: Scene) -> Iterator[str]:
    """[LEDGER] [KEY]: one entry more, however often it was pressed."""
    delta = scene.kept["delta"]
    yield from differs("packs", scene.packs(), [("ten", 10 + delta)])
    (pack,) = shop_floor.packs_of(scene.ada)
    entries = [one.delta for one in shop_floor.entries_of(pack)]
    yield from differs("ledger", entries, [10, delta])


def set_aside(scene: Scene) -> None:
    """Ada's renewal could not be read, was set aside, and is whole again since."""
    month(scene)
    scene.go_to(BEFORE_RENEWAL)
    keys = f"customer#{scene.ada}", f"subscription#{shop_floor.subscription_of(scene.ada).id}"
    whole = spoil(scene.world, *keys)
    scene.go_to("2026-03-05 12:00")
    spoil(scene.world, *keys, body=whole)
    scene.world.dead_letters.clear()
    (notice,) = shop_floor.notices(NoticeKind.PARKED)
    scene.kept["person"] = scene.staff()
    scene.kept["path"] = f"/console/notices/{notice.id}/release"
    scene.kept["form"] = {}


def staff_cancel(scene: Scene) -> None:
    month(scene)
    scene.kept["person"] = scene.staff()
    agreement = shop_floor.subscription_of(scene.ada).id
    scene.kept["path"] = f"/console/customers/{scene.ada}/subscriptions/{agreement}/cancel"
    scene.kept["form"] = {"when": "now"}


def cancelled_by_staff(scene: Scene) -> Iterator[str]:
    told = scene.told()
    yield from differs("told", told, {"cancelled_by_staff": 1})
    stands = shop_floor.subscription_of(scene.ada).state.value
    yield from differs("subscription", stands, "cancelled")
    yield from differs("charges since", scene.charges(), [])


DESK = (
    Operation("staff add credits", lambda scene: credits_form(scene, 2), press, changed_once),
    Operation("staff deduct credits", lambda scene: credits_form(scene, -3), press, changed_once),
    Operation("staff cancel", staff_cancel, press, cancelled_by_staff),
    Operation("staff try again what was set aside", set_aside, press, renewed),
)
