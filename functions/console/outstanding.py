"""What began unpaid at a location, and what staff do about it: ask for it with an invoice, or let
it go ([BOOK], [ACCESS], [OWN]).

Everybody who works at a location may look and ask; owners and managers let go. What belongs to
another location is 404.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from functions.console.activity_view import choices_of
from functions.console.commitments import commitment_rows, commitments_at
from functions.console.lists import check_cursor, heads_of, signed_in_at_all
from functions.console.pages.outstanding_models import (
    OpenInvoiceRow,
    OutstandingPage,
    OutstandingRow,
    PlaceOwed,
)
from shared.domain.business import Location
from shared.domain.errors import Missing, PunchcardError
from shared.domain.invoice import order_id
from shared.domain.reservation import Reservation
from shared.log import logger
from shared.operations import outstanding as operations
from shared.operations.context import Context
from shared.operations.outstanding import OPERATION_INVOICE, OPERATION_WAIVE, REASON_MAX, Owing
from shared.operations.staff import may_change
from shared.operations.submissions import Press
from shared.operations.visit import Row
from shared.store import accounts
from shared.store.listed import Commitment, OpenInvoice, Outstanding
from shared.store.reading import Page
from shared.store.records import Submission
from shared.web.answer import Answer, Input, Query
from shared.web.app import App
from shared.web.request import Request, Who
from shared.web.side_by_side import side_by_side

SHOWN = 50


class OutstandingQuery(Query):
    location: Annotated[str, Field(max_length=100)] | None = None
    after: Annotated[str, Field(max_length=300)] | None = None
    open_after: Annotated[str, Field(max_length=300)] | None = None
    commitments_after: Annotated[str, Field(max_length=300)] | None = None


class LetGo(Input):
    """Why what is owed is not asked for any more; staff see it in the customer's timeline."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=REASON_MAX)]


def mount_outstanding(app: App) -> None:
    """Adds what began unpaid to the console's app."""
    app.get(
        "/console/outstanding",
        page="console_outstanding",
        answer=OutstandingPage,
        query=OutstandingQuery,
        who=Who.STAFF,
        summary="Reservations of a location that began unpaid, and commitments.",
    )(outstanding)
    app.post(
        "/console/outstanding/{customer}/{reservation}/invoice",
        answer=PlaceOwed,
        who=Who.STAFF,
        idempotency_key=True,
        on_error=_again,
        status=201,
        summary="Ask for what began unpaid with an invoice, and email it.",
    )(invoice)
    app.post(
        "/console/outstanding/{customer}/{reservation}/waive",
        answer=PlaceOwed,
        body=LetGo,
        who=Who.STAFF,
        idempotency_key=True,
        on_error=_again,
        summary="Let go what began unpaid, with a reason; an invoice that asks for it is void.",
    )(waive)


def _context(request: Request) -> Context:
    context: Context = request.wiring.context(request.catalogue)
    return context


# --- the list --------------------------------------------------------------------------------


def outstanding(request: Request) -> Answer:
    signed_in_at_all(request)
    query: OutstandingQuery = request.query
    if query.location is None:
        request.load()
        location = _theirs(request, None)
        lists = _lists(location.id, query)
    else:
        # Asked for beside who asks: what is not theirs to see is not looked at.
        asked_for = query.location
        _, lists = side_by_side(request.load, lambda: _lists(asked_for, query))
        location = _theirs(request, asked_for)
    return Answer(_page(request, location, lists))


def _theirs(request: Request, location_id: str | None) -> Location:
    """The location that was asked for, else the first where this person works ([OWN])."""
    for one in request.catalogue.locations:
        if request.staff.works_at(one.id) and location_id in (None, one.id):
            return one
    raise Missing("There is no such location.")


@dataclass(frozen=True)
class _Lists:
    """What is listed of a location, as it was read."""

    begun: Page[Outstanding]
    invoices: Page[OpenInvoice]
    commitments: Page[Commitment]


def _lists(location_id: str, query: OutstandingQuery) -> _Lists:
    """All three at the same time."""
    for cursor in (query.after, query.open_after, query.commitments_after):
        check_cursor(cursor, f"{location_id}#")
    begun, (invoices, commitments) = side_by_side(
        lambda: accounts.outstanding_of(location_id, limit=SHOWN, after=query.after),
        lambda: side_by_side(
            lambda: accounts.open_invoices_of(location_id, limit=SHOWN, after=query.open_after),
            lambda: commitments_at(location_id, query.commitments_after),
        ),
    )
    return _Lists(begun, invoices, commitments)


