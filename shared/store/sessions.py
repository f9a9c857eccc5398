"""Who is signed in. A session lies in the access table under the hash of its secret; TTL deletes
late, so whoever reads compares the time as well."""

from enum import StrEnum

from pydantic import AwareDatetime

from shared.domain.record import Record
from shared.store.items import AccessItem, Kind, Ref, register
from shared.store.people import digest
from shared.store.writing import Write, discard


class Audience(StrEnum):
    """Whom a link lets in. A link or session of one is worth nothing to the other."""

    CUSTOMER = "customer"
    STAFF = "staff"


class Session(Record):
    """Somebody is signed in until `ends_at` ([SESSION])."""

    audience: Audience
    customer_id: str | None = None
    email: str
    signed_in_at: AwareDatetime
    ends_at: AwareDatetime


register(Session, Kind("session", expires_at=lambda session: session.ends_at))


def session(secret: str) -> Ref[Session]:
    return Ref(AccessItem, f"session#{digest(secret)}", "session", Session)


def end_session(secret: str) -> Write:
    """The session is gone, whether or not there was one."""
    return discard(session(secret))
