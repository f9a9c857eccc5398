"""The front on the bench of our stand-in for Stripe: the same caller, customer and clock."""

from typing import Any

from tests.contract.stripe_standin_bench import KEY, PUBLIC_URL, SECRETS, Bench, Clock
from tests.localstripe.front import Front
from tests.localstripe.service import LocalStripe


class FrontBench(Bench):
    """`stripe` is the front, and behind it is localstripe."""

    def __init__(self, localstripe: LocalStripe) -> None:
        self.now = Clock()
        self.posted: list[Any] = []
        self.localstripe = localstripe
        self.stripe = Front(localstripe, self.now, self._deliver, KEY, SECRETS, PUBLIC_URL)

    def saved(self, number: str) -> tuple[str, str]:
        """A customer with a card that was typed into the hosted page."""
        customer = self.post("customers", email="ada@example.com", metadata={"reference": "ada"})
        owner = customer.content["id"]
        return owner, self.typed(owner, number)

    def typed(self, customer: str, number: str) -> str:
        """A card typed into the hosted page of a new session."""
        session = self.post("checkout/sessions", **setup(customer)).content
        status, _, page = self.submit(session["url"], number=number, expiry="12/34", cvc="123")
        assert status == 303, page
        if not self.completed(session["id"]):
            self.submit(session["url"].replace("/c/pay/", "/c/authenticate/"), answer="confirm")
        done = self.get(f"checkout/sessions/{session['id']}", expand=["setup_intent"])
        return str(done["setup_intent"]["payment_method"])

    def completed(self, session_id: str) -> bool:
        return bool(self.get(f"checkout/sessions/{session_id}")["status"] == "complete")


def setup(customer: str) -> dict[str, Any]:
    return {
        "mode": "setup",
        "currency": "usd",
        "customer": customer,
        "success_url": "https://shop.example/saved?setup={CHECKOUT_SESSION_ID}",
    }
