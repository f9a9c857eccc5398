"""Ending a subscription ([CANCEL]), and changing the card that it charges ([CARDS])."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from shared.domain import collecting
from shared.domain.by import By
from shared.domain.card import named
from shared.domain.cart import counted
from shared.domain.ending import EndReason
from shared.domain.errors import Conflict, Forbidden, Invalid, Missing
from shared.domain.invoice import void
from shared.domain.outcome import Outcome
from shared.domain.renewal import period_end_is_now
from shared.domain.self_cancel import SelfCancel
from shared.domain.subscription import Subscription, SubscriptionState
from shared.operations import tell
from shared.operations.books import Books, open_books
from shared.operations.giving_up import packs_to_end
from shared.operations.next_pack import cart_without
from shared.store import accounts, transactions
from shared.store.items import Lost, Row
from shared.store.reading import read
from shared.store.timeline import TimelineEvent

if TYPE_CHECKING:
    from shared.domain.charge import Charge
    from shared.domain.customer import Customer
    from shared.domain.invoice import Invoice
    from shared.operations.context import Context
    from shared.store.records import Submission

CANCEL_TRIES = 5


class When(StrEnum):
    NOW = "now"
    PERIOD_END = "period_end"
    REQUEST = "request"
    """Self-cancel is off: staff see the request. While a commitment runs it also ends the
    subscription after period M ([COMMIT])."""


def allowed(subscription: Subscription, policy: SelfCancel) -> frozenset[When]:
    """What a customer may choose for this subscription ([CANCEL], [COMMIT])."""
    if subscription.over or subscription.cancel_at_period_end:
        return frozenset()
    if subscription.cancel_after_commitment:
        return frozenset()
    if subscription.payments_remaining > 0:
        return frozenset({When.REQUEST})
    match policy:
        case SelfCancel.OFF:
            return frozenset({When.REQUEST})
        case SelfCancel.IMMEDIATE:
            return frozenset({When.NOW})
        case SelfCancel.PERIOD_END:
            return frozenset({When.PERIOD_END})
        case SelfCancel.CHOICE:
            return frozenset({When.NOW, When.PERIOD_END})


def load(customer_id: str, subscription_id: str) -> tuple[Row[Subscription], Row[Customer]]:
    """`Missing` for what is not this customer's ([OWN])."""
    subscription_ref = accounts.subscription(customer_id, subscription_id)
    head_ref = accounts.head(customer_id)
    found = read(subscription_ref, head_ref)
    subscription, customer = found.get(subscription_ref), found.get(head_ref)
    if subscription is None or customer is None:
        raise Missing("There is no such subscription.")
    return subscription, customer


def cancel(
    context: Context,
    customer_id: str,
    subscription_id: str,
    when: When,
    *,
    by: By,
    actor: str = "",
    submission: tuple[str, Submission] | None = None,
) -> Subscription:
    """End a subscription now, at the end of its period, or ask staff to. `actor` is the address
    of the staff member who does it ([ACCESS]).

    Now: nothing more is ever charged, retries included; an open renewal invoice is void; credits
    follow [GRANT]. If the outcome of a charge is open at that moment, the cancellation stands,
    and a late success is refunded and grants nothing. Repeating it answers the same.
    """
    for _ in range(CANCEL_TRIES):
        subscription, customer = load(customer_id, subscription_id)
        value = subscription.value
        if value.over:
            return value
        if when is When.PERIOD_END and value.cancel_at_period_end:
            return value
        if when is When.REQUEST and value.cancel_requested_at is not None:
            return value
        if by is By.CUSTOMER and when not in allowed(value, context.business.settings.self_cancel):
            if value.cancel_at_period_end and when is When.NOW:
                raise Conflict(
                    "It already ends with its period; undo that first.", code="already_cancelling"
                )
            raise Forbidden("This subscription can't be ended that way.", code="cancel_not_allowed")
        try:
            return _end(context, subscription, customer, when, by, actor, submission)
        except Lost:
            continue
    raise Conflict("Something else changed this subscription at the same moment. Try again.")


def _end(
    context: Context,
    subscription: Row[Subscription],
    customer: Row[Customer],
    when: When,
    by: By,
    actor: str,
    submission: tuple[str, Submission] | None,
) -> Subscription:
    now = context.now()
    value = subscription.value
    who = actor or by.value
    if when is When.REQUEST:
        asked = value.model_copy(
            update={
                "cancel_requested_at": value.cancel_requested_at or now,
                "cancel_after_commitment": value.payments_remaining > 0,
            }
        )
        notices = (
            []
            if value.cancel_requested_at
            else [tell.cancel_requested(context, customer.value, value)]
        )
        transactions.change_subscription(
            subscription=subscription,
            changed=asked,
            notices=notices,
            events=[_event(context, value, who, "cancel:request")],
            submission=submission,
        )
        return asked
    if when is When.PERIOD_END and not period_end_is_now(value, now):
        ending = value.model_copy(
            update={
                "cancel_at_period_end": True,
                "cancel_requested_at": now,
                "cancel_by": _reason(by),
            }
        )
        transactions.change_subscription(
            subscription=subscription,
            changed=ending,
            messages=[tell.cancellation_scheduled(context, customer.value, ending)],
            events=[_event(context, value, who, "cancel:period_end", after="ends_with_period")],
            submission=submission,
        )
        return ending
    event = _event(context, value, who, "cancel:now", after=SubscriptionState.CANCELLED.value)
    return _end_now(context, subscription, customer, by, event, submission)


