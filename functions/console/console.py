"""What staff reach: customers, and what they may do for them ([ACCESS] [OWN]); the console's other
pages are mounted from their own modules.

Everybody who works here may look and send emails; owners and managers may cancel and change
credits. What belongs to another location is 404.
"""

from typing import Annotated, Literal

from aws_lambda_powertools import Logger
from pydantic import Field, StringConstraints

from functions.console.activities import mount_activities
from functions.console.books import read_books
from functions.console.customer_view import customer_page
from functions.console.lists import check_cursor, heads_of, signed_in_at_all
from functions.console.notices import mount_notices
from functions.console.pages.models import (
    CreditsChanged,
    CustomerPage,
    CustomerRow,
    CustomersPage,
    EmailSent,
)
from functions.console.retry_policy import mount_retry_policy
from functions.console.statement import mount_statement
from shared.domain.customer import Customer
from shared.domain.errors import Missing, PunchcardError
from shared.domain.ledger import MAX_ADJUSTMENT
from shared.domain.subscription import Subscription
from shared.operations import sign_in, staff
from shared.operations.cancel import When
from shared.operations.context import Context
from shared.operations.staff import CreditChange
from shared.operations.visit import Audience, Row
from shared.store import accounts
from shared.web import accept
from shared.web.answer import Answer, Input, Query
from shared.web.app import App
from shared.web.pages.parts import SubscriptionSummary
from shared.web.pages.summaries import entry_view, subscription_summary
from shared.web.request import Request, Who
from shared.web.sign_in import mount_sign_in
from shared.wiring import current

CUSTOMERS_SHOWN = 50
NAMES_READ = 1000
"""Customers among whom a name is looked for at once; there is a link to the next."""

logger = Logger()
app = App(pages="functions.console.pages", wiring=current, audience=Audience.STAFF)
mount_sign_in(app)
mount_notices(app)
mount_retry_policy(app)
mount_statement(app)
mount_activities(app)


def _context(request: Request) -> Context:
    context: Context = request.wiring.context(request.catalogue)
    return context


# --- customers -------------------------------------------------------------------------------


class CustomersQuery(Query):
    """`email` is what the address begins with, `name` is contained in the name or the address."""

    email: Annotated[str, Field(max_length=254)] = ""
    name: Annotated[str, Field(max_length=100)] = ""
    after: Annotated[str, Field(max_length=300)] | None = None


@app.get(
    "/console/customers",
    page="console_customers",
    answer=CustomersPage,
    query=CustomersQuery,
    who=Who.STAFF,
    summary="Customers by what their address begins with, and by name.",
)
def customers(request: Request) -> Answer:
    signed_in_at_all(request)
    query: CustomersQuery = request.query
    wanted = query.name.casefold()
    check_cursor(query.after, f"customer#{accounts.normal_address(query.email)}")
    page = accounts.customers_by_address(
        query.email, limit=NAMES_READ if wanted else CUSTOMERS_SHOWN, after=query.after
    )
    hits = [
        row
        for row in page.rows
        if wanted in row.value.name.casefold() or wanted in row.value.email.casefold()
    ]
    shown, rest = hits[:CUSTOMERS_SHOWN], hits[CUSTOMERS_SHOWN:]
    heads = heads_of([row.value.customer_id for row in shown])
    found = request.load(*heads.values())
    rows = [found.get(ref) for ref in heads.values()]
    return Answer(
        CustomersPage(
            email=query.email,
            name=query.name,
            customers=tuple(
                CustomerRow(
                    id=row.value.id,
                    name=row.value.name,
                    email=row.value.email,
                    past_due=bool(row.value.past_due),
                )
                for row in rows
                if row is not None and staff.sees_customer(request.staff, row.value)
            ),
            next=shown[-1].ref.sk if rest else page.next,
        )
    )


class CustomerQuery(Query):
    """`before` is the cursor of the timeline's older lines."""

    before: Annotated[str, Field(max_length=400)] = ""


@app.get(
    "/console/customers/{customer}",
    page="console_customer",
    answer=CustomerPage,
    query=CustomerQuery,
    who=Who.STAFF,
    summary="A customer, and everything that happened, newest first.",
)
def customer(request: Request) -> Answer:
    query: CustomerQuery = request.query
    return Answer(_customer_page(request, query.before))


def _customer_page(request: Request, before: str = "") -> CustomerPage:
    request.load()
    books = read_books(request.params["customer"], request.staff)
    if books is None:
        raise Missing("There is no such customer.")
    settings = request.catalogue.settings
    return customer_page(
        books,
        _context(request),
        locale=accept.best_locale(
            request.headers.get("accept-language"), otherwise=settings.locale
        ),
        before=before,
        may_change=staff.may_change(request.staff),
        idempotency_key=request.wiring.new_id(),
    )


def _again(request: Request, error: PunchcardError) -> Answer | None:
    """The customer's page with what went wrong; none for what this person may not see."""
    if isinstance(error, Missing) or error.code == "cross_site":
        return None
    try:
        return Answer(_customer_page(request), page="console_customer")
    except Missing:
        return None


