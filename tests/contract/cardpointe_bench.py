"""CardPointe on a bench: its stand-in, a clock that is moved, a customer at the card field."""

from collections.abc import Mapping
from datetime import timedelta

from infra.local.cardpointe import CardPointe, in_process
from infra.local.sandbox_faults import Fault, Operation
from shared.providers.cardpointe import CardPointeProvider
from shared.providers.cardpointe_client import TRIES_PER_CALL
from shared.providers.port import CardFrame, CardSetup, PaymentProvider
from tests.contract.bench import CardKind, Trouble
from tests.contract.sandbox_bench import Clock

MERCHANT = "496160873888"
WORKS = "4242424242424242"
DECLINES = "4000000000000341"
LOST = "4000000000009987"
SEED = 20_260_131

FAULTS = {
    Trouble.LOST_REQUEST: Fault.TIMEOUT_BEFORE,
    Trouble.LOST_ANSWER: Fault.TIMEOUT_AFTER,
    Trouble.SERVER_ERROR: Fault.ERROR_BEFORE,
    Trouble.SERVER_ERROR_AFTERWARDS: Fault.ERROR_AFTER,
    Trouble.RATE_LIMIT: Fault.RATE_LIMIT,
}


class CardPointeBench:
    """The contract's bench, and what tests of CardPointe's adapter need besides."""

    def __init__(self) -> None:
        self.now = Clock()
        self.cardpointe = CardPointe(self.now, "user", "word", MERCHANT, seed=SEED)
        self.sent: list[tuple[str, str]] = []
        self.adapter = CardPointeProvider(
            site="fts-uat",
            username="user",
            password="word",
            merchant_id=MERCHANT,
            transport=self._send,
            pause=lambda _: None,
        )
        self.provider: PaymentProvider = self.adapter
        self._ahead: list[tuple[int, Trouble]] = []

    @property
    def frame(self) -> CardFrame:
        assert self.adapter.card_frame is not None
        return self.adapter.card_frame

    def advance(self, seconds: int) -> None:
        self.now.at += timedelta(seconds=seconds)

    def let_settle(self) -> None:
        """The day's batch is sent off and accepted."""
        self.now.at += timedelta(days=1)

    def revoke_key(self) -> None:
        self.cardpointe.change_password("user", "another word")

    def restore_key(self) -> None:
        self.cardpointe.change_password("user", "word")

    def save(
        self,
        number: str = WORKS,
        *,
        provider_customer: str | None = None,
        reference: str = "customer-1",
        email: str = "ada@example.com",
        exp_year: int = 2029,
    ) -> CardSetup:
        """The customer enters a card in the frame, and the page posts its token to us."""
        return self.frame.save(
            reference=reference,
            email=email,
            provider_customer=provider_customer,
            token=self.cardpointe.tokenize(number),
            exp_month=8,
            exp_year=exp_year,
            idempotency_key=f"save-{number}-{reference}",
        )

    def save_card(
        self, kind: CardKind, *, reference: str, provider_customer: str | None
    ) -> CardSetup:
        assert kind is not CardKind.NEEDS_AUTHENTICATION, "no payment waits for a customer"
        number = DECLINES if kind is CardKind.DECLINES else WORKS
        setup = self.save(number, reference=reference, provider_customer=provider_customer)
        if kind is CardKind.DECLINES_FINALLY:
            assert setup.card is not None
            self.cardpointe.let_card_behave_as(setup.card.token, LOST)
        return setup

    def token(self, number: str) -> str:
        return self.cardpointe.tokenize(number)

    def trouble(self, trouble: Trouble, *, after: int = 0) -> None:
        self._ahead.append((after, trouble))

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        for calls, trouble in self._ahead:
            if calls == 0:
                times = TRIES_PER_CALL if trouble is Trouble.RATE_LIMIT else 1
                self.cardpointe.misbehave(Operation.ANY, FAULTS[trouble], times=times)
        self._ahead = [(calls - 1, trouble) for calls, trouble in self._ahead if calls]
        self.sent.append((method, path.split("/")[3]))
        return in_process(self.cardpointe)(method, path, headers, body)

    def succeeded(self, charge_ref: str) -> int:
        """How many charges for `charge_ref` moved money that was not undone before it settled."""
        return sum(
            charge.charge_ref == charge_ref and charge.state == "succeeded"
            for charge in self.cardpointe.charges()
        )

    def refunded(self, charge_ref: str) -> int:
        return sum(sum(c.refunds) for c in self.cardpointe.charges() if c.charge_ref == charge_ref)
