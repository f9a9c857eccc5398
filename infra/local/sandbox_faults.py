"""Misbehaviour on demand: what a provider's stand-in was told to get wrong ([SANDBOX])."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum


class Operation(StrEnum):
    """The calls of the API that can be told to misbehave."""

    ANY = "any"
    START_CARD_SETUP = "start_card_setup"
    FETCH_CARD_SETUP = "fetch_card_setup"
    REMOVE_CARD = "remove_card"
    CHARGE = "charge"
    PREPARE_CHARGE = "prepare_charge"
    """Changing a charge before it is tried again, where the provider has such a call."""

    LOOK_UP = "look_up"
    CANCEL_CHARGE = "cancel_charge"
    REFUND = "refund"


class Fault(StrEnum):
    """How a call goes wrong.

    - `TIMEOUT_BEFORE`: the request is lost, nothing happens.
    - `TIMEOUT_AFTER`: it happens, the answer is lost. The same key answers what happened.
    - `ERROR_BEFORE`: 500, nothing happens; the same key answers the same 500.
    - `ERROR_AFTER`: 500 although it happened; the same key answers the same 500.
    - `RATE_LIMIT`: 429, before the idempotency key is looked at.
    - `KEY_REFUSED`: 401, before anything is looked at: the merchant's key was revoked.
    - `LATE`: a charge is `processing` for some seconds before it is decided.
    - `DECLINE`: a charge is declined with a given code, whatever the card.
    """

    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    RATE_LIMIT = "rate_limit"
    KEY_REFUSED = "key_refused"
    LATE = "late"
    DECLINE = "decline"


ON_THE_WAY = frozenset(
    {Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.RATE_LIMIT, Fault.KEY_REFUSED}
)
"""Faults of the way there and back; the others happen only to a call that is carried out, not
to one that is answered from its idempotency key."""

INSIDE = frozenset(Fault) - ON_THE_WAY
ONLY_CHARGES = frozenset({Fault.LATE, Fault.DECLINE})


@dataclass
class Misbehaviour:
    """A fault for the next `times` calls of an operation, of one customer or card if named.

    `seconds` is how late a `LATE` charge is decided; `decline_code` is for `DECLINE`.
    """

    operation: Operation
    fault: Fault
    times: int = 1
    customer: str | None = None
    card: str | None = None
    seconds: int = 60
    decline_code: str = "generic_decline"


class Faults:
    """What is still to go wrong, in the order in which it was asked for."""

    def __init__(self) -> None:
        self._waiting: list[Misbehaviour] = []

    def add(self, misbehaviour: Misbehaviour) -> None:
        """Raises `ValueError` for what could never happen."""
        if misbehaviour.times < 1 or misbehaviour.seconds < 1:
            raise ValueError("times and seconds start at 1")
        if misbehaviour.fault in ONLY_CHARGES and misbehaviour.operation is not Operation.CHARGE:
            raise ValueError(f"{misbehaviour.fault.value} is a fault of charges only")
        self._waiting.append(misbehaviour)

    def waiting(self) -> list[Misbehaviour]:
        return list(self._waiting)

    def clear(self) -> None:
        self._waiting.clear()

    def take(
        self,
        operation: Operation,
        kinds: Collection[Fault],
        subject: Callable[[], tuple[str | None, str | None]],
    ) -> Misbehaviour | None:
        """The first fault of `kinds` meant for this call, used up by one. `subject` finds the
        customer and card of the call, and is asked only when a fault names one."""
        for waiting in self._waiting:
            if waiting.fault not in kinds or waiting.operation not in (Operation.ANY, operation):
                continue
            if waiting.customer is not None or waiting.card is not None:
                customer, card = subject()
                if waiting.customer not in (None, customer) or waiting.card not in (None, card):
                    continue
            waiting.times -= 1
            if waiting.times == 0:
                self._waiting.remove(waiting)
            return waiting
        return None
