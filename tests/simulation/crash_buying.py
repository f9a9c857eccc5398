"""Signing in and buying, as people do it, for the crash sweep."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from infra.local.sandbox_faults import Fault
from infra.local.sandbox_faults import Operation as Call
from shared.domain.outcome import Outcome
from shared.store import accounts
from shared.web.answer import SESSION_COOKIE
from tests import banking, shop_floor
from tests.banking import Skill
from tests.simulation.crash_runs import Operation
from tests.simulation.crash_scene import Scene, Stubborn

TEN_MINOR = 27_063
MONTH_MINOR = 5_304
MAT_MINOR = 3_248
"""250.00, 49.00 and 30.00 with 8.25%, rounded half-up per line."""

TRIES_TO_SIGN_IN = 3
PATIENCE = timedelta(minutes=6)
"""How long somebody waits for an email, or before looking again what became of a payment."""

LOOKS = 4
PAYMENT_REQUIRED = 402


def differs(what: str, found: Any, wanted: Any) -> Iterator[str]:
    if found != wanted:
        yield f"{what}: {found} instead of {wanted}"


# --- signing in ------------------------------------------------------------------------------


def stranger(scene: Scene) -> Stubborn:
    """Somebody unknown with one thing in the cart."""
    person = Stubborn(scene.world, "new@example.com")
    person.add("ten")
    scene.kept["person"] = person
    return person


def ask_for_link(scene: Scene) -> None:
    person: Stubborn = scene.kept["person"]
    person.form("/sign-in", email=person.email)


def use_newest_email(scene: Scene, *, code: bool = False) -> None:
    """With the link of the newest email, or its code. When it was used before an answer came, the
    page says so, and one asks for another."""
    person: Stubborn = scene.kept["person"]
    for _ in range(TRIES_TO_SIGN_IN):
        text = person.mails()[0]["text"]
        if code:
            (digits,) = re.findall(r"^\s*(\d{6})\s*$|(?<=code )(\d{6})", text, re.MULTILINE)[:1]
            person.go("POST", "/sign-in/code", {"code": "".join(digits)})
        else:
            link = re.search(rf"{re.escape(person.world.public_url)}/sign-in/[\w\-.~]+", text)
            assert link is not None, text
            assert person.go("GET", link[0]).status == 200
            person.go("POST", urlsplit(link[0]).path)
        if SESSION_COOKIE in person.cookies:
            return
        ask_for_link(scene)
        scene.world.advance(PATIENCE)
    raise AssertionError("nobody is signed in")


def is_in(scene: Scene) -> None:
    """Signed in, and the cart came along, once."""
    person: Stubborn = scene.kept["person"]
    answer = person.ask("GET", "/account")
    assert answer.status == 200, (answer.status, answer.headers, answer.body[-500:])
    lines = person.data("/cart")["lines"]
    assert [(one["product_id"], one["quantity"]) for one in lines] == [("ten", 1)], lines


def signs_in_later(scene: Scene) -> None:
    use_newest_email(scene)
    is_in(scene)


def one_customer(_: Scene) -> Iterator[str]:
    """However often it was tried: one address, one customer ([WHO])."""
    yield from differs("customers", len(shop_floor.customers()), 1)


def asked(scene: Scene) -> None:
    stranger(scene)
    ask_for_link(scene)


# --- paying ----------------------------------------------------------------------------------


def review(scene: Scene, *lines: str | dict[str, str], number: str = shop_floor.WORKS) -> None:
    """Ada has a card, filled her cart, and sees the page with the button."""
    scene.ada = shop_floor.customer_with_card(scene.world, number)
    ada = scene.kept["person"] = scene.customer()
    for line in lines:
        fields = {"product": line} if isinstance(line, str) else line
        ada.form("/cart/lines", **fields)
    look_at_cart(scene)


def look_at_cart(scene: Scene) -> None:
    page = scene.kept["person"].data("/checkout")
    scene.kept["form"] = {
        "cart": page["cart"],
        "card": page["card"] or "",
        "expected_total": page["expected_total"],
        "idempotency_key": page["idempotency_key"],
        "seen": page["seen"],
    }


def press_pay(scene: Scene) -> None:
    scene.kept["person"].form("/checkout", **scene.kept["form"])


def order_again(scene: Scene) -> None:
    """Their cart is as it was, and they press once more; again when they are told that it did not
    work."""
    scene.kept["person"] = ada = scene.customer()
    for _ in range(LOOKS):
        look_at_cart(scene)
        answer = ada.go("POST", "/checkout", scene.kept["form"])
        if answer.status != PAYMENT_REQUIRED:
            break
    assert answer.status < 300, (answer.status, answer.body[-600:])


def look_at_order(scene: Scene) -> None:
    """See what became of it, and confirm what waits for that."""
    ada: Stubborn = scene.kept["person"]
    path = f"/orders/{scene.kept['form']['cart']}"
    for _ in range(LOOKS):
        order = ada.data(path)
        match order["state"]:
            case "paid":
                return
            case "confirm":
                ada.go("POST", order["confirm_url"], {"answer": "confirm"})
            case _:
                scene.world.advance(PATIENCE)
    raise AssertionError(f"the order is {order['state']}")


def pay_and_confirm(scene: Scene) -> None:
    press_pay(scene)
    look_at_order(scene)


def cart_is_empty(scene: Scene) -> Iterator[str]:
    yield from differs("in the cart", shop_floor.head(scene.ada).value.cart_counts.get("ny"), 0)


def bought_now(scene: Scene) -> Iterator[str]:
    paid = TEN_MINOR + MAT_MINOR + MONTH_MINOR
    yield from differs("payments kept", scene.kept_payments(), [paid])
    yield from differs("charges", len(scene.charges()), 1)
    yield from differs("packs", sorted(scene.packs()), [("month", 8), ("ten", 10)])
    told = {"invoice": 1, "order_receipt": 1, "subscription_purchased": 1}
    yield from differs("told", scene.told(), told)
    numbers = [one.number for one in shop_floor.invoices_of(scene.ada)]
    yield from differs("invoice numbers", numbers, ["NY-000001"])
    agreement = shop_floor.subscription_of(scene.ada)
    stands = agreement.state.value, agreement.next_period
    yield from differs("subscription", stands, ("active", 1))
    yield from cart_is_empty(scene)


def bought_ten(scene: Scene) -> Iterator[str]:
    yield from differs("payments kept", scene.kept_payments(), [TEN_MINOR])
    yield from differs("charges", len(shop_floor.asked_of(scene.world, scene.ada)), 1)
    yield from differs("packs", scene.packs(), [("ten", 10)])
    (charge,) = shop_floor.charges_of(scene.ada)
    yield from differs("outcome", charge.outcome, Outcome.SUCCEEDED)
    numbers = [one.number for one in shop_floor.invoices_of(scene.ada)]
    yield from differs("invoice numbers", numbers, ["NY-000001"])
    kinds = sorted(one.kind.value for one in shop_floor.messages_of(scene.ada))
    yield from differs(
        "told", [one for one in kinds if one != "confirm_payment"], ["invoice", "order_receipt"]
    )
    yield from cart_is_empty(scene)


def bought_later(scene: Scene) -> Iterator[str]:
    """[TRIAL] [2359]: nothing is charged, no invoice, the trial's pack alone."""
    yield from differs("charges", scene.charges(), [])
    yield from differs("packs", scene.packs(), [("trial", 4)])
    yield from differs("invoices", shop_floor.invoices_of(scene.ada), [])
    held = [row.value for row in accounts.subscriptions_of(scene.ada).rows]
    states = sorted((one.state.value, one.anchor.isoformat()) for one in held)
    wanted = [("scheduled", "2026-02-10"), ("trialing", "2026-02-14")]
    yield from differs("subscriptions", states, wanted)
    told = {"trial_started": 1, "subscription_purchased": 1}
    yield from differs("told", scene.told(), told)
    yield from cart_is_empty(scene)


