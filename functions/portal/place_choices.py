"""How places can be paid for as they are booked: what each way costs and brings ([BOOK]). Pure."""

from collections.abc import Sequence

from functions.portal.booking_view import PACKS_OFFERED
from functions.portal.pages.activity_models import PlaceChoice
from functions.portal.schedule_view import location_at
from shared.domain.activity import Activity
from shared.domain.customer import Customer
from shared.domain.pack import Pack
from shared.domain.product_kind import ProductKind
from shared.domain.shopping import listed
from shared.domain.spending import Spending
from shared.operations import planning
from shared.operations.context import Context
from shared.operations.quoting import Quote, quote, sold_with_places
from shared.operations.visit import Row


def place_choices(
    context: Context,
    activity: Activity,
    packs: Sequence[Row[Pack]],
    plan: Spending,
    participants: int,
    customer: Customer,
) -> tuple[PlaceChoice, ...]:
    """What can be paid for with money where `plan` leaves something to be paid: the places
    themselves, and each pack on sale that would pay for all that is left."""
    if not plan.due:
        return ()
    total = planning.estimate(activity, plan, participants, context.now())
    places = PlaceChoice(
        name=activity.name, price=plan.due, tax=total - plan.due, total=total, used=0
    )
    location = location_at(context.catalogue, activity.location_id)
    found = [places]
    for product in listed(
        context.catalogue,
        location,
        customer,
        provider_ready=bool(context.preferred_provider),
        kinds=frozenset({ProductKind.PACKAGE}),
    ):
        if len(found) > PACKS_OFFERED:
            break
        if sold_with_places(product):
            quoted = quote(context, activity, packs, product, customer.id, participants)
            found += [_pack_choice(quoted)] if quoted else []
    return tuple(found)


def _pack_choice(quoted: Quote) -> PlaceChoice:
    pack = quoted.granted.pack
    return PlaceChoice(
        product_id=pack.product_id,
        name=pack.name,
        price=quoted.price,
        tax=quoted.tax,
        total=quoted.total,
        credits=pack.granted,
        used=sum(one.credits for one in quoted.plan.held if one.pack_id == pack.id),
    )
