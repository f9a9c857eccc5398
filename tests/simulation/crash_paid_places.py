"""Places that cost money: bought, paid later, asked for, let go, for the crash sweep."""

from collections.abc import Iterator
from datetime import timedelta

from shared.domain.invoice import Invoice
from shared.domain.reservation import Reservation
from shared.store import accounts
from tests import shop_floor
from tests.billing.test_places import book, offer_class, stored
from tests.buying import buy_place, invoice_now
from tests.simulation.crash_buying import TEN_MINOR, differs
from tests.simulation.crash_renewing import press
from tests.simulation.crash_runs import Operation
from tests.simulation.crash_scene import Scene, Stubborn

OPENING = "2026-03-02 15:00"
BEGUN = "2026-03-04 15:10"
CLASS_MINOR = 2_000
"""A class of 20.00; classes are not taxed here."""


# --- at the page -----------------------------------------------------------------------------


def at_the_page(scene: Scene, number: str = shop_floor.WORKS, **how: object) -> None:
    """Ada has a card and no credit, and sees what a class would cost."""
    scene.ada = shop_floor.customer_with_card(scene.world, number)
    scene.kept["class"] = offer_class(scene.world)
    scene.kept["person"] = scene.customer()
    scene.kept["path"] = "/reservations"
    scene.kept["form"] = {
        "activity": scene.kept["class"].id,
        "pay": "now",
        "idempotency_key": scene.world.wiring.new_id(),
        **how,
    }


def pack_to_buy(scene: Scene) -> None:
    at_the_page(scene, buy="ten", expected_total_minor=TEN_MINOR)


def place_to_buy(scene: Scene) -> None:
    at_the_page(scene, expected_total_minor=CLASS_MINOR)


def place_on_a_bad_card(scene: Scene) -> None:
    at_the_page(scene, shop_floor.FAILS_LATER, expected_total_minor=CLASS_MINOR)


def press_in_vain(scene: Scene) -> None:
    """The page comes again and says why; what it is told by is not looked at here."""
    person: Stubborn = scene.kept["person"]
    answer = person.go("POST", scene.kept["path"], scene.kept["form"])
    assert answer.status < 500, (answer.status, answer.body[-600:])


# --- what was booked before ------------------------------------------------------------------


def bought_to_pay_later(scene: Scene) -> None:
    """Ada holds a place by a pack of ten that is not paid."""
    scene.ada = shop_floor.customer_with_card(scene.world)
    scene.kept["class"] = yoga = offer_class(scene.world)
    buy_place(scene.world, scene.ada, yoga, "ten", total=TEN_MINOR)
    scene.world.advance(timedelta(minutes=1))
    scene.kept["person"] = scene.customer()


def open_invoice(scene: Scene) -> None:
    bought_to_pay_later(scene)
    scene.kept["path"] = f"/invoices/{_invoice(scene).id}/pay"
    scene.kept["form"] = {"idempotency_key": scene.world.wiring.new_id()}


def pay_invoice_again(scene: Scene) -> None:
    scene.kept["person"] = scene.customer()
    scene.kept["form"] = {"idempotency_key": scene.world.wiring.new_id()}
    press(scene)


def unpaid_to_cancel(scene: Scene) -> None:
    bought_to_pay_later(scene)
    scene.kept["path"] = f"/reservations/{_reservation(scene).id}/cancel"
    scene.kept["form"] = {"idempotency_key": scene.world.wiring.new_id()}


def at_the_desk(scene: Scene, path: str, **form: object) -> None:
    scene.kept["person"] = scene.staff()
    scene.kept["path"] = path
    scene.kept["form"] = {"idempotency_key": scene.world.wiring.new_id(), **form}


def pack_to_activate(scene: Scene) -> None:
    bought_to_pay_later(scene)
    (pack,) = shop_floor.packs_of(scene.ada)
    path = f"/console/customers/{scene.ada}/packs/{pack.id}/activate"
    at_the_desk(scene, path, reason="Pays on Friday")


def cash_to_record(scene: Scene) -> None:
    bought_to_pay_later(scene)
    path = f"/console/customers/{scene.ada}/invoices/{_invoice(scene).id}/payments"
    at_the_desk(scene, path, kind="cash", amount="270.63")


def began_unpaid(scene: Scene) -> None:
    """Ada's class has begun, and nothing of it is paid."""
    scene.ada = shop_floor.customer_with_card(scene.world)
    scene.kept["class"] = yoga = offer_class(scene.world)
    book(scene.world, scene.ada, yoga, pay_later=True)
    scene.go_to(BEGUN)


def to_ask(scene: Scene) -> None:
    began_unpaid(scene)
    at_the_desk(scene, f"/console/outstanding/{scene.ada}/{_reservation(scene).id}/invoice")


def to_let_go(scene: Scene) -> None:
    """Staff have asked for it, and now look at the list again."""
    to_ask(scene)
    press(scene)
    scene.world.advance(timedelta(minutes=1))
    path = f"/console/outstanding/{scene.ada}/{_reservation(scene).id}/waive"
    at_the_desk(scene, path, reason="She was ill")


# --- what has come of it ---------------------------------------------------------------------


def _reservation(scene: Scene) -> Reservation:
    (row,) = shop_floor.reservation_rows(scene.ada)
    return row.value


def _invoice(scene: Scene) -> Invoice:
    return invoice_now(_reservation(scene))


def _stands(
    scene: Scene, state: str, invoice: str, *, taken: int = 1, outstanding: int = 0
) -> Iterator[str]:
    yield from differs("reservation", _reservation(scene).state.value, state)
    yield from differs("invoice", _invoice(scene).state.value, invoice)
    yield from differs("taken", stored(scene.kept["class"]).taken, taken)
    listed = len(accounts.outstanding_of("ny").rows)
    yield from differs("outstanding", listed, outstanding)


