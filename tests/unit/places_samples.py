"""Activities, packs and a catalogue with rates, for tests of booking."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.domain.activity import Activity
from shared.domain.business import Location, Service
from shared.domain.money import Money
from shared.domain.pack import Pack
from shared.domain.product import Catalogue
from shared.domain.settings import Settings

NOW = datetime(2026, 3, 1, 17, tzinfo=UTC)
"""Noon on a Sunday in New York."""

NEW_YORK = Location(
    id="ny",
    name="Brooklyn",
    zone="America/New_York",
    currency="USD",
    service_rates={"daycare": 3_000, "boarding": 5_000, "bath": 2_000, "room": 1_500},
    further_discounts={"daycare": Decimal("0.10")},
)


def catalogue_of(**settings: Any) -> Catalogue:
    return Catalogue(
        settings=Settings(merchant_name="Happy Paws", support_email="a@example.com", **settings),
        locations=(NEW_YORK,),
        services=(
            Service(id="daycare", name="Daycare", unit="day"),
            Service(id="boarding", name="Boarding", unit="night"),
            Service(id="bath", name="Bath"),
            Service(id="room", name="Room", unit="hour", hourly=True),
        ),
    )


def activity_of(days: float = 1, **values: Any) -> Activity:
    """One that starts so many days from `NOW`, for two hours."""
    starts_at = values.pop("starts_at", NOW + timedelta(days=days))
    defaults: dict[str, Any] = {
        "id": f"ny.{starts_at:%Y%m%dT%H%M}.a",
        "location_id": "ny",
        "zone": "America/New_York",
        "service_id": "daycare",
        "name": "Daycare",
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=2),
        "places": 8,
        "cutoff_minutes": 12 * 60,
    }
    return Activity(**{**defaults, **values})


def pack_of(pack_id: str = "p1", size: int | None = 10, **values: Any) -> Pack:
    """Bought two days before `NOW`, for daycare in New York."""
    defaults: dict[str, Any] = {
        "id": pack_id,
        "customer_id": "ada",
        "location_id": "ny",
        "zone": "America/New_York",
        "product_id": "ten",
        "name": "Ten days",
        "service_id": "daycare",
        "granted": size,
        "left": size,
        "bought_at": NOW - timedelta(days=2),
        "usable_from": NOW - timedelta(days=2),
    }
    return Pack(**{**defaults, **values})


def dollars(minor: int) -> Money:
    return Money(minor=minor, currency="USD")
