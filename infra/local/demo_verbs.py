"""What the people of the demo data do, each by the operation that the pages use.

So their history is what the system itself wrote: invoices, ledgers, messages and the provider's
books agree, because nothing but the system made them.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from infra.local.demo_catalogue import CATALOGUE
from infra.local.sandbox_cards import WORKS
from infra.local.world import LocalWorld
from shared.domain.activity import Activity
from shared.domain.business import Location
from shared.domain.by import By
from shared.domain.cart_lines import Wanted
from shared.domain.customer import Customer
from shared.domain.pack import Entry, EntryKind, Pack, used
from shared.domain.pricing import price_cart
from shared.domain.reservation import Reservation
from shared.domain.subscription import Subscription
from shared.domain.weekly import standing_of
from shared.operations import booking, cancel, cards, cart, checkout
from shared.operations.answered import Answered, Checked
from shared.operations.booking import Wish
from shared.operations.cancel import When
from shared.operations.cart import Holder
from shared.operations.checkout import Submitted
from shared.operations.context import Context
from shared.store import accounts
from shared.store.items import Row
from shared.store.listed import DirectoryEntry
from shared.store.people import Address
from shared.store.reading import read
from shared.store.writing import commit, create, replace

LOOKED_AHEAD = timedelta(days=9)
"""Within this everything that repeats weekly comes at least once."""


class WentWrong(Exception):
    """The demo data can't be played: a defect of the story or of the system."""


