"""A visit: who comes, with what cookies, and what one round trip brings them.

A cookie is a claim until the item behind it was read. Claims already name the keys, so that the
session, the customer, the catalogue and what the page needs come in one BatchGet; what was read
for a claim that does not hold is dropped before anybody sees it.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from shared.domain.business import Business, Location
from shared.domain.customer import Customer
from shared.domain.errors import Unavailable
from shared.store import people, sessions, snapshot
from shared.store.items import Lost, Ref, Row, StoreUnavailable
from shared.store.reading import Found, read
from shared.store.sessions import Audience, Session

if TYPE_CHECKING:
    from shared.domain.cart import Cart
    from shared.domain.product import Catalogue
    from shared.store.staff import StaffMember

__all__ = [
    "Audience",
    "Claims",
    "Found",
    "Lost",
    "Ref",
    "Refs",
    "Row",
    "Session",
    "StaffMember",
    "StoreUnavailable",
    "Visit",
    "look",
    "more",
    "staff_cookie",
]

MAX_COOKIE = 512


class Claims(NamedTuple):
    """What the cookies say, unproven. `chosen` is the location in the cookie; `location_id` the
    same, else a guess for naming keys before anything was read: the first location."""

    audience: Audience = Audience.CUSTOMER
    customer_id: str | None = None
    staff_email: str | None = None
    secret: str | None = None
    visitor: str | None = None
    chosen: str | None = None
    location_id: str | None = None

    @property
    def cart_pk(self) -> str | None:
        """Where the cart is: the customer's, else the visitor's, else nowhere yet."""
        if self.customer_id:
            return people.customer_pk(self.customer_id)
        return people.visitor_pk(self.visitor) if self.visitor else None

    @classmethod
    def of(
        cls,
        *,
        audience: Audience,
        session: str | None,
        visitor: str | None,
        location_id: str | None,
    ) -> "Claims":
        who, dot, secret = (session or "")[:MAX_COOKIE].rpartition(".")
        chosen = (location_id or "")[:MAX_COOKIE] or None
        known = bool(dot and who and secret)
        return cls(
            audience=audience,
            customer_id=who if known and audience is Audience.CUSTOMER else None,
            staff_email=_unpacked(who) if known and audience is Audience.STAFF else None,
            secret=secret if known else None,
            visitor=(visitor or "")[:MAX_COOKIE] or None,
            chosen=chosen,
            location_id=chosen or next(iter(snapshot.locations_seen()), None),
        )


Refs = Ref[Any] | Callable[[Claims], Iterable[Ref[Any]]]
"""Something to read: a place, or places that follow from the claims."""


class Visit(NamedTuple):
    """Who is here and what was read. `claims` holds what was proven: those of nobody when the
    session did not hold."""

    claims: Claims
    session: Session | None
    customer: Row[Customer] | None
    staff: "StaffMember | None"
    business: Business
    location: Location
    visitor_cart: "Row[Cart] | None"
    found: Found


def staff_cookie(email: str, secret: str) -> str:
    packed = base64.urlsafe_b64encode(email.encode()).decode().rstrip("=")
    return f"{packed}.{secret}"


def _unpacked(text: str) -> str | None:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        return None


def look(
    claims: Claims, refs: Iterable[Refs], now: datetime, as_what: type[Business] = Business
) -> Visit:
    """Read `refs`, who is here and `as_what` of the snapshot in one round trip. Raises
    `Unavailable` (`not_set_up`) while none was ever published."""
    kept, whole = snapshot.kept(as_what, now), snapshot.ref(as_what)
    free = [ref for ref in refs if isinstance(ref, Ref)]
    claimed = [one for ref in refs if not isinstance(ref, Ref) for one in ref(claims)]
    own = _own(claims)
    if kept is None:
        free.append(whole)
    found = read(*free, *claimed, *own)
    if kept is None:
        row = found.get(whole)
        if row is None:
            raise Unavailable("The shop is not set up yet.", code="not_set_up")
        kept = row.value
        snapshot.keep(kept, now)
    session = _session(claims, found, now)
    if session is None and claims.secret is not None:
        found = found.only(free)
        claims = claims._replace(customer_id=None, staff_email=None, secret=None)
    customer = found.get(people.head(claims.customer_id)) if claims.customer_id else None
    staff = found.get(_staff_member(claims.staff_email)) if claims.staff_email else None
    location = (
        kept.location(claims.chosen)
        or kept.location(customer.value.location if customer else None)
        or kept.locations[0]
    )
    return Visit(
        claims=claims,
        session=session,
        customer=customer,
        staff=staff.value if staff else None,
        business=kept,
        location=location,
        visitor_cart=_visitor_cart(claims, location, found, now),
        found=found,
    )


def more(visit: Visit, refs: Iterable[Refs]) -> Found:
    """Read further `refs` for what is proven, in one more round trip."""
    listed: list[Ref[Any]] = []
    for ref in refs:
        listed += [ref] if isinstance(ref, Ref) else ref(visit.claims)
    return read(*listed)


def _own(claims: Claims) -> list[Ref[Any]]:
    refs: list[Ref[Any]] = []
    if claims.secret:
        refs.append(sessions.session(claims.secret))
    if claims.customer_id:
        refs.append(people.head(claims.customer_id))
    elif claims.staff_email:
        refs.append(_staff_member(claims.staff_email))
    elif claims.visitor and claims.location_id:
        refs.append(_cart_of(claims.visitor, claims.location_id))
    return refs


def _session(claims: Claims, found: Found, now: datetime) -> Session | None:
    """The session that the claims name, when it is theirs, for this audience, and not over."""
    row = found.get(sessions.session(claims.secret)) if claims.secret else None
    if row is None or row.value.audience is not claims.audience or row.value.ends_at <= now:
        return None
    if claims.audience is Audience.STAFF:
        email = claims.staff_email
        is_theirs = (
            email is not None
            and people.normal_address(row.value.email) == people.normal_address(email)
            and found.get(_staff_member(email)) is not None
        )
    else:
        customer_id = claims.customer_id
        is_theirs = (
            customer_id is not None
            and row.value.customer_id == customer_id
            and found.get(people.head(customer_id)) is not None
        )
    return row.value if is_theirs else None


def _visitor_cart(
    claims: Claims, location: Location, found: Found, now: datetime
) -> "Row[Cart] | None":
    """As long as it is kept; TTL deletes late."""
    if claims.visitor is None or claims.customer_id is not None:
        return None
    from shared.domain.cart import is_kept

    row = found.get(_cart_of(claims.visitor, location.id))
    return row if row is not None and is_kept(row.value, now) else None


def _cart_of(visitor: str, location_id: str) -> "Ref[Cart]":
    """Carts are loaded for who has one: whoever is signed in, or comes for the first time, is shown
    none."""
    from shared.store import carts

    return carts.cart(people.visitor_pk(visitor), location_id)


def _staff_member(email: str) -> "Ref[StaffMember]":
    """Who works here is loaded where one of them comes."""
    from shared.store import staff

    return staff.staff_member(email)


def with_products(visit: Visit, now: datetime) -> "Catalogue":
    """The business of a visit with its products: one round trip where it was read without."""
    from shared.domain.product import Catalogue

    found = visit.business
    return found if isinstance(found, Catalogue) else snapshot.load(Catalogue, now)
