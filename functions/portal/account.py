"""Packs, subscriptions, invoices, payments: what a customer has and owes, and what it will cost
([LEDGER] [FORECAST] [HISTORY] [CANCEL] [COMMIT] [KEY] [OWN])."""

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel

from functions.portal import account_lists, account_view, hosted
from functions.portal.account_lists import (
    READ_AT_ONCE,
    InvoicesQuery,
    ListQuery,
    PacksQuery,
    PaymentsQuery,
    SubscriptionsQuery,
)
from functions.portal.checkout_view import declined
from functions.portal.ids import Id, path_id
from functions.portal.pages.account_models import (
    AccountPage,
    CancelPage,
    CancelWhen,
    InvoicePage,
    InvoicesPage,
    PackPage,
    PacksPage,
    PaymentsPage,
    SubscriptionPage,
    SubscriptionsPage,
)
from shared.domain.charge import By
from shared.domain.customer import Attention, Customer
from shared.domain.errors import Conflict, Declined, Missing, PunchcardError
from shared.domain.invoice import Invoice
from shared.domain.subscription import Subscription
from shared.operations import cancel, paying
from shared.operations.cancel import When
from shared.operations.checkout import Answered, Checked
from shared.operations.collect import Renewed, pay_now
from shared.operations.reconcile import reconcile
from shared.operations.submissions import Press, once
from shared.operations.visit import Claims, Found, Ref, Row
from shared.store import accounts
from shared.store.accounts import Submission
from shared.store.engine import Page
from shared.web.answer import Answer, Input, View
from shared.web.app import App
from shared.web.pages.summaries import entry_view, pack_summary
from shared.web.request import Request, Who
from shared.wiring import current

PERIODS_SHOWN = 24
"""How many of a subscription's latest periods its page shows the charges of."""

T = TypeVar("T", bound=BaseModel)

app = App(pages="functions.portal.pages", wiring=current)


class Led(View):
    """Where people go on."""

    location: str


def _load(request: Request, refs: Callable[[str], list[Ref[Any]]]) -> Found:
    """Read what belongs to the customer, together with who is here: one round trip."""

    def own(claims: Claims) -> list[Ref[Any]]:
        return refs(claims.customer_id) if claims.customer_id else []

    return request.load(own)


def _cursor(query: ListQuery, kind: str) -> str | None:
    return f"{kind}#{query.after}" if query.after else None


def _values(page: Page[T]) -> list[T]:
    return [row.value for row in page.rows]


# --- the account -----------------------------------------------------------------------------


@app.get(
    "/account",
    page="account",
    answer=AccountPage,
    who=Who.CUSTOMER,
    summary="Credits left and charges to come, at a glance.",
)
def account(request: Request) -> Answer:
    customer = request.signed_in.value
    subscriptions, packs = accounts.holdings_of(customer.id)
    return Answer(
        account_view.account_page(customer, subscriptions, packs, request.catalogue, request.now)
    )


# --- packs -----------------------------------------------------------------------------------


@app.get(
    "/packs",
    page="packs",
    answer=PacksPage,
    query=PacksQuery,
    who=Who.CUSTOMER,
    summary="Packs, by status and search.",
)
def packs(request: Request) -> Answer:
    query: PacksQuery = request.query
    held = accounts.packs_of(
        request.signed_in.value.id, limit=READ_AT_ONCE, after=_cursor(query, "pack")
    )
    return Answer(
        account_lists.packs_page(_values(held), query, held.next, request.catalogue, request.now)
    )