# --- what a checkout leaves to others ----------------------------------------------------------


def hear_nothing(scene: Scene) -> None:
    """Whatever the provider reports is held back."""
    if banking.can(scene.provider, Skill.WEBHOOKS):
        scene.bank.webhooks(hold=True)


def processing(scene: Scene, fault: Fault, seconds: int = 60) -> None:
    """Ada has paid for a pack, and nobody knows yet what became of it."""
    world = scene.world
    scene.ada = shop_floor.customer_with_card(world)
    if fault is not Fault.LATE:
        hear_nothing(scene)
    banking.misbehave(world, scene.provider, Call.CHARGE, fault, seconds=seconds)
    shop_floor.buy(world, scene.ada, "ten")


def minutes_pass(minutes: int) -> Any:
    return lambda scene: scene.world.advance(timedelta(minutes=minutes))


def two_orders(scene: Scene) -> None:
    """Settled, and neither numbered nor told yet."""
    world = scene.world
    for email in ("bob@example.com", "ada@example.com"):
        scene.ada = shop_floor.customer_with_card(world, email=email)
        cart = shop_floor.fill_cart(world, scene.ada, "ten")
        shop_floor.press_pay(world, scene.ada, cart).carry_out(shop_floor.context_of(world))
    # Their webhooks have come, and changed nothing.
    world.settle_if_free()


