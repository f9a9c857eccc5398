"""The account at a glance ([FORECAST])."""

from shared.domain.money import Money
from shared.web.answer import View
from shared.web.pages.packs import CreditsLeft
from shared.web.pages.subscriptions import PastDueView, SubscriptionSummary, UpcomingCharge


class AccountPage(View):
    """`GET /account`: what matters at a glance. `forecast` are the charges of the next 12 months of
    all subscriptions, by their moments; `forecast_totals` their sums per currency, tax included.
    Of what is `paused` nothing is charged ([PAUSE])."""

    name: str = ""
    email: str
    credits: tuple[CreditsLeft, ...] = ()
    next_charges: tuple[UpcomingCharge, ...] = ()
    forecast: tuple[UpcomingCharge, ...] = ()
    forecast_totals: tuple[Money, ...] = ()
    past_due: tuple[PastDueView, ...] = ()
    paused: tuple[SubscriptionSummary, ...] = ()
    store_credit: tuple[Money, ...] = ()
