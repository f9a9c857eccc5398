"""A bank takes a payment back, or gives it again, for the crash sweep."""

from collections.abc import Iterator
from datetime import timedelta

from infra.local.sandbox_faults import Fault
from shared.domain.message import NoticeKind
from tests import banking, shop_floor
from tests.banking import Skill
from tests.simulation.crash_buying import MONTH_MINOR, TEN_MINOR, differs, hear_nothing, processing
from tests.simulation.crash_places import OPENING, booked
from tests.simulation.crash_renewing import month, press
from tests.simulation.crash_runs import ANCHOR, Operation
from tests.simulation.crash_scene import Scene


def reverse(scene: Scene) -> None:
    """The bank takes the latest payment back, and what the provider reports is worked on."""
    latest = shop_floor.asked_of(scene.world, scene.ada)[-1]
    banking.reverse(scene.world, latest)
    scene.world.run_due()


def reversed_before(scene: Scene) -> None:
    booked(scene)
    reverse(scene)
    scene.world.advance(timedelta(hours=1))


def reinstate(scene: Scene) -> None:
    latest = shop_floor.asked_of(scene.world, scene.ada)[-1]
    banking.reinstate(scene.world, latest)
    scene.world.run_due()


def reverse_a_period(scene: Scene) -> None:
    month(scene)
    scene.go_to("2026-03-05 12:00")


def _stands(
    scene: Scene, *, frozen: bool, payments: list[tuple[str, int]], notices: tuple[int, int]
) -> Iterator[str]:
    """How the ten-pack, its invoice and the notices stand."""
    (pack,) = shop_floor.packs_of(scene.ada)
    yield from differs("frozen", pack.frozen_at is not None, frozen)
    (invoice,) = [one for one in shop_floor.invoices_of(scene.ada) if one.source is not None]
    money = [(one.kind.value, one.amount.minor) for one in invoice.payments]
    yield from differs("payments", money, payments)
    yield from differs("invoice", invoice.state.value, "open" if frozen else "closed")
    told = scene.notices(NoticeKind.PAYMENT_REVERSED), scene.notices(NoticeKind.PAYMENT_REINSTATED)
    yield from differs("notices of reversal and of return", told, notices)


def frozen_once(scene: Scene) -> Iterator[str]:
    """[REVERSE]: taken back once, and what is booked took place all the same."""
    payments = [("card", TEN_MINOR), ("reversal", -TEN_MINOR)]
    yield from _stands(scene, frozen=True, payments=payments, notices=(1, 0))
    yield from differs("payments kept", scene.kept_payments(), [])


def frozen_with_nothing_used(scene: Scene) -> Iterator[str]:
    yield from frozen_once(scene)
    yield from differs("packs", scene.packs(), [("ten", 10)])


def used_one(scene: Scene) -> Iterator[str]:
    yield from frozen_once(scene)
    yield from differs("packs", scene.packs(), [("ten", 9)])


def usable_again(scene: Scene) -> Iterator[str]:
    payments = [("card", TEN_MINOR), ("reversal", -TEN_MINOR), ("reinstated", TEN_MINOR)]
    yield from _stands(scene, frozen=False, payments=payments, notices=(1, 1))
    yield from differs("payments kept", scene.kept_payments(), [TEN_MINOR])


def counted_no_more(scene: Scene) -> Iterator[str]:
    """[COMMIT]: a reversed payment does not count, once."""
    yield from differs("made", shop_floor.subscription_of(scene.ada).payments_made, 1)
    frozen = [one.frozen_at is not None for one in shop_floor.packs_of(scene.ada)]
    yield from differs("frozen", frozen, [False, True])
    yield from differs("payments kept", scene.kept_payments(), [MONTH_MINOR])
    yield from differs("notices", scene.notices(NoticeKind.PAYMENT_REVERSED), 1)


def to_pay_again(scene: Scene) -> None:
    """What Ada's invoice asks is on its page, and her class is over."""
    reversed_before(scene)
    scene.go_to("2026-03-05 12:00")
    (invoice,) = [one for one in shop_floor.invoices_of(scene.ada) if one.source is not None]
    ada = scene.kept["person"] = scene.customer()
    form = ada.data(f"/invoices/{invoice.id}")["pay"]
    scene.kept["path"] = f"/invoices/{invoice.id}/pay"
    scene.kept["form"] = {"card": form["card"], "idempotency_key": form["idempotency_key"]}


def paid_again(scene: Scene) -> Iterator[str]:
    """[ONCE]: paid once more, by one charge, and what was frozen can be used."""
    payments = [("card", TEN_MINOR), ("reversal", -TEN_MINOR), ("card", TEN_MINOR)]
    yield from _stands(scene, frozen=False, payments=payments, notices=(1, 0))
    yield from differs("payments kept", scene.kept_payments(), [TEN_MINOR])
    yield from differs("told", scene.told(), {"order_receipt": 1})


def unheard_of(scene: Scene) -> None:
    """A payment whose answer was lost; nothing has been heard of it when it is taken back."""
    processing(scene, Fault.ERROR_AFTER)
    hear_nothing(scene)


def report_all(scene: Scene) -> None:
    latest = shop_floor.asked_of(scene.world, scene.ada)[-1]
    banking.reverse(scene.world, latest)
    scene.bank.release_webhooks()
    scene.world.run_due()


TAKES_BACK = frozenset({Skill.REVERSALS})

REVERSING = tuple(
    Operation(name, arrange, act, ends, start=start, needs=TAKES_BACK)
    for name, arrange, act, ends, start in (
        ("a payment is taken back", booked, reverse, used_one, OPENING),
        ("a payment comes again", reversed_before, reinstate, usable_again, OPENING),
        ("what was taken back is paid", to_pay_again, press, paid_again, OPENING),
        ("a period is taken back", reverse_a_period, reverse, counted_no_more, ANCHOR),
        (
            "taken back before it was heard of",
            unheard_of,
            report_all,
            frozen_with_nothing_used,
            ANCHOR,
        ),
    )
)