@app.get(
    "/packs/{pack}",
    page="pack",
    answer=PackPage,
    query=ListQuery,
    who=Who.CUSTOMER,
    summary="One pack with every entry of its ledger.",
)
def pack(request: Request) -> Answer:
    pack_id = path_id(request, "pack")
    query: ListQuery = request.query
    found = _load(request, lambda customer_id: [accounts.pack(customer_id, pack_id)])
    customer_id = request.signed_in.value.id
    row = found.get(accounts.pack(customer_id, pack_id))
    if row is None:
        raise Missing("There is no such pack.")
    entries = accounts.entries_of(customer_id, pack_id, after=_cursor(query, f"entry#{pack_id}"))
    ended_at = entries.next.rpartition("#")[2] if entries.next else None
    return Answer(
        PackPage(
            pack=pack_summary(row.value, request.catalogue, request.now),
            entries=tuple(entry_view(one) for one in _values(entries)),
            next=f"/packs/{pack_id}?after={ended_at}" if ended_at else None,
        )
    )


# --- subscriptions ---------------------------------------------------------------------------


@app.get(
    "/subscriptions",
    page="subscriptions",
    answer=SubscriptionsPage,
    query=SubscriptionsQuery,
    who=Who.CUSTOMER,
    summary="Subscriptions, by state and search.",
)
def subscriptions(request: Request) -> Answer:
    query: SubscriptionsQuery = request.query
    customer = request.signed_in.value
    held = accounts.subscriptions_of(
        customer.id, limit=READ_AT_ONCE, after=_cursor(query, "subscription")
    )
    return Answer(
        account_lists.subscriptions_page(
            _values(held), query, held.next, request.catalogue, customer, request.now
        )
    )


def _subscription(request: Request, *more: Callable[[str], Ref[Any]]) -> tuple[Subscription, Found]:
    """The subscription in the path, fresh. `Missing` for what is not this customer's ([OWN])."""
    subscription_id = path_id(request, "subscription")

    def refs(customer_id: str) -> list[Ref[Any]]:
        own = accounts.subscription(customer_id, subscription_id)
        return [own, accounts.head(customer_id), *(ref(customer_id) for ref in more)]

    found = _load(request, refs)
    row = found.get(accounts.subscription(request.signed_in.value.id, subscription_id))
    if row is None:
        raise Missing("There is no such subscription.")
    return row.value, found


def _customer_in(request: Request, found: Found) -> Customer:
    row = found.get(accounts.head(request.signed_in.value.id))
    return row.value if row else request.signed_in.value


def _subscription_page(request: Request) -> SubscriptionPage:
    """Two round trips: what it is, and what was tried and granted for it."""
    subscription, found = _subscription(request)
    customer = _customer_in(request, found)
    if _waits_for_bank(subscription, customer):
        subscription, found = _subscription(request)
        customer = _customer_in(request, found)
    last = subscription.next_period
    charges = [
        accounts.charge(customer.id, accounts.period_source(subscription.id, period))
        for period in range(last, max(-1, last - PERIODS_SHOWN), -1)
    ]
    granted = [accounts.pack(customer.id, one) for one in reversed(subscription.packs)]
    found = request.load(*charges, *granted)
    return account_view.subscription_page(
        subscription,
        [row.value for row in map(found.get, charges) if row],
        [row.value for row in map(found.get, granted) if row],
        request.catalogue,
        customer,
        request.now,
        pay_key=request.wiring.new_id(),
        undo_key=request.wiring.new_id(),
    )


def _waits_for_bank(subscription: Subscription, customer: Customer) -> bool:
    return subscription.collection is not None and any(
        one.subscription_id == subscription.id and one.needs is Attention.AUTHENTICATION
        for one in customer.past_due
    )


def _changed(request: Request, done: str, status: int = 200, location: str | None = None) -> Answer:
    """After a change: people go on to the subscription's page, programs get it as it now is."""
    own = f"/subscriptions/{path_id(request, 'subscription')}"
    if request.wants_html:
        there = location or own
        return Answer(Led(location=there), location=there, done=None if location else done)
    return Answer(_subscription_page(request), status=status)


def _subscription_again(request: Request, error: PunchcardError) -> Answer | None:
    """Its page with what went wrong, and new keys."""
    if isinstance(error, Missing):
        return None
    if isinstance(error, Declined):
        request.problems = {"card": error.detail}
    page = _subscription_page(request)
    return Answer(page, page="subscription", leads_to=hosted.origins(request))


