"""Who sells, where, and by which rules: what of the catalogue counts for what is sold already."""

from decimal import Decimal
from typing import Self

from pydantic import model_validator

from shared.domain.calendar import Frequency
from shared.domain.definition import Definition
from shared.domain.merchant import Merchant
from shared.domain.money import Currency


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


class Business(Merchant):
    """The merchant, as whoever needs no products reads the snapshot."""

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
