"""What arrives after it was taken for lost, where a provider has no idempotency keys, for the crash
sweep: the next try has to see to it that nothing comes of the one before ([ONCE])."""

from collections.abc import Iterator
from datetime import timedelta

from infra.local.sandbox_faults import Fault
from infra.local.sandbox_faults import Operation as Call
from shared.domain.outcome import NEVER_REACHED
from tests import shop_floor
from tests.banking import Skill
from tests.simulation.crash_buying import TEN_MINOR, cart_is_empty, differs, order_again
from tests.simulation.crash_renewing import passes, press, ready_to_pay, renewed
from tests.simulation.crash_runs import Operation
from tests.simulation.crash_scene import Scene

ON_THE_WAY = timedelta(hours=25)
"""Longer than anything takes, and than we wait for it."""


def _late(scene: Scene) -> None:
    scene.bank.misbehave(Call.CHARGE, Fault.LATE, seconds=int(ON_THE_WAY.total_seconds()))


def _has_arrived(scene: Scene) -> None:
    """It was given up, and the bank has taken the money since."""
    (charge, *_) = shop_floor.charges_of(scene.ada)[::-1]
    assert charge.last is not None and charge.last.decline_code == NEVER_REACHED
    assert scene.bank.charges()[-1].kept


def order_that_arrived(scene: Scene) -> None:
    scene.ada = shop_floor.customer_with_card(scene.world)
    _late(scene)
    shop_floor.buy(scene.world, scene.ada, "ten")
    scene.world.advance(ON_THE_WAY + timedelta(minutes=10))
    _has_arrived(scene)
    scene.kept["person"] = scene.customer()


def payment_that_arrived(scene: Scene) -> None:
    """Ada pays at noon of 28 February what her card had declined; the slot of 1 March passes while
    that is open, and that of 2 March is to come."""
    ready_to_pay(scene)
    _late(scene)
    press(scene)
    scene.go_to("2026-03-02 04:58")
    _has_arrived(scene)


def paid_once(scene: Scene) -> Iterator[str]:
    """[ONCE]: what arrived late was undone, what is paid is what was asked for then."""
    yield from differs("payments kept", scene.kept_payments(), [TEN_MINOR])
    yield from differs("packs", scene.packs(), [("ten", 10)])
    kinds = sorted(one.kind.value for one in shop_floor.messages_of(scene.ada))
    yield from differs("told", kinds, ["invoice", "order_receipt"])
    yield from cart_is_empty(scene)


WITHOUT_KEYS = frozenset({Skill.KEYS})

LOST = (
    Operation(
        "checkout after what was lost has arrived",
        order_that_arrived,
        order_again,
        paid_once,
        lacking=WITHOUT_KEYS,
        when_lost=order_again,
    ),
    Operation(
        "retry after what was lost has arrived",
        payment_that_arrived,
        passes("2026-03-02 04:59"),
        renewed,
        lacking=WITHOUT_KEYS,
    ),
)
