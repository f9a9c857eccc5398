"""What the clock does with subscriptions and packs, and what people do about it, for the crash
sweep. Ada's month is anchored on 31 January 2026 in New York: the renewal is asked for at 04:59 UTC
of 28 February, its slots at 04:59 of each day until 5 March (worked examples 1 and 2)."""

from collections.abc import Iterator
from datetime import timedelta

from infra.local.sandbox_faults import Fault
from infra.local.sandbox_faults import Operation as Call
from shared.domain.invoice import InvoiceState
from shared.domain.message import NoticeKind
from shared.domain.pack import EntryKind
from tests import banking, shop_floor
from tests.banking import Skill
from tests.simulation.crash_buying import MONTH_MINOR, TEN_MINOR, differs, hear_nothing
from tests.simulation.crash_runs import Doing, Operation
from tests.simulation.crash_scene import Scene, Stubborn

BEFORE_RENEWAL = "2026-02-28 04:58"
RENEWAL = "2026-02-28 04:59"
LAST_SLOT = "2026-03-05 04:59"
NEXT_LOOK = timedelta(hours=2)
"""After that it has been asked for again what nobody reports."""

FORTY_DAYS = timedelta(days=40)


def month(scene: Scene, number: str = shop_floor.WORKS) -> None:
    """Ada has had the month for a minute, and her card will behave as `number`."""
    scene.ada = shop_floor.subscribed(scene.world, "month", number=number)
    scene.world.advance(timedelta(minutes=1))


def at(scene: Scene, when: str, number: str = shop_floor.WORKS) -> None:
    """Ada has the month, and it is `when`."""
    month(scene, number)
    scene.go_to(when)


def card_works_again(scene: Scene) -> None:
    shop_floor.let_card_behave_as(scene.world, shop_floor.card_of(scene.ada), shop_floor.WORKS)


def failed_once(scene: Scene) -> None:
    """The renewal has failed, and the card works again."""
    at(scene, "2026-03-01 04:58", shop_floor.FAILS_LATER)
    card_works_again(scene)


def past_due(scene: Scene) -> Stubborn:
    """The renewal has failed once; Ada has signed in at noon."""
    at(scene, "2026-02-28 12:00", shop_floor.FAILS_LATER)
    scene.kept["person"] = ada = scene.customer()
    return ada


# --- what has to be ------------------------------------------------------------------------------


def renewed(scene: Scene) -> Iterator[str]:
    """[ONCE] [GRANT]: one payment, one pack, one invoice with its number, each email once."""
    yield from differs("payments kept", scene.kept_payments(), [MONTH_MINOR, MONTH_MINOR])
    taken = [one for one in scene.charges() if one.state == "succeeded"]
    yield from differs("charges since", len(taken), 1)
    # [GRANT]: the former pack expired when the new one became usable.
    yield from differs("packs", scene.packs(), [("month", 0), ("month", 8)])
    yield from differs("told", scene.told(), {"invoice": 1, "renewal_receipt": 1})
    numbers = [one.number for one in shop_floor.invoices_of(scene.ada)]
    yield from differs("invoice numbers", numbers, ["NY-000001", "NY-000002"])
    agreement = shop_floor.subscription_of(scene.ada)
    stands = agreement.state.value, agreement.next_period, agreement.collection
    yield from differs("subscription", stands, ("active", 2, None))
    yield from differs("past due", shop_floor.head(scene.ada).value.past_due, ())


def still_failing(scene: Scene) -> Iterator[str]:
    """[PASTDUE]: one try that failed, told once; nothing granted; the next slot is to come."""
    yield from differs("payments kept", scene.kept_payments(), [MONTH_MINOR])
    yield from differs("tries", [one.state for one in scene.charges()], ["failed"])
    yield from differs("told", scene.told(), {"charge_failed": 1})
    yield from differs("packs", scene.packs(), [("month", 8)])
    agreement = shop_floor.subscription_of(scene.ada)
    yield from differs("subscription", agreement.state.value, "past_due")
    (entry,) = shop_floor.head(scene.ada).value.past_due
    yield from differs("next try", shop_floor.text(entry.next_try_at), "2026-03-01 04:59")


