"""What the page of an activity shows, and what booking it would use. Pure."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from functions.portal.ids import Id
from functions.portal.pages.activity_models import (
    ActivityToBook,
    HeldView,
    PackOffer,
    PackToUse,
    PlaceChoice,
    PlanView,
    WeeklyOffer,
    WhyNotBook,
)
from functions.portal.pages.schedule_models import (
    Mine,
)
from functions.portal.schedule_view import (
    Filter,
    activity_view,
    location_at,
    mine_by_activity,
    weekly_ones,
)
from shared.domain.activity import Activity
from shared.domain.activity_state import ActivityState
from shared.domain.calendar import local_date
from shared.domain.customer import MAX_CARDS, Customer
from shared.domain.participants import MAX_PARTICIPANTS
from shared.domain.product import Catalogue, Product
from shared.domain.product_kind import ProductKind
from shared.domain.reservation import Held, Reservation, ReservationState
from shared.domain.shopping import listed, tax_rate_of
from shared.domain.spending import Spending
from shared.operations.planning import estimate
from shared.operations.quoting import sold_with_places
from shared.web.answer import Query
from shared.web.pages.cards import card_views

PACKS_OFFERED = 5
"""Packs of the shop that a page names at most."""


class ActivityQuery(Query):
    """`card` is the one to begin with, such as one that was just added. `pack`: what booking with
    that pack alone would use."""

    card: Filter = ""
    pack: Id | None = None
    participants: Annotated[int, Field(ge=1, le=MAX_PARTICIPANTS)] = 1


# --- one activity ----------------------------------------------------------------------------


def held_view(held: Held) -> HeldView:
    return HeldView(
        pack_id=held.pack_id,
        name=held.pack_name,
        participants=held.participants,
        credits=held.credits,
        worth=held.worth,
    )


def plan_view(activity: Activity, plan: Spending, participants: int, now: datetime) -> PlanView:
    return PlanView(
        held=tuple(held_view(one) for one in plan.held),
        charge=plan.charge,
        due=plan.due,
        total=estimate(activity, plan, participants, now),
        on_hold=plan.on_hold,
    )


def _would_pay(product: Product, activity: Activity, catalogue: Catalogue) -> bool:
    """Whether credits of a pack that is bought now would be for this activity; until when they
    would be valid is said in the shop."""
    return (
        (catalogue.settings.any_service or product.service in (None, activity.service_id))
        and product.credits != 0
        and not product.standing
        and (product.staff_members is None or activity.staff_member in product.staff_members)
    )


def packs_for(
    activity: Activity,
    catalogue: Catalogue,
    customer: Customer,
    *,
    provider_ready: bool,
    only_in_shop: bool = False,
) -> tuple[PackOffer, ...]:
    """Packs on sale at the activity's location whose credits would pay for it; `only_in_shop` are
    those that can't be bought with a place."""
    location = location_at(catalogue, activity.location_id)
    found = []
    for product in listed(
        catalogue,
        location,
        customer,
        provider_ready=provider_ready,
        kinds=frozenset({ProductKind.PACKAGE, ProductKind.SUBSCRIPTION}),
    ):
        price = product.price_in(location.currency)
        if only_in_shop and sold_with_places(product):
            continue
        if price is not None and _would_pay(product, activity, catalogue):
            tax = price.share(tax_rate_of(product, location, catalogue.settings))
            offer = PackOffer(
                product_id=product.id, name=product.name, price=price, total=price + tax
            )
            found.append(offer)
    return tuple(found[:PACKS_OFFERED])


def _why_not(
    activity: Activity,
    plan: Spending | None,
    mine: tuple[Mine, ...],
    now: datetime,
    *,
    wait: bool,
    buys_offer: bool,
    provider_ready: bool,
) -> WhyNotBook | None:
    if activity.state is ActivityState.CANCELLED:
        return WhyNotBook.CANCELLED
    if now >= activity.starts_at:
        return WhyNotBook.BEGUN
    if plan is None:
        return WhyNotBook.SIGNED_OUT
    waits = (ReservationState.WAITING, ReservationState.OFFERED)
    if not buys_offer and any(one.state in waits for one in mine):
        return WhyNotBook.WAITING_ALREADY
    prepaid = plan.due and activity.prepay_online and not wait
    return WhyNotBook.PREPAY if prepaid and not provider_ready else None


def offer_of(
    activity: Activity, reservations: Iterable[Reservation], now: datetime
) -> Reservation | None:
    """The customer's reservation to which a place of this activity is offered and still held."""
    for one in reservations:
        waiting = activity.waits(one.id)
        if waiting is not None and waiting.offered_until and waiting.offered_until > now:
            return one
    return None


def activity_page(
    activity: Activity,
    plan: Spending | None,
    reservations: Sequence[Reservation],
    catalogue: Catalogue,
    customer: Customer | None,
    participants: int,
    now: datetime,
    *,
    provider_ready: bool,
    set_up: Collection[str] | None = None,
    idempotency_key: str,
    choices: tuple[PlaceChoice, ...] = (),
    chosen_card: str = "",
    weekly: tuple[WeeklyOffer, ...] = (),
    in_hand: tuple[PackToUse, ...] = (),
    pack_id: str = "",
    offer: Reservation | None = None,
) -> ActivityToBook:
    """`plan` is None for who is not signed in. `chosen_card` is preselected while it is on file,
    else the default one. `offer` is the customer's reservation to which a freed place is offered:
    what credits do not pay of that is bought here."""
    mine = mine_by_activity(reservations).get(activity.id, ())
    wait = offer is None and participants > activity.free
    buys_offer = offer is not None and bool(choices) and provider_ready
    card = customer.card_for(chosen_card) if customer and choices else None
    return ActivityToBook(
        activity=activity_view(
            activity, catalogue, now, mine, weekly=activity.id in weekly_ones([], reservations, ())
        ),
        schedule_here=f"/schedule?from={local_date(activity.starts_at, activity.zone)}",
        participants=participants,
        max_participants=MAX_PARTICIPANTS,
        plan=plan_view(activity, plan, participants, now) if plan else None,
        wait=wait,
        why_not=_why_not(
            activity,
            plan,
            mine,
            now,
            wait=wait,
            buys_offer=buys_offer,
            provider_ready=provider_ready,
        ),
        offer=offer.id if offer else None,
        offered_until=offer.offered_until if offer else None,
        choices=choices,
        pay_now=bool(choices) and provider_ready,
        pay_later=bool(choices) and not activity.prepay_online and offer is None,
        cards=card_views(customer, now, set_up) if customer and choices else (),
        card=card.id if card else None,
        can_add_card=(
            customer is not None
            and bool(choices)
            and provider_ready
            and len(customer.cards) < MAX_CARDS
        ),
        packs=(
            packs_for(
                activity, catalogue, customer, provider_ready=provider_ready, only_in_shop=True
            )
            if customer is not None and choices
            else ()
        ),
        in_hand=() if wait else in_hand,
        pack="" if wait else pack_id,
        weekly=weekly,
        idempotency_key=idempotency_key,
    )