def _page(request: Request, location: Location, lists: _Lists) -> OutstandingPage:
    page, invoices = lists.begun, lists.invoices
    begun = {row.value.invoice_id for row in page.rows}
    others = [row.value for row in invoices.rows if row.value.invoice_id not in begun]
    committed, asked = side_by_side(
        lambda: commitment_rows(request, lists.commitments),
        lambda: _invoice_rows(request, location, others),
    )
    theirs = (one for one in request.catalogue.locations if request.staff.works_at(one.id))
    return OutstandingPage(
        location_id=location.id,
        location=location.name,
        locations=choices_of(theirs),
        outstanding=tuple(_row(row.value) for row in page.rows),
        next=page.next,
        open_invoices=asked,
        open_next=invoices.next,
        commitments=committed,
        commitments_next=lists.commitments.next,
        may_change=may_change(request.staff),
        idempotency_key=request.wiring.new_id(),
    )


def _row(one: Outstanding) -> OutstandingRow:
    return OutstandingRow(
        reservation_id=one.reservation_id,
        activity_id=one.activity_id,
        customer_id=one.customer_id,
        customer_name=one.customer_name,
        what=one.what,
        starts_at=one.starts_at,
        zone=one.zone,
        amount=one.amount,
        invoice_id=one.invoice_id,
        order_id=order_id(one.invoice_id) if one.invoice_id else None,
        for_pack=one.for_pack,
    )


def _invoice_rows(
    request: Request, location: Location, invoices: Sequence[OpenInvoice]
) -> tuple[OpenInvoiceRow, ...]:
    """With the customers' names: one round trip when there are some."""
    heads = heads_of([one.customer_id for one in invoices])
    found = request.load(*heads.values())
    names = {row.value.id: row.value.name for row in map(found.get, heads.values()) if row}
    return tuple(
        OpenInvoiceRow(
            invoice_id=one.invoice_id,
            order_id=order_id(one.invoice_id),
            customer_id=one.customer_id,
            customer_name=names.get(one.customer_id, ""),
            what=one.what,
            created_at=one.created_at,
            zone=location.zone,
            total=one.total,
            owed=one.owed,
            reservation_id=one.reservation_id,
            for_pack=one.pack_id is not None,
        )
        for one in invoices
    )


def _again(request: Request, error: PunchcardError) -> Answer | None:
    """The list with what went wrong; none for what this person may not see."""
    if isinstance(error, Missing) or error.code == "cross_site":
        return None
    ref = accounts.reservation(request.params["customer"], request.params["reservation"])
    row = request.load(ref).get(ref)
    try:
        location = _theirs(request, row.value.location_id if row else None)
    except Missing:
        return None
    return Answer(
        _page(request, location, _lists(location.id, OutstandingQuery())),
        page="console_outstanding",
    )


# --- ask, let go -----------------------------------------------------------------------------


def _owing(request: Request, reason: str = "") -> Owing:
    return Owing(request.params["customer"], request.params["reservation"], reason)


def _pressed(
    request: Request, owing: Owing, operation: str
) -> tuple[Press, Row[Submission] | None]:
    """The press, and what an earlier one of the same left: read with who is here."""
    found = request.load(
        lambda claims: (
            owing.press(operation, claims.staff_email or "", request.idempotency_key).ref,
        )
    )
    press = owing.press(operation, request.staff.email, request.idempotency_key)
    return press, found.get(press.ref)


def _answer(value: Reservation, done: str, *, status: int) -> Answer:
    logger.info("outstanding", extra={"reservation": value.id, "done": done})
    return Answer(
        PlaceOwed(
            reservation_id=value.id,
            customer_id=value.customer_id,
            owed=value.owes,
            outstanding=value.outstanding,
            invoice_id=value.invoice_id,
            waived=value.waived,
        ),
        status=status,
        location=f"/console/outstanding?location={value.location_id}",
        done=done,
    )


def invoice(request: Request) -> Answer:
    owing = _owing(request)
    press, earlier = _pressed(request, owing, OPERATION_INVOICE)
    value = operations.invoice_place(_context(request), request.staff, owing, press, earlier)
    return _answer(value, "place_invoiced", status=201)


def waive(request: Request) -> Answer:
    body: LetGo = request.body
    owing = _owing(request, body.reason)
    press, earlier = _pressed(request, owing, OPERATION_WAIVE)
    value = operations.waive_place(_context(request), request.staff, owing, press, earlier)
    return _answer(value, "place_waived", status=200)
