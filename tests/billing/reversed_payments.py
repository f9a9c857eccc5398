"""A ten-pack of which two credits are in use, and a bank that takes payments back ([REVERSE])."""

from typing import Any

from infra.local.world import LocalWorld
from shared.domain.invoice import Invoice, PaymentKind
from shared.domain.message import Notice, NoticeKind
from shared.domain.pack import Pack
from tests.console.office import Desk, customer
from tests.portal.studio import class_of, put_on
from tests.shop_floor import (
    asked_of,
    buy,
    customer_with_card,
    go_to,
    invoices_of,
    notices,
    packs_of,
)

OPENING = "2026-03-02 14:00"
"""Nine in the morning of a Monday in New York."""

FIRST = class_of("2026-03-03 15:00", "First class")
SECOND = class_of("2026-03-20 14:00", "Second class")
THIRD = class_of("2026-03-21 14:00", "Third class")


def book(desk: Desk, activity_id: str, **fields: Any) -> Any:
    return desk.ask(
        "POST",
        "/reservations",
        {"activity": activity_id, **fields},
        Idempotency_Key=f"book-{activity_id}-{len(fields)}",
    )


def ten_with_two_in_use(world: LocalWorld) -> tuple[str, Desk]:
    """A ten-pack bought by card on 2 March; one class was taken the day after, one is booked for
    the 20th. It is the 10th."""
    put_on(FIRST, SECOND, THIRD)
    ada = customer_with_card(world)
    buy(world, ada, "ten")
    desk = customer(world, ada)
    for activity in (FIRST, SECOND):
        assert book(desk, activity.id).status == 201
    go_to(world, "2026-03-10 15:00")
    return ada, customer(world, ada)


def take_back(world: LocalWorld, customer_id: str, amount: int | None = None) -> None:
    """The bank takes the customer's last payment back, and its report is worked on."""
    world.sandbox.reverse_charge(asked_of(world, customer_id)[-1].id, amount)
    world.run_due()


def give_again(world: LocalWorld, customer_id: str) -> None:
    world.sandbox.reinstate_charge(asked_of(world, customer_id)[-1].id)
    world.run_due()


def only_pack(customer_id: str) -> Pack:
    (pack,) = packs_of(customer_id)
    return pack


def only_invoice(customer_id: str) -> Invoice:
    """Of what was bought: a class that was paid by a credit has one of its own, over nothing."""
    (invoice,) = [one for one in invoices_of(customer_id) if one.source is not None]
    return invoice


def money_on(invoice: Invoice) -> list[tuple[PaymentKind, int]]:
    return [(one.kind, one.amount.minor) for one in invoice.payments]


def taken_notices() -> list[Notice]:
    return notices(NoticeKind.PAYMENT_REVERSED)


def pay(world: LocalWorld, invoice: Invoice, key: str = "pay-once") -> int:
    """The customer pays what an invoice asks with the card on file, from its page; the status."""
    desk = customer(world, invoice.customer_id)
    answer = desk.ask("POST", f"/invoices/{invoice.id}/pay", {}, Idempotency_Key=key)
    world.run_due()
    status: int = answer.status
    return status
