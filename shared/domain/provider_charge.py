"""A charge as its provider has it, which the books are held against."""

from pydantic import AwareDatetime

from shared.domain.money import Money
from shared.domain.record import Record


class ProviderCharge(Record):
    """A charge as a provider has it, made in our name: `charge_ref` is what we put there."""

    id: str
    charge_ref: str
    amount: Money
    succeeded: bool
    refunded_minor: int
    reversed_minor: int = 0
    """What a bank has taken back, and not given again."""
    created_at: AwareDatetime

    @property
    def kept(self) -> bool:
        """Whether any of the money is still with the merchant."""
        gone = self.refunded_minor + self.reversed_minor
        return self.succeeded and gone < self.amount.minor
