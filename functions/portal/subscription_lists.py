"""Subscriptions, by state and search. Pure."""

from collections.abc import Iterable
from datetime import datetime

from functions.portal.listing import Search, SkippingQuery, choices_of, fitting, paged
from functions.portal.pages.subscription_models import SubscriptionsPage
from shared.domain.business import Business
from shared.domain.customer import Customer
from shared.domain.subscription import Subscription, SubscriptionState
from shared.web.pages.subscriptions import subscription_summary


class SubscriptionsQuery(SkippingQuery):
    state: SubscriptionState | None = None
    status: SubscriptionState | None = None
    """The same as `state`."""
    q: Search = ""

    @property
    def wanted(self) -> SubscriptionState | None:
        return self.state or self.status


def subscriptions_page(
    subscriptions: Iterable[Subscription],
    query: SubscriptionsQuery,
    ended_at: str | None,
    business: Business,
    customer: Customer,
    now: datetime,
) -> SubscriptionsPage:
    """Those that run come before those that are over."""
    held = sorted(subscriptions, key=lambda one: one.over)
    fits = fitting(query.q)
    shown = [subscription_summary(one, business, customer, now) for one in held]
    found = [one for one in shown if fits(one.name, one.service, one.location)]
    wanted = query.wanted.value if query.wanted else ""
    narrowed = [one for one in found if wanted in ("", one.state.value)]
    listed, following = paged(narrowed, query, ended_at, "/subscriptions", state=wanted, q=query.q)
    return SubscriptionsPage(
        state=wanted,
        states=choices_of((one.state.value for one in found), SubscriptionState, wanted),
        query=query.q,
        subscriptions=tuple(listed),
        next=following,
    )
