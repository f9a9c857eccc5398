"""Cards on file: add on the provider's hosted page, name the default ([CARDS])."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from shared.domain.by import By
from shared.domain.card import named
from shared.domain.customer import MAX_CARDS, Customer
from shared.domain.errors import Conflict, Missing, Unavailable
from shared.operations import tell
from shared.providers.errors import NoSuchProvider, ProviderUnavailable, RequestRefused
from shared.providers.port import CardSetup
from shared.store import accounts, transactions
from shared.store.items import Lost, Row
from shared.store.reading import read
from shared.store.timeline import TimelineEvent

if TYPE_CHECKING:
    from shared.domain.card import Card
    from shared.operations.collect import Renewed
    from shared.operations.context import Context

CARD_TRIES = 5
ENTER_PATH = "/cards/enter"
"""Our page for a card field of the provider's."""
REMOVED = "removed"
"""What came of a card page whose card was taken off file since: its late webhook, or an old
address opened again, does not bring it back."""


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
                from shared.operations.past_due import just_tried

                tried = just_tried(context, asked_by, card)
            return Saved(card=card, tried=tried)
        others = before.model_copy(
            update={
                "cards": tuple(one for one in before.cards if one is not known),
                "removed_cards": tuple(one for one in before.removed_cards if one != card.token),
            }
        )
        event = (
            card_event(context, "card:added", after=named(card))
            if known is None
            else card_event(context, "card:renewed", before=_dated(known), after=_dated(card))
        )
        changed = others.with_card(card, provider_customer)
        try:
            transactions.change_customer(customer=row, changed=changed, events=[event])
        except Lost:
            continue
        return Saved(card=card, tried=_tried(context, changed, card.id))
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
                    card_event(
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
    return _tried(context, customer, card.id, only_untried=True)


def _tried(
    context: Context, customer: Customer, card_id: str, *, only_untried: bool = False
) -> tuple[tuple[str, Renewed], ...]:
    if not customer.past_due:
        return ()
    from shared.operations.past_due import try_past_due

    return try_past_due(context, customer.id, card_id, only_untried=only_untried)


def card_event(
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
                    card_event(
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
        return changed, _tried(context, changed, card_id, only_untried=named_before)
    raise Conflict("Your account changed at the same moment. Try again.")