@dataclass
class Person:
    """A customer of the demo, and what they do in the world that is being played."""

    world: LocalWorld
    id: str
    name: str
    location: Location
    has_reservations: bool = True
    """Whether they came to classes or daycare before."""
    locale: str = ""
    _submissions: int = field(default=0, init=False)

    @property
    def email(self) -> str:
        return f"{self.name.split()[0].lower()}@example.com"

    @property
    def context(self) -> Context:
        return self.world.wiring.context(CATALOGUE)

    @property
    def head(self) -> Row[Customer]:
        ref = accounts.head(self.id)
        row = read(ref).get(ref)
        if row is None:
            raise WentWrong(f"{self.name} has not joined")
        return row

    def join(self) -> None:
        """Become a customer, with the same items as at a first sign-in."""
        customer = Customer(
            id=self.id,
            email=self.email,
            name=self.name,
            locale=self.locale,
            created_at=self.world.now(),
            has_reservations=self.has_reservations,
            location=self.location.id,
        )
        entry = DirectoryEntry(
            customer_id=self.id, email=self.email, name=self.name, location=self.location.id
        )
        commit(
            [
                create(accounts.head(self.id), customer),
                create(
                    accounts.address(self.email), Address(customer_id=self.id, email=self.email)
                ),
                create(accounts.directory(customer), entry),
            ]
        )

    def save_card(self, number: str = WORKS) -> str:
        """Add a card on the provider's hosted page; the answer is its id."""
        context = self.context
        setup = cards.start(context, self.head.value, return_path="/cards")
        year = self.world.now().year + 3
        form = urlencode({"number": number, "expiry": f"09/{year}", "cvc": "123"})
        self.world.sandbox.handle(
            "POST",
            f"/card-setups/{setup.setup_id}",
            {"content-type": "application/x-www-form-urlencoded"},
            form.encode(),
        )
        saved = cards.finish(
            context, context.preferred_provider, setup.setup_id, customer_id=self.id
        )
        if saved.card is None:
            raise WentWrong(f"{self.name}'s card was not saved: {saved.failure}")
        return saved.card.id

    def card_turns(self, number: str) -> None:
        """The newest card does from now on what a test number does."""
        self.world.sandbox.let_card_behave_as(self.head.value.cards[-1].token, number)

    def fill_cart(self, *wanted: Wanted) -> None:
        for one in wanted:
            head = self.head
            ref = accounts.cart(accounts.customer_pk(self.id), self.location.id)
            cart.add_line(
                self.context,
                Holder(accounts.customer_pk(self.id), head),
                self.location,
                read(ref).get(ref),
                one,
            )

    def buy(self, *wanted: Wanted, card_id: str | None = None) -> Answered:
        """Fill the cart and pay for all that is in it."""
        self.fill_cart(*wanted)
        ref = accounts.cart(accounts.customer_pk(self.id), self.location.id)
        row = read(ref).get(ref)
        if row is None:
            raise WentWrong(f"{self.name}'s cart is gone")
        context, head = self.context, self.head
        priced = price_cart(
            row.value, CATALOGUE, self.location, head.value, context.now(), provider_ready=True
        )
        self._submissions += 1
        submitted = Submitted(
            cart=row.value.token,
            card_id=card_id,
            expected_total_minor=priced.total.minor,
            key=f"demo-{self.id}-{self._submissions}",
        )
        found = read(*checkout.refs(self.id, self.location.id, submitted))
        answered = checkout.check_out(
            context, customer=head, location=self.location, submitted=submitted, found=found
        )
        if answered.state is not Checked.PAID:
            raise WentWrong(f"{self.name} could not pay: {answered.state}")
        return answered

    def subscription(self) -> Subscription:
        """The newest one."""
        rows = accounts.subscriptions_of(self.id).rows
        if not rows:
            raise WentWrong(f"{self.name} has no subscription")
        return rows[0].value

    def cancel(self, when: When) -> None:
        cancel.cancel(self.context, self.id, self.subscription().id, when, by=By.CUSTOMER)

    def book(
        self, name: str, *, in_days: int = 0, participants: int = 1, **wish: Any
    ) -> Reservation:
        """Book the first activity of that name which begins at least so many days from now."""
        activity = self._next_called(name, in_days)
        new_id = self.world.wiring.new_id()
        wanted = Wish(self.id, activity.id, participants, **wish)
        press = wanted.press(f"demo-{new_id}", new_id)
        found = read(*wanted.refs(press))
        return booking.book(self.context, wanted, press, self.head, found)

    def keep_place(self, product_id: str, name: str) -> Answered:
        """Buy a weekly place in the next activity of that name."""
        product = CATALOGUE.product(product_id)
        if product is None:
            raise WentWrong(f"there is no {product_id}")
        standing = standing_of(self._next_called(name), product.credits or 1, same_staff=False)
        return self.buy(Wanted(product_id=product_id, standing=standing))

    def _next_called(self, name: str, in_days: int = 0) -> Activity:
        begins = self.world.now() + timedelta(days=in_days)
        rows = accounts.schedule_of(self.location.id, begins, begins + LOOKED_AHEAD)
        activity = next((row.value for row in rows if row.value.name == name), None)
        if activity is None:
            raise WentWrong(f"{self.name} finds no {name} on the schedule")
        return activity

    def use(self, product_id: str, times: int, reason: str) -> None:
        """Staff take a credit off a pack at the front desk, once for each visit."""
        for _ in range(times):
            row = self._pack(product_id)
            left = None if row.value.left is None else row.value.left - 1
            entry = Entry(
                id=self.world.wiring.new_id(),
                pack_id=row.value.id,
                customer_id=self.id,
                kind=EntryKind.DEDUCT,
                delta=0 if left is None else -1,
                left=left,
                at=self.world.now(),
                reason=reason,
                by="clerk@example.com",
            )
            commit(
                [
                    replace(row, used(row.value.model_copy(update={"left": left}), entry.at)),
                    create(accounts.entry(self.id, entry.pack_id, entry.id), entry),
                ]
            )

    def _pack(self, product_id: str) -> Row[Pack]:
        for row in accounts.packs_of(self.id).rows:
            usable = row.value.ended_at is None and row.value.left != 0
            if row.value.product_id == product_id and usable:
                return row
        raise WentWrong(f"{self.name} has no {product_id} to use")
