"""What each function of the template is asked first when it starts: its most usual page, a signed
event of the provider, or one item that is due.

The business is the demo's (`infra/local/demo.py`), played up to `BEHIND` ago; nobody worked since,
so there is something due for every worker.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from infra.local import demo, lambdas
from infra.local.bus import Webhook
from infra.local.demo_catalogue import RIVERSIDE
from infra.local.demo_people import want
from infra.local.demo_verbs import Person, WentWrong
from infra.local.http_api import Request, event_of
from infra.local.sandbox_faults import Fault, Operation
from infra.local.template import ACCOUNT_ID, REGION, Function
from infra.local.world import LocalWorld
from shared.domain.due import Worker, due_moment, utc_text
from shared.operations.visit import staff_cookie
from shared.store import accounts, sessions
from shared.store.items import Row
from shared.store.listed import DirectoryEntry
from shared.store.marks import AuditMark
from shared.store.sessions import Audience, Session
from shared.store.writing import commit, overwrite
from shared.web.answer import SESSION_COOKIE, STAFF_COOKIE

BEHIND = timedelta(days=24)
"""How long nobody worked: by then everything that waits for a moment is due."""

ADA = "demo-ada"
AUDITED = "Zuri Last"
"""Whose books the audit looks at: the last in the directory. Nothing of them ever falls due, or the
audit would find it lying some minutes after its calls were noted, and look twice."""
SECRET = "secret-of-somebody-who-is-signed-in-here-now"
OWNER = demo.STAFF[0].email
BROWSER = {
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-encoding": "gzip, deflate, br",
    "accept-language": "en-US,en;q=0.5",
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "navigate",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}


@dataclass(frozen=True)
class First:
    """A function and what it is asked: `name` is the figure's; `event` is made anew for each
    start, as a signature does not hold for long."""

    name: str
    function: Function
    event: Callable[[], dict[str, Any]]


def open_business(public_url: str) -> LocalWorld:
    """The demo's business, with something due for everybody. Its clock is the real one's."""
    now = datetime.now(UTC).replace(microsecond=0)
    then = now - BEHIND
    world = LocalWorld(start=demo.begins(then), public_url=public_url, banks_over_http=True)
    demo.load(world, then)
    world.wiring.provider_overrides.update(world.adapters())
    audited = Person(world, "demo-audited", AUDITED, RIVERSIDE)
    audited.join()
    audited.save_card()
    audited.buy(want("yoga-10"))
    world.advance(timedelta(minutes=10))  # so that nothing waits for anybody any more
    unsure = Person(world, "demo-unsure", "Una Sure", RIVERSIDE)
    unsure.join()
    unsure.save_card()
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    with suppress(WentWrong):  # what became of this charge is for `reconcile` to find out
        unsure.buy(want("treats"))
    world.sandbox.behave()
    world.sandbox.webhooks(hold=False)
    world.clock.move_to(now)
    world.clock.go_on()
    _sign_in(world)
    Person(world, ADA, "Ada Lindqvist", RIVERSIDE).fill_cart(want("yoga-10"))
    return world


def _sign_in(world: LocalWorld) -> None:
    for audience, email, customer in (
        (Audience.CUSTOMER, "ada@example.com", ADA),
        (Audience.STAFF, OWNER, None),
    ):
        session = Session(
            audience=audience,
            customer_id=customer,
            email=email,
            signed_in_at=world.now(),
            ends_at=world.now() + timedelta(hours=8),
        )
        commit([overwrite(sessions.session(f"{SECRET}-{audience.value}"), session)])


PAGES: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "functions.portal.sign_in.handler": (("", "GET", "/sign-in"), (".post", "POST", "/sign-in")),
    "functions.portal.shop.handler": (("", "GET", "/shop"),),
    "functions.portal.cart.handler": (("", "GET", "/cart"),),
    "functions.portal.checkout.handler": (("", "GET", "/checkout"),),
    "functions.portal.cards.handler": (("", "GET", "/cards"),),
    "functions.portal.account.handler": (("", "GET", "/account"),),
    "functions.portal.packs.handler": (("", "GET", "/packs"),),
    "functions.portal.subscriptions.handler": (("", "GET", "/subscriptions"),),
    "functions.portal.invoices.handler": (("", "GET", "/invoices"),),
    "functions.portal.schedule.handler": (("", "GET", "/schedule"),),
    "functions.portal.activity.handler": (("", "GET", "/schedule/{activity}"),),
    "functions.portal.booking.handler": (("", "GET", "/reservations"),),
    "functions.console.console.handler": (("", "GET", "/console"),),
}
"""By handler: what is added to the figure's name, method and path. `{activity}` is the next one."""


def first_events(world: LocalWorld) -> Iterator[First]:
    """One or two for every function of the template, in an order in which each finds its work:
    what is renewed before is numbered, told and reported afterwards."""
    of_handler = {one.handler: one for one in world.template.functions}
    for handler, pages in PAGES.items():
        function = of_handler.pop(handler)
        for suffix, method, pattern in pages:
            path = pattern.replace("{activity}", _next_activity(world))
            event = partial(_request, world, method, path)
            yield First(f"{_name(handler)}{suffix}", function, event)
    renewals = of_handler.pop("functions.billing.renewals.handler")
    yield First("billing.renewals", renewals, _once(partial(_due, world, Worker.RENEWALS)))
    receive = of_handler.pop("functions.webhooks.receive.handler")
    yield First("webhooks.receive", receive, partial(_signed, world, _reported(world)))
    by_the_clock = {one.function.handler for one in world.template.schedules}
    for rule in world.template.rules:
        if rule.function.handler in by_the_clock:
            continue
        if of_handler.pop(rule.function.handler, None) is not None:
            worker = Worker(rule.pattern["detail-type"][0])
            due = _once(partial(_due, world, worker))
            yield First(_name(rule.function.handler), rule.function, due)
    _audited_but_one(world)
    for schedule in world.template.schedules:
        if of_handler.pop(schedule.function.handler, None) is not None:
            _aged(world)
            tick = partial(_tick, world)
            yield First(_name(schedule.function.handler), schedule.function, tick)
    if of_handler:
        raise LookupError(f"nothing is known to ask of {', '.join(of_handler)}")


