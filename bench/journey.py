"""Every route of the portal and the console, taken once by somebody for whom it succeeds."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bench.meter import Run
from bench.scene import Scene
from shared.domain.message import Notice, NoticeKind, Parked
from shared.operations import card_link
from shared.store import accounts, due, transactions
from tests import shop_floor as shop
from tests.buying import buy_place, class_in, invoice_now, total_of
from tests.console.office import Desk, book
from tests.portal.customers import save_card
from tests.portal.people import Person, emails_to

FAILED = 400
"""Answers from here on are not what a route is for."""

SEE_OTHER = 303
OWNER = "owner@happypaws.example"
"""Who `Scene.owner` is."""

NOT_TAKEN = {
    "GET /cards/enter": "the scene's provider has a page of its own for cards",
    "POST /cards/enter": "the same",
    "GET /card-update/{token}/enter": "the same",
    "POST /card-update/{token}/enter": "the same",
    "POST /webhooks/{provider}": "counted with the renewal that it is about (bench.operations)",
}
"""Routes that are not counted here, and why."""

LISTS = (
    "/account",
    "/packs",
    "/packs/statement",
    "/subscriptions",
    "/invoices",
    "/payments",
    "/cards",
)


@dataclass
class Journey:
    """`runs` are what each route's handler asked for, by method and path."""

    scene: Scene
    runs: dict[str, Run] = field(default_factory=dict)
    presses: int = 0

    def take(
        self, desk: Desk, route: str, ids: Iterable[str] = (), /, query: str = "", **fields: Any
    ) -> Any:
        """Take `route`, its `{…}` filled with `ids` in their order; what it answers."""
        method, _, pattern = route.partition(" ")
        rest = iter(ids)
        path = re.sub(r"{\w+}", lambda _: next(rest), pattern)
        self.presses += 1
        fields = {name: value for name, value in fields.items() if value is not None}
        if method == "POST":
            fields.setdefault("idempotency_key", f"press-{self.presses:08}")
        asked = self.scene.alone(desk, method, path + query, fields)
        assert asked.answer.status < FAILED, (route, asked.answer.status, asked.answer.body[-1500:])
        self.runs[route] = asked.run
        return asked.answer

    def all(self) -> dict[str, Run]:
        """Everything, one after the other."""
        self.visit()
        self.sign_in()
        self.buy()
        self.look()
        self.keep_cards()
        self.change_subscriptions()
        self.fail_and_pay()
        self.book()
        self.pay_invoices()
        self.keep_schedule()
        self.serve_customers()
        self.run_subscriptions()
        self.ask_for_what_is_owed()
        self.look_after_the_business()
        return self.runs

    # --- anybody ---

    def visit(self) -> None:
        nobody = Desk(self.scene.world, {"__Host-location": "ny"})
        for route in ("/", "/shop", "/contact", "/sign-in", "/console/sign-in"):
            self.take(nobody, f"GET {route}")
        self.take(nobody, "GET /shop/{product}", ["month"])

    def sign_in(self) -> None:
        self.scene.owner()
        for at, email in (("/sign-in", "ada@example.com"), ("/console/sign-in", OWNER)):
            for way in ("link", "code"):
                person = Person(self.scene.world)
                assert person.post(at, email=email).status == SEE_OTHER
                mail = emails_to(self.scene.world, email)[0]
                token = mail.path.rpartition("/")[2]
                desk = Desk(self.scene.world, person.cookies)
                self.take(desk, f"GET {at}/code")
                self.take(desk, f"GET {at}/{{token}}", [token])
                if way == "link":
                    self.take(desk, f"POST {at}/{{token}}", [token])
                else:
                    self.take(desk, f"POST {at}/code", code=mail.code)
            self.take(Desk(self.scene.world), f"POST {at}", email=email)

    # --- a customer ---

    def buy(self) -> None:
        world = self.scene.world
        ada = self.scene.customer(shop.customer_with_card(world, email="buys@example.com"))
        self.take(ada, "POST /cart/location", location="ny")
        for product in ("ten", "mat"):
            self.take(ada, "POST /cart/lines", product=product)
        lines = [one["id"] for one in ada.data("/cart")["lines"]]
        self.take(ada, "POST /cart/lines/{line}", [lines[1]], quantity=2)
        self.take(ada, "POST /cart/lines/{line}/remove", [lines[1]])
        self.take(ada, "DELETE /cart/lines/{line}", [lines[0]])
        for product in ("ten", "month", "mat"):
            self.take(ada, "POST /cart/lines", product=product)
        self.take(ada, "GET /cart")
        self.take(ada, "GET /checkout")
        review = ada.data("/checkout")
        self.take(
            ada,
            "POST /checkout",
            cart=review["cart"],
            card=review["card"],
            expected_total=review["expected_total"],
        )
        self.take(ada, "GET /orders/{order}", [review["cart"]])

    def look(self) -> None:
        """Lists and single things of a customer who has some of each."""
        world = self.scene.world
        ada = shop.subscribed(world, "month", email="looks@example.com")
        shop.buy(world, ada, "ten")
        desk = self.scene.customer(ada)
        for path in LISTS:
            self.take(desk, f"GET {path}")
        pack = shop.packs_of(ada)[0].id
        self.take(desk, "GET /packs/{pack}", [pack])
        subscription = shop.subscription_of(ada).id
        self.take(desk, "GET /subscriptions/{subscription}", [subscription])
        self.take(desk, "GET /subscriptions/{subscription}/cancel", [subscription])
        self.take(desk, "GET /invoices/{invoice}", [shop.invoices_of(ada)[0].id])
        self.take(desk, "POST /sign-out")

    def keep_cards(self) -> None:
        world = self.scene.world
        ada = shop.customer_with_card(world, email="cards@example.com")
        desk = self.scene.customer(ada)
        away = self.take(desk, "POST /cards").header("location") or ""
        back = save_card(world, away, shop.ALSO_WORKS)
        self.take(desk, "GET /cards/return", query="?" + back.partition("?")[2])
        second = shop.head(ada).value.cards[1].id
        self.take(desk, "POST /cards/{card}/default", [second])
        self.take(desk, "POST /cards/{card}/remove", [second])

    def change_subscriptions(self) -> None:
        world = self.scene.world
        ada = shop.subscribed(world, "month", email="changes@example.com")
        subscription = shop.subscription_of(ada).id
        desk = self.scene.customer(ada)
        card = shop.card_on_file(world, ada, shop.ALSO_WORKS).id
        one = "POST /subscriptions/{subscription}"
        self.take(desk, f"{one}/card", [subscription], card=card)
        self.take(desk, f"{one}/cancel", [subscription], when="period_end")
        self.take(desk, f"{one}/cancel/undo", [subscription])
        bob = shop.subscribed(world, "thirty", email="recurs@example.com")
        recurring = shop.subscription_of(bob).id
        self.take(
            self.scene.customer(bob),
            f"{one}/next-payment",
            [recurring],
            next_payment="by_hand",
        )

    def fail_and_pay(self) -> None:
        """A renewal that fails: paid from its page by one, by the emailed link by the other."""
        world = self.scene.world
        ada, bob = (
            shop.subscribed(world, "month", number=shop.FAILS_LATER, email=f"{name}@example.com")
            for name in ("fails", "forgets")
        )
        world.advance(timedelta(days=29))
        shop.let_card_behave_as(world, shop.card_of(ada), shop.WORKS)
        subscription = shop.subscription_of(ada).id
        self.take(
            self.scene.customer(ada), "POST /subscriptions/{subscription}/pay", [subscription]
        )
        token = "t" * 43
        card_link.mint(
            customer_id=bob,
            subscription_id=shop.subscription_of(bob).id,
            now=world.now(),
            token=token,
            public_url=world.public_url,
        )
        nobody = Desk(world)
        self.take(nobody, "GET /card-update/{token}", [token])
        away = self.take(nobody, "POST /card-update/{token}", [token]).header("location") or ""
        back = save_card(world, away, shop.WORKS).partition("?")[2]
        self.take(nobody, "GET /card-update/{token}/return", [token], query=f"?{back}")

    def book(self) -> None:
        world = self.scene.world
        names = ("books", "waits")
        ada, bea = (shop.customer_with_card(world, email=f"{one}@example.com") for one in names)
        for one in (ada, bea):
            shop.buy(world, one, "ten")
        small, other = class_in(world, places=1), class_in(world, days=4)
        desk, hers = self.scene.customer(ada), self.scene.customer(bea)
        self.take(desk, "GET /schedule")
        self.take(desk, "GET /schedule/{activity}", [small.id])
        self.take(desk, "POST /reservations", activity=small.id)
        mine = desk.data("/reservations")["reservations"][0]["id"]
        self.take(desk, "GET /reservations")
        self.take(desk, "GET /reservations/{reservation}", [mine])
        self.take(desk, "GET /reservations/{reservation}/move", [mine])
        waiting = book(world, bea, small.id, wait=True)
        self.take(desk, "POST /reservations/{reservation}/move", [mine], activity=other.id)
        self.scene.world.run_due()
        self.take(hers, "POST /reservations/{reservation}/accept", [waiting.id])
        (moved,) = [
            one["id"]
            for one in desk.data("/reservations")["reservations"]
            if one["state"] == "booked"
        ]
        self.take(desk, "POST /reservations/{reservation}/cancel", [moved])

    def pay_invoices(self) -> None:
        world = self.scene.world
        ada = shop.customer_with_card(world, email="pays@example.com")
        yoga = class_in(world)
        total = total_of(world, ada, yoga, "ten")
        one = buy_place(world, ada, yoga, "ten", total=total).reservation
        self.take(self.scene.customer(ada), "POST /invoices/{invoice}/pay", [invoice_now(one).id])

    # --- staff ---

    def keep_schedule(self) -> None:
        world = self.scene.world
        olga = self.scene.owner()
        day = (world.now() + timedelta(days=2)).date()
        self.take(
            olga,
            "POST /console/activities",
            location="ny",
            service="yoga",
            date=day,
            time="18:00",
            minutes=60,
            places=5,
        )
        self.take(olga, "GET /console/schedule", query="?location=ny")
        ada = shop.customer_with_card(world, email="comes@example.com")
        shop.buy(world, ada, "ten")
        yoga = class_in(world, days=1)
        comes, cancels = (book(world, ada, yoga.id) for _ in range(2))
        self.take(olga, "GET /console/activities/{activity}", [yoga.id])
        seat = "POST /console/activities/{activity}/seats/{reservation}"
        self.take(olga, f"{seat}/cancel", [yoga.id, cancels.id])
        world.advance(timedelta(days=1) - timedelta(minutes=10))
        self.take(self.scene.owner(), f"{seat}/check-in", [yoga.id, comes.id])
        off = class_in(world, days=2)
        book(world, ada, off.id)
        self.take(self.scene.owner(), "POST /console/activities/{activity}/cancel", [off.id])

    def serve_customers(self) -> None:
        world = self.scene.world
        olga = self.scene.owner()
        ada = shop.customer_with_card(world, email="served@example.com")
        shop.buy(world, ada, "ten")
        (pack,) = shop.packs_of(ada)
        self.take(olga, "GET /console")
        self.take(olga, "GET /console/customers", query="?q=served")
        self.take(olga, "GET /console/customers/{customer}", [ada])
        self.take(olga, "GET /console/customers/{customer}/statement", [ada])
        one = "POST /console/customers/{customer}"
        self.take(olga, f"{one}/sign-in-email", [ada])
        self.take(olga, f"{one}/card-update-email", [ada])
        packs = f"{one}/packs/{{pack}}"
        self.take(olga, f"{packs}/credits", [ada, pack.id], delta=1, reason="A gift")
        later = (world.now() + timedelta(days=120)).date()
        self.take(olga, f"{packs}/expiry", [ada, pack.id], expires_on=later, reason="She was ill")
        bob = shop.customer_with_card(world, email="trusted@example.com")
        yoga = class_in(world)
        buy_place(world, bob, yoga, "ten", total=total_of(world, bob, yoga, "ten"))
        (unpaid,) = shop.packs_of(bob)
        self.take(olga, f"{packs}/activate", [bob, unpaid.id], reason="Pays on Friday")

    def run_subscriptions(self) -> None:
        world = self.scene.world
        olga = self.scene.owner()
        ada = shop.newcomer(world, "cash@example.com")
        of_one = "/console/customers/{customer}/subscriptions"
        self.take(olga, f"GET {of_one}", [ada])
        started = {"product": "month", "location": "ny", "collected_by": "recording"}
        self.take(olga, f"POST {of_one}", [ada], **started)
        world.run_due()
        subscription = shop.subscription_of(ada).id
        invoice = shop.invoices_of(ada)[-1]
        cash = {"kind": "cash", "amount": "53.04"}
        self.take(
            olga,
            "POST /console/customers/{customer}/invoices/{invoice}/payments",
            [ada, invoice.id],
            **cash,
        )
        one = f"POST {of_one}/{{subscription}}"
        at = [ada, subscription]
        self.take(olga, f"{one}/payments", at, **cash)
        self.take(olga, f"{one}/pause", at)
        self.take(olga, f"{one}/resume", at)
        self.take(olga, f"{one}/cancel", at, when="period_end")
        self.take(olga, f"{one}/cancel/undo", at)

    def ask_for_what_is_owed(self) -> None:
        world = self.scene.world
        ada = shop.customer_with_card(world, email="owes@example.com")
        asked, waived = (
            book(world, ada, class_in(world, days=days).id, pay_later=True) for days in (1, 2)
        )
        world.advance(timedelta(days=3))
        olga = self.scene.owner()
        self.take(olga, "GET /console/outstanding", query="?location=ny")
        one = "POST /console/outstanding/{customer}/{reservation}"
        self.take(olga, f"{one}/invoice", [ada, asked.id])
        self.take(olga, f"{one}/waive", [ada, waived.id], reason="She was ill")

    def look_after_the_business(self) -> None:
        world = self.scene.world
        olga = self.scene.owner()
        self.take(olga, "GET /console/retry-policy")
        self.take(olga, "GET /console/providers")
        self.take(olga, "POST /console/providers/check")
        version = olga.data("/console/providers")["version"]
        self.take(olga, "POST /console/providers/preferred", provider="stripe", version=version)
        self._set_aside()
        (notice,) = shop.notices(NoticeKind.PARKED)
        self.take(olga, "POST /console/notices/{notice}/release", [notice.id])
        plain = Notice(
            id=world.wiring.new_id(),
            kind=NoticeKind.PERIOD_SKIPPED,
            title="A notice",
            detail="To be marked done",
            created_at=world.now(),
        )
        transactions.notify([plain])
        self.take(olga, "POST /console/notices/{notice}/done", [plain.id])
        self.take(olga, "POST /console/sign-out")

    def _set_aside(self) -> None:
        """A subscription that was leased too often, so that the sweep parks it."""
        world = self.scene.world
        ada = shop.subscribed(world, "month", email="parked@example.com")
        (row,) = accounts.subscriptions_of(ada).rows
        assert row.due_at is not None
        entry = due.Entry(row.ref.pk, row.ref.sk, row.due_at, "later#0")
        notice = Notice(
            id=world.wiring.new_id(),
            kind=NoticeKind.PARKED,
            customer_id=ada,
            title="Set aside",
            detail="To be released",
            created_at=world.now(),
            parked=Parked(pk=entry.pk, sk=entry.sk, worker=entry.worker.value),
        )
        assert due.park(due.Leased(entry, row.due_at, due.MAX_TRIES + 1), notice)
