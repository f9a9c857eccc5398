"""Subscriptions: what they cost, what was tried, how they end ([FORECAST] [CANCEL] [COMMIT])."""

from collections.abc import Callable
from typing import Any

from functions.portal import hosted, subscription_lists, subscription_view
from functions.portal.declines import said_of
from functions.portal.ids import path_id
from functions.portal.listing import READ_AT_ONCE
from functions.portal.owned import Led, cursor, customer_in, ended_at, load, values
from functions.portal.pages.subscription_models import (
    CancelPage,
    CancelWhen,
    SubscriptionPage,
    SubscriptionsPage,
)
from functions.portal.pay_form import ChooseCard, press_for, settled
from functions.portal.subscription_lists import SubscriptionsQuery
from shared.domain.by import By
from shared.domain.customer import Attention, Customer
from shared.domain.errors import Declined, Missing, PunchcardError
from shared.domain.next_payment import NextPayment
from shared.domain.subscription import Subscription
from shared.operations import cancel, next_pack, paying
from shared.operations.cancel import When
from shared.operations.collect import Renewed, pay_now
from shared.operations.reconcile import reconcile
from shared.operations.submissions import once
from shared.operations.visit import Found, Ref
from shared.store import accounts
from shared.store.records import Submission
from shared.web.answer import Answer, Input
from shared.web.app import App
from shared.web.request import Request, Who
from shared.wiring import current

PERIODS_SHOWN = 24
"""How many of a subscription's latest periods its page shows the charges of."""

app = App(pages="functions.portal.pages", wiring=current)


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
        customer.id, limit=READ_AT_ONCE, after=cursor(query, "subscription")
    )
    return Answer(
        subscription_lists.subscriptions_page(
            values(held), query, ended_at(held), request.business, customer, request.now
        )
    )


def _subscription(request: Request, *more: Callable[[str], Ref[Any]]) -> tuple[Subscription, Found]:
    """The subscription in the path, fresh. `Missing` for what is not this customer's ([OWN])."""
    subscription_id = path_id(request, "subscription")

    def refs(customer_id: str) -> list[Ref[Any]]:
        own = accounts.subscription(customer_id, subscription_id)
        return [own, accounts.head(customer_id), *(ref(customer_id) for ref in more)]

    found = load(request, refs)
    row = found.get(accounts.subscription(request.signed_in.value.id, subscription_id))
    if row is None:
        raise Missing("There is no such subscription.")
    return row.value, found


def _fresh_page(request: Request) -> SubscriptionPage:
    subscription, found = _subscription(request)
    return _page(request, subscription, customer_in(request, found))


def _page(request: Request, subscription: Subscription, customer: Customer) -> SubscriptionPage:
    """With what was tried and granted for it: one round trip."""
    last = subscription.next_period
    charges = [
        accounts.charge(customer.id, accounts.period_source(subscription.id, period))
        for period in range(last, max(-1, last - PERIODS_SHOWN), -1)
    ]
    granted = [accounts.pack(customer.id, one) for one in reversed(subscription.packs)]
    found = request.load(*charges, *granted)
    return subscription_view.subscription_page(
        subscription,
        [row.value for row in map(found.get, charges) if row],
        [row.value for row in map(found.get, granted) if row],
        request.business,
        customer,
        request.now,
        pay_key=request.wiring.new_id(),
        undo_key=request.wiring.new_id(),
        set_up=hosted.set_up(request),
    )


def _waits_for_bank(subscription: Subscription, customer: Customer) -> bool:
    return any(
        one.subscription_id == subscription.id and one.needs is Attention.AUTHENTICATION
        for one in customer.past_due
    )


def _changed(request: Request, done: str, status: int = 200, location: str | None = None) -> Answer:
    """After a change: people go on to the subscription's page, programs get it as it now is."""
    own = f"/subscriptions/{path_id(request, 'subscription')}"
    if request.wants_html:
        there = location or own
        return Answer(Led(location=there), location=there, done=None if location else done)
    return Answer(_fresh_page(request), status=status)