def _next_activity(world: LocalWorld) -> str:
    now = world.now()
    coming = accounts.schedule_of(RIVERSIDE.id, now, now + timedelta(days=7))
    return next(row.value.id for row in coming if row.value.open_at(now))


def _audited_but_one(world: LocalWorld) -> None:
    """Today's audit looks at one customer: the last, by address."""
    rows: list[Row[DirectoryEntry]] = []
    page = accounts.customers_by_address("")
    rows += page.rows
    while page.next:
        page = accounts.customers_by_address("", after=page.next)
        rows += page.rows
    mark = AuditMark(after=rows[-2].ref.sk, round_began_at=world.now())
    commit([overwrite(accounts.audit_mark(), mark)])


def _aged(world: LocalWorld) -> None:
    """What became due just now is so for an hour: how long it waits decides what a sweep does with
    it, and that is to be the same at every start. What functions left, they dated by the machine's
    clock."""
    dynamodb, table = world.client("dynamodb"), world.template.environment["ACCOUNTS_TABLE"]
    now = datetime.now(UTC)
    found = dynamodb.scan(TableName=table, FilterExpression="attribute_exists(due_at)")["Items"]
    for item in found:
        _, _, rest = item["due_at"]["S"].partition("#")
        if now - timedelta(hours=1) < due_moment(item["due_at"]["S"])[0] <= now:
            earlier = utc_text(now - timedelta(hours=1))
            dynamodb.update_item(
                TableName=table,
                Key={"pk": item["pk"], "sk": item["sk"]},
                UpdateExpression="SET due_at = :earlier",
                ExpressionAttributeValues={":earlier": {"S": f"{earlier}#{rest}"}},
            )


def _name(handler: str) -> str:
    return handler.removeprefix("functions.").removesuffix(".handler")


def _once(make: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """The event as it was made first: afterwards the item is not due any more."""
    made: list[dict[str, Any]] = []

    def event() -> dict[str, Any]:
        if not made:
            made.append(make())
        return made[0]

    return event


def _request(world: LocalWorld, method: str, path: str) -> dict[str, Any]:
    cookies = (
        f"{SESSION_COOKIE}={ADA}.{SECRET}-customer; "
        f"{STAFF_COOKIE}={staff_cookie(OWNER, f'{SECRET}-staff')}"
    )
    headers = [("host", world.public_url.partition("//")[2]), *BROWSER.items()]
    if path != "/sign-in":
        headers.append(("cookie", cookies))
    body = b""
    if method == "POST":
        headers.append(("content-type", "application/x-www-form-urlencoded"))
        body = urlencode({"email": "ada@example.com"}).encode()
    request = Request(method, path, headers, body)
    match = world.routes.find(method, path)
    assert match is not None
    return event_of(request, match, world.now(), "first")


def _due(world: LocalWorld, worker: Worker) -> dict[str, Any]:
    """The event of the bus that names the item longest due for `worker`."""
    table = world.template.environment["ACCOUNTS_TABLE"]
    found = world.client("dynamodb").scan(
        TableName=table, FilterExpression="attribute_exists(due_at)"
    )["Items"]
    waiting = sorted(
        (item["due_at"]["S"], item["pk"]["S"], item["sk"]["S"])
        for item in found
        if due_moment(item["due_at"]["S"])[1] is worker
    )
    if not waiting:
        raise LookupError(f"nothing is due for {worker}")
    due_at, pk, sk = waiting[0]
    return {
        "version": "0",
        "id": "first",
        "detail-type": worker.value,
        "source": "punchcard",
        "account": ACCOUNT_ID,
        "time": world.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [],
        "detail": {"due": [{"pk": pk, "sk": sk, "due_at": due_at}]},
    }


def _tick(world: LocalWorld) -> dict[str, Any]:
    return lambdas.schedule_event(world.now().strftime("%Y-%m-%dT%H:%M:%SZ"))


def _reported(world: LocalWorld) -> Callable[[], Webhook]:
    """What the provider reports of the renewal."""
    made: list[Webhook] = []

    def webhook() -> Webhook:
        while not made:
            task = world.agenda.take(world.now() + timedelta(minutes=5))
            assert task is not None, "the provider reports nothing"
            if isinstance(task, Webhook):
                made.append(task)
        return made[0]

    return webhook


def _signed(world: LocalWorld, reported: Callable[[], Webhook]) -> dict[str, Any]:
    webhook = reported()
    signature = world.sandbox.hooks.signature(webhook.body, world.now())
    headers = {**webhook.headers, "Sandbox-Signature": signature, "host": "127.0.0.1"}
    request = Request("POST", webhook.path, list(headers.items()), webhook.body)
    match = world.routes.find("POST", webhook.path)
    assert match is not None
    return event_of(request, match, world.now(), "first")