@app.get(
    "/subscriptions/{subscription}",
    page="subscription",
    answer=SubscriptionPage,
    who=Who.CUSTOMER,
    summary="One subscription: what it costs, what was tried, and the next 12 months.",
)
def subscription(request: Request) -> Answer:
    """Whoever comes back from confirming a payment sees the truth at once."""
    found, loaded = _subscription(request)
    if _waits_for_bank(found, _customer_in(request, loaded)) and found.collection is not None:
        reconcile(
            hosted.context(request),
            found.customer_id,
            found.collection.source,
            asked_by_webhook=True,
        )
    return Answer(_subscription_page(request), leads_to=hosted.origins(request))


# --- ending it -------------------------------------------------------------------------------


def _cancel_page(request: Request) -> CancelPage:
    subscription, found = _subscription(request)
    customer = _customer_in(request, found)
    collection = subscription.collection
    source = collection.source if collection else "none"
    pack_ref = accounts.pack(customer.id, (*subscription.packs, "none")[-1])
    charge_ref = accounts.charge(customer.id, source)
    invoice_ref = accounts.invoice(customer.id, collection.invoice_id if collection else "none")
    found = request.load(pack_ref, charge_ref, invoice_ref)
    pack, charge, invoice = found.get(pack_ref), found.get(charge_ref), found.get(invoice_ref)
    return account_view.cancel_page(
        subscription,
        pack.value if pack else None,
        charge.value if charge else None,
        invoice.value if invoice else None,
        request.catalogue,
        customer,
        request.now,
        idempotency_key=request.wiring.new_id(),
    )


@app.get(
    "/subscriptions/{subscription}/cancel",
    page="cancel",
    answer=CancelPage,
    who=Who.CUSTOMER,
    summary="What ending a subscription would do; nothing happens yet.",
)
def ask_to_cancel(request: Request) -> Answer:
    return Answer(_cancel_page(request))


class Cancel(Input):
    when: CancelWhen


def _cancel_again(request: Request, error: PunchcardError) -> Answer | None:
    return None if isinstance(error, Missing) else Answer(_cancel_page(request))


def _pressed(
    request: Request, operation: str, thing: str, *content: str | None
) -> Callable[[str], Press]:
    def press(customer_id: str) -> Press:
        return Press(customer_id, request.idempotency_key, operation, (thing, *content))

    return press


@app.post(
    "/subscriptions/{subscription}/cancel",
    page="cancel",
    answer=SubscriptionPage,
    body=Cancel,
    who=Who.CUSTOMER,
    idempotency_key=True,
    on_error=_cancel_again,
    summary="End a subscription, now or with its period, or ask for it.",
)
def end(request: Request) -> Answer:
    body: Cancel = request.body
    subscription_id = path_id(request, "subscription")
    press = _pressed(request, "cancel", subscription_id, body.when.value)
    _, found = _subscription(request, lambda customer_id: press(customer_id).ref)
    customer_id = request.signed_in.value.id
    pressed = press(customer_id)

    def do(record: tuple[str, Submission]) -> None:
        cancel.cancel(
            hosted.context(request),
            customer_id,
            subscription_id,
            When(body.when.value),
            by=By.CUSTOMER,
            submission=record,
        )

    once(pressed, found.get(pressed.ref), request.now, do)
    after, _ = _subscription(request)
    if after.over:
        return _changed(request, "cancelled")
    return _changed(
        request, "cancel_scheduled" if after.cancel_at_period_end else "cancel_requested"
    )


