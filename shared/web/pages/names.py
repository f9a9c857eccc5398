"""What the catalogue calls things, for pages."""

from shared.domain.product import Catalogue


def place_name(catalogue: Catalogue, location_id: str) -> str:
    location = catalogue.location(location_id)
    return location.name if location else location_id


def zone_of(catalogue: Catalogue, location_id: str) -> str:
    location = catalogue.location(location_id)
    return location.zone if location else "UTC"


def service_words(catalogue: Catalogue, service_id: str | None) -> tuple[str, str]:
    """Its name, and what one credit of it is called."""
    service = catalogue.service(service_id)
    return (service.name, service.unit) if service else ("", "credit")


def staff_name(catalogue: Catalogue, person_id: str | None) -> str:
    """The name of who leads something; empty for nobody."""
    person = catalogue.staff_person(person_id)
    return person.name if person else ""
