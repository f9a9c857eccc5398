"""The merchant's settings."""

from typing import Annotated

from pydantic import Field

from shared.domain.calendar import Frequency
from shared.domain.definition import Definition
from shared.domain.dunning import RetryPolicy
from shared.domain.self_cancel import SelfCancel


class Settings(Definition):
    merchant_name: str
    support_email: str
    support_phone: str = ""
    address: str = ""
    headline: str = ""
    tagline: str = ""
    locale: str = "en-US"
    self_cancel: SelfCancel = SelfCancel.OFF
    retry: RetryPolicy = RetryPolicy()
    taxes_packages: bool = True
    """Whether packages and subscriptions are taxed where their product says so ([TAX])."""
    can_purchase_packages: bool = True
    """The default of a customer's own setting ([VISIBLE])."""
    reminders: tuple[Frequency, ...] = (
        Frequency.WEEKLY,
        Frequency.BIWEEKLY,
        Frequency.MONTHLY,
        Frequency.ANNUAL,
    )
    """The frequencies whose reminder email is on; the annual one always is ([REMIND])."""
    email_button: bool = True
    link_minutes: Annotated[int, Field(ge=5, le=1440)] = 60
    code_minutes: Annotated[int, Field(ge=1, le=60)] = 10
    session_minutes: Annotated[int, Field(ge=5, le=1440)] = 30
    any_service: bool = False
    """Whether a credit may be used on every service ([VOUCHER])."""
    any_location: bool = False
    """Whether a credit may be used at every location ([VOUCHER])."""
    offer_minutes: Annotated[int, Field(ge=5, le=10_080)] = 120
    """How long a freed place is held for whoever waits for it ([PLACES])."""
    preferred_provider: Annotated[str, Field(max_length=50)] = ""
    """Where new cards go; empty: what the deployment says ([MANY])."""
    cutoff_minutes: Annotated[int, Field(ge=0, le=43_200)] = 720
    """How long before its start a reservation can be cancelled, where an activity does not say."""
