"""How much of what is due a tick admits, lane by lane and shard by shard, and who sweeps it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shared.domain.due import Lane

FOR_A_CHARGE = 3
"""What one charge leaves in the lane of what is awaited: an invoice's number, perhaps a webhook,
perhaps a check. So that lane admits this much more, and renewals never pile up in it."""

TICKS_IN_HAND = 2
"""Of how many ticks the workers may have work in hand. A lease lasts for five, so workers that
get two fifths of it done let no lease run out."""

LEAST_PART = 10
"""When they have that in hand, one in so many is admitted still: what fails again and again must
not hold up what would not."""

ORDER = (Lane.NOW, Lane.MONEY, Lane.LATER)
"""In which lanes are swept: what somebody waits for comes first."""


class Part(NamedTuple):
    """One lane and shard, and how many items of it a tick admits at most."""

    lane: Lane
    shard: int
    most: int


def parts(*, shards: int, limit: int, charges_a_minute: int) -> list[Part]:
    """A whole tick. Of charges `charges_a_minute` over all shards (the provider's rate), of what
    has time `limit` in each shard, of what is awaited `limit` besides what charges leave there."""
    assert set(ORDER) == set(Lane)
    return [
        Part(lane, shard, _most(lane, limit, share(charges_a_minute, shard, shards)))
        for lane in ORDER
        for shard in range(shards)
    ]


def _most(lane: Lane, limit: int, charges: int) -> int:
    match lane:
        case Lane.NOW:
            return limit + FOR_A_CHARGE * charges
        case Lane.MONEY:
            return charges
        case Lane.LATER:
            return limit


def share(whole: int, shard: int, shards: int) -> int:
    """Of `whole`, what one shard gets of it: together they get all of it, and each at least one."""
    return max(1, (whole + shard) // shards)


def admitted(most: int, in_hand: int) -> int:
    """How many of `most` may be leased while workers have `in_hand`. At least one."""
    least = max(1, most // LEAST_PART)
    return max(least, min(most, TICKS_IN_HAND * most - in_hand))


def groups(rest: Sequence[Part], most: int) -> Iterator[list[Part]]:
    """`rest` in its order, for sweeps beside each other: each of one lane, and of at most `most`
    items unless a single part is more."""
    group: list[Part] = []
    for part in rest:
        full = sum(one.most for one in group) + part.most > most
        if group and (full or group[0].lane is not part.lane):
            yield group
            group = []
        group.append(part)
    if group:
        yield group
