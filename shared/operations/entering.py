"""Using a sign-in link or code: the link is used up and a session begins, in one transaction.

For customers this is where an address becomes somebody ([WHO]): a first-time buyer becomes a
customer, and the cart that was filled before comes along, also from the browser that asked when
the link is opened in another.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from shared.domain.customer import Customer
from shared.domain.errors import Conflict, Forbidden
from shared.operations.cart import Joined, join_refs, join_writes
from shared.store import accounts, sessions
from shared.store.items import Lost, Ref, Row
from shared.store.listed import DirectoryEntry
from shared.store.people import Address
from shared.store.reading import read
from shared.store.sessions import Audience, Session
from shared.store.staff import staff_member
from shared.store.writing import Write, commit, create, overwrite, put, replace

if TYPE_CHECKING:
    from shared.domain.product import Catalogue
    from shared.store.access import Link
    from shared.store.staff import StaffMember

JOIN_TRIES = 3
ENTER_TRIES = 5


class Door(NamedTuple):
    """What entering needs besides the link: the moment, chance, and this browser's cookies.
    `visitor` is the cart's cookie here, `former` the secret of the session that ends."""

    now: datetime
    new_id: Callable[[], str]
    new_secret: Callable[[], str]
    catalogue: Catalogue
    visitor: str | None = None
    former: str | None = None

    def session(self, link: Link, customer_id: str | None) -> Session:
        minutes = self.catalogue.settings.session_minutes
        return Session(
            audience=link.audience,
            customer_id=customer_id,
            email=link.email,
            signed_in_at=self.now,
            ends_at=self.now + timedelta(minutes=minutes),
        )


class Entered(NamedTuple):
    """Somebody is signed in: `secret` is what the cookie holds. `location` is where the cart that
    came along was filled; `keep_visitor`: a cart stayed behind, so its cookie stays too."""

    secret: str
    session: Session
    next: str | None
    customer: Customer | None = None
    staff: StaffMember | None = None
    is_new: bool = False
    location: str | None = None
    keep_visitor: bool = False


class LinkGone(Exception):
    """Somebody else used the link, or a newer one was asked for, in the same moment."""


def enter(link: Row[Link], address: Row[Address] | None, door: Door) -> Entered:
    """Use up a link that was judged usable; `address` is whose its address is, as read with it.
    Raises `LinkGone`; for staff, `Forbidden`
    (`not_staff`) when nobody of that address works here."""
    if link.value.audience is Audience.STAFF:
        return _enter_staff(link, door)
    return _enter_customer(link, address, door)


def _used(link: Row[Link], door: Door) -> list[Write]:
    """The link is used, and this browser's former session is over."""
    writes = [replace(link, link.value.model_copy(update={"used_at": door.now}))]
    return [*writes, sessions.end_session(door.former)] if door.former else writes


def _enter_staff(link: Row[Link], door: Door) -> Entered:
    ref = staff_member(link.value.email)
    member = read(ref).get(ref)
    if member is None:
        raise Forbidden("Nobody with this address works here.", code="not_staff")
    secret = door.new_secret()
    session = door.session(link.value, None)
    try:
        commit([*_used(link, door), create(sessions.session(secret), session)])
    except Lost as lost:
        raise LinkGone from lost
    return Entered(secret, session, link.value.next, staff=member.value)


def _enter_customer(link: Row[Link], address: Row[Address] | None, door: Door) -> Entered:
    secret, new_customer_id = door.new_secret(), door.new_id()
    brought = f"visitor#{link.value.visitor}" if link.value.visitor else None
    here = accounts.visitor_pk(door.visitor) if door.visitor else None
    for _ in range(ENTER_TRIES):
        used = _used(link, door)
        entry = _read_customer(link.value, address, brought or here, new_customer_id, door)
        session = door.session(link.value, entry.customer.id)
        writes = [*used, create(sessions.session(secret), session), *entry.writes]
        try:
            commit(writes)
        except Lost as lost:
            if 0 in lost.at:
                raise LinkGone from lost
            address = read(accounts.address(link.value.email)).get(
                accounts.address(link.value.email)
            )
            continue
        left_behind = entry.joined.left_behind
        location = entry.joined.location
        customer = entry.customer
        if here is not None and brought is not None and here != brought:
            late = _join_later(customer.id, here, door)
            left_behind = late is None or late.left_behind
            location = (late.location if late else None) or location
        return Entered(
            secret,
            session,
            link.value.next,
            customer=customer,
            is_new=entry.is_new,
            location=location,
            keep_visitor=left_behind,
        )
    raise Conflict("Your account is being changed elsewhere right now. Please try again.")


class _Entry(NamedTuple):
    """The customer as the transaction leaves them."""

    customer: Customer
    writes: list[Write]
    joined: Joined
    is_new: bool


def _read_customer(
    link: Link, address: Row[Address] | None, visitor_pk: str | None, new_id: str, door: Door
) -> _Entry:
    """Who the address belongs to, or a new customer, with the visitor's carts."""
    customer_id = address.value.customer_id if address else new_id
    head_ref = accounts.head(customer_id)
    refs: list[Ref[Any]] = [head_ref]
    if visitor_pk is not None:
        refs += join_refs(visitor_pk, customer_id, door.catalogue)
    found = read(*refs)
    head = found.get(head_ref)
    before = (
        head.value
        if head is not None
        else Customer(id=customer_id, email=link.email, created_at=door.now)
    )
    joined = Joined(writes=(), cart_counts=before.cart_counts)
    if visitor_pk is not None:
        joined = join_writes(
            found,
            visitor_pk=visitor_pk,
            customer=before,
            catalogue=door.catalogue,
            now=door.now,
            new_id=door.new_id,
        )
    customer = before.model_copy(
        update={
            "cart_counts": joined.cart_counts,
            "location": before.location or joined.location,
        }
    )
    writes = list(joined.writes)
    if head is None:
        entry = DirectoryEntry(customer_id=customer.id, email=customer.email, name=customer.name)
        owner = Address(customer_id=customer.id, email=customer.email)
        writes += [
            put(accounts.address(link.email), address, owner),
            create(head_ref, customer),
            overwrite(accounts.directory(customer), entry),
        ]
    elif customer != before:
        writes.append(replace(head, customer))
    return _Entry(customer, writes, joined, is_new=head is None)


def _join_later(customer_id: str, visitor_pk: str, door: Door) -> Joined | None:
    """Bring in the cart of this browser too, when the link remembered another's. None when it
    could not be done now: the cookie stays, and the next sign-in does it."""
    head_ref = accounts.head(customer_id)
    for _ in range(JOIN_TRIES):
        found = read(head_ref, *join_refs(visitor_pk, customer_id, door.catalogue))
        head = found.get(head_ref)
        if head is None:
            return None
        joined = join_writes(
            found,
            visitor_pk=visitor_pk,
            customer=head.value,
            catalogue=door.catalogue,
            now=door.now,
            new_id=door.new_id,
        )
        if not joined.writes:
            return joined
        counted = head.value.model_copy(update={"cart_counts": joined.cart_counts})
        try:
            commit([*joined.writes, replace(head, counted)])
        except Lost:
            continue
        return joined
    return None
