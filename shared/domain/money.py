"""Money: integers of a currency's minor unit, with the currency ([MONEY])."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Self

from pydantic import StrictInt, StringConstraints

from shared.domain.record import Record

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class Money(Record):
    """An amount in minor units (cents) of one currency. Never a float.

    Adding two currencies raises `ValueError`: it is a bug, not an input error.
    """

    minor: StrictInt
    currency: Currency

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(minor=0, currency=currency)

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(minor=self.minor + other.minor, currency=self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(minor=self.minor - other.minor, currency=self.currency)

    def __neg__(self) -> "Money":
        return Money(minor=-self.minor, currency=self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(minor=self.minor * quantity, currency=self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def share(self, rate: Decimal) -> "Money":
        """`rate` of this amount (0.0825 for 8.25%), rounded half-up to the minor unit."""
        exact = Decimal(self.minor) * rate
        return Money(
            minor=int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)),
            currency=self.currency,
        )


def total(amounts: "list[Money]", currency: str) -> Money:
    """The sum of `amounts`; zero of `currency` when there are none."""
    result = Money(minor=sum(one.minor for one in amounts), currency=currency)
    for amount in amounts:
        result._same(amount)  # noqa: SLF001 - a Money's own
    return result