def numbered_and_told(_: Scene) -> Iterator[str]:
    """[NUMBER]: without gaps or repeats. [OUTBOX]: each email once."""
    numbers: list[str | None] = []
    for customer_id in shop_floor.customers():
        numbers += [one.number for one in shop_floor.invoices_of(customer_id)]
        kinds = sorted(one.kind.value for one in shop_floor.messages_of(customer_id))
        yield from differs("told", kinds, ["invoice", "order_receipt"])
    yield from differs("numbers", sorted(map(str, numbers)), ["NY-000001", "NY-000002"])


LATER = {"product": "month", "starts_on": "2026-02-10"}

BUYING = (
    Operation(
        "ask for a sign-in link",
        arrange=stranger,
        act=ask_for_link,
        a_little_later=signs_in_later,
        ends=one_customer,
    ),
    Operation(
        "sign in by link",
        arrange=asked,
        act=use_newest_email,
        a_little_later=is_in,
        ends=one_customer,
    ),
    Operation(
        "sign in by code",
        arrange=asked,
        act=lambda scene: use_newest_email(scene, code=True),
        a_little_later=is_in,
        ends=one_customer,
    ),
    Operation(
        "checkout now",
        arrange=lambda scene: review(scene, "ten", "mat", "month"),
        act=press_pay,
        ends=bought_now,
        when_lost=order_again,
    ),
    Operation(
        "checkout of a trial and a later start",
        arrange=lambda scene: review(scene, "trial", LATER),
        act=press_pay,
        ends=bought_later,
    ),
    Operation(
        "checkout that is to be confirmed",
        arrange=lambda scene: review(scene, "ten", number=shop_floor.NEEDS_AUTHENTICATION),
        act=pay_and_confirm,
        ends=bought_ten,
        needs=frozenset({Skill.CONFIRMING}),
    ),
    Operation(
        "webhook of a late success",
        arrange=lambda scene: processing(scene, Fault.LATE, 3600),
        act=minutes_pass(61),
        ends=bought_ten,
        when_lost=order_again,
    ),
    Operation(
        "reconcile what the provider did",
        arrange=lambda scene: processing(scene, Fault.ERROR_AFTER),
        act=minutes_pass(2),
        ends=bought_ten,
        a_little_later=lambda scene: scene.bank.behave(),
        when_lost=order_again,
    ),
    Operation(
        "reconcile what never arrived",
        arrange=lambda scene: processing(scene, Fault.TIMEOUT_BEFORE),
        act=minutes_pass(2),
        ends=bought_ten,
        a_little_later=lambda scene: scene.bank.behave(),
        when_lost=order_again,
    ),
    Operation(
        "the minute after two orders",
        arrange=two_orders,
        act=lambda scene: scene.world.run_due(),
        ends=numbered_and_told,
    ),
)
