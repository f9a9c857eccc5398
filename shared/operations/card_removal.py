"""Taking a card off file, and why one has to stay ([CARDS])."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from shared.domain.card import named
from shared.domain.collected_by import CollectedBy
from shared.domain.customer import REMOVED_REMEMBERED
from shared.domain.errors import Conflict, Missing
from shared.domain.invoice import InvoiceState
from shared.domain.outcome import UNDECIDED_OUTCOMES, Outcome
from shared.domain.subscription import OVER
from shared.operations.cards import CARD_TRIES, card_event, customer_row
from shared.providers.errors import ProviderUnavailable, RequestRefused
from shared.store import accounts, transactions
from shared.store.items import Lost
from shared.store.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.domain.card import Card
    from shared.domain.customer import Customer
    from shared.domain.invoice import Invoice
    from shared.domain.subscription import Subscription
    from shared.operations.context import Context
    from shared.store.items import Row


class Why(StrEnum):
    """Why a card stays ([CARDS])."""

    LAST_NEEDED = "last_needed"
    CHARGE_UNKNOWN = "charge_unknown"


def why_it_stays(
    customer: Customer, card: Card, subscriptions: list[Subscription], undecided: set[str]
) -> Why | None:
    """Why `card` can't be removed. `undecided` are the ids of cards with an open charge."""
    if card.id in undecided:
        return Why.CHARGE_UNKNOWN
    needed = any(one.state not in OVER and not _paid_by_hand(one) for one in subscriptions)
    return Why.LAST_NEEDED if needed and len(customer.cards) == 1 else None


def _paid_by_hand(subscription: Subscription) -> bool:
    """Whether nothing of it is debited by itself, now or later ([RECUR], [PAY])."""
    if subscription.collected_by is CollectedBy.RECORDING:
        return True
    recurring = subscription.recurring
    return recurring is not None and recurring.by_hand and subscription.collection is None


def undecided_cards(
    customer: Row[Customer], subscriptions: list[Subscription], invoices: Iterable[Invoice] = ()
) -> set[str]:
    """The cards on which a charge is under way whose outcome is open, `invoices` being those that
    may be paid by themselves: one round trip more when something is being collected, none
    otherwise."""
    customer_id = customer.value.id
    sources = [one.collection.source for one in subscriptions if one.collection is not None]
    sources += [one.charged_under for one in invoices if one.state is InvoiceState.OPEN]
    carts = [
        accounts.cart(accounts.customer_pk(customer_id), location_id)
        for location_id, count in customer.value.cart_counts.items()
        if count
    ]
    found = read(*carts)
    for ref in carts:
        cart = found.get(ref)
        if cart is not None and cart.value.claimed_by is not None:
            sources.append(cart.value.token)
    refs = [accounts.charge(customer_id, source) for source in sources]
    charges = read(*refs)
    undecided: set[str] = set()
    for charge_ref in refs:
        row = charges.get(charge_ref)
        if row is None or row.value.last is None:
            continue
        outcome = row.value.outcome
        if outcome in UNDECIDED_OUTCOMES or outcome is Outcome.AUTHENTICATION_REQUIRED:
            undecided.add(row.value.last.card.id)
    return undecided


def remove(context: Context, customer_id: str, card_id: str) -> Customer:
    """Take a card off file, here and at the provider. Subscriptions that named it fall back to
    the default. `Conflict` with the reason when it has to stay."""
    for _ in range(CARD_TRIES):
        row = customer_row(customer_id)
        card = row.value.card(card_id)
        if card is None:
            raise Missing("There is no such card.")
        held = [one.value for one in accounts.subscriptions_of(customer_id).rows]
        rows = (
            *accounts.invoices_of(customer_id).rows,
            *accounts.all_asking_invoices_of(customer_id),
        )
        asked = [one.value for one in rows]
        match why_it_stays(row.value, card, held, undecided_cards(row, held, asked)):
            case Why.LAST_NEEDED:
                raise Conflict(
                    "A subscription needs this card. Add another one first.", code="card_needed"
                )
            case Why.CHARGE_UNKNOWN:
                raise Conflict(
                    "A payment on this card is still being confirmed.", code="card_being_charged"
                )
            case None:
                pass
        left = tuple(one for one in row.value.cards if one.id != card_id)
        default = row.value.default_card
        if default == card_id:
            default = left[-1].id if left else None
        removed = (*row.value.removed_cards, card.token)[-REMOVED_REMEMBERED:]
        changed = row.value.model_copy(
            update={"cards": left, "default_card": default, "removed_cards": removed}
        )
        try:
            transactions.change_customer(
                customer=row,
                changed=changed,
                events=[card_event(context, "card:removed", before=named(card))],
            )
        except Lost:
            continue
        _forget(context, row.value, card)
        return changed
    raise Conflict("Your account changed at the same moment. Try again.")


def _forget(context: Context, customer: Customer, card: Card) -> None:
    """The provider forgets the card too; if it does not answer, or is not set up any more ([MANY]),
    ours is gone all the same and nothing can be charged to it."""
    provider_customer = customer.at_provider(card)
    if provider_customer is None:
        return
    try:
        context.provider(card.provider).remove_card(
            provider_customer=provider_customer, card_token=card.token
        )
    except (ProviderUnavailable, RequestRefused):
        return
