"""Packages that recur without a calendar, for the crash sweep. Ada's thirty days were paid on
1 March 2026 in New York: the next pack comes at 03:59 UTC of 29 March (worked example 10)."""

from collections.abc import Iterator

from shared.domain.next_payment import NextPayment
from shared.store import accounts
from shared.store.reading import read
from tests import shop_floor
from tests.simulation.crash_buying import differs, look_at_order, order_again, press_pay
from tests.simulation.crash_renewing import passes
from tests.simulation.crash_runs import Operation
from tests.simulation.crash_scene import Scene

BOUGHT = "2026-03-01 15:00"
BEFORE = "2026-03-29 03:58"
CARTED = "2026-03-29 03:59"
THIRTY_MINOR = 9_743
"""90.00 with 8.25%, rounded half-up."""


def thirty(scene: Scene, payment: NextPayment, when: str = BEFORE) -> None:
    """Ada has the thirty days, the next ones paid so, and it is `when`."""
    wanted = shop_floor.Wanted("thirty", next_payment=payment)
    scene.ada = shop_floor.customer_with_card(scene.world)
    shop_floor.buy(scene.world, scene.ada, wanted)
    scene.go_to(when)


def in_cart(scene: Scene) -> None:
    """The next pack waits in the cart; Ada has signed in."""
    thirty(scene, NextPayment.BY_HAND, "2026-03-29 12:00")
    ada = scene.kept["person"] = scene.customer()
    page = ada.data("/checkout")
    scene.kept["form"] = {
        name: page[name] for name in ("cart", "card", "expected_total", "idempotency_key", "seen")
    }


def takes_it_out(scene: Scene) -> None:
    ada = scene.kept["person"]
    lines = ada.data("/cart")["lines"]
    for line in lines:
        ada.go("POST", f"/cart/lines/{line['id']}/remove")


def took_it_out(scene: Scene) -> None:
    """Whoever saw an error looks again, and takes out what is still there."""
    scene.kept["person"] = scene.customer()
    takes_it_out(scene)


def debited(scene: Scene) -> Iterator[str]:
    """[RECUR] [ONCE]: one debit, one pack, told once."""
    yield from differs("payments kept", scene.kept_payments(), [THIRTY_MINOR] * 2)
    yield from differs("packs", scene.packs(), [("thirty", 0), ("thirty", 5)])
    yield from differs("told", scene.told(), {"invoice": 1, "next_pack_debited": 1})
    yield from _stands(scene, "active", 2, 0)


def carted(scene: Scene) -> Iterator[str]:
    """In the cart once, told once, and nothing is charged."""
    yield from differs("payments kept", scene.kept_payments(), [THIRTY_MINOR])
    yield from differs("told", scene.told(), {"next_pack_in_cart": 1})
    yield from _stands(scene, "active", 1, 1)


def paid_by_hand(scene: Scene) -> Iterator[str]:
    yield from differs("payments kept", scene.kept_payments(), [THIRTY_MINOR] * 2)
    yield from differs("packs", scene.packs(), [("thirty", 0), ("thirty", 5)])
    yield from differs("told", scene.told(), {"invoice": 1, "order_receipt": 1})
    yield from _stands(scene, "active", 2, 0)


def stopped(scene: Scene) -> Iterator[str]:
    yield from differs("payments kept", scene.kept_payments(), [THIRTY_MINOR])
    yield from differs("told", scene.told(), {"cancelled_by_customer": 1})
    yield from _stands(scene, "cancelled", 1, 0)


def _stands(scene: Scene, state: str, next_period: int, lines: int) -> Iterator[str]:
    one = shop_floor.subscription_of(scene.ada)
    stands = one.state.value, one.next_period
    yield from differs("subscription", stands, (state, next_period))
    ref = accounts.cart(accounts.customer_pk(scene.ada), "ny")
    row = read(ref).get(ref)
    yield from differs("cart", len(row.value.lines) if row else 0, lines)
    counts = shop_floor.head(scene.ada).value.cart_counts
    yield from differs("cart count", counts.get("ny", 0), lines)


RECURRING = (
    Operation(
        "the next pack is debited",
        lambda scene: thirty(scene, NextPayment.DEBIT),
        passes(CARTED),
        debited,
        start=BOUGHT,
    ),
    Operation(
        "the next pack goes into the cart",
        lambda scene: thirty(scene, NextPayment.BY_HAND),
        passes(CARTED),
        carted,
        start=BOUGHT,
    ),
    Operation(
        "the next pack is paid in the cart",
        in_cart,
        press_pay,
        paid_by_hand,
        start=BOUGHT,
        a_little_later=look_at_order,
        when_lost=order_again,
    ),
    Operation(
        "the next pack is taken out of the cart",
        in_cart,
        takes_it_out,
        stopped,
        start=BOUGHT,
        a_little_later=took_it_out,
    ),
)
