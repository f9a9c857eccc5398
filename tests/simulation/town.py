"""A small merchant and its customers, who do what people do, over HTTP, by seed."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel

from infra.local.http_api import Response
from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.customer import Customer
from shared.domain.dunning import RetryPolicy, Then
from shared.domain.invariants import CustomerBooks
from shared.domain.pack import Pack
from shared.domain.product import Catalogue
from shared.domain.subscription import Subscription
from shared.operations.cards import ENTER_PATH
from shared.operations.visit import staff_cookie
from shared.store import sessions
from shared.store.items import document
from shared.store.sessions import Audience, Session
from shared.store.staff import Role, StaffMember, write_staff_member
from shared.store.writing import commit, overwrite
from shared.web.answer import SESSION_COOKIE, STAFF_COOKIE
from tests import banking
from tests.banking import Skill
from tests.shop_floor import (
    ALSO_WORKS,
    FAILS_LATER,
    LOST_CARD,
    NEEDS_AUTHENTICATION,
    WORKS,
    catalogue_of,
    let_card_behave_as,
)
from tests.simulation.town_bank import Bank
from tests.simulation.town_desk import Desk
from tests.simulation.town_places import Places, Resident
from tests.simulation.town_recurring import Recurring
from tests.simulation.town_weekly import Weekly
from tests.simulation.watched import Watched

MAX_PRESSES = 3
"""How often somebody who got no answer presses the same button again."""

MAX_STEPS_TO_SIGN_IN = 3
SOLD = (
    "month",
    "month",
    "five_days",
    "open",
    "gift",
    "trial",
    "short_trial",
    "ten",
    "mat",
    "support",
)
CARDS = (WORKS, ALSO_WORKS, FAILS_LATER, LOST_CARD, NEEDS_AUTHENTICATION)
ZONES = (
    "America/New_York", "Europe/Berlin", "America/Nuuk", "Australia/Lord_Howe", "America/St_Johns",
    "Pacific/Auckland", "America/Santiago", "Africa/Cairo", "Asia/Kolkata", "Pacific/Apia",
)  # fmt: skip
FAULTS = tuple(fault for fault in Fault if fault is not Fault.DECLINE)
CALLS = (
    Operation.CHARGE,
    Operation.CHARGE,
    Operation.LOOK_UP,
    Operation.REFUND,
    Operation.CANCEL_CHARGE,
)
STAFF = "owner@example.com"

M = TypeVar("M", bound=BaseModel)


def merchant_by(rng: random.Random) -> Catalogue:
    """A merchant with two locations somewhere and a retry policy of its own."""
    whole = catalogue_of(
        retry=RetryPolicy(tries=rng.choice((6, 6, 6, 4)), then=rng.choice((Then.CANCEL, *Then)))
    )
    first, second = rng.sample(ZONES, 2)
    ny, be = whole.locations
    return whole.model_copy(
        update={
            "locations": (
                ny.model_copy(update={"zone": first}),
                be.model_copy(update={"zone": second}),
            )
        }
    )


class Town:
    """Whoever does something: residents, staff, the provider, strangers. `note` writes down what
    happens; `wrong` what may never be answered."""

    def __init__(
        self,
        world: LocalWorld,
        watched: Watched,
        rng: random.Random,
        note: Callable[[str], None],
        providers: Sequence[str],
    ) -> None:
        self.world, self.watched, self.rng, self.note = world, watched, rng, note
        self.providers = tuple(providers)
        """At which its people pay."""
        self.wrong: list[str] = []
        self.residents: list[Resident] = []
        self.later: list[tuple[Any, Callable[[], Any]]] = []
        self._over: dict[str, datetime] = {}
        """Subscriptions that somebody was told are cancelled, and when."""
        self._to_end: set[str] = set()
        """Those of which somebody was told that nothing more is charged."""
        self._paid: set[str] = set()
        """Orders that were answered as paid."""
        self._changes: Counter[str] = Counter()
        """How often staff were told that a pack's credits are changed."""
        write_staff_member(StaffMember(email=STAFF, name="", role=Role.OWNER))
        self._begin_session("staffs-secret", Audience.STAFF, STAFF, None)
        self.desk = {STAFF_COOKIE: staff_cookie(STAFF, "staffs-secret")}
        self.places = Places(self)
        self.staff = Desk(self)
        self.recurring = Recurring(self)
        self.bank = Bank(self)
        self.weekly = Weekly(self)

    # --- requests ---

    def ask(
        self,
        cookies: dict[str, str],
        method: str,
        path: str,
        content: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Response:
        headers = {"accept": "application/json"}
        if content is not None:
            headers["content-type"] = "application/json"
        if key is not None:
            headers["idempotency-key"] = key
        if cookies:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        body = b"" if content is None else json.dumps(content).encode()
        response = self.world.request(method, path, headers, body)
        for name, value in response.headers:
            if name.lower() == "set-cookie":
                pair, *attributes = value.split(";")
                cookie, _, secret = pair.partition("=")
                gone = any(one.strip().lower() == "max-age=0" for one in attributes)
                cookies.pop(cookie, None) if gone else cookies.__setitem__(cookie, secret)
        return response

    def press(
        self, cookies: dict[str, str], path: str, content: Mapping[str, Any], key: str | None = None
    ) -> Response:
        """Whoever gets no answer, or an error that is not theirs, presses again: the same form."""
        key = key or self.world.wiring.new_id()
        response = self.ask(cookies, "POST", path, content, key)
        for _ in range(MAX_PRESSES - 1):
            if response.status < 500 and self.rng.random() > 0.1:
                break
            response = self.ask(cookies, "POST", path, content, key)
        self.note(f"  POST {path} {json.dumps(content)}: {response.status}")
        return response

    # --- residents ---

    def settle_in(self, email: str, customer: Customer) -> Resident:
        """Somebody who was a customer before, and stays signed in."""
        one = Resident(email, customer_id=customer.id)
        self._stay(one)
        return one

    def _stay(self, one: Resident) -> None:
        secret = f"secret-of-{one.customer_id}"
        self._begin_session(secret, Audience.CUSTOMER, one.email, one.customer_id)
        one.cookies[SESSION_COOKIE] = f"{one.customer_id}.{secret}"
        self.residents.append(one)

    def _begin_session(
        self, secret: str, audience: Audience, email: str, customer_id: str | None
    ) -> None:
        """One that lasts for the whole simulation."""
        session = Session(
            audience=audience,
            customer_id=customer_id,
            email=email,
            signed_in_at=self.world.now(),
            ends_at=self.world.now() + timedelta(days=366),
        )
        commit([overwrite(sessions.session(secret), session)])

    def somebody_comes(self) -> None:
        """A stranger fills a cart, asks for a link, and is a customer by using it."""
        newcomer = Resident(f"new{len(self.residents)}@example.com")
        self.ask(newcomer.cookies, "POST", "/cart/lines", {"product": self.rng.choice(SOLD)})
        self.press(newcomer.cookies, "/sign-in", {"email": newcomer.email})
        for _ in range(MAX_STEPS_TO_SIGN_IN):
            self.world.advance(timedelta(minutes=2))
            mails = self.world.mailbox.sent(newcomer.email)
            if mails:
                break
        else:
            return
        root = f"{self.world.public_url}/sign-in/"
        token = mails[0].text.split(root)[1].split()[0]
        self.ask(newcomer.cookies, "GET", f"/sign-in/{token}")
        response = self.press(newcomer.cookies, f"/sign-in/{token}", {})
        value = newcomer.cookies.get(SESSION_COOKIE)
        if response.status >= 400 or value is None:
            return
        newcomer.customer_id = value.partition(".")[0]
        self._stay(newcomer)
        self.note(f"  {newcomer.email} is {newcomer.customer_id}")
        self.new_card(newcomer)
        self.pay_cart(newcomer)

    def shop(self, one: Resident, *wanted: str) -> None:
        for product in wanted or self.rng.sample(SOLD, self.rng.choice((1, 1, 2))):
            line: dict[str, Any] = {"product": product}
            if product in ("month", "five_days") and self.rng.random() < 0.3:
                days = self.rng.randrange(1, 9)
                line["starts_on"] = f"{self.world.now() + timedelta(days=days):%Y-%m-%d}"
            if product == "open" and self.rng.random() < 0.5:
                line["until"] = f"{self.world.now() + timedelta(days=40):%Y-%m-%d}"
            self.ask(one.cookies, "POST", "/cart/lines", line)
        self.pay_cart(one)

    def pay_cart(self, one: Resident) -> None:
        review = self.ask(one.cookies, "GET", "/checkout")
        if review.status != 200:
            return
        page = review.json()
        content = {
            "cart": page["cart"],
            "card": page["card"],
            "expected_total": page["expected_total"],
            "seen": page["seen"],
        }
        answer = self.press(one.cookies, "/checkout", content, page["idempotency_key"])
        if answer.status in (200, 201) and answer.json().get("state") == "paid":
            self._paid.add(f"{one.customer_id}/{page['cart']}")

    def new_card(self, one: Resident) -> None:
        """The provider's page, filled in, and back; sometimes nobody comes back. Or its field in a
        page of ours."""
        away = self.press(one.cookies, "/cards", {})
        if away.status != 201:
            return
        number = self.rng.choice((WORKS, WORKS, ALSO_WORKS, FAILS_LATER, NEEDS_AUTHENTICATION))
        page = urlsplit(away.json()["url"])
        if page.path == ENTER_PATH:
            filled_in = banking.field_filled_in(self.world, number)
            self.press(one.cookies, ENTER_PATH, filled_in)
            return
        leads = banking.type_card(self.world, away.json()["url"], number)
        if leads is not None and self.rng.random() < 0.8:
            back = urlsplit(leads)
            self.ask(one.cookies, "GET", f"{back.path}?{back.query}")

    def cancel(self, one: Resident) -> None:
        what = self.agreement(one)
        if what is not None:
            when = self.rng.choice(("now", "period_end", "period_end"))
            answer = self.press(one.cookies, f"/subscriptions/{what.id}/cancel", {"when": when})
            self._promised_to_end(what, when, answer)

    def _promised_to_end(self, what: Subscription, when: str, answer: Response) -> None:
        if answer.status < 400 and when == "now":
            self.is_over(what.id)
        elif answer.status < 400:
            self._to_end.add(what.id)

    def is_over(self, subscription_id: str) -> None:
        """Somebody was told that it has ended."""
        self._over.setdefault(subscription_id, self.world.now())

    def undo(self, one: Resident) -> None:
        what = self.agreement(one)
        if what is not None and what.cancel_at_period_end:
            self._to_end.discard(what.id)
            self.press(one.cookies, f"/subscriptions/{what.id}/cancel/undo", {})

    def pay(self, one: Resident) -> None:
        head = self._head(one)
        for owed in head.past_due if head else ():
            path = f"/subscriptions/{owed.subscription_id}/pay"
            self.press(one.cookies, path, {})

    def change_default(self, one: Resident) -> None:
        head = self._head(one)
        if head is not None and head.cards:
            card = self.rng.choice(head.cards)
            action = self.rng.choice(("default", "default", "remove"))
            self.press(one.cookies, f"/cards/{card.id}/{action}", {})

    def card_turns(self, one: Resident) -> None:
        head = self._head(one)
        card = head.card_for(None) if head else None
        if card is not None:
            number = self.rng.choice((*CARDS, *banking.NUMBERS[card.provider]))
            self.note(f"  the card of {one.email} now behaves as …{number[-4:]}")
            let_card_behave_as(self.world, card, number)

    def confirm(self, one: Resident) -> None:
        for seen in banking.charges(self.world):
            theirs = (seen.charge_ref or "").startswith(f"{one.customer_id}/")
            if theirs and seen.state == "requires_action":
                confirmed = self.rng.choice((True, True, False))
                did = "confirmed" if confirmed else "refused"
                self.note(f"  {seen.id} is {did} by {one.email}")
                banking.confirm(self.world, seen, confirmed=confirmed)

    # --- staff ---

    def staff_change_credits(self, one: Resident) -> None:
        packs = self.stored(one, "pack", Pack)
        if packs:
            pack = self.rng.choice(packs)
            path = f"/console/customers/{one.customer_id}/packs/{pack.id}/credits"
            content = {"delta": self.rng.choice((-1, -1, -2, 1)), "reason": "a class"}
            if self.press(self.desk, path, content).status < 400:
                self._changes[pack.id] += 1

    def staff_cancel(self, one: Resident) -> None:
        what = self.agreement(one)
        if what is not None:
            path = f"/console/customers/{one.customer_id}/subscriptions/{what.id}/cancel"
            when = self.rng.choice(("now", "period_end"))
            self._promised_to_end(what, when, self.press(self.desk, path, {"when": when}))

    # --- what was promised ---

    def broken_promises(self, books: CustomerBooks) -> Iterator[str]:
        """What somebody was told, and is not so: an answer is a promise."""
        yield from self._broken_about_subscriptions(books)
        yield from self.places.broken_promises(books)
        yield from self.staff.broken_promises(books)
        yield from self.recurring.broken_promises(books)
        charges = {one.ref: one for one in books.charges}
        for ref in self._paid:
            if ref.partition("/")[0] == books.customer.id and (
                ref not in charges or charges[ref].settled_at is None
            ):
                yield f"{ref} was answered as paid and is not"
        by_staff = Counter(one.pack_id for one in books.entries if "@" in one.by)
        for pack in books.packs:
            if by_staff[pack.id] < self._changes[pack.id]:
                yield f"credits of {pack.id} were changed, and no entry says so"

    def _broken_about_subscriptions(self, books: CustomerBooks) -> Iterator[str]:
        for one in books.subscriptions:
            if one.id in self._over and not one.over:
                yield f"{one.id} was cancelled and is {one.state.value}"
            if one.id in self._to_end and not (one.over or one.cancel_at_period_end):
                yield f"{one.id} was to end with its period and goes on"
        for charge in books.charges:
            told_at = self._over.get(charge.subscription_id or "")
            if told_at and any(try_.started_at > told_at for try_ in charge.attempts):
                yield f"{charge.ref} was asked for after its subscription was cancelled"

    # --- the provider, and strangers ---

    def provider_misbehaves(self) -> None:
        name = self.rng.choice(self.providers)
        fault, call = self.rng.choice(FAULTS), self.rng.choice(CALLS)
        if fault is Fault.LATE:
            call = Operation.CHARGE
        times, seconds = self.rng.randrange(1, 5), self.rng.randrange(60, 4 * 86_400)
        self.note(f"  {name}: {fault.value} of {call.value}, {times} times")
        banking.misbehave(self.world, name, call, fault, times=times, seconds=seconds)

    def payments_are_given_up(self) -> None:
        """By the merchant, at the provider's own pages, or by the provider itself, which does not
        let one be tried for ever."""
        name = self.rng.choice(self.providers_that(Skill.GIVING_UP))
        bank = banking.stand_in(self.world, name)
        unpaid = [one for one in bank.charges() if one.state in ("failed", "requires_action")]
        if unpaid and self.rng.random() < 0.7:
            one = self.rng.choice(unpaid)
            self.note(f"  {one.charge_ref}: {one.id} is given up")
            bank.cancel_payment(one.id)
            self.world.settle_if_free()
        else:
            bank.limit_confirmations(self.rng.choice((None, 2, 3)))

    def webhooks_misbehave(self) -> None:
        bank = banking.stand_in(self.world, self.rng.choice(self.providers_that(Skill.WEBHOOKS)))
        bank.webhooks(repeat=self.rng.randrange(1, 4), shuffle=self.rng.random() < 0.5)
        match self.rng.randrange(3):
            case 0:
                bank.webhooks(hold=True)
            case 1:
                bank.release_webhooks()
            case _:
                bank.discard_webhooks()

    def stranger_forges(self) -> None:
        """A webhook that is not the provider's, or one that was and is too old or too new."""
        name = self.rng.choice(self.providers)
        charges = banking.charges(self.world, name)
        about = {
            "id": "ch_1",
            "metadata": {"charge_ref": charges[-1].charge_ref if charges else ""},
        }
        number = self.rng.getrandbits(64)
        body = json.dumps(
            {"id": f"evt_{number}", "type": "charge.succeeded", "created": 1, "object": about}
        ).encode()
        off = self.rng.choice((-86_400, -600, -302, 302, 600, 86_400))
        at = self.world.now() + timedelta(seconds=off)
        headers = banking.signature(self.world, name, body, at)
        if self.rng.random() < 0.5:
            headers = banking.signature(self.world, name, body + b" ", self.world.now())
        response = self.world.request(
            "POST", f"/webhooks/{name}", {"content-type": "application/json", **headers}, body
        )
        if response.status != 400:
            self.wrong.append(f"a forged webhook was answered with {response.status}")

    def providers_that(self, *skills: Skill) -> list[str]:
        """Those of the town that can do this."""
        return [name for name in self.providers if banking.can(name, *skills)]

    def another_is_preferred(self) -> None:
        """Staff let new cards go elsewhere ([MANY])."""
        page = self.ask(self.desk, "GET", "/console/providers")
        if page.status == 200:
            content = {
                "provider": self.rng.choice(self.providers),
                "version": page.json()["version"],
            }
            self.press(self.desk, "/console/providers/preferred", content)

    def event_comes_again(self, among: int = 20) -> None:
        """The bus delivers once more one of the last events."""
        if self.world.bus.seen:
            event = self.rng.choice(self.world.bus.seen[-among:])
            entry = {
                "Source": event["source"],
                "DetailType": event["detail-type"],
                "EventBusName": self.world.bus.name,
                "Detail": json.dumps(event["detail"]),
            }
            self.note(f"  {event['detail-type']} comes again")
            self.world.bus.call("PutEvents", json.dumps({"Entries": [entry]}).encode())
            self.world.settle_if_free()

    def more_shards(self, environ: dict[str, str]) -> None:
        """A deployment spreads the queue over one shard more; what waits keeps its own."""
        shards = min(self.world.wiring.environment.due_shards + 1, 3)
        environ["DUE_SHARDS"] = str(shards)
        wiring = self.world.wiring
        wiring.environment = wiring.environment._replace(due_shards=shards)

    # --- who and what ---

    def anybody(self) -> Resident:
        return self.rng.choice(self.residents)

    def _head(self, one: Resident) -> Customer | None:
        item = self.watched.items.get((f"customer#{one.customer_id}", "head"))
        return None if item is None else Customer.model_validate_json(document(item))

    def agreement(self, one: Resident) -> Subscription | None:
        alive = [each for each in self.stored(one, "subscription", Subscription) if not each.over]
        return self.rng.choice(alive) if alive else None

    def stored(self, one: Resident, kind: str, model: type[M]) -> list[M]:
        """What is stored of somebody, of one kind."""
        return [
            model.model_validate_json(document(item))
            for item in self.watched.of(f"customer#{one.customer_id}")
            if item["kind"]["S"] == kind
        ]