def still_owed(scene: Scene) -> Iterator[str]:
    """The try was lost, which is no decline; the next is."""
    yield from differs("payments kept", scene.kept_payments(), [MONTH_MINOR])
    yield from differs("packs", scene.packs(), [("month", 8)])
    agreement = shop_floor.subscription_of(scene.ada)
    yield from differs("subscription", agreement.state.value, "past_due")


def given_up(scene: Scene) -> Iterator[str]:
    """[RETRY]: six slots, then it is cancelled, its invoice void, staff told once."""
    yield from differs("payments kept", scene.kept_payments(), [MONTH_MINOR])
    yield from differs("packs", scene.packs(), [("month", 8)])
    failed = shop_floor.tried_at(scene.world, scene.ada, "failed")
    yield from differs("slots that were tried", len(failed) + scene.lost(), 6)
    agreement = shop_floor.subscription_of(scene.ada)
    reason = agreement.end_reason.value if agreement.end_reason else None
    yield from differs(
        "subscription", (agreement.state.value, reason), ("cancelled", "payment_failed")
    )
    told = scene.told().get("cancelled_after_failures")
    yield from differs("told of the end", told, 1)
    notices = scene.notices(NoticeKind.SUBSCRIPTION_FAILED_PAYMENT)
    yield from differs("notices", notices, 1)
    yield from invoices_are(scene, InvoiceState.CLOSED, InvoiceState.VOID)


def invoices_are(scene: Scene, *states: InvoiceState) -> Iterator[str]:
    found = tuple(one.state for one in shop_floor.invoices_of(scene.ada))
    yield from differs("invoices", found, states)


def cancelled(scene: Scene) -> Iterator[str]:
    """[CANCEL] [GRANT]: nothing more is charged, the credits that are left never expire."""
    yield from differs("payments kept", scene.kept_payments(), [MONTH_MINOR])
    yield from differs("charges since", scene.charges(), [])
    yield from differs("packs", scene.packs(), [("month", 8)])
    yield from differs("told", scene.told(), {"cancelled_by_customer": 1})
    agreement = shop_floor.subscription_of(scene.ada)
    yield from differs("subscription", agreement.state.value, "cancelled")
    yield from differs("past due", shop_floor.head(scene.ada).value.past_due, ())


def cancelled_while_failing(scene: Scene) -> Iterator[str]:
    yield from cancelled(scene)
    yield from invoices_are(scene, InvoiceState.CLOSED, InvoiceState.VOID)


def ends_with_its_period(scene: Scene) -> Iterator[str]:
    agreement = shop_floor.subscription_of(scene.ada)
    stands = agreement.state.value, agreement.cancel_at_period_end
    yield from differs("subscription", stands, ("active", True))
    yield from differs("told", scene.told(), {"cancellation_scheduled": 1})


def goes_on(scene: Scene) -> Iterator[str]:
    agreement = shop_floor.subscription_of(scene.ada)
    stands = agreement.state.value, agreement.cancel_at_period_end
    yield from differs("subscription", stands, ("active", False))


def refunded(scene: Scene) -> Iterator[str]:
    """[CANCEL]: the cancellation stands, the late success is refunded once and grants nothing."""
    yield from differs("payments kept", scene.kept_payments(), [MONTH_MINOR])
    renewal = shop_floor.asked_of(scene.world, scene.ada)[-1]
    # What was not settled yet is voided, where a provider has that.
    taken = renewal.state in ("succeeded", "voided"), renewal.refunds
    yield from differs("renewal", taken, (True, (MONTH_MINOR,)))
    yield from differs("packs", scene.packs(), [("month", 8)])
    agreement = shop_floor.subscription_of(scene.ada)
    yield from differs("subscription", agreement.state.value, "cancelled")
    kinds = [one.kind.value for one in shop_floor.messages_of(scene.ada)]
    told = kinds.count("refund"), kinds.count("cancelled_by_customer")
    yield from differs("told of refund and end", told, (1, 1))
    yield from differs("notices", scene.notices(NoticeKind.LATE_SUCCESS_REFUNDED), 1)
    yield from invoices_are(scene, InvoiceState.CLOSED, InvoiceState.VOID)


# --- what people do ------------------------------------------------------------------------------


def ready_to_cancel(scene: Scene, when: str) -> None:
    """Ada looks at what ending it would mean."""
    ada: Stubborn = scene.kept.setdefault("person", scene.customer())
    path = f"/subscriptions/{shop_floor.subscription_of(scene.ada).id}/cancel"
    scene.kept["path"] = path
    scene.kept["form"] = {"when": when, "idempotency_key": ada.data(path)["idempotency_key"]}


