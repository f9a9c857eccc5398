"""The payment providers of a world, as tests tell them what to do, whichever the customers pay at.

What a provider can't do is said here, once (`LACKS`): no test asks for a provider by its name.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, cast
from urllib.parse import urlencode

from infra.local.banks import CARDPOINTE, NAMES, SANDBOX, STRIPE, address
from infra.local.sandbox import ChargeSeen
from infra.local.sandbox_faults import Fault, Operation
from infra.local.webhook_queue import WebhookQueue
from infra.local.world import LocalWorld
from shared.domain.product import Catalogue
from shared.store import snapshot


class Skill(StrEnum):
    """What some providers can do and others can't."""

    WEBHOOKS = "webhooks"
    REVERSALS = "banks that take payments back"
    CONFIRMING = "payments that the customer confirms"
    GIVING_UP = "payments that are given up there"
    KEYS = "idempotency keys"
    PAGE = "a card page of its own"


ALWAYS_AUTHENTICATE = "4000002760003184"
DECLINED_ONCE_CONFIRMED = "4000008260003178"
APPROVED_IN_PART = "4387750101010101"
TIMES_OUT = "4999006200620062"

LACKS: Mapping[str, frozenset[Skill]] = {
    SANDBOX: frozenset({Skill.GIVING_UP}),
    STRIPE: frozenset(),
    CARDPOINTE: frozenset(Skill),
}
"""docs/providers.md says why."""

NUMBERS: Mapping[str, tuple[str, ...]] = {
    SANDBOX: (),
    STRIPE: (ALWAYS_AUTHENTICATE, ALWAYS_AUTHENTICATE, DECLINED_ONCE_CONFIRMED),
    CARDPOINTE: (APPROVED_IN_PART, TIMES_OUT),
}
"""Of each its own test numbers, beside those that they all know."""

MIXED = "mixed"
"""In the place of a provider's name: each of them, side by side."""

LONGEST_ON_THE_WAY = timedelta(hours=20)
"""How late a request may arrive where there are no keys: one that has not been heard of for 24
hours is taken for lost, everywhere ([ONCE])."""


class StandIn(Protocol):
    """What all of them understand; the rest only with the skill for it."""

    hooks: WebhookQueue

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]: ...

    def misbehave(
        self, operation: Operation, fault: Fault, *, times: int = 1, seconds: int = 60
    ) -> None: ...

    def behave(self) -> None: ...

    def let_card_behave_as(self, card: str, number: str) -> None: ...

    def save_card(
        self, number: str, email: str, customer: str | None = None, reference: str = ""
    ) -> tuple[str, str]: ...

    def charges(self) -> list[ChargeSeen]: ...

    def webhooks(
        self, *, hold: bool | None = None, repeat: int | None = None, shuffle: bool | None = None
    ) -> None: ...

    def release_webhooks(self) -> int: ...

    def discard_webhooks(self) -> int: ...

    def reverse_charge(self, charge_id: str, amount: int | None = None) -> None: ...

    def reinstate_charge(self, charge_id: str) -> None: ...

    def cancel_payment(self, id_: str) -> None: ...

    def limit_confirmations(self, limit: int | None) -> None: ...


class CardField(Protocol):
    """One whose card field stands in a page of ours."""

    def tokenize(self, number: str) -> str: ...


def providers_of(name: str) -> tuple[str, ...]:
    """The providers that a run is about, the first preferred. `ValueError` for none of ours."""
    if name != MIXED and name not in NAMES:
        raise ValueError(f"{name} is none of {', '.join((*NAMES, MIXED))}")
    return NAMES if name == MIXED else (name,)


def not_played(name: str) -> str:
    """What a run at this provider leaves out, in words; empty for nothing."""
    left_out = sorted(LACKS[name])
    return f"not played at {name}: {', '.join(left_out)}" if left_out else ""


def stand_in(world: LocalWorld, name: str | None = None) -> StandIn:
    """The provider called `name`; else the one where new cards go."""
    return cast(StandIn, getattr(world.banks, name or preferred(world)))


def preferred(world: LocalWorld) -> str:
    """Where new cards go ([MANY])."""
    return world.wiring.preferred_provider(snapshot.load(Catalogue, world.now()))


def can(name: str, *skills: Skill) -> bool:
    return not LACKS[name] & set(skills)


