"""What a test of any payment provider stands on: the bench, and the steps that every test takes."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import Enum, auto
from itertools import count
from typing import Protocol

from shared.domain.money import Money
from shared.domain.provider_charge import ProviderCharge
from shared.providers.events import WebhookEvent
from shared.providers.port import CardSetup, ChargeRequest, ChargeResult, PaymentProvider


class CardKind(Enum):
    """What a saved card does when it is charged."""

    WORKS = auto()
    DECLINES = auto()
    DECLINES_FINALLY = auto()
    NEEDS_AUTHENTICATION = auto()


class Trouble(Enum):
    """What goes wrong with the next charge or refund."""

    LOST_REQUEST = auto()
    LOST_ANSWER = auto()
    SERVER_ERROR = auto()
    SERVER_ERROR_AFTERWARDS = auto()
    RATE_LIMIT = auto()


Delivery = tuple[dict[str, str], bytes]


class Bench(Protocol):
    """A provider with everything around it that a test has to move."""

    provider: PaymentProvider

    def now(self) -> datetime: ...
    def advance(self, seconds: int) -> None: ...
    def save_card(
        self, kind: CardKind, *, reference: str, provider_customer: str | None
    ) -> CardSetup:
        """The customer saves a card, in the provider's way; it can be charged now."""

    def trouble(self, trouble: Trouble, *, after: int = 0) -> None:
        """Befalls the next call of any kind, or the one that comes after so many others. A rate
        limit lasts for as long as the adapter goes on trying that call."""

    def let_settle(self) -> None:
        """As much time passes as it takes until a part of a payment can be given back."""

    def succeeded(self, charge_ref: str) -> int:
        """How many charges for `charge_ref` moved money, in the provider's own books."""

    def refunded(self, charge_ref: str) -> int:
        """How much went back, in minor units."""


class RefusingBench(Bench, Protocol):
    """One whose merchant may lose the key."""

    def revoke_key(self) -> None: ...
    def restore_key(self) -> None: ...


class WebhookBench(Bench, Protocol):
    """One that reports."""

    charge_event: str
    """A type of event that is about a charge."""

    def deliveries(self) -> list[Delivery]:
        """The webhooks that have arrived since this was last asked."""

    def sign(self, body: bytes, at: datetime, *secrets: str) -> dict[str, str]:
        """Headers for `body`, signed at `at`; without secrets, by the provider's present one."""

    def event_body(self, type_: str) -> bytes:
        """A well-formed event of this type about a charge for `charge-1`."""


class HostedBench(WebhookBench, Protocol):
    """One with a page of its own for cards."""

    def enter_card(self, setup: CardSetup, kind: CardKind) -> str:
        """The customer saves a card on the hosted page; answers where they are sent then."""

    def renew(self, card_token: str, *, last4: str, exp_month: int, exp_year: int) -> None:
        """The card network gives a saved card a new number and date."""


class ConfirmingBench(WebhookBench, Protocol):
    """One whose payments may wait for the customer."""

    def confirm(self, confirm_url: str) -> None:
        """The customer confirms a payment with the bank."""

    def refuse(self, confirm_url: str) -> None:
        """The customer refuses it."""


class LateBench(WebhookBench, Protocol):
    """One whose payments may be decided later."""

    def answer_late(self, seconds: int) -> None:
        """The next charge is decided only after so many seconds."""


class ReversingBench(WebhookBench, Protocol):
    """One that tells what banks take back."""

    def reverse(self, provider_charge_id: str, minor: int | None = None) -> None:
        """A bank takes a payment back: all of it, or so many minor units."""

    def reinstate(self, provider_charge_id: str) -> None:
        """It gives back what it took."""


PRICE = Money(minor=4_900, currency="USD")
RETURN_URL = "https://shop.example/checkout?cart=7"

_numbers: Iterator[int] = count(1)


def save(
    bench: Bench,
    kind: CardKind = CardKind.WORKS,
    *,
    provider_customer: str | None = None,
    reference: str = "customer-1",
) -> CardSetup:
    """A finished card setup of a new customer, or of one that the provider knows."""
    finished = bench.save_card(kind, reference=reference, provider_customer=provider_customer)
    assert finished.card is not None
    return finished


def save_on_page(
    bench: HostedBench, kind: CardKind, *, reference: str, provider_customer: str | None
) -> CardSetup:
    """`save_card` of providers with a hosted page."""
    setup = bench.provider.start_card_setup(
        reference=reference,
        email="ada@example.com",
        provider_customer=provider_customer,
        return_url=RETURN_URL,
        idempotency_key=f"setup-{next(_numbers)}",
    )
    bench.enter_card(setup, kind)
    finished = bench.provider.fetch_card_setup(setup.setup_id)
    assert finished is not None
    return finished


def request_for(
    setup: CardSetup,
    *,
    charge_ref: str = "charge-1",
    attempt_id: str | None = None,
    continues: str | None = None,
    customer_present: bool = False,
) -> ChargeRequest:
    assert setup.card is not None
    assert setup.provider_customer is not None
    return ChargeRequest(
        charge_ref=charge_ref,
        attempt_id=attempt_id or f"attempt-{next(_numbers)}",
        amount=PRICE,
        provider_customer=setup.provider_customer,
        card_token=setup.card.token,
        description="Ten classes",
        return_url=RETURN_URL,
        continues=continues,
        customer_present=customer_present,
    )


def look_up(
    bench: Bench, request: ChargeRequest, provider_charge_id: str | None = None
) -> ChargeResult | None:
    return bench.provider.look_up(
        charge_ref=request.charge_ref,
        attempt_id=request.attempt_id,
        provider_charge_id=provider_charge_id,
        provider_customer=request.provider_customer,
    )


def listed(
    bench: Bench, setup: CardSetup, since: datetime | None = None
) -> Sequence[ProviderCharge]:
    """What the provider has of the customer of this setup."""
    assert setup.provider_customer is not None
    found = bench.provider.list_charges(provider_customer=setup.provider_customer, since=since)
    assert found is not None, "this provider can list"
    return found


def events(bench: WebhookBench, charge_ref: str = "charge-1") -> list[WebhookEvent]:
    read = [bench.provider.read_webhook(headers, body) for headers, body in bench.deliveries()]
    return [event for event in read if event.charge_ref == charge_ref]