def press(scene: Scene) -> None:
    scene.kept["person"].form(scene.kept["path"], **scene.kept["form"])


def month_to_cancel(scene: Scene, when: str) -> None:
    month(scene)
    ready_to_cancel(scene, when)


def failing_to_cancel(scene: Scene) -> None:
    past_due(scene)
    ready_to_cancel(scene, "now")


def ends_tonight(scene: Scene) -> None:
    month_to_cancel(scene, "period_end")
    press(scene)
    scene.go_to(BEFORE_RENEWAL)


def ready_to_undo(scene: Scene) -> None:
    month_to_cancel(scene, "period_end")
    press(scene)
    ada: Stubborn = scene.kept["person"]
    own = f"/subscriptions/{shop_floor.subscription_of(scene.ada).id}"
    scene.kept["path"] = f"{own}/cancel/undo"
    scene.kept["form"] = {"idempotency_key": ada.data(own)["undo_key"]}


def renewal_without_answer(scene: Scene) -> None:
    """The renewal has succeeded at the provider, of which nothing is heard any more."""
    at(scene, BEFORE_RENEWAL)
    hear_nothing(scene)
    scene.bank.misbehave(Call.CHARGE, Fault.TIMEOUT_AFTER)
    scene.bank.misbehave(Call.ANY, Fault.TIMEOUT_BEFORE, times=1000)
    scene.go_to("2026-02-28 05:30")
    ready_to_cancel(scene, "now")


def provider_is_back(scene: Scene) -> None:
    scene.bank.behave()
    scene.world.run_due()
    if not banking.can(scene.provider, Skill.WEBHOOKS):
        scene.world.advance(NEXT_LOOK)


def cancelled_without_answer(scene: Scene) -> None:
    renewal_without_answer(scene)
    press(scene)
    scene.go_to("2026-02-28 05:40")


def ready_to_pay(scene: Scene) -> None:
    """What is owed can be paid by a button on its invoice, and the card works by now."""
    ada = past_due(scene)
    card_works_again(scene)
    invoice = shop_floor.invoices_of(scene.ada)[-1]
    pay = ada.data(f"/invoices/{invoice.id}")["pay"]
    scene.kept["path"] = f"/invoices/{invoice.id}/pay"
    scene.kept["form"] = {
        "card": shop_floor.card_of(scene.ada).id,
        "idempotency_key": pay["idempotency_key"],
    }


def two_cards(scene: Scene, path: str) -> None:
    """The renewal failed on the first card, and there is another one."""
    ada = past_due(scene)
    other = shop_floor.card_on_file(scene.world, scene.ada, shop_floor.ALSO_WORKS, default=False)
    assert ada.data("/cards")["cards"]
    own = shop_floor.subscription_of(scene.ada).id
    scene.kept["path"] = path.format(card=other.id, subscription=own)
    scene.kept["form"] = {"card": other.id} if "{subscription}" in path else {}


def paid_at_once(scene: Scene) -> None:
    """[CARDS]: it does not wait for the next slot, if anybody knows what came of it."""
    if scene.nobody_says():
        return
    found = list(differs("past due", shop_floor.head(scene.ada).value.past_due, ()))
    assert found == [], found


def expired_ten(scene: Scene) -> Iterator[str]:
    yield from differs("payments kept", scene.kept_payments(), [TEN_MINOR])
    yield from differs("packs", scene.packs(), [("ten", 0)])
    (pack,) = shop_floor.packs_of(scene.ada)
    entries = [(one.kind, one.delta) for one in shop_floor.entries_of(pack)]
    yield from differs("ledger", entries, [(EntryKind.GRANT, 10), (EntryKind.EXPIRE, -10)])


def ten_at_its_last_minute(scene: Scene) -> None:
    """Bought on 31 January for 90 days, the first counted: it ends at 23:59 of 30 April."""
    scene.ada = shop_floor.customer_with_card(scene.world)
    shop_floor.buy(scene.world, scene.ada, "ten")
    scene.go_to("2026-05-01 03:58")


def reminded(scene: Scene) -> Iterator[str]:
    yield from differs("told", scene.told(), {"renewal_reminder": 1})
    yield from differs("charges since", scene.charges(), [])