def _subscription_again(request: Request, error: PunchcardError) -> Answer | None:
    """Its page with what went wrong, and new keys."""
    if isinstance(error, Missing):
        return None
    if isinstance(error, Declined):
        request.problems = {"card": said_of(error)}
    page = _fresh_page(request)
    return Answer(page, page="subscription", leads_to=hosted.origins(request))


@app.get(
    "/subscriptions/{subscription}",
    page="subscription",
    answer=SubscriptionPage,
    who=Who.CUSTOMER,
    summary="One subscription: what it costs, what was tried, and the next 12 months.",
)
def subscription(request: Request) -> Answer:
    """Whoever comes back from confirming a payment sees the truth at once: while it waits for
    that, the provider is asked."""
    found, loaded = _subscription(request)
    collection, customer = found.collection, customer_in(request, loaded)
    if collection is not None and _waits_for_bank(found, customer):
        reconcile(hosted.context(request), customer.id, collection.source, asked_by_webhook=True)
        found, loaded = _subscription(request)
        customer = customer_in(request, loaded)
    return Answer(_page(request, found, customer), leads_to=hosted.origins(request))


# --- ending it -------------------------------------------------------------------------------


def _cancel_page(request: Request) -> CancelPage:
    subscription, found = _subscription(request)
    customer = customer_in(request, found)
    collection = subscription.collection
    source = collection.source if collection else "none"
    pack_ref = accounts.pack(customer.id, ("none", *subscription.packs)[-1])
    charge_ref = accounts.charge(customer.id, source)
    invoice_ref = accounts.invoice(customer.id, collection.invoice_id if collection else "none")
    found = request.load(pack_ref, charge_ref, invoice_ref)
    pack, charge, invoice = found.get(pack_ref), found.get(charge_ref), found.get(invoice_ref)
    return subscription_view.cancel_page(
        subscription,
        pack.value if pack else None,
        charge.value if charge else None,
        invoice.value if invoice else None,
        request.business,
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
    press_of = press_for(request, "cancel", subscription_id, body.when.value)
    _, found = _subscription(request, lambda customer_id: press_of(customer_id).ref)
    customer_id = request.signed_in.value.id
    press = press_of(customer_id)

    def do(record: tuple[str, Submission]) -> None:
        cancel.cancel(
            hosted.context(request),
            customer_id,
            subscription_id,
            When(body.when.value),
            by=By.CUSTOMER,
            submission=record,
        )

    once(press, found.get(press.ref), request.now, do)
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
    press_of = press_for(request, "undo", subscription_id)
    _, found = _subscription(request, lambda customer_id: press_of(customer_id).ref)
    customer_id = request.signed_in.value.id
    press = press_of(customer_id)

    def do(record: tuple[str, Submission]) -> None:
        cancel.undo(
            hosted.context(request),
            customer_id,
            subscription_id,
            by=By.CUSTOMER,
            submission=record,
        )

    once(press, found.get(press.ref), request.now, do)
    return _changed(request, "cancel_undone")


# --- its card, and what it owes --------------------------------------------------------------


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


class ChooseNextPayment(Input):
    next_payment: NextPayment


@app.post(
    "/subscriptions/{subscription}/next-payment",
    page="subscription",
    answer=SubscriptionPage,
    body=ChooseNextPayment,
    who=Who.CUSTOMER,
    on_error=_subscription_again,
    summary="Choose how the next packs of what recurs are paid: by debit, or by hand in the cart.",
)
def choose_next_payment(request: Request) -> Answer:
    body: ChooseNextPayment = request.body
    subscription_id = path_id(request, "subscription")
    next_pack.choose_payment(
        hosted.context(request), request.signed_in.value.id, subscription_id, body.next_payment
    )
    return _changed(request, "next_payment_chosen")


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
    press_of = press_for(request, "pay", subscription_id, body.card)
    _, found = _subscription(request, lambda customer_id: press_of(customer_id).ref)
    press = press_of(request.signed_in.value.id)
    answered, _ = paying.pay(
        hosted.context(request),
        subscription_id,
        card_id=body.card,
        press=press,
        earlier=found.get(press.ref),
    )
    done, status, location = settled(request, answered)
    return _changed(request, done, status, location)


handler = app.handler