def in_use(world: LocalWorld) -> tuple[str, ...]:
    """Those that were ever asked for anything."""
    return tuple(name for name in NAMES if name in vars(world.banks))


def charges(world: LocalWorld, name: str | None = None) -> list[ChargeSeen]:
    """Every payment that any provider has, or this one, oldest first."""
    names = in_use(world) if name is None else (name,)
    seen = [one for each in names for one in stand_in(world, each).charges()]
    return sorted(seen, key=lambda one: one.created_at)


def tries(world: LocalWorld) -> list[ChargeSeen]:
    """Every time that a bank was asked, oldest first: where one payment is tried again and again,
    each of its tries."""
    seen: list[ChargeSeen] = []
    for name in in_use(world):
        bank = stand_in(world, name)
        each = getattr(bank, "tries", bank.charges)
        seen += each()
    return sorted(seen, key=lambda one: one.created_at)


def behave(world: LocalWorld) -> None:
    """All misbehaviour ends."""
    for name in in_use(world):
        stand_in(world, name).behave()


def misbehave(
    world: LocalWorld,
    name: str,
    operation: Operation,
    fault: Fault,
    *,
    times: int = 1,
    seconds: int = 60,
) -> None:
    """As the stand-in's own; but a payment without a key arrives before it is taken for lost."""
    if not can(name, Skill.KEYS):
        seconds = min(seconds, int(LONGEST_ON_THE_WAY.total_seconds()))
    stand_in(world, name).misbehave(operation, fault, times=times, seconds=seconds)


def bank_of(world: LocalWorld, seen: ChargeSeen) -> str:
    """Which provider has this payment."""
    return next(name for name in in_use(world) if seen.id in _ids(world, name))


def _ids(world: LocalWorld, name: str) -> set[str]:
    return {one.id for one in stand_in(world, name).charges()}


def reverse(world: LocalWorld, seen: ChargeSeen, amount: int | None = None) -> None:
    """A bank takes a payment back, all of it or `amount` minor units."""
    stand_in(world, bank_of(world, seen)).reverse_charge(seen.id, amount)


def reinstate(world: LocalWorld, seen: ChargeSeen) -> None:
    """A bank gives again what it took."""
    stand_in(world, bank_of(world, seen)).reinstate_charge(seen.id)


# --- hosted pages --------------------------------------------------------------------------------

CONFIRM_PAGES: Mapping[str, str] = {SANDBOX: "/confirm/", STRIPE: "/authenticate/"}
"""Where a payment waits for its customer, below the provider's address."""


def confirm(world: LocalWorld, seen: ChargeSeen, *, confirmed: bool = True) -> None:
    """The customer answers on the page on which a payment is confirmed."""
    name = bank_of(world, seen)
    answer = b"answer=confirm" if confirmed else b"answer=decline"
    stand_in(world, name).handle("POST", CONFIRM_PAGES[name] + seen.id, {}, answer)


def type_card(world: LocalWorld, url: str, number: str) -> str | None:
    """Fill in the hosted card page at `url`; answers where it leads, None when it stays."""
    path = url.removeprefix(world.public_url)
    name = next(one for one in NAMES if path.startswith(f"{address(one)}/"))
    form = {"number": number, "expiry": f"12/{world.now().year + 4}", "cvc": "123"}
    bank, body = stand_in(world, name), urlencode(form).encode()
    status, headers, _ = bank.handle("POST", path.removeprefix(address(name)), {}, body)
    if status != 303:
        return None
    leads = headers["Location"]
    if leads.removeprefix(world.public_url).startswith(f"{address(name)}/"):
        # The bank wants to see the customer before the card is kept.
        path = leads.removeprefix(world.public_url).removeprefix(address(name))
        status, headers, _ = bank.handle("POST", path, {}, b"answer=confirm")
        leads = headers["Location"]
    return leads


def field_filled_in(world: LocalWorld, number: str) -> dict[str, str]:
    """What a page of ours is sent whose card field is the provider's, by whoever fills it in."""
    token = cast(CardField, stand_in(world)).tokenize(number)
    return {"token": token, "exp_month": "12", "exp_year": str(world.now().year + 4)}


def signature(world: LocalWorld, name: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers by which a provider signs `body` at that moment; none where it signs nothing."""
    if not can(name, Skill.WEBHOOKS):
        return {}
    signed = stand_in(world, name).hooks.signed(body, at)
    return {header.lower(): value for header, value in signed.items()}