def trial_at_its_last_minute(scene: Scene) -> None:
    """14 days from 31 January: the anchor is 14 February, charged at 23:59 of the day before."""
    scene.ada = shop_floor.subscribed(scene.world, "trial")
    scene.go_to("2026-02-14 04:58")


def trial_was_paid(scene: Scene) -> Iterator[str]:
    yield from differs("payments kept", scene.kept_payments(), [6_495])
    yield from differs("packs", [left for _, left in scene.packs()], [0, 4])
    agreement = shop_floor.subscription_of(scene.ada)
    stands = agreement.state.value, agreement.next_period
    yield from differs("subscription", stands, ("active", 1))
    yield from differs("told", scene.told(), {"invoice": 1, "renewal_receipt": 1})


def two_renewals(scene: Scene) -> None:
    """Ada's and Bob's fall due in the same minute: one sweep, one event."""
    shop_floor.subscribed(scene.world, "month", email="bob@example.com")
    at(scene, BEFORE_RENEWAL)


def both_renewed(scene: Scene) -> Iterator[str]:
    taken = [one.amount for one in scene.bank.charges() if one.state == "succeeded"]
    yield from differs("payments", taken, [MONTH_MINOR] * 4)
    for customer_id in shop_floor.customers():
        packs = [(one.product_id, one.left) for one in shop_floor.packs_of(customer_id)]
        yield from differs("packs", packs, [("month", 0), ("month", 8)])


def passes(when: str) -> Doing:
    return lambda scene: scene.go_to(when)


RENEWING = (
    Operation("renewal", lambda scene: at(scene, BEFORE_RENEWAL), passes(RENEWAL), renewed),
    Operation("sweep of two renewals", two_renewals, passes(RENEWAL), both_renewed),
    Operation(
        "first charge after a trial",
        trial_at_its_last_minute,
        passes("2026-02-14 04:59"),
        trial_was_paid,
    ),
    Operation(
        "renewal that declines",
        lambda scene: at(scene, BEFORE_RENEWAL, shop_floor.FAILS_LATER),
        passes(RENEWAL),
        still_failing,
        after=timedelta(hours=20),
        ends_when_lost=still_owed,
    ),
    Operation(
        "retry",
        failed_once,
        passes("2026-03-01 04:59"),
        renewed,
    ),
    Operation(
        "retry in the last slot",
        lambda scene: at(scene, "2026-03-05 04:58", shop_floor.FAILS_LATER),
        passes(LAST_SLOT),
        given_up,
    ),
    Operation(
        "card update while past due",
        past_due,
        lambda scene: scene.kept["person"].save_card(shop_floor.ALSO_WORKS),
        renewed,
        a_little_later=paid_at_once,
    ),
    Operation(
        "another card named for what is past due",
        lambda scene: two_cards(scene, "/subscriptions/{subscription}/card"),
        press,
        renewed,
        a_little_later=paid_at_once,
    ),
    Operation(
        "another card made the default while past due",
        lambda scene: two_cards(scene, "/cards/{card}/default"),
        press,
        renewed,
        a_little_later=paid_at_once,
    ),
    Operation("pay now", ready_to_pay, press, renewed, a_little_later=paid_at_once),
    Operation(
        "cancel now",
        lambda scene: month_to_cancel(scene, "now"),
        press,
        cancelled,
        after=FORTY_DAYS,
    ),
    Operation(
        "cancel now while past due",
        failing_to_cancel,
        press,
        cancelled_while_failing,
        after=FORTY_DAYS,
    ),
    Operation(
        "ask for the end of the period",
        lambda scene: month_to_cancel(scene, "period_end"),
        press,
        ends_with_its_period,
    ),
    Operation("take the end back", ready_to_undo, press, goes_on),
    Operation(
        "the end of the period comes", ends_tonight, passes(RENEWAL), cancelled, after=FORTY_DAYS
    ),
    Operation(
        "cancel while a charge is unknown",
        renewal_without_answer,
        press,
        refunded,
        a_little_later=provider_is_back,
    ),
    Operation("refund of a late success", cancelled_without_answer, provider_is_back, refunded),
    Operation("pack expiry", ten_at_its_last_minute, passes("2026-05-01 03:59"), expired_ten),
    Operation(
        "reminder",
        lambda scene: at(scene, "2026-02-21 04:58"),
        passes("2026-02-21 04:59"),
        reminded,
    ),
)
