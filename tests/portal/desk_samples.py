"""Answers of the console about what staff do at their desk, as its pages get them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import BaseModel

from functions.console.pages.models import PlaceChoice, ProductChoice, StartPage
from functions.console.pages.provider_models import (
    ProviderChange,
    ProviderRow,
    ProvidersPage,
    Wrong,
    WrongView,
)
from shared.domain.calendar import Frequency
from shared.domain.money import Money
from shared.web.pages.cards import CardView

CONSOLE_FULL: Mapping[str, BaseModel] = {
    "console_start": StartPage(
        customer_id="cus-1",
        name="Sam Rivera",
        location_id="riverside",
        locations=(
            PlaceChoice(id="riverside", name="Riverside"),
            PlaceChoice(id="hill", name="On the hill"),
        ),
        products=(
            ProductChoice(
                id="month",
                name="Yoga every month",
                price=Money(minor=8_900, currency="USD"),
                frequency=Frequency.MONTHLY,
                frequencies=(Frequency.MONTHLY, Frequency.ANNUAL),
            ),
        ),
        frequencies=tuple(Frequency),
        card=CardView(
            id="card-1", brand="visa", last4="4242", exp_month=12, exp_year=2030, default=True
        ),
        may_change=True,
        idempotency_key="key-of-this-page",
    ),
    "console_providers": ProvidersPage(
        providers=(
            ProviderRow(
                name="cardpointe",
                title="CardPointe",
                set_up=True,
                preferred=False,
                wrong=(
                    WrongView(
                        kind=Wrong.SETTINGS_INCOMPLETE,
                        sentence="Its settings are not complete. No card of it can be charged.",
                        detail="the setting 'merchant_id' is missing",
                    ),
                ),
            ),
            ProviderRow(
                name="sandbox",
                title="Sandbox",
                set_up=True,
                preferred=False,
                checked=True,
                live=False,
                account="sandbox",
            ),
            ProviderRow(
                name="stripe",
                title="Stripe",
                set_up=True,
                preferred=True,
                checked=True,
                live=True,
                account="Happy Paws of a rather long and unbreakable name, Incorporated",
                wrong=(
                    WrongView(
                        kind=Wrong.CURRENCY_NOT_TAKEN,
                        sentence="It does not take a currency that one of your locations sells in.",
                        detail="EUR",
                    ),
                    WrongView(
                        kind=Wrong.ACCOUNT_CANT_CHARGE,
                        sentence="The account there can't take payments yet.",
                    ),
                ),
            ),
        ),
        preferred="stripe",
        chosen=True,
        version=7,
        may_change=True,
        changes=(
            ProviderChange(
                at=datetime(2026, 2, 3, 15, 4, tzinfo=UTC),
                by="olga@happypaws.example",
                before="sandbox",
                after="stripe",
            ),
            ProviderChange(
                at=datetime(2026, 1, 3, 15, 4, tzinfo=UTC),
                by="olga@happypaws.example",
                after="sandbox",
            ),
        ),
        checked_at=datetime(2026, 2, 4, 9, 30, tzinfo=UTC),
        zone="America/New_York",
    ),
}

CONSOLE_EMPTY: Mapping[str, BaseModel] = {
    "console_start": StartPage(
        customer_id="cus-3", name="new@example.com", location_id="riverside", may_change=True
    ),
    "console_providers": ProvidersPage(
        readable=False, version=1, preferred="sandbox", zone="America/New_York"
    ),
}

PATHS: Mapping[str, str] = {
    "console_providers": "/console/providers",
    "console_start": "/console/customers/cus-1/subscriptions",
}
