"""Where every credit of a pack went, and every line of the ledgers with its balance ([LEDGER])."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.pack import Entry, EntryKind
from shared.domain.statement import Whereabouts, between, in_order, lines, lives
from tests.unit.places_samples import NOW, pack_of

DAY = timedelta(days=1)


class Ledger:
    """Writes down lines as a pack's ledger would, each a minute after the last."""

    def __init__(self, pack_id: str = "p1", at: datetime = NOW) -> None:
        self.pack_id, self.at = pack_id, at
        self.left = 0
        self.entries: list[Entry] = []

    def write(self, kind: EntryKind, delta: int, reservation: str | None = None) -> Entry:
        self.left += delta
        self.at += timedelta(minutes=1)
        entry = Entry(
            id=f"e{len(self.entries):04d}",
            pack_id=self.pack_id,
            customer_id="ada",
            kind=kind,
            delta=delta,
            left=self.left,
            at=self.at,
            reservation_id=reservation,
        )
        self.entries.append(entry)
        return entry


def told(entries: Iterable[Entry]) -> list[tuple[int, int, str, str | None]]:
    return [
        (one.first, one.last, one.where.value, one.entry.reservation_id) for one in lives(entries)
    ]


def test_each_credit_of_a_ten_pack_is_told_where_it_is() -> None:
    ledger = Ledger()
    ledger.write(EntryKind.GRANT, 10)
    ledger.write(EntryKind.HOLD, -1, "reformer")
    ledger.write(EntryKind.HOLD, -2, "two-of-us")
    ledger.write(EntryKind.REDEEM, 0, "reformer")
    ledger.write(EntryKind.DEDUCT, -1)
    assert told(ledger.entries) == [
        (1, 1, "used", "reformer"),
        (2, 3, "held", "two-of-us"),
        (4, 9, "unused", None),
        (10, 10, "deducted", None),
    ]
    ledger.write(EntryKind.EXPIRE, -6)
    assert [one[2] for one in told(ledger.entries)] == ["used", "held", "expired", "deducted"]


def test_a_credit_that_came_back_is_unused_like_those_that_never_went() -> None:
    ledger = Ledger()
    ledger.write(EntryKind.GRANT, 3)
    ledger.write(EntryKind.HOLD, -1, "r1")
    ledger.write(EntryKind.RELEASE, 1, "r1")
    assert [one[:3] for one in told(ledger.entries)] == [(1, 3, "unused")]
    ledger.write(EntryKind.HOLD, -1, "r2")
    ledger.write(EntryKind.REDEEM, 0, "r2")
    ledger.write(EntryKind.RESTORE, 1, "r2")
    assert [one[:3] for one in told(ledger.entries)] == [(1, 3, "unused")]


def test_a_place_that_moves_keeps_its_credit_and_says_where_it_is_now() -> None:
    ledger = Ledger()
    ledger.write(EntryKind.GRANT, 1)
    ledger.write(EntryKind.HOLD, -1, "r1")
    ledger.write(EntryKind.RELEASE, 1, "r1")
    last = ledger.write(EntryKind.HOLD, -1, "r1")
    (life,) = lives(ledger.entries)
    assert (life.where, life.entry) == (Whereabouts.HELD, last)


def test_what_comes_back_into_a_pack_that_has_ended_has_expired() -> None:
    ledger = Ledger()
    ledger.write(EntryKind.GRANT, 2)
    ledger.write(EntryKind.HOLD, -1, "r1")
    ledger.write(EntryKind.EXPIRE, -1)
    assert told(ledger.entries) == [(1, 1, "held", "r1"), (2, 2, "expired", None)]
    ledger.write(EntryKind.RELEASE, 1, "r1")
    ledger.write(EntryKind.EXPIRE, -1, "r1")
    assert told(ledger.entries) == [(1, 1, "expired", "r1"), (2, 2, "expired", None)]


