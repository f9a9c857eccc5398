"""What staff do at their desks, for the crash sweep."""

from collections.abc import Iterator
from datetime import timedelta

from shared.domain.message import NoticeKind
from tests import shop_floor
from tests.billing.test_poison import spoil
from tests.simulation.crash_buying import MONTH_MINOR, differs
from tests.simulation.crash_renewing import BEFORE_RENEWAL, month, past_due, press, renewed
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


# --- subscriptions -------------------------------------------------------------------------------


def at_the_desk(scene: Scene, path: str, **form: str) -> None:
    """The form is open at a desk: `path` is of Ada's own page."""
    scene.kept["person"] = scene.staff()
    scene.kept["path"] = f"/console/customers/{scene.ada}/{path}"
    scene.kept["form"] = form


def in_cash(scene: Scene, path: str) -> None:
    at_the_desk(scene, path, kind="cash", amount="53.04", idempotency_key="a-press-at-the-desk")


def failing_to_pay_in_cash(scene: Scene) -> None:
    past_due(scene)
    in_cash(scene, f"invoices/{shop_floor.invoices_of(scene.ada)[-1].id}/payments")


def month_to_pay_ahead(scene: Scene) -> None:
    month(scene)
    in_cash(scene, f"subscriptions/{shop_floor.subscription_of(scene.ada).id}/payments")


def paid_in_cash(scene: Scene) -> Iterator[str]:
    """[PAY]: the period is paid once, and no card has paid it."""
    yield from differs("payments kept", scene.kept_payments(), [MONTH_MINOR])
    paid = [one.kind.value for one in shop_floor.invoices_of(scene.ada)[-1].payments]
    yield from differs("payments of the period", paid, ["cash"])
    yield from differs("packs", len(scene.packs()), 2)
    agreement = shop_floor.subscription_of(scene.ada)
    stands = agreement.state.value, agreement.next_period, agreement.payments_made
    yield from differs("subscription", stands, ("active", 2, 2))
    yield from differs("past due", shop_floor.head(scene.ada).value.past_due, ())
    yield from differs("told", scene.told(), {"invoice": 1, "renewal_receipt": 1})


def ready_to_start(scene: Scene) -> None:
    scene.ada = shop_floor.customer_with_card(scene.world)
    scene.world.advance(timedelta(minutes=1))
    form_to_start(scene, key="a-press-at-the-desk")


def form_to_start(scene: Scene, key: str) -> None:
    at_the_desk(
        scene,
        "subscriptions",
        product="month",
        location="ny",
        collected_by="card",
        idempotency_key=key,
    )


def start_again(scene: Scene) -> None:
    form_to_start(scene, key="another-press-at-the-desk")
    press(scene)


def started_once(scene: Scene) -> Iterator[str]:
    """[ONCE] [KEY]: one subscription, one payment, one pack, however often it was pressed."""
    yield from differs("payments kept", scene.kept_payments(), [MONTH_MINOR])
    yield from differs("packs", scene.packs(), [("month", 8)])
    agreement = shop_floor.subscription_of(scene.ada)
    stands = agreement.state.value, agreement.next_period
    yield from differs("subscription", stands, ("active", 1))
    yield from differs("told", scene.told(), {"invoice": 1, "subscription_purchased": 1})


def ready_to_pause(scene: Scene) -> None:
    month(scene)
    at_the_desk(scene, f"subscriptions/{shop_floor.subscription_of(scene.ada).id}/pause")


def paused_over_the_renewal(scene: Scene) -> Iterator[str]:
    """[PAUSE]: the charge that fell into it is not made."""
    yield from differs("payments kept", scene.kept_payments(), [MONTH_MINOR])
    agreement = shop_floor.subscription_of(scene.ada)
    stands = agreement.state.value, agreement.next_period
    yield from differs("subscription", stands, ("paused", 1))
    yield from differs("told", scene.told(), {})


DESK = (
    Operation("staff add credits", lambda scene: credits_form(scene, 2), press, changed_once),
    Operation("staff deduct credits", lambda scene: credits_form(scene, -3), press, changed_once),
    Operation("staff cancel", staff_cancel, press, cancelled_by_staff),
    Operation("staff record cash", failing_to_pay_in_cash, press, paid_in_cash),
    Operation("staff record a payment ahead", month_to_pay_ahead, press, paid_in_cash),
    Operation(
        "staff start a subscription",
        ready_to_start,
        press,
        started_once,
        when_lost=start_again,
    ),
    Operation(
        "staff pause",
        ready_to_pause,
        press,
        paused_over_the_renewal,
        after=timedelta(days=30),
    ),
    Operation("staff try again what was set aside", set_aside, press, renewed),
)
