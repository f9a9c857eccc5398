"""What is past due is tried on a card by its owner's wish ([PASTDUE], [CARDS])."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.domain.by import By
from shared.domain.collected_by import CollectedBy
from shared.domain.errors import Conflict, Invalid, Missing
from shared.domain.outcome import OPEN_OUTCOMES
from shared.domain.subscription import SubscriptionState
from shared.operations.books import Books, open_books
from shared.operations.cards import customer_row
from shared.operations.collect import Renewed, pay_now
from shared.store import accounts, transactions
from shared.store.items import Lost
from shared.store.reading import read

if TYPE_CHECKING:
    from shared.domain.card import Card
    from shared.domain.subscription import Subscription
    from shared.operations.context import Context
    from shared.store.records import Submission

JUST_NOW = timedelta(minutes=5)
"""How long after a card was tried its owner, coming back from the card page, is told of it."""


def try_past_due(
    context: Context, customer_id: str, card_id: str, *, only_untried: bool = False
) -> tuple[tuple[str, Renewed], ...]:
    """Try every failing charge of a customer on `card_id`, and let a subscription whose own card
    failed use it from now on; what staff have paused waits ([PAUSE]), and what is collected by
    recording asks no card ([PAY]). `only_untried` leaves out what was tried on this card before."""
    tried: list[tuple[str, Renewed]] = []
    customer = customer_row(customer_id).value
    for entry in customer.past_due:
        subscription_ref = accounts.subscription(customer_id, entry.subscription_id)
        row = read(subscription_ref).get(subscription_ref)
        if row is None or row.value.collection is None or not _asks_cards(row.value):
            continue
        if row.value.card_id is not None and row.value.card_id != card_id:
            try:
                transactions.change_subscription(
                    subscription=row, changed=row.value.model_copy(update={"card_id": card_id})
                )
            except Lost:
                continue
        books = open_books(customer_id, row.value.collection.source)
        if books is None or books.subscription is None:
            continue
        attempts = books.charge.value.attempts
        if only_untried and any(one.card.id == card_id for one in attempts):
            continue
        tried.append(
            (entry.subscription_id, pay_now(context, books, card_id=card_id, by=By.CUSTOMER))
        )
    return tuple(tried)


def _asks_cards(subscription: Subscription) -> bool:
    by_card = subscription.collected_by is CollectedBy.CARD
    return by_card and not subscription.paused_by_staff


def just_tried(context: Context, customer_id: str, card: Card) -> tuple[tuple[str, Renewed], ...]:
    """What the webhook has tried on the card a moment before its owner came back: they are told
    what became of it all the same."""
    since = context.now() - JUST_NOW
    found: list[tuple[str, Renewed]] = []
    for row in accounts.charges_of(customer_id).rows:
        charge, last = row.value, row.value.last
        if charge.subscription_id is None or last is None or last.card.id != card.id:
            continue
        if last.started_at < since or last.by is By.CLOCK:
            continue
        paid = charge.settled_at is not None
        open_still = charge.outcome in OPEN_OUTCOMES
        result = Renewed.COLLECTED if paid else Renewed.OPEN if open_still else Renewed.NOT_PAID
        found.append((charge.subscription_id, result))
    return tuple(found)


def pay_subscription(
    context: Context,
    customer_id: str,
    subscription_id: str,
    *,
    card_id: str | None,
    submission: tuple[str, Submission] | None = None,
) -> tuple[Renewed, Books]:
    """Pay what is owed on a subscription now, by the customer's own wish."""
    ref = accounts.subscription(customer_id, subscription_id)
    row = read(ref).get(ref)
    if row is None:
        raise Missing("There is no such subscription.")
    if row.value.collection is None or row.value.state not in (
        SubscriptionState.PAST_DUE,
        SubscriptionState.PAUSED,
    ):
        raise Conflict("Nothing is owed on this subscription.", code="nothing_owed")
    books = open_books(customer_id, row.value.collection.source)
    assert books is not None
    if card_id is not None and books.customer.value.card(card_id) is None:
        raise Invalid("Choose one of your cards.", fields={"card": "This card is not on file."})
    if books.customer.value.card_for(card_id) is None:
        raise Invalid("Add a card first.", fields={"card": "There is no card on file."})
    result = pay_now(context, books, card_id=card_id, by=By.CUSTOMER, submission=submission)
    after = open_books(customer_id, row.value.collection.source)
    assert after is not None
    return result, after
