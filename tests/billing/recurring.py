"""Ada and packages that recur without a calendar, through the pages ([RECUR])."""

import json
from typing import Any

from infra.local.world import LocalWorld
from shared.domain.pack import Pack
from tests.console import office
from tests.scenario.person import Person
from tests.shop_floor import (
    customer_with_card,
    text,
)

THIRTY_MINOR = 9_743
"""90.00 with 8.25% tax, rounded half-up."""
TWO_MINOR = 4_330
CARTED = "2026-03-29 03:59"
"""23:59 of 28 March."""


class Ada(Person):
    """A customer with a card on file, who signs in without an email: those are counted."""

    def __init__(self, world: LocalWorld) -> None:
        super().__init__(world, "ada@example.com")
        self.id = customer_with_card(world, email=self.email)
        self.sign_in()

    def sign_in(self, *, at: str = "/sign-in") -> None:
        assert at == "/sign-in"
        self.cookies.update(office.customer(self.world, self.id).cookies)


def ada(world: LocalWorld) -> tuple[str, Person]:
    person = Ada(world)
    return person.id, person


def buys(world: LocalWorld, product: str, next_payment: str) -> tuple[str, Person]:
    customer_id, person = ada(world)
    person.add(product, next_payment=next_payment)
    assert person.pay().status == 200
    world.run_due()
    return customer_id, person


def window(pack: Pack) -> tuple[str, str]:
    return text(pack.usable_from), text(pack.expires_at)


def cart_lines(person: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.data("/cart")["lines"]
    return found


def book(person: Person, activity_id: str, key: str) -> str:
    answer = person.ask(
        "POST",
        "/reservations",
        {"activity": activity_id, "idempotency_key": key},
        accept="application/json",
    )
    assert answer.status == 201, answer.body
    found: str = json.loads(answer.body)["reservation"]["id"]
    return found


def problem(person: Person, method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
    answer = person.ask(method, path, fields, accept="application/json")
    return answer.status, json.loads(answer.body)


def press_of(person: Person) -> dict[str, Any]:
    review = person.data("/checkout")
    return {name: review[name] for name in ("cart", "card", "expected_total", "idempotency_key")}
