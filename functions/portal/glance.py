"""What the account shows at a glance ([FORECAST]). Pure."""

from collections.abc import Sequence
from datetime import datetime

from functions.portal.pages.account_models import AccountPage
from functions.portal.store_credit import store_credit
from shared.domain.business import Business
from shared.domain.customer import Customer
from shared.domain.expiry import expecting
from shared.domain.pack import Pack
from shared.domain.subscription import Subscription, SubscriptionState
from shared.operations.forecast import merged
from shared.web.pages.packs import credits_left
from shared.web.pages.subscriptions import (
    UpcomingCharge,
    past_due_views,
    subscription_summary,
    sums_ahead,
    upcoming_charge,
)


def account_page(
    customer: Customer,
    subscriptions: Sequence[Subscription],
    packs: Sequence[Pack],
    business: Business,
    now: datetime,
) -> AccountPage:
    subscriptions = [expecting(one, packs) for one in subscriptions]
    lines = merged(business, customer, subscriptions, now)
    charges = tuple(upcoming_charge(line, customer, now) for line in lines)
    first: dict[str, UpcomingCharge] = {}
    for charge in charges:
        first.setdefault(charge.subscription_id, charge)
    return AccountPage(
        name=customer.name,
        email=customer.email,
        credits=credits_left(packs, business, now),
        next_charges=tuple(first.values()),
        forecast=charges,
        forecast_totals=sums_ahead(lines),
        past_due=past_due_views(customer),
        paused=tuple(
            subscription_summary(one, business, customer, now)
            for one in subscriptions
            if one.state is SubscriptionState.PAUSED
        ),
        store_credit=store_credit(customer),
    )