def _head_of(request: Request) -> Row[Customer]:
    ref = accounts.head(request.params["customer"])
    row = request.load(ref).get(ref)
    return staff.their_customer(request.staff, row)


def _path(request: Request) -> str:
    return f"/console/customers/{request.params['customer']}"


# --- emails ----------------------------------------------------------------------------------


@app.post(
    "/console/customers/{customer}/sign-in-email",
    answer=EmailSent,
    who=Who.STAFF,
    on_error=_again,
    summary="Send the customer a sign-in email.",
)
def sign_in_email(request: Request) -> Answer:
    row = _head_of(request)
    email = row.value.email
    # Counted for the staff member: customers at the shop's own network must not run out of it.
    sign_in.ask(
        audience=Audience.CUSTOMER,
        email=email,
        next_path="/account",
        source_ip=f"staff:{request.staff.email}",
        visitor=None,
        locale=row.value.locale,
        now=request.now,
        new_id=request.wiring.new_id,
        new_secret=request.wiring.new_secret,
    )
    staff.record_sign_in_email(_context(request), request.staff, row)
    return Answer(EmailSent(to=email), location=_path(request), done="sign_in_sent")


@app.post(
    "/console/customers/{customer}/card-update-email",
    answer=EmailSent,
    who=Who.STAFF,
    on_error=_again,
    summary="Send the customer a link that leads only to updating a card.",
)
def card_update_email(request: Request) -> Answer:
    row = _head_of(request)
    to = staff.send_card_update(_context(request), request.staff, row)
    return Answer(EmailSent(to=to), location=_path(request), done="card_update_sent")


# --- subscriptions ---------------------------------------------------------------------------


class EndIt(Input):
    """`now`: nothing more is charged, retries included. `period_end`: just before the next charge,
    and it can be undone until then."""

    when: Literal["now", "period_end"]


def _subscription_of(request: Request) -> tuple[Row[Subscription] | None, Row[Customer] | None]:
    customer_id = request.params["customer"]
    ref = accounts.subscription(customer_id, request.params["subscription"])
    head = accounts.head(customer_id)
    found = request.load(ref, head)
    return found.get(ref), found.get(head)


def _changed(
    request: Request, value: Subscription, head: Row[Customer] | None, done: str
) -> Answer:
    assert head is not None, "a subscription has its customer"
    logger.info("subscription", extra={"subscription": value.id, "done": done})
    return Answer(
        subscription_summary(value, request.catalogue, head.value, request.now),
        location=_path(request),
        done=done,
    )


@app.post(
    "/console/customers/{customer}/subscriptions/{subscription}/cancel",
    answer=SubscriptionSummary,
    body=EndIt,
    who=Who.STAFF,
    on_error=_again,
    summary="End a subscription, now or with its period.",
)
def cancel(request: Request) -> Answer:
    body: EndIt = request.body
    row, head = _subscription_of(request)
    value = staff.cancel_subscription(_context(request), request.staff, row, When(body.when))
    done = "staff_cancelled" if value.over else "staff_cancel_scheduled"
    return _changed(request, value, head, done)


@app.post(
    "/console/customers/{customer}/subscriptions/{subscription}/cancel/undo",
    answer=SubscriptionSummary,
    who=Who.STAFF,
    on_error=_again,
    summary="Take back a cancellation at the end of the period.",
)
def undo(request: Request) -> Answer:
    row, head = _subscription_of(request)
    value = staff.undo_cancel(_context(request), request.staff, row)
    return _changed(request, value, head, "staff_cancel_undone")


# --- credits ---------------------------------------------------------------------------------


class ChangeCredits(Input):
    """`delta` above 0 adds credits, below takes some off."""

    delta: Annotated[int, Field(ge=-MAX_ADJUSTMENT, le=MAX_ADJUSTMENT)]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=200)]


@app.post(
    "/console/customers/{customer}/packs/{pack}/credits",
    answer=CreditsChanged,
    body=ChangeCredits,
    who=Who.STAFF,
    idempotency_key=True,
    on_error=_again,
    status=201,
    summary="Add credits to a pack or take some off, with a reason.",
)
def change_credits(request: Request) -> Answer:
    body: ChangeCredits = request.body
    change = CreditChange(
        customer_id=request.params["customer"],
        pack_id=request.params["pack"],
        delta=body.delta,
        reason=body.reason,
    )
    entry_id = request.wiring.new_id()
    found = request.load(
        lambda claims: change.refs(
            change.press(claims.staff_email or "", request.idempotency_key, entry_id)
        )
    )
    press = change.press(request.staff.email, request.idempotency_key, entry_id)
    entry = staff.change_credits(_context(request), request.staff, change, press, found)
    return Answer(
        CreditsChanged(pack_id=change.pack_id, entry=entry_view(entry)),
        status=201,
        location=_path(request),
        done="credits_changed",
    )


handler = app.handler
