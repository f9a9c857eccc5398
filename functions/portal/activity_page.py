"""The page of one activity, as it is for who is here ([BOOK] [LEDGER])."""

from functions.portal import booking_view, hosted, schedule_view, weekly_view
from functions.portal.matched import reservations_matched
from functions.portal.pack_choices import chosen, packs_to_use
from functions.portal.pages.activity_models import ActivityToBook, PackToUse, PlaceChoice
from functions.portal.place_choices import place_choices
from shared.domain.errors import Missing
from shared.domain.reservation import Reservation
from shared.domain.spending import Spending
from shared.operations import planning
from shared.store import schedule
from shared.web.request import Request
from shared.web.side_by_side import side_by_side


def activity_page(
    request: Request,
    activity_id: str,
    participants: int,
    card: str = "",
    pack_id: str | None = None,
) -> ActivityToBook:
    """With what booking it would use: two round trips. With `pack_id` only that pack's credits:
    `Missing` or `Conflict` when it can't be used."""
    ref = schedule.activity(activity_id)
    row = request.load(ref).get(ref)
    if row is None:
        raise Missing("There is no such activity.")
    activity, context = row.value, hosted.context(request)
    schedule_view.location_at(request.catalogue, activity.location_id)
    customer = request.customer.value if request.customer else None
    plan: Spending | None = None
    choices: tuple[PlaceChoice, ...] = ()
    mine: list[Reservation] = []
    in_hand: tuple[PackToUse, ...] = ()
    offer: Reservation | None = None
    if customer is not None:
        customer_id = customer.id
        packs, mine = side_by_side(
            lambda: planning.packs_in_hand(customer_id, pack_id),
            lambda: reservations_matched(customer_id),
        )
        offer = booking_view.offer_of(activity, mine, request.now)
        participants = offer.participants if offer else participants
        in_hand = packs_to_use(context, activity, packs, participants)
        used = chosen(context, activity, packs, participants, pack_id)
        plan = planning.plan_for(context, activity, used, participants)
        if activity.open_at(request.now) and (offer or participants <= activity.free):
            choices = place_choices(context, activity, packs, plan, participants, customer)
    return booking_view.activity_page(
        activity,
        plan,
        mine,
        request.catalogue,
        customer,
        participants,
        request.now,
        provider_ready=hosted.is_ready(request),
        set_up=hosted.set_up(request) if choices else None,
        idempotency_key=request.wiring.new_id(),
        choices=choices,
        chosen_card=card,
        in_hand=in_hand,
        pack_id=pack_id or "",
        offer=offer,
        weekly=weekly_view.weekly_offers(
            activity,
            request.catalogue,
            request.location,
            customer,
            request.now,
            provider_ready=hosted.is_ready(request),
        ),
    )
