"""The banks of the simulated town: they take payments back, and give some again ([REVERSE])."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from infra.local.sandbox import ChargeSeen
from shared.domain.charge import Attempt, Charge
from shared.domain.invariants import CustomerBooks
from shared.domain.reversal import taken_back
from shared.operations import reversing
from tests import banking
from tests.banking import Skill
from tests.shop_floor import context_of

if TYPE_CHECKING:
    from tests.simulation.town import Town


class Bank:
    """Says what it does to the provider alone, whose reports may be late, twice or lost."""

    def __init__(self, town: "Town") -> None:
        self._town = town

    def acts(self) -> None:
        """One of the payments is taken back, most often whole, or comes again."""
        world = self._town.world
        charges = [
            one
            for name in self._town.providers_that(Skill.REVERSALS)
            for one in banking.charges(world, name)
        ]
        taken = [one for one in charges if one.reversed]
        whole = [one for one in charges if _untouched(one)]
        rng = self._town.rng
        if taken and rng.random() < 0.6:
            charge = rng.choice(taken)
            self._town.note(f"  {charge.charge_ref}: {charge.id} is given again")
            banking.reinstate(world, charge)
        elif whole:
            charge = rng.choice(whole)
            amount = rng.choice((None, None, None, charge.amount // 2 or None))
            self._town.note(f"  {charge.charge_ref}: {amount or 'all'} of {charge.id} taken back")
            banking.reverse(world, charge, amount)
        world.settle_if_free()

    def looked_at(self, books: Mapping[str, CustomerBooks]) -> None:
        """What the daily audit does: it looks at what the provider has otherwise than we."""
        context = context_of(self._town.world)
        for seen, charge, attempt in _known(banking.charges(self._town.world), books):
            if taken_back(attempt).minor != seen.reversed:
                reversing.look(context, charge.customer_id, charge.source, seen.id)

    def not_recorded(self, books: Mapping[str, CustomerBooks]) -> Iterator[str]:
        """Money that a bank holds again, and of which our books say otherwise."""
        for seen, charge, attempt in _known(banking.charges(self._town.world), books):
            ours = taken_back(attempt).minor
            if ours != seen.reversed:
                yield f"{seen.reversed} of {charge.ref} are taken back, not {ours}"


def _untouched(one: ChargeSeen) -> bool:
    return one.state == "succeeded" and one.amount > 0 and not one.refunds and not one.reversed


def _known(
    seen: Sequence[ChargeSeen], books: Mapping[str, CustomerBooks]
) -> Iterator[tuple[ChargeSeen, Charge, Attempt]]:
    """Every payment that our books know to have succeeded, beside what the provider has of it."""
    ours = {one.ref: one for each in books.values() for one in each.charges}
    for one in seen:
        charge = ours.get(one.charge_ref or "")
        attempt = charge.attempt_at(one.id) if charge else None
        if charge and attempt and attempt.outcome.value == "succeeded":
            yield one, charge, attempt
