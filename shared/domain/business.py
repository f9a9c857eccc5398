"""Who sells, where, and by which rules: what of the catalogue counts for what is sold already."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from shared.domain.calendar import Frequency
from shared.domain.dunning import RetryPolicy
from shared.domain.money import Currency
from shared.domain.record import Record
from shared.domain.self_cancel import SelfCancel


class Definition(Record):
    """Staff write it, everyone reads it."""

    model_config = ConfigDict(extra="forbid")


class Location(Definition):
    """A place of business. `tax_rate` is one exclusive rate: 0.0825 is 8.25% ([TAX])."""

    id: str
    name: str
    zone: str
    currency: Currency
    tax_name: str = "Tax"
    tax_rate: Decimal = Decimal(0)
    address: str = ""
    phone: str = ""
    service_rates: dict[str, int] = {}
    """The default rate of one unit of each service, in minor units."""
    further_discounts: dict[str, Decimal] = {}
    """By service: what each further participant of one reservation pays less; 0.10 is 10%."""


class Service(Definition):
    id: str
    name: str
    unit: str = "visit"
    """What one credit is called by customers: a class, a day, a visit."""
    hourly: bool = False
    """Whether its rate is of one hour."""
    taxed: bool = False
    """Whether places are taxed, by the location's rate; what credits pay of them is taxed alike."""
    account_code: str = ""


class StaffPerson(Definition):
    """Who leads activities, as customers see them ([STAFF])."""

    id: str
    name: str


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


class Business(Definition):
    """The merchant, as whoever needs no products reads the snapshot."""

    settings: Settings
    locations: tuple[Location, ...]
    services: tuple[Service, ...] = ()
    staff_people: tuple[StaffPerson, ...] = ()

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not self.locations:
            raise ValueError("a merchant has at least one location")
        return self

    def location(self, location_id: str | None) -> Location | None:
        return next((at for at in self.locations if at.id == location_id), None)

    def service(self, service_id: str | None) -> Service | None:
        return next((one for one in self.services if one.id == service_id), None)

    def staff_person(self, person_id: str | None) -> StaffPerson | None:
        return next((one for one in self.staff_people if one.id == person_id), None)

    def reminds(self, frequency: Frequency) -> bool:
        return frequency is Frequency.ANNUAL or frequency in self.settings.reminders
