"""What staff reach: customers, and what they may do for them ([ACCESS] [OWN]); the console's other
pages are mounted from their own modules.

Everybody who works here may look and send emails; owners and managers may change credits. What
belongs to another location is 404.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

from functions.console.activities import mount_activities
from functions.console.expiry import mount_expiry
from functions.console.lists import check_cursor, heads_of, signed_in_at_all
from functions.console.notices import mount_notices
from functions.console.one_customer import again, context_of, page_of, path_of
from functions.console.outstanding import mount_outstanding
from functions.console.pages.models import (
    CreditsChanged,
    CustomerPage,
    CustomerRow,
    CustomersPage,
    EmailSent,
)
from functions.console.payments import mount_payments
from functions.console.providers import mount_providers
from functions.console.retry_policy import mount_retry_policy
from functions.console.starting import mount_starting
from functions.console.statement import mount_statement
from functions.console.subscriptions import mount_subscriptions
from functions.console.unpaid_packs import mount_unpaid_packs
from shared.domain.customer import Customer
from shared.domain.ledger import MAX_ADJUSTMENT
from shared.domain.product import Catalogue
from shared.operations import sign_in, staff
from shared.operations.staff import CreditChange
from shared.operations.visit import Audience, Row
from shared.store import accounts
from shared.web.answer import Answer, Input, Query
from shared.web.app import App
from shared.web.pages.entries import entry_view
from shared.web.request import Request, Who
from shared.web.sign_in import mount_sign_in
from shared.wiring import current

CUSTOMERS_SHOWN = 50
NAMES_READ = 1000
"""Customers among whom a name is looked for at once; there is a link to the next."""

app = App(
    pages="functions.console.pages",
    wiring=current,
    audience=Audience.STAFF,
    snapshot=Catalogue,
)
mount_sign_in(app)
mount_notices(app)
mount_retry_policy(app)
mount_statement(app)
mount_activities(app)
mount_subscriptions(app)
mount_outstanding(app)
mount_payments(app)
mount_unpaid_packs(app)
mount_starting(app)
mount_expiry(app)
mount_providers(app)


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
    return Answer(page_of(request, query.before))


def _head_of(request: Request) -> Row[Customer]:
    ref = accounts.head(request.params["customer"])
    row = request.load(ref).get(ref)
    return staff.their_customer(request.staff, row)


# --- emails ----------------------------------------------------------------------------------


@app.post(
    "/console/customers/{customer}/sign-in-email",
    answer=EmailSent,
    who=Who.STAFF,
    on_error=again,
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
    staff.record_sign_in_email(context_of(request), request.staff, row)
    return Answer(EmailSent(to=email), location=path_of(request), done="sign_in_sent")


@app.post(
    "/console/customers/{customer}/card-update-email",
    answer=EmailSent,
    who=Who.STAFF,
    on_error=again,
    summary="Send the customer a link that leads only to updating a card.",
)
def card_update_email(request: Request) -> Answer:
    row = _head_of(request)
    to = staff.send_card_update(context_of(request), request.staff, row)
    return Answer(EmailSent(to=to), location=path_of(request), done="card_update_sent")


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
    on_error=again,
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
    entry = staff.change_credits(context_of(request), request.staff, change, press, found)
    return Answer(
        CreditsChanged(pack_id=change.pack_id, entry=entry_view(entry)),
        status=201,
        location=path_of(request),
        done="credits_changed",
    )


handler = app.handler