def test_credits_that_were_added_are_numbered_after_the_first() -> None:
    ledger = Ledger()
    ledger.write(EntryKind.GRANT, 2)
    ledger.write(EntryKind.HOLD, -2, "r1")
    added = ledger.write(EntryKind.GRANT, 1)
    assert told(ledger.entries) == [(1, 2, "held", "r1"), (3, 3, "unused", None)]
    assert lives(ledger.entries)[1].entry == added


def test_what_was_taken_back_may_be_given_again() -> None:
    ledger = Ledger()
    ledger.write(EntryKind.GRANT, 5)
    ledger.write(EntryKind.REVOKE, -3)
    assert told(ledger.entries) == [(1, 2, "unused", None), (3, 5, "revoked", None)]
    ledger.write(EntryKind.RESTORE, 3)
    assert told(ledger.entries) == [(1, 5, "unused", None)]


def test_an_unlimited_pack_counts_no_credits() -> None:
    entry = Ledger().write(EntryKind.GRANT, 0).model_copy(update={"left": None})
    held = entry.model_copy(update={"id": "e2", "kind": EntryKind.HOLD, "reservation_id": "r1"})
    assert lives([entry, held]) == ()


# --- whatever happens ----------------------------------------------------------------------------

KINDS = st.sampled_from(list(EntryKind))
STEPS = st.lists(
    st.tuples(KINDS, st.integers(min_value=1, max_value=5), st.integers(0, 9)), max_size=60
)


