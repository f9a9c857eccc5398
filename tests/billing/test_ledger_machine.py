"""A customer, staff and the clock do whatever they like, through the real operations and the real
store: every ledger adds up after every step, and no credit is had twice ([LEDGER] [PLACES])."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from infra.local.world import LocalWorld
from shared.domain.activity import Activity
from shared.domain.errors import Conflict
from shared.domain.granting import grant_bought_pack
from shared.domain.invariants import breaches, places_breaches
from shared.domain.money import Money
from shared.domain.pack import EntryKind, Pack
from shared.domain.product import Product
from shared.domain.product_kind import ProductKind
from shared.domain.reservation import Reservation
from shared.domain.statement import Whereabouts, in_order, lives
from shared.domain.terms import terms_of
from shared.domain.valid_from import ValidFrom
from shared.operations import activities, staff
from shared.operations.audit import books_of
from shared.operations.staff import CreditChange
from shared.store import accounts
from shared.store.reading import read
from shared.store.staff import Role, StaffMember
from shared.store.writing import commit, create
from tests.billing.test_places import OPENING, book, cancel, move, offer_class, stored
from tests.shop_floor import (
    NEW_YORK,
    books_hold,
    context_of,
    customer_with_card,
    entries_of,
    open_shop,
    packs_of,
    reservation_rows,
)

OLGA = StaffMember(email="olga@example.com", name="Olga", role=Role.OWNER)


def _package(product_id: str, credits_: int | None, **more: Any) -> Product:
    return Product(
        id=product_id,
        name=product_id.replace("_", " ").capitalize(),
        kind=ProductKind.PACKAGE,
        prices={"USD": 5_000},
        service="yoga",
        credits=credits_,
        **more,
    )


PACKAGES = (
    _package("three_in_four_days", 3, validity_days=4),
    _package("two_forever", 2),
    _package("unlimited_week", None, validity_days=7),
    _package("by_the_hour", 5, hourly=True, validity_days=30),
    _package("from_booking", 3, valid_from=ValidFrom.BOOKING, validity_days=5),
    _package("from_the_first", 3, valid_from=ValidFrom.FIRST_ACTIVITY, validity_days=5),
    _package("a_month_from_the_first", 2, valid_from=ValidFrom.FIRST_ACTIVITY, validity_months=1),
)
CLASSES = (
    *("2026-03-02 20:00", "2026-03-03 15:00", "2026-03-04 15:00", "2026-03-05 15:00"),
    *("2026-03-07 15:00", "2026-03-09 14:00", "2026-03-12 14:00", "2026-03-20 14:00"),
)


class Studio(RuleBasedStateMachine):
    """One customer with two packs, eight classes of four places, and an owner."""

    def __init__(self) -> None:
        super().__init__()
        self.world: LocalWorld = open_shop(OPENING)
        self.ada = customer_with_card(self.world)
        self.classes = [offer_class(self.world, at, places=4) for at in CLASSES]

    def teardown(self) -> None:
        try:
            self.world.run_due()
            books_hold(self.world)
        finally:
            self.world.close()

    @initialize(bought=st.lists(st.sampled_from(PACKAGES), min_size=1, max_size=3))
    def she_buys_some(self, bought: list[Product]) -> None:
        for product in bought:
            self._own(product)

    # --- what happens ---

    @rule(at=st.integers(0, 7), participants=st.integers(1, 3), pay_later=st.booleans())
    def she_books(self, at: int, participants: int, pay_later: bool) -> None:
        before = {one.id: one for one in packs_of(self.ada)}
        activity = self.classes[at]
        made = self._try(
            lambda: book(
                self.world, self.ada, activity, participants=participants, pay_later=pay_later
            )
        )
        if made is not None:
            self._spent_in_order(made, before, stored(activity))

    @rule(which=st.integers(0, 9))
    def she_cancels(self, which: int) -> None:
        self._with_booked(which, lambda one: cancel(self.world, one))

    @rule(which=st.integers(0, 9), at=st.integers(0, 7))
    def she_moves(self, which: int, at: int) -> None:
        self._with_booked(which, lambda one: move(self.world, one, self.classes[at]))

    @rule(which=st.integers(0, 9))
    def staff_check_in(self, which: int) -> None:
        self._with_booked(
            which,
            lambda one: activities.check_in(context_of(self.world), OLGA, one.activity_id, one.id),
        )

    @rule(which=st.integers(0, 9))
    def staff_give_a_place_back(self, which: int) -> None:
        self._with_booked(which, lambda one: cancel(self.world, one, by_staff=OLGA.email))

    @rule(which=st.integers(0, 2), delta=st.sampled_from([-3, -1, 1, 2]))
    def staff_change_credits(self, which: int, delta: int) -> None:
        packs = packs_of(self.ada)
        pack = packs[which % len(packs)]
        change = CreditChange(self.ada, pack.id, delta, "By hand")
        press = change.press(OLGA.email, self.world.wiring.new_id(), self.world.wiring.new_id())
        self._try(
            lambda: staff.change_credits(
                context_of(self.world), OLGA, change, press, read(*change.refs(press))
            )
        )

    @rule(hours=st.sampled_from([1, 5, 12, 24, 72]))
    def time_passes(self, hours: int) -> None:
        self.world.advance(timedelta(hours=hours))

    # --- what always holds ---

    @invariant()
    def her_books_add_up(self) -> None:
        books = books_of(self.ada)
        assert books is not None
        assert breaches(books, self.world.now()) == []

    @invariant()
    def each_credit_is_in_one_place(self) -> None:
        for pack in packs_of(self.ada):
            own = in_order(entries_of(pack))
            running = 0
            for entry in own:
                running += entry.delta
                assert running == (entry.left or 0) >= 0, entry
            where: Counter[Whereabouts] = Counter()
            for life in lives(own):
                where[life.where] += life.count
            granted = sum(one.delta for one in own if one.kind is EntryKind.GRANT)
            assert sum(where.values()) == granted
            assert where[Whereabouts.UNUSED] == (pack.left or 0)
            assert where[Whereabouts.HELD] == sum(one.credits for one in pack.booked)

    @invariant()
    def no_class_has_more_than_its_places(self) -> None:
        for one in self.classes:
            seats = [row.value for row in accounts.seats_of(one.id, limit=100).rows]
            assert places_breaches(stored(one), seats) == []

    # --- how ---

    def _own(self, product: Product) -> None:
        """A pack as a settled payment grants it, without the payment."""
        pack_id, entry_id = self.world.wiring.new_id(), self.world.wiring.new_id()
        granted = grant_bought_pack(
            pack_id=pack_id,
            entry_id=entry_id,
            terms=terms_of(product, Money(minor=5_000, currency="USD")),
            customer_id=self.ada,
            location=NEW_YORK,
            invoice_id="none",
            now=self.world.now(),
        )
        pack = granted.pack.model_copy(update={"invoice_id": None})
        entry = granted.entry.model_copy(update={"invoice_id": None})
        entry_at = accounts.entry(self.ada, pack_id, entry_id)
        commit([create(accounts.pack(self.ada, pack_id), pack), create(entry_at, entry)])

    def _try(self, do: Callable[[], Any]) -> Any:
        """What it came to; None when it was refused with a code, and then nothing was changed."""
        before = self._stored()
        try:
            return do()
        except Conflict:
            assert self._stored() == before
            return None

    def _stored(self) -> tuple[Any, ...]:
        packs = packs_of(self.ada)
        lines = [one for pack in packs for one in entries_of(pack)]
        mine = [row.value for row in reservation_rows(self.ada)]
        return packs, lines, mine, [stored(one) for one in self.classes]

    def _with_booked(self, which: int, do: Callable[[Reservation], Any]) -> None:
        mine = [row.value for row in reservation_rows(self.ada)]
        if mine:
            self._try(lambda: do(mine[which % len(mine)]))

    def _spent_in_order(
        self, made: Reservation, before: dict[str, Pack], activity: Activity
    ) -> None:
        """Unlimited first, then the soonest to expire; each as far as it goes before the next."""
        held = [(before[one.pack_id], one) for one in made.held]
        ranks = [_rank(pack) for pack, _ in held]
        assert ranks == sorted(ranks)
        for pack, one in held[:-1]:
            assert pack.left is not None, "an unlimited pack would have paid for all"
            assert pack.left - one.credits < one.credits // one.participants
        for pack, one in held:
            assert pack.expires_at is None or activity.starts_at < pack.expires_at
            assert one.credits <= (pack.left or 0)


def _rank(pack: Pack) -> tuple[Any, ...]:
    return not pack.unlimited, pack.expires_at is None, pack.expires_at or pack.bought_at


Studio.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestStudio = Studio.TestCase
