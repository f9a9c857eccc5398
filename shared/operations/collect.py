"""What a slot of the clock does with a period of a subscription ([RETRY] [RENEW])."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from shared.domain import collecting
from shared.domain.by import By
from shared.domain.charge import Charge, begin_attempt
from shared.domain.collected_by import CollectedBy
from shared.domain.ending import EndReason
from shared.domain.outcome import NEVER_REACHED, Outcome
from shared.domain.renewal import NextCharge, decide_renewal
from shared.domain.subscription import Subscription, SubscriptionState, next_slot_at
from shared.operations import tell
from shared.operations.asking import ask
from shared.operations.books import Books, open_books
from shared.operations.giving_up import give_up_period, packs_to_end
from shared.operations.opening import new_period
from shared.operations.settle import settle
from shared.operations.settle_period import write_paid_period
from shared.providers.errors import ProviderUnavailable, RequestRefused
from shared.store import accounts, transactions
from shared.store.items import Lost, Row
from shared.store.reading import read
from shared.store.writing import unsaved, written

if TYPE_CHECKING:
    from shared.domain.card import Card
    from shared.domain.customer import Customer
    from shared.operations.context import Context
    from shared.store.records import Submission


class Renewed(StrEnum):
    """What a worker did with a subscription that was due."""

    NOTHING_DUE = "nothing_due"
    COLLECTED = "collected"
    NOT_PAID = "not_paid"
    OPEN = "open"
    """The outcome is not known yet, or waits for the customer."""
    CANCELLED = "cancelled"
    ENDED = "ended"
    CARTED = "carted"
    WAITS = "waits"
    """The cart could not take the next pack yet."""
    SKIPPED = "skipped"
    SLOT_PASSED = "slot_passed"
    GAVE_UP = "gave_up"
    LOST = "lost"


def _result(charge: Charge) -> Renewed:
    if charge.settled_at is not None:
        return Renewed.COLLECTED
    return Renewed.NOT_PAID if not charge.blocked or charge.given_up else Renewed.OPEN


# --- a period's first try -----------------------------------------------------------------------


def renew(context: Context, customer_id: str, subscription_id: str) -> Renewed:
    """Charge the period that is due ([2359]), or end what was to end there ([CANCEL], [UNTIL]).

    Three round trips when it charges: read, intent, settle. A second event for the same work
    finds nothing due; a race is lost cleanly.
    """
    now = context.now()
    subscription_ref = accounts.subscription(customer_id, subscription_id)
    head_ref = accounts.head(customer_id)
    found = read(subscription_ref, head_ref)
    subscription, customer = found.get(subscription_ref), found.get(head_ref)
    if subscription is None or customer is None:
        return Renewed.NOTHING_DUE
    try:
        match decide_renewal(subscription.value, now):
            case NextCharge.NOT_YET:
                return Renewed.NOTHING_DUE
            case NextCharge.CANCEL:
                reason = subscription.value.cancel_by or EndReason.BY_CUSTOMER
                return _end_at_period(context, subscription, customer, reason)
            case NextCharge.END:
                return _end_at_period(context, subscription, customer, EndReason.UNTIL)
            case NextCharge.SKIP:
                return _skip_ended(context, subscription)
            case NextCharge.CART:
                from shared.operations.next_pack_in_cart import put_into_cart

                carted = put_into_cart(context, subscription, customer)
                return Renewed.CARTED if carted else Renewed.WAITS
            case NextCharge.CHARGE:
                return _charge_period(context, subscription, customer)
    except Lost:
        return Renewed.LOST


def _end_at_period(
    context: Context, subscription: Row[Subscription], customer: Row[Customer], reason: EndReason
) -> Renewed:
    by_until = reason is EndReason.UNTIL
    over = collecting.end(
        subscription.value,
        SubscriptionState.ENDED if by_until else SubscriptionState.CANCELLED,
        reason,
        context.now(),
    )
    ending = packs_to_end(over)
    transactions.change_subscription(
        subscription=subscription,
        changed=over,
        packs=ending,
        messages=[
            tell.cancelled(context, customer.value, over, pack=ending[0][1] if ending else None)
        ],
    )
    return Renewed.ENDED if by_until else Renewed.CANCELLED


def _skip_ended(context: Context, subscription: Row[Subscription]) -> Renewed:
    """Nobody could charge these periods while they ran: staff are told, nothing is caught up."""
    following, skipped = collecting.skip_ended(subscription.value, context.now())
    transactions.change_subscription(
        subscription=subscription,
        changed=following,
        notices=[tell.periods_skipped(context, following, skipped)],
    )
    return Renewed.SKIPPED


def _charge_period(
    context: Context, subscription: Row[Subscription], customer: Row[Customer]
) -> Renewed:
    value = subscription.value
    books = new_period(context, subscription, customer, invoice_id=context.new_id())
    opened, invoice = books.subscription, books.invoice
    assert opened is not None and invoice is not None
    charge = books.charge.value
    card = _card_to_ask(value, customer.value)
    provider_customer = customer.value.at_provider(card)
    if charge.amount and card is not None and provider_customer is not None:
        charge = begin_attempt(
            charge,
            card=card,
            provider_customer=provider_customer,
            by=By.CLOCK,
            now=context.now(),
        )
        books = books._replace(charge=unsaved(books.charge.ref, charge))
    # Where nobody is asked there is nothing between intent and outcome: one transaction.
    if not charge.amount:
        return _settle_free_period(context, books)
    if charge.last is None:
        return _no_card(context, books)
    transactions.open_period(
        subscription=subscription,
        collecting=opened.value,
        charge=charge,
        invoice=invoice.value,
    )
    _, settled = settle(context, _stored(books), charge.last.id, ask(context, charge))
    return _result(settled)


def _card_to_ask(subscription: Subscription, customer: Customer) -> Card | None:
    """What is collected by recording asks no card ([PAY])."""
    if subscription.collected_by is CollectedBy.RECORDING:
        return None
    return customer.card_for(subscription.card_id)


def _stored(books: Books) -> Books:
    """The books as our own transaction has just written them."""
    subscription, invoice = books.subscription, books.invoice
    assert subscription is not None and invoice is not None
    return Books(
        charge=Row(books.charge.ref, books.charge.value, books.charge.version + 1),
        customer=books.customer,
        subscription=Row(subscription.ref, subscription.value, subscription.version + 1),
        invoice=written(invoice.ref, invoice.value, invoice.version + 1),
    )


def _settle_free_period(context: Context, books: Books) -> Renewed:
    """A total of 0 calls no provider ([CHECKOUT])."""
    assert books.subscription is not None and books.invoice is not None
    settled = books.charge.value.model_copy(update={"settled_at": context.now()})
    write_paid_period(
        context,
        charge=books.charge,
        settled=settled,
        subscription=books.subscription,
        invoice=books.invoice,
        customer=books.customer,
        attempt=None,
    )
    return Renewed.COLLECTED


def _no_card(context: Context, books: Books) -> Renewed:
    """There is no card to ask: the slot fails as a declined one does. What is collected by
    recording is due, and is asked for by email."""
    assert books.subscription is not None and books.invoice is not None
    passed = collecting.pass_slot(books.subscription.value)
    if next_slot_at(passed) is None:
        give_up_period(
            context,
            charge=books.charge,
            recorded=books.charge.value,
            subscription=Row(books.subscription.ref, passed, books.subscription.version),
            invoice=books.invoice,
            customer=books.customer,
        )
        return Renewed.GAVE_UP
    failing = collecting.mark_failing(passed)
    charge = books.charge.value
    by_recording = failing.collected_by is CollectedBy.RECORDING
    asked = {"asked_at" if by_recording else "failed_at": context.now()}
    transactions.record_try(
        charge=books.charge,
        recorded=charge,
        invoice=books.invoice,
        failed=books.invoice.value.model_copy(update=asked),
        subscription=books.subscription,
        changed_subscription=failing,
        customer=books.customer,
        changed_customer=collecting.with_past_due(
            books.customer.value, collecting.past_due_of(failing, charge)
        ),
        messages=[
            tell.payment_due(context, books.customer.value, failing, books.invoice.value)
            if by_recording
            else tell.try_failed(context, books.customer.value, failing, charge, None)
        ],
    )
    return Renewed.NOT_PAID


# --- the later slots ------------------------------------------------------------------------------


def retry(context: Context, customer_id: str, subscription_id: str) -> Renewed:
    """The next slot of a failing charge ([RETRY]).

    A slot passes without a try, and still counts, while the outcome of the last one is open,
    while the customer is to confirm, on a card that gave a final decline ([HARD]), and where no
    card is asked ([PAY]).
    """
    ref = accounts.subscription(customer_id, subscription_id)
    row = read(ref).get(ref)
    if row is None or row.value.collection is None:
        return Renewed.NOTHING_DUE
    books = open_books(customer_id, row.value.collection.source)
    if books is None or books.subscription is None or books.invoice is None:
        return Renewed.NOTHING_DUE
    subscription = books.subscription.value
    slot_at = next_slot_at(subscription)
    if subscription.over or subscription.state is SubscriptionState.PAUSED:
        return Renewed.NOTHING_DUE
    if slot_at is None or context.now() < slot_at:
        return Renewed.NOTHING_DUE
    try:
        return _use_slot(context, books)
    except Lost:
        return Renewed.LOST


def _use_slot(context: Context, books: Books) -> Renewed:
    assert books.subscription is not None and books.invoice is not None
    charge, customer = books.charge.value, books.customer.value
    subscription = collecting.use_slot(books.subscription.value, context.now())
    card = _card_to_ask(subscription, customer)
    provider_customer = customer.at_provider(card)
    refused_for_good = card is not None and any(
        # A card that the network has renewed since is not the one that was refused.
        one.outcome is Outcome.DECLINED_FINAL and one.card == card
        for one in charge.attempts
    )
    nobody = card is None or provider_customer is None
    if charge.blocked or nobody or refused_for_good or _was_open(books):
        return _slot_passes(context, books, collecting.pass_slot(subscription))
    assert card is not None and provider_customer is not None
    now = context.now()
    attempting = begin_attempt(
        charge, card=card, provider_customer=provider_customer, by=By.CLOCK, now=now
    )
    return _try_once_more(context, books, attempting, subscription)


def _was_open(books: Books) -> bool:
    """Whether the last try was still open when this slot came, and was taken for lost only then,
    in the same minute: as late as can be is when the next one begins ([ONCE])."""
    assert books.subscription is not None
    last, slot_at = books.charge.value.last, next_slot_at(books.subscription.value)
    if last is None or last.decided_at is None or slot_at is None:
        return False
    return last.decline_code == NEVER_REACHED and last.decided_at >= slot_at


def _slot_passes(context: Context, books: Books, subscription: Subscription) -> Renewed:
    """No try in this slot. After the last one the subscription is given up, unless the outcome
    of a try is still open: then it is decided when that is known."""
    assert books.subscription is not None and books.invoice is not None
    charge = books.charge.value
    slot_at = next_slot_at(subscription)
    waits = charge.outcome is Outcome.AUTHENTICATION_REQUIRED
    if slot_at is None and waits:
        return _give_up_waiting(context, books, subscription)
    if slot_at is None and not charge.undecided:
        give_up_period(
            context,
            charge=books.charge,
            recorded=charge,
            subscription=Row(books.subscription.ref, subscription, books.subscription.version),
            invoice=books.invoice,
            customer=books.customer,
        )
        return Renewed.GAVE_UP
    changed = collecting.with_past_due(
        books.customer.value, collecting.past_due_of(subscription, charge)
    )
    transactions.change_subscription(
        subscription=books.subscription,
        changed=subscription,
        customer=books.customer,
        changed_customer=changed if subscription.collection and _failing(subscription) else None,
    )
    return Renewed.SLOT_PASSED


def _failing(subscription: Subscription) -> bool:
    return subscription.collection is not None and subscription.collection.failing


def _give_up_waiting(context: Context, books: Books, subscription: Subscription) -> Renewed:
    """The last slot has come and the customer has not confirmed: the provider is told to give
    the payment up, and what it then says is settled: it may just have been confirmed."""
    assert books.subscription is not None
    transactions.change_subscription(subscription=books.subscription, changed=subscription)
    attempt = books.charge.value.last
    assert attempt is not None
    if attempt.provider_charge_id is None:
        return Renewed.OPEN
    try:
        result = context.provider(attempt.card.provider).cancel_charge(
            provider_charge_id=attempt.provider_charge_id,
            idempotency_key=f"{attempt.id}-cancel",
        )
    except (ProviderUnavailable, RequestRefused):
        return Renewed.OPEN
    fresh = open_books(books.charge.value.customer_id, books.charge.value.source)
    assert fresh is not None
    _, settled = settle(context, fresh, attempt.id, result)
    return Renewed.GAVE_UP if settled.given_up else _result(settled)


def _try_once_more(
    context: Context,
    books: Books,
    attempting: Charge,
    subscription: Subscription,
    submission: tuple[str, Submission] | None = None,
) -> Renewed:
    assert books.subscription is not None and attempting.last is not None
    if submission is not None:
        key, record = submission
        made = {"answer": attempting.source, "attempt": attempting.last.id}
        submission = key, record.model_copy(update=made)
    transactions.begin_retry(
        charge=books.charge,
        attempting=attempting,
        subscription=books.subscription,
        collecting=subscription,
        submission=submission,
    )
    moved = subscription != books.subscription.value
    after = Books(
        charge=Row(books.charge.ref, attempting, books.charge.version + 1),
        customer=books.customer,
        subscription=Row(books.subscription.ref, subscription, books.subscription.version + moved),
        invoice=books.invoice,
    )
    _, settled = settle(context, after, attempting.last.id, ask(context, attempting))
    return _result(settled)


# --- tries that a person starts ------------------------------------------------------------------


def pay_now(
    context: Context,
    books: Books,
    *,
    card_id: str | None,
    by: By,
    submission: tuple[str, Submission] | None = None,
) -> Renewed:
    """Try an open period's charge at once, on `card_id` or the card it would use. It uses up no
    slot ([HARD]). `LOST` when somebody else was first, `OPEN` while the last outcome is open."""
    assert books.subscription is not None
    charge, customer = books.charge.value, books.customer.value
    subscription = books.subscription.value
    if charge.settled_at is not None or charge.given_up:
        return _result(charge)
    if charge.outcome is Outcome.AUTHENTICATION_REQUIRED:
        return _instead_of_confirming(context, books, card_id, by, submission)
    if charge.blocked:
        return Renewed.OPEN
    card = customer.card_for(card_id or subscription.card_id)
    provider_customer = customer.at_provider(card)
    if card is None or provider_customer is None:
        return Renewed.NOT_PAID
    attempting = begin_attempt(
        charge, card=card, provider_customer=provider_customer, by=by, now=context.now()
    )
    try:
        return _try_once_more(context, books, attempting, subscription, submission)
    except Lost:
        return Renewed.LOST


def _instead_of_confirming(
    context: Context,
    books: Books,
    card_id: str | None,
    by: By,
    submission: tuple[str, Submission] | None,
) -> Renewed:
    """A payment waits for the customer to confirm it, and another card is to be tried: the
    provider gives the first one up before the second begins. On the same card it goes on
    waiting."""
    attempt = books.charge.value.last
    assert attempt is not None and books.subscription is not None
    card = books.customer.value.card_for(card_id or books.subscription.value.card_id)
    if card is None or card.id == attempt.card.id or attempt.provider_charge_id is None:
        return Renewed.OPEN
    try:
        result = context.provider(attempt.card.provider).cancel_charge(
            provider_charge_id=attempt.provider_charge_id, idempotency_key=f"{attempt.id}-cancel"
        )
    except (ProviderUnavailable, RequestRefused):
        return Renewed.OPEN
    _, settled = settle(context, books, attempt.id, result)
    if settled.settled_at is not None or settled.blocked:
        return _result(settled)
    fresh = open_books(settled.customer_id, settled.source)
    assert fresh is not None
    return pay_now(context, fresh, card_id=card_id, by=by, submission=submission)