class Naive:
    """What a pack holds, counted in the plainest way: how many are where, and for what."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.held: dict[str, int] = {}
        self.used: dict[str, int] = {}
        self.gone: Counter[Whereabouts] = Counter()
        self.granted = 0

    def step(self, number: int, kind: EntryKind, count: int, which: int) -> None:
        """Write the line down, if the ledger allows it now."""
        match kind:
            case EntryKind.GRANT:
                self.granted += count
                self.ledger.write(kind, count)
            case EntryKind.HOLD if count <= self.ledger.left:
                self.held[f"r{number}"] = count
                self.ledger.write(kind, -count, f"r{number}")
            case EntryKind.RELEASE if self.held:
                name = sorted(self.held)[which % len(self.held)]
                self.ledger.write(kind, self.held.pop(name), name)
            case EntryKind.REDEEM if self.held:
                name = sorted(self.held)[which % len(self.held)]
                self.used[name] = self.held.pop(name)
                self.ledger.write(kind, 0, name)
            case EntryKind.RESTORE if self.used:
                name = sorted(self.used)[which % len(self.used)]
                self.ledger.write(kind, self.used.pop(name), name)
            case EntryKind.DEDUCT if count <= self.ledger.left:
                self._take_off(kind, Whereabouts.DEDUCTED, count)
            case EntryKind.EXPIRE if self.ledger.left:
                self._take_off(kind, Whereabouts.EXPIRED, self.ledger.left)
            case EntryKind.REVOKE if count <= self.ledger.left:
                self._take_off(kind, Whereabouts.REVOKED, count)
            case _:
                pass

    def _take_off(self, kind: EntryKind, where: Whereabouts, count: int) -> None:
        self.gone[where] += count
        self.ledger.write(kind, -count)


@settings(max_examples=300, deadline=None)
@given(steps=STEPS, shuffled=st.randoms(use_true_random=False))
def test_every_credit_is_in_one_place_and_those_unused_are_what_is_left(
    steps: list[tuple[EntryKind, int, int]], shuffled: Any
) -> None:
    ledger = Ledger()
    naive = Naive(ledger)
    for number, (kind, count, which) in enumerate(steps):
        naive.step(number, kind, count, which)
    entries = list(ledger.entries)
    shuffled.shuffle(entries)
    found = lives(entries)
    numbers = [at for one in found for at in range(one.first, one.last + 1)]
    assert numbers == list(range(1, naive.granted + 1)), "each credit once, none left out"
    where: Counter[Whereabouts] = Counter()
    held: Counter[str | None] = Counter()
    used: Counter[str | None] = Counter()
    for one in found:
        where[one.where] += one.count
        if one.where is Whereabouts.HELD:
            held[one.entry.reservation_id] += one.count
        if one.where is Whereabouts.USED:
            used[one.entry.reservation_id] += one.count
    assert where[Whereabouts.UNUSED] == ledger.left == sum(one.delta for one in entries)
    assert (held, used) == (Counter(naive.held), Counter(naive.used))
    assert {one: where[one] for one in naive.gone} == dict(naive.gone)


@settings(max_examples=100, deadline=None)
@given(entries=st.lists(st.tuples(KINDS, st.integers(-5, 5), st.sampled_from("abc")), max_size=20))
def test_lines_that_do_not_add_up_still_put_each_credit_in_one_place(
    entries: list[tuple[EntryKind, int, str]],
) -> None:
    ledger = Ledger()
    for kind, delta, reservation in entries:
        ledger.write(kind, delta, reservation)
    numbers = [at for one in lives(ledger.entries) for at in range(one.first, one.last + 1)]
    granted = sum(abs(delta) for kind, delta, _ in entries if kind is EntryKind.GRANT)
    assert numbers == list(range(1, granted + 1))


# --- every line, with its balance ----------------------------------------------------------------


def two_ledgers() -> tuple[Ledger, Ledger]:
    """One of two credits, and four days later one of five."""
    old, new = Ledger("old"), Ledger("new", NOW + 4 * DAY)
    old.write(EntryKind.GRANT, 2)
    old.write(EntryKind.HOLD, -1, "r1")
    new.write(EntryKind.GRANT, 5)
    old.at = NOW + 5 * DAY
    old.write(EntryKind.RELEASE, 1, "r1")
    return old, new


PACKS = {"old": pack_of("old", 2), "new": pack_of("new", 5)}


def test_lines_of_all_packs_run_in_time_with_a_balance_over_all() -> None:
    old, new = two_ledgers()
    shown = lines([*new.entries, *old.entries], PACKS)
    assert [(one.entry.pack_id, one.entry.delta, one.entry.left, one.balance) for one in shown] == [
        ("old", 2, 2, 2),
        ("old", -1, 1, 1),
        ("new", 5, 5, 6),
        ("old", 1, 2, 7),
    ]
    assert [one.pack.id for one in shown if one.pack] == ["old", "old", "new", "old"]


def test_lines_of_one_moment_stay_in_the_order_of_their_ids() -> None:
    ledger = Ledger()
    ledger.write(EntryKind.GRANT, 2)
    same = [one.model_copy(update={"at": NOW}) for one in (*ledger.entries, ledger.entries[0])]
    named = [one.model_copy(update={"id": name}) for one, name in zip(same, "ba", strict=True)]
    assert [one.id for one in in_order(named)] == ["a", "b"]


def test_days_are_those_of_the_packs_place_and_carry_what_there_was_before() -> None:
    """`NOW` is noon of 1 March in New York; the second pack comes on the 5th."""
    old, new = two_ledgers()
    told_ = lines([*old.entries, *new.entries], PACKS)
    march = between(told_, date(2026, 3, 2), date(2026, 3, 5))
    assert (march.opening, march.closing, len(march.lines)) == (1, 6, 1)
    whole = between(told_, None, None)
    assert (whole.opening, whole.closing, len(whole.lines)) == (0, 7, 4)
    assert between(told_, None, date(2026, 2, 28)).lines == ()


def test_the_last_minute_of_a_day_is_of_that_day_where_the_pack_is() -> None:
    ledger = Ledger("old")
    late = ledger.write(EntryKind.GRANT, 1)
    late = late.model_copy(update={"at": datetime.fromisoformat("2026-03-02T04:59:00+00:00")})
    told_ = lines([late], PACKS)
    assert len(between(told_, date(2026, 3, 1), date(2026, 3, 1)).lines) == 1
    assert between(told_, date(2026, 3, 2), None).opening == 1
