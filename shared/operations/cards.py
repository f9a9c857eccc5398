"""Cards on file: add on the provider's hosted page, name the default, remove ([CARDS])."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from shared.domain.by import By
from shared.domain.collected_by import CollectedBy
from shared.domain.customer import MAX_CARDS, REMOVED_REMEMBERED, Customer
from shared.domain.errors import Conflict, Invalid, Missing, Unavailable
from shared.domain.invoice import Invoice, InvoiceState
from shared.domain.outcome import OPEN_OUTCOMES, UNDECIDED_OUTCOMES, Outcome
from shared.domain.subscription import OVER, Subscription, SubscriptionState
from shared.operations import tell
from shared.operations.books import Books, open_books
from shared.operations.cancel import named
from shared.operations.collect import Renewed, pay_now
from shared.providers.errors import NoSuchProvider, ProviderUnavailable, RequestRefused
from shared.providers.port import CardSetup
from shared.store import accounts, transactions
from shared.store.items import Lost, Row
from shared.store.reading import read
from shared.store.timeline import TimelineEvent

if TYPE_CHECKING:
    from shared.domain.card import Card
    from shared.operations.context import Context
    from shared.store.records import Submission

CARD_TRIES = 5
JUST_NOW = timedelta(minutes=5)
"""How long after a card was tried its owner, coming back from the card page, is told of it."""
ENTER_PATH = "/cards/enter"
"""Our page for a card field of the provider's."""
REMOVED = "removed"
"""What came of a card page whose card was taken off file since: its late webhook, or an old
address opened again, does not bring it back."""


class Why(StrEnum):
    """Why a card stays ([CARDS])."""

    LAST_NEEDED = "last_needed"
    CHARGE_UNKNOWN = "charge_unknown"


class Saved(NamedTuple):
    """What came back from the hosted page. `tried` are the failing charges that were tried."""

    card: Card | None
    failure: str | None = None
    tried: tuple[tuple[str, Renewed], ...] = ()


def provider_name(context: Context) -> str:
    if not context.preferred_provider:
        raise Unavailable(
            "Cards can't be added yet: no payment provider is set up.", code="no_provider"
        )
    return context.preferred_provider


def start(
    context: Context, customer: Customer, *, return_path: str, enter_path: str = ENTER_PATH
) -> CardSetup:
    """Open the hosted card page. The customer comes back to `return_path` with `setup` in the
    query. Where the provider's card field stands in a page of ours, that one, at `enter_path`, is
    the page. `Unavailable` when the provider does not answer."""
    check_room(customer)
    name = provider_name(context)
    try:
        provider = context.provider(name)
        if provider.card_frame is not None:
            url = f"{context.public_url}{enter_path}"
            return CardSetup(setup_id="", url=url, reference=customer.id)
        setup = provider.start_card_setup(
            reference=customer.id,
            email=customer.email,
            provider_customer=customer.provider_customers.get(name),
            return_url=f"{context.public_url}{return_path}",
            idempotency_key=f"setup-{context.new_id()}",
        )
    except (ProviderUnavailable, RequestRefused) as error:
        tell_staff(context, name)
        raise Unavailable(
            "The card page does not answer just now. Try again in a minute."
        ) from error
    if setup.url is None:
        raise Unavailable("The card page does not answer just now. Try again in a minute.")
    return setup


def tell_staff(context: Context, provider: str) -> None:
    """Somebody could not add a card; staff are told once a day."""
    with suppress(Lost):
        transactions.notify_once(tell.no_new_cards(context, provider))


def check_room(customer: Customer) -> None:
    """`Conflict` when the customer has as many cards as anybody may."""
    if len(customer.cards) >= MAX_CARDS:
        raise Conflict(
            f"There are {MAX_CARDS} cards on file; remove one first.", code="too_many_cards"
        )


def finish(context: Context, provider: str, setup_id: str, *, customer_id: str | None) -> Saved:
    """Put the card that was saved on file, once, whoever reports it: the returning customer or
    the webhook. A setup of somebody else is `Missing` ([OWN]).

    A new card tries what is past due at once, and becomes the default then ([CARDS]).
    """
    try:
        setup = context.provider(provider).fetch_card_setup(setup_id)
    except NoSuchProvider as error:
        raise Missing("There is no such card page.") from error
    except (ProviderUnavailable, RequestRefused) as error:
        raise Unavailable(
            "The card page does not answer just now. Try again in a minute."
        ) from error
    if setup is None or (customer_id is not None and setup.reference != customer_id):
        raise Missing("There is no such card page.")
    if not setup.complete or setup.card is None or setup.provider_customer is None:
        return Saved(card=None, failure=setup.failure)
    return put_on_file(context, setup, setup.card, setup.provider_customer, asked_by=customer_id)