def _reason(by: By) -> EndReason:
    return EndReason.BY_STAFF if by is By.STAFF else EndReason.BY_CUSTOMER


def _end_now(
    context: Context,
    subscription: Row[Subscription],
    customer: Row[Customer],
    by: By,
    event: TimelineEvent,
    submission: tuple[str, Submission] | None,
) -> Subscription:
    now = context.now()
    value = subscription.value
    over = collecting.end(value, SubscriptionState.CANCELLED, _reason(by), now)
    charge: Row[Charge] | None = None
    given_up: Charge | None = None
    invoice: Row[Invoice] | None = None
    voided: Invoice | None = None
    if value.collection is not None:
        books = open_books(value.customer_id, value.collection.source)
        if books is not None and books.charge.value.settled_at is not None:
            raise Lost([0])
        if books is not None:
            charge, invoice = books.charge, books.invoice
            given_up = give_up(charge.value, context)
            voided = void(invoice.value, now) if invoice is not None else None
    ending = packs_to_end(over)
    cart = cart_without(context, value)
    changed_customer = collecting.without_past_due(customer.value, value.id)
    transactions.change_subscription(
        subscription=subscription,
        changed=over,
        charge=charge,
        given_up=given_up,
        invoice=invoice,
        void=voided,
        customer=customer,
        changed_customer=counted(changed_customer, cart[1]) if cart else changed_customer,
        packs=ending,
        cart=cart[0] if cart else None,
        changed_cart=cart[1] if cart else None,
        messages=[
            tell.cancelled(
                context,
                customer.value,
                over,
                pack=ending[0][1] if ending else None,
                waived=invoice.value.owed if invoice else None,
            )
        ],
        events=[event],
        submission=submission,
    )
    return over


def give_up(charge: Charge, context: Context) -> Charge:
    """Nobody wants the money any more. A payment that waits for the customer is taken back at
    the provider at once."""
    changes: dict[str, object] = {"given_up": True}
    if charge.outcome is Outcome.AUTHENTICATION_REQUIRED:
        changes["next_check_at"] = context.now()
    return charge.model_copy(update=changes)


def undo(
    context: Context,
    customer_id: str,
    subscription_id: str,
    *,
    by: By,
    actor: str = "",
    submission: tuple[str, Submission] | None = None,
) -> Subscription:
    """Take back a cancellation at period end, until the charge it forestalls."""
    for _ in range(CANCEL_TRIES):
        subscription, _customer = load(customer_id, subscription_id)
        value = subscription.value
        if value.over:
            raise Conflict("This subscription has already ended.", code="already_ended")
        if not value.cancel_at_period_end and not value.cancel_after_commitment:
            return value
        kept = value.model_copy(
            update={
                "cancel_at_period_end": False,
                "cancel_after_commitment": False,
                "cancel_requested_at": None,
                "cancel_by": None,
            }
        )
        event = _event(
            context,
            value,
            actor or by.value,
            "cancel:undo",
            before="ends_with_period",
            after=value.state.value,
        )
        try:
            transactions.change_subscription(
                subscription=subscription,
                changed=kept,
                events=[event],
                submission=submission,
            )
        except Lost:
            continue
        return kept
    raise Conflict("Something else changed this subscription at the same moment. Try again.")


def use_card(
    context: Context, customer_id: str, subscription_id: str, card_id: str | None, *, by: By
) -> tuple[Subscription, Books | None]:
    """Name the card a subscription charges; None is the customer's default. Also the books of
    its failing charge, for the caller to try at once ([CARDS])."""
    for _ in range(CANCEL_TRIES):
        subscription, customer = load(customer_id, subscription_id)
        value = subscription.value
        if value.over:
            raise Conflict("This subscription has already ended.", code="already_ended")
        if card_id is not None and customer.value.card(card_id) is None:
            raise Invalid("Choose one of your cards.", fields={"card": "This card is not on file."})
        changed = value.model_copy(update={"card_id": card_id})
        if changed != value:
            try:
                transactions.change_subscription(
                    subscription=subscription,
                    changed=changed,
                    events=[
                        _event(
                            context,
                            value,
                            by.value,
                            "card",
                            before=named(customer.value.card_for(value.card_id)),
                            after=named(customer.value.card_for(card_id)),
                        )
                    ],
                )
            except Lost:
                continue
        failing = changed.collection
        if failing is None:
            return changed, None
        return changed, open_books(customer_id, failing.source)
    raise Conflict("Something else changed this subscription at the same moment. Try again.")


def _event(
    context: Context, value: Subscription, who: str, what: str, *, before: str = "", after: str = ""
) -> TimelineEvent:
    return TimelineEvent(
        id=context.new_id(),
        at=context.now(),
        by=who,
        what=what,
        subscription_id=value.id,
        before=before or value.state.value,
        after=after,
    )
