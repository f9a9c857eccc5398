"""What people of the simulated town do about packages that recur, and what they were told."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shared.domain.invariants import CustomerBooks
from shared.domain.subscription import Subscription
from tests.simulation.town_places import Resident

if TYPE_CHECKING:
    from tests.simulation.town import Town

RECURRING = ("thirty", "thirty", "two_by", "two")
PAYMENTS = ("debit", "debit", "by_hand")


class Recurring:
    """They choose how the next pack is paid, and take it out of the cart."""

    def __init__(self, town: "Town") -> None:
        self._town = town
        self._chosen: dict[str, str] = {}
        """How the next packs of a subscription are paid, as was answered last."""

    def buy(self, one: Resident) -> None:
        payment = self._town.rng.choice(PAYMENTS)
        line = {"product": self._town.rng.choice(RECURRING), "next_payment": payment}
        self._town.ask(one.cookies, "POST", "/cart/lines", line)
        self._town.pay_cart(one)

    def see_to(self, one: Resident) -> None:
        """Pay what is in the cart, take a next pack out, or choose how it is paid."""
        cart = self._town.ask(one.cookies, "GET", "/cart")
        lines = cart.json()["lines"] if cart.status == 200 else []
        carted = [line for line in lines if line["next_of"]]
        if carted and self._town.rng.random() < 0.3:
            line = self._town.rng.choice(carted)
            path = f"/cart/lines/{line['id']}/remove"
            if self._town.press(one.cookies, path, {}).status < 400:
                self._town.is_over(line["next_of"])
        elif carted:
            self._town.pay_cart(one)
        else:
            self._choose(one)

    def _choose(self, one: Resident) -> None:
        held = self._town.stored(one, "subscription", Subscription)
        alive = [each for each in held if each.recurring is not None and not each.over]
        if alive:
            what = self._town.rng.choice(alive)
            payment = self._town.rng.choice(PAYMENTS)
            path = f"/subscriptions/{what.id}/next-payment"
            content = {"next_payment": payment}
            if self._town.press(one.cookies, path, content).status < 400:
                self._chosen[what.id] = payment

    def broken_promises(self, books: CustomerBooks) -> Iterator[str]:
        for one in books.subscriptions:
            chosen = self._chosen.get(one.id)
            if chosen and one.recurring and one.recurring.next_payment.value != chosen:
                yield f"{one.id} was to be paid by {chosen}, not {one.recurring.next_payment.value}"