@app.post(
    "/subscriptions/{subscription}/cancel/undo",
    page="subscription",
    answer=SubscriptionPage,
    who=Who.CUSTOMER,
    idempotency_key=True,
    on_error=_subscription_again,
    summary="Take back the end of a subscription, until it has come.",
)
def undo(request: Request) -> Answer:
    subscription_id = path_id(request, "subscription")
    press = _pressed(request, "undo", subscription_id)
    _, found = _subscription(request, lambda customer_id: press(customer_id).ref)
    customer_id = request.signed_in.value.id
    pressed = press(customer_id)

    def do(record: tuple[str, Submission]) -> None:
        cancel.undo(
            hosted.context(request),
            customer_id,
            subscription_id,
            by=By.CUSTOMER,
            submission=record,
        )

    once(pressed, found.get(pressed.ref), request.now, do)
    return _changed(request, "cancel_undone")


# --- its card, and what it owes --------------------------------------------------------------


class ChooseCard(Input):
    """`card` absent: the default one, whichever that is."""

    card: Id | None = None


@app.post(
    "/subscriptions/{subscription}/card",
    page="subscription",
    answer=SubscriptionPage,
    body=ChooseCard,
    who=Who.CUSTOMER,
    on_error=_subscription_again,
    summary="Name the card that a subscription charges; what it owes is tried on it at once.",
)
def choose_card(request: Request) -> Answer:
    body: ChooseCard = request.body
    subscription_id = path_id(request, "subscription")
    context = hosted.context(request)
    _, failing = cancel.use_card(
        context, request.signed_in.value.id, subscription_id, body.card, by=By.CUSTOMER
    )
    tried = pay_now(context, failing, card_id=body.card, by=By.CUSTOMER) if failing else None
    match tried:
        case Renewed.COLLECTED:
            return _changed(request, "paid")
        case Renewed.NOT_PAID:
            return _changed(request, "card_changed_not_charged")
        case _:
            return _changed(request, "card_changed")


def _settled(request: Request, answered: Answered) -> tuple[str, int, str | None]:
    """The sentence, the status and where people go on, after a try to pay. Raises `Declined`."""
    match answered.state:
        case Checked.PAID:
            return "paid", 200, None
        case Checked.PROCESSING:
            return "payment_processing", 202, None
        case Checked.CONFIRM:
            url = answered.attempt.confirm_url if answered.attempt else None
            return "payment_processing", 202, url if hosted.is_hosted(request, url) else None
        case Checked.DECLINED:
            raise declined(answered.attempt)


@app.post(
    "/subscriptions/{subscription}/pay",
    page="subscription",
    answer=SubscriptionPage,
    body=ChooseCard,
    who=Who.CUSTOMER,
    idempotency_key=True,
    on_error=_subscription_again,
    summary="Pay what a subscription owes, once.",
)
def pay_subscription(request: Request) -> Answer:
    body: ChooseCard = request.body
    subscription_id = path_id(request, "subscription")
    press = _pressed(request, "pay", subscription_id, body.card)
    _, found = _subscription(request, lambda customer_id: press(customer_id).ref)
    pressed = press(request.signed_in.value.id)
    answered, _ = paying.pay(
        hosted.context(request),
        subscription_id,
        card_id=body.card,
        press=pressed,
        earlier=found.get(pressed.ref),
    )
    done, status, location = _settled(request, answered)
    return _changed(request, done, status, location)


# --- invoices --------------------------------------------------------------------------------


@app.get(
    "/invoices",
    page="invoices",
    answer=InvoicesPage,
    query=InvoicesQuery,
    who=Who.CUSTOMER,
    summary="Invoices by state, with what is owed and the store credit.",
)
def invoices(request: Request) -> Answer:
    query: InvoicesQuery = request.query
    customer = request.signed_in.value
    held = accounts.invoices_of(customer.id, limit=READ_AT_ONCE, after=_cursor(query, "invoice"))
    return Answer(
        account_lists.invoices_page(_values(held), query, held.next, request.catalogue, customer)
    )


