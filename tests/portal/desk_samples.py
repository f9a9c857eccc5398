"""Answers of the console about what staff do at their desk, as its pages get them."""

from collections.abc import Mapping

from pydantic import BaseModel

from functions.console.pages.models import PlaceChoice, ProductChoice, StartPage
from shared.domain.calendar import Frequency
from shared.domain.money import Money
from shared.web.pages.parts import CardView

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
    )
}

CONSOLE_EMPTY: Mapping[str, BaseModel] = {
    "console_start": StartPage(
        customer_id="cus-3", name="new@example.com", location_id="riverside", may_change=True
    )
}

PATHS: Mapping[str, str] = {"console_start": "/console/customers/cus-1/subscriptions"}