def _ledger(scene: Scene, *wanted: tuple[str, int]) -> Iterator[str]:
    (pack,) = shop_floor.packs_of(scene.ada)
    lines = [(one.kind.value, one.delta) for one in shop_floor.entries_of(pack)]
    yield from differs("ledger", lines, list(wanted))


USED_ONE_OF_TEN = (("grant", 1), ("hold", -1), ("grant", 9), ("redeem", 0))


def bought_with_its_place(scene: Scene) -> Iterator[str]:
    """[BOOK] [ONCE]: one place, one pack, one payment."""
    yield from _stands(scene, "redeemed", "closed")
    yield from differs("payments kept", scene.kept_payments(), [TEN_MINOR])
    yield from differs("charges", len(shop_floor.asked_of(scene.world, scene.ada)), 1)
    yield from differs("packs", scene.packs(), [("ten", 9)])
    yield from _ledger(scene, *USED_ONE_OF_TEN)
    told = {"invoice": 1, "order_receipt": 1, "reservation_confirmed": 1}
    yield from differs("told", scene.told(), told)


def bought_for_itself(scene: Scene) -> Iterator[str]:
    yield from _stands(scene, "redeemed", "closed")
    yield from differs("payments kept", scene.kept_payments(), [CLASS_MINOR])
    told = {"invoice": 1, "order_receipt": 1, "reservation_confirmed": 1}
    yield from differs("told", scene.told(), told)


def nothing_bought(scene: Scene) -> Iterator[str]:
    """A decline gives the place back."""
    yield from _stands(scene, "cancelled", "void", taken=0)
    yield from differs("payments kept", scene.kept_payments(), [])
    yield from differs("packs", scene.packs(), [])
    yield from differs("told", scene.told().get("reservation_confirmed"), None)


def no_pack_bought(scene: Scene) -> Iterator[str]:
    """The pack was there for its place, and is over with it."""
    yield from _stands(scene, "cancelled", "void", taken=0)
    yield from differs("payments kept", scene.kept_payments(), [])
    yield from differs("packs", scene.packs(), [("ten", 0)])


def paid_later(scene: Scene) -> Iterator[str]:
    yield from _stands(scene, "redeemed", "closed")
    yield from differs("payments kept", scene.kept_payments(), [TEN_MINOR])
    yield from _ledger(scene, *USED_ONE_OF_TEN)
    yield from differs("told", scene.told(), {"invoice": 1, "order_receipt": 1})


def paid_in_cash(scene: Scene) -> Iterator[str]:
    yield from _stands(scene, "redeemed", "closed")
    payments = [(one.kind.value, one.amount.minor) for one in _invoice(scene).payments]
    yield from differs("payments", payments, [("cash", TEN_MINOR)])
    yield from differs("charges", scene.charges(), [])
    yield from _ledger(scene, *USED_ONE_OF_TEN)
    yield from differs("told", scene.told(), {"invoice": 1, "order_receipt": 1})


def never_paid(scene: Scene) -> Iterator[str]:
    """Cancelled in time: invoice and pack are gone, and the place is free."""
    yield from _stands(scene, "cancelled", "void", taken=0)
    yield from differs("packs", scene.packs(), [("ten", 0)])
    yield from _ledger(scene, ("grant", 1), ("hold", -1), ("release", 1), ("revoke", -1))
    yield from differs("told", scene.told(), {"reservation_cancelled": 1})


def trusted(scene: Scene) -> Iterator[str]:
    """Activated once; the invoice stays open, and is outstanding since the class began."""
    yield from _stands(scene, "redeemed", "open", outstanding=1)
    yield from differs("packs", scene.packs(), [("ten", 9)])
    yield from _ledger(scene, *USED_ONE_OF_TEN)


def asked_once(scene: Scene) -> Iterator[str]:
    yield from _stands(scene, "redeemed", "open", outstanding=1)
    yield from differs("invoices", len(shop_floor.invoices_of(scene.ada)), 1)
    yield from differs("owed", _reservation(scene).owes.minor, CLASS_MINOR)
    yield from differs("told", scene.told(), {"invoice": 1})


def let_go(scene: Scene) -> Iterator[str]:
    yield from _stands(scene, "redeemed", "void")
    yield from differs("let go", _reservation(scene).waived, True)
    yield from differs("told", scene.told(), {})


PAID_PLACES = (
    Operation(
        "buy a pack with a place",
        pack_to_buy,
        press,
        bought_with_its_place,
        start=OPENING,
        ends_when_lost=no_pack_bought,
    ),
    Operation(
        "buy one place",
        place_to_buy,
        press,
        bought_for_itself,
        start=OPENING,
        ends_when_lost=nothing_bought,
    ),
    Operation(
        "buy one place, declined",
        place_on_a_bad_card,
        press_in_vain,
        nothing_bought,
        start=OPENING,
    ),
    Operation(
        "pay for a pack that waits",
        open_invoice,
        press,
        paid_later,
        start=OPENING,
        when_lost=pay_invoice_again,
    ),
    Operation("cancel an unpaid place", unpaid_to_cancel, press, never_paid, start=OPENING),
    Operation("staff activate a pack", pack_to_activate, press, trusted, start=OPENING),
    Operation("staff record cash for a pack", cash_to_record, press, paid_in_cash, start=OPENING),
    Operation("staff ask for a place", to_ask, press, asked_once, start=OPENING),
    Operation("staff let a place go", to_let_go, press, let_go, start=OPENING),
)
