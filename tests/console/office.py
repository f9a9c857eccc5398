"""Staff at their desks, for the console's tests: sessions, and what comes back."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from infra.local.http_api import Response
from infra.local.mailbox import Mail
from infra.local.world import LocalWorld
from shared.domain.activity import Activity, new_id
from shared.domain.reservation import Reservation
from shared.operations import booking
from shared.operations.booking import Wish
from shared.operations.visit import staff_cookie
from shared.store import accounts, bookings, sessions
from shared.store.reading import read
from shared.store.sessions import Audience, Session
from shared.store.staff import Role, StaffMember, write_staff_member
from shared.store.timeline import TimelineEvent
from shared.store.writing import commit, overwrite
from shared.web.answer import SESSION_COOKIE, STAFF_COOKIE
from tests import shop_floor


@dataclass
class Desk:
    """A browser with somebody's session. A program asks for JSON, a person for pages."""

    world: LocalWorld
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self,
        method: str,
        path: str,
        fields: dict[str, Any] | None = None,
        *,
        accept: str = "application/json",
        **headers: str,
    ) -> Response:
        sent = {"accept": accept, **{name.replace("_", "-"): at for name, at in headers.items()}}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method == "POST":
            sent["content-type"] = "application/x-www-form-urlencoded"
        return self.world.request(method, path, sent, urlencode(fields or {}))

    def data(self, path: str) -> Any:
        response = self.ask("GET", path)
        assert response.status == 200, (path, response.status, response.body)
        return json.loads(response.body)

    def page(self, path: str) -> str:
        response = self.ask("GET", path, accept="text/html")
        assert response.status == 200, (path, response.status, response.body)
        return response.body.decode()

    def post(self, path: str, **fields: Any) -> Response:
        return self.ask("POST", path, fields)


def staff(
    world: LocalWorld,
    role: Role = Role.OWNER,
    *,
    email: str = "",
    locations: tuple[str, ...] | None = None,
    notices: tuple[str, ...] | None = None,
) -> Desk:
    """Somebody who works here and has just signed in."""
    email = email or f"{role.value}@happypaws.example"
    write_staff_member(
        StaffMember(email=email, name="", role=role, locations=locations, notices=notices)
    )
    secret = "secret-of-" + email.partition("@")[0]
    _begin_session(world, secret, Audience.STAFF, email, None)
    return Desk(world, {STAFF_COOKIE: staff_cookie(email, secret)})


def customer(world: LocalWorld, customer_id: str) -> Desk:
    """A stored customer who has just signed in."""
    secret = f"secret-of-{customer_id}"
    _begin_session(world, secret, Audience.CUSTOMER, "ada@example.com", customer_id)
    return Desk(world, {SESSION_COOKIE: f"{customer_id}.{secret}"})


def _begin_session(
    world: LocalWorld, secret: str, audience: Audience, email: str, customer_id: str | None
) -> None:
    session = Session(
        audience=audience,
        customer_id=customer_id,
        email=email,
        signed_in_at=world.now(),
        ends_at=world.now() + timedelta(minutes=30),
    )
    commit([overwrite(sessions.session(secret), session)])


def activity_at(world: LocalWorld, location_id: str = "ny", *, places: int = 5) -> str:
    """A yoga class three days from now; answers its id."""
    starts_at = world.now() + timedelta(days=3)
    zone = "America/New_York" if location_id == "ny" else "Europe/Berlin"
    one = Activity(
        id=new_id(location_id, starts_at, world.wiring.new_id()),
        location_id=location_id,
        zone=zone,
        service_id="yoga",
        name="Yoga",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        places=places,
    )
    bookings.create_activities([one])
    return one.id


def book(world: LocalWorld, customer_id: str, activity_id: str, **more: Any) -> Reservation:
    wish = Wish(customer_id=customer_id, activity_id=activity_id, **more)
    reservation_id = world.wiring.new_id()
    press = wish.press(f"key-{reservation_id}", reservation_id)
    head = accounts.head(customer_id)
    found = read(head, *wish.refs(press))
    row = found.get(head)
    assert row is not None
    return booking.book(shop_floor.context_of(world), wish, press, row, found)


def code_of(response: Response) -> str:
    code: str = json.loads(response.body)["code"]
    return code


def told(desk: Desk, customer_id: str) -> list[dict[str, Any]]:
    """The whole timeline, oldest first."""
    found: list[dict[str, Any]] = []
    query = ""
    while True:
        page = desk.data(f"/console/customers/{customer_id}{query}")
        found += page["timeline"]
        if page["next"] is None:
            return found[::-1]
        query = "?" + urlencode({"before": page["next"]})


def events_of(customer_id: str, what: str) -> list[TimelineEvent]:
    rows = accounts.timeline_of(customer_id).rows
    return [row.value for row in rows if row.value.what == what]


def mails_to(world: LocalWorld, address: str) -> list[Mail]:
    """Newest first."""
    return world.mailbox.sent(address)
