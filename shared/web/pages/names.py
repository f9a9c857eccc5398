"""What the merchant calls things, for pages."""

from shared.domain.business import Business


def place_name(business: Business, location_id: str) -> str:
    location = business.location(location_id)
    return location.name if location else location_id


def zone_of(business: Business, location_id: str) -> str:
    location = business.location(location_id)
    return location.zone if location else "UTC"


def service_words(business: Business, service_id: str | None) -> tuple[str, str]:
    """Its name, and what one credit of it is called."""
    service = business.service(service_id)
    return (service.name, service.unit) if service else ("", "credit")


def staff_name(business: Business, person_id: str | None) -> str:
    """The name of who leads something; empty for nobody."""
    person = business.staff_person(person_id)
    return person.name if person else ""
