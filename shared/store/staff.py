"""Staff members, in the catalogue table ([ACCESS])."""

from enum import StrEnum

from shared.domain.record import Record
from shared.store.items import CatalogueItem, Kind, Ref, register
from shared.store.writing import commit, overwrite


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    CLERK = "clerk"


class StaffMember(Record):
    """Who works for the merchant ([ACCESS]). `locations` None means all; `notices` are the kinds
    this person sees, None means all."""

    email: str
    name: str
    role: Role
    locations: tuple[str, ...] | None = None
    notices: tuple[str, ...] | None = None

    def works_at(self, location_id: str | None) -> bool:
        return self.locations is None or location_id is None or location_id in self.locations


register(StaffMember, Kind("staff_member"))


def staff_member(email: str) -> Ref[StaffMember]:
    return Ref(CatalogueItem, "staff", email.strip().casefold(), StaffMember)


def write_staff_member(member: StaffMember) -> None:
    commit([overwrite(staff_member(member.email), member)])
