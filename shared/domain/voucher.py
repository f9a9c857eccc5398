"""What a credit is worth where it is used ([VOUCHER]).

A credit is a voucher for one unit of its pack's service at the default rate of the location where
it is used, whatever the pack cost; never more than what it pays for.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from shared.domain.money import Money
from shared.domain.reservation import Taxed

if TYPE_CHECKING:
    from shared.domain.activity import Activity
    from shared.domain.business import Business, Location
    from shared.domain.pack import Pack


def rate(location: Location, service_id: str) -> Money | None:
    """A location's default rate for one unit of a service; None when it has none."""
    minor = location.service_rates.get(service_id)
    return None if minor is None else Money(minor=minor, currency=location.currency)


def _of_participant(location: Location, service_id: str, at: int, *, rules: bool) -> Money:
    """One unit for participant `at` (0 is the first), with the pricing rules or without."""
    whole = rate(location, service_id) or Money.zero(location.currency)
    discount = location.further_discounts.get(service_id, Decimal(0)) if rules and at else None
    return whole - whole.share(discount) if discount else whole


def charge_of(activity: Activity, location: Location, business: Business, at: int) -> Money:
    """What participant `at` of an activity is charged, before tax, credits aside."""
    service = business.service(activity.service_id)
    units = activity.hours if service is not None and service.hourly else 1
    return _of_participant(location, activity.service_id, at, rules=True) * units


def taxed(service_id: str, location: Location, business: Business) -> Taxed:
    """How places of a service are taxed at a location now ([TAX])."""
    service = business.service(service_id)
    return Taxed(
        rate=location.tax_rate if service is not None and service.taxed else Decimal(0),
        name=location.tax_name,
        account_code=service.account_code if service is not None else "",
    )


def credits_for(pack: Pack, activity: Activity) -> int:
    """How many credits of a pack one participant takes: an `hourly` credit pays for one hour."""
    return activity.hours if pack.hourly else 1


def worth(pack: Pack, activity: Activity, location: Location, business: Business, at: int) -> Money:
    """What the credits of `pack` pay of the charge of participant `at`: on another service they
    are still worth their own service's default rate, with its pricing rules when the product says
    so; never more than the charge."""
    charge = charge_of(activity, location, business, at)
    service_id = pack.service_id or activity.service_id
    own = service_id == activity.service_id
    unit = _of_participant(location, service_id, at, rules=own or pack.use_pricing_rules)
    value = unit * credits_for(pack, activity)
    return min(value, charge, key=lambda money: money.minor)