def _invoice(request: Request, *more: Callable[[str], Ref[Any]]) -> tuple[Row[Invoice], Found]:
    """The invoice in the path, fresh. `Missing` for what is not this customer's ([OWN])."""
    invoice_id = path_id(request, "invoice")

    def refs(customer_id: str) -> list[Ref[Any]]:
        own = accounts.invoice(customer_id, invoice_id)
        return [own, accounts.head(customer_id), *(ref(customer_id) for ref in more)]

    found = _load(request, refs)
    row = found.get(accounts.invoice(request.signed_in.value.id, invoice_id))
    if row is None:
        raise Missing("There is no such invoice.")
    return row, found


def _invoice_page(request: Request) -> InvoicePage:
    row, found = _invoice(request)
    customer, invoice = _customer_in(request, found), row.value
    charge_ref = accounts.charge(customer.id, invoice.source or "none")
    subscription_ref = accounts.subscription(customer.id, invoice.subscription_id or "none")
    found = request.load(charge_ref, subscription_ref)
    charge, subscription = found.get(charge_ref), found.get(subscription_ref)
    return account_view.invoice_page(
        invoice,
        charge.value if charge else None,
        subscription.value if subscription else None,
        request.catalogue,
        customer,
        request.now,
        idempotency_key=request.wiring.new_id(),
    )


@app.get(
    "/invoices/{invoice}",
    page="invoice",
    answer=InvoicePage,
    who=Who.CUSTOMER,
    summary="One invoice: lines, tax, payments and tries.",
)
def invoice(request: Request) -> Answer:
    return Answer(_invoice_page(request), leads_to=hosted.origins(request))


def _invoice_again(request: Request, error: PunchcardError) -> Answer | None:
    if isinstance(error, Missing):
        return None
    if isinstance(error, Declined):
        request.problems = {"card": error.detail}
    return Answer(_invoice_page(request), leads_to=hosted.origins(request))


@app.post(
    "/invoices/{invoice}/pay",
    page="invoice",
    answer=InvoicePage,
    body=ChooseCard,
    who=Who.CUSTOMER,
    idempotency_key=True,
    on_error=_invoice_again,
    summary="Pay an open invoice, once.",
)
def pay_invoice(request: Request) -> Answer:
    body: ChooseCard = request.body
    invoice_id = path_id(request, "invoice")
    press = _pressed(request, "pay_invoice", invoice_id, body.card)
    row, found = _invoice(request, lambda customer_id: press(customer_id).ref)
    pressed = press(request.signed_in.value.id)
    earlier = found.get(pressed.ref)
    if earlier is None:
        earlier = _check_collects(request, row, pressed)
    answered, _ = paying.pay(
        hosted.context(request),
        row.value.subscription_id or "none",
        card_id=body.card,
        press=pressed,
        earlier=earlier,
    )
    done, status, location = _settled(request, answered)
    if request.wants_html:
        there = location or f"/invoices/{invoice_id}"
        return Answer(Led(location=there), location=there, done=None if location else done)
    return Answer(_invoice_page(request), status=status)


def _check_collects(request: Request, row: Row[Invoice], press: Press) -> Row[Submission] | None:
    """An open invoice is what its subscription fails to collect, and paying it pays that. If not:
    what the same press left that was first, else `Conflict`."""
    ref = accounts.subscription(row.value.customer_id, row.value.subscription_id or "none")
    found = request.load(ref, press.ref)
    subscription, earlier = found.get(ref), found.get(press.ref)
    collects = account_view.collects(subscription.value if subscription else None, row.value)
    if earlier is None and not collects:
        raise Conflict("Nothing is owed on this invoice.", code="nothing_owed")
    return earlier


@app.get(
    "/payments",
    page="payments",
    answer=PaymentsPage,
    query=PaymentsQuery,
    who=Who.CUSTOMER,
    summary="The payment history, sorted by date, price, order or status.",
)
def payments(request: Request) -> Answer:
    query: PaymentsQuery = request.query
    customer_id = request.signed_in.value.id
    held = accounts.invoices_of(customer_id, limit=READ_AT_ONCE, after=_cursor(query, "invoice"))
    return Answer(account_lists.payments_page(_values(held), query, held.next, request.catalogue))


handler = app.handler