def put_on_file(
    context: Context,
    setup: CardSetup,
    card: Card,
    provider_customer: str,
    *,
    asked_by: str | None,
    entered: bool = False,
) -> Saved:
    """Once, whoever reports the card; `asked_by` is the customer, when it is they who do. One that
    was taken off file since stays off, unless it was `entered` anew."""
    for _ in range(CARD_TRIES):
        row = customer_row(setup.reference)
        before = row.value
        if card.token in before.removed_cards and not entered:
            return Saved(card=None, failure=REMOVED)
        known = before.card_kept_as(card.provider, card.token)
        if known is not None and not (entered and _dated(known) != _dated(card)):
            tried = _try_if_nobody_has(context, before, card)
            if not tried and asked_by is not None:
                tried = _just_tried(context, asked_by, card)
            return Saved(card=card, tried=tried)
        others = before.model_copy(
            update={
                "cards": tuple(one for one in before.cards if one is not known),
                "removed_cards": tuple(one for one in before.removed_cards if one != card.token),
            }
        )
        event = (
            _event(context, "card:added", after=named(card))
            if known is None
            else _event(context, "card:renewed", before=_dated(known), after=_dated(card))
        )
        try:
            transactions.change_customer(
                customer=row, changed=others.with_card(card, provider_customer), events=[event]
            )
        except Lost:
            continue
        return Saved(card=card, tried=try_past_due(context, setup.reference, card.id))
    raise Conflict("Your account changed at the same moment. Try again.")


def refresh(context: Context, provider: str, card_token: str) -> bool:
    """Note what the card network says of a card on file by now: another number or expiry ([CARDS]).
    False when no customer of ours has it. Raises `Unavailable` when the provider can't be asked."""
    try:
        seen = context.provider(provider).fetch_card(card_token)
    except (ProviderUnavailable, RequestRefused) as error:
        raise Unavailable("The card could not be looked at.") from error
    if seen is None:
        return False
    ref = accounts.head(seen.reference)
    for _ in range(CARD_TRIES):
        row = read(ref).get(ref)
        before = row.value.card(seen.card.id) if row is not None else None
        if row is None or before is None:
            return False
        now_it_is = seen.card.model_copy(update={"provider_customer": before.provider_customer})
        if before == now_it_is:
            return True
        renewed = tuple(now_it_is if one.id == before.id else one for one in row.value.cards)
        try:
            transactions.change_customer(
                customer=row,
                changed=row.value.model_copy(update={"cards": renewed}),
                events=[
                    _event(
                        context,
                        "card:renewed",
                        before=_dated(before),
                        after=_dated(seen.card),
                        by=provider,
                    )
                ],
            )
        except Lost:
            continue
        return True
    raise Unavailable("The customer changed at the same moment.")


def _dated(card: Card) -> str:
    until = f", {card.exp_month:02d}/{card.exp_year}" if card.exp_month and card.exp_year else ""
    return f"{named(card)}{until}"


def _try_if_nobody_has(
    context: Context, customer: Customer, card: Card
) -> tuple[tuple[str, Renewed], ...]:
    """Whoever put the card on file may have ended right then. So whoever reports it again tries
    what it has not been tried on, while it still is what the clock would take."""
    if not customer.past_due or customer.default_card != card.id:
        return ()
    return try_past_due(context, customer.id, card.id, only_untried=True)


def _just_tried(context: Context, customer_id: str, card: Card) -> tuple[tuple[str, Renewed], ...]:
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


def _event(
    context: Context, what: str, *, before: str = "", after: str = "", by: str = By.CUSTOMER.value
) -> TimelineEvent:
    return TimelineEvent(
        id=context.new_id(),
        at=context.now(),
        by=by,
        what=what,
        before=before,
        after=after,
    )


def customer_row(customer_id: str) -> Row[Customer]:
    """The customer's head as it is now; `Missing` when there is none."""
    ref = accounts.head(customer_id)
    row = read(ref).get(ref)
    if row is None:
        raise Missing("There is no such customer.")
    return row


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


def make_default(
    context: Context, customer_id: str, card_id: str
) -> tuple[Customer, tuple[tuple[str, Renewed], ...]]:
    """Name the default card; what is past due is tried on it at once ([CARDS]). Whoever named it
    may have ended right then, so naming it again tries what it has not been tried on."""
    for _ in range(CARD_TRIES):
        row = customer_row(customer_id)
        if row.value.card(card_id) is None:
            raise Missing("There is no such card.")
        changed = row.value.model_copy(update={"default_card": card_id})
        try:
            transactions.change_customer(
                customer=row,
                changed=changed,
                events=[]
                if changed == row.value
                else [
                    _event(
                        context,
                        "card:default",
                        before=named(row.value.card(row.value.default_card)),
                        after=named(row.value.card(card_id)),
                    )
                ],
            )
        except Lost:
            continue
        named_before = row.value == changed
        tried = try_past_due(context, customer_id, card_id, only_untried=named_before)
        return changed, tried
    raise Conflict("Your account changed at the same moment. Try again.")


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
                events=[_event(context, "card:removed", before=named(card))],
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
