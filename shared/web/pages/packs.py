"""Packs, and what is left on them, for people and programs ([LEDGER])."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import AwareDatetime

from shared.domain.business import Business
from shared.domain.pack import Pack, PackStatus
from shared.web.answer import View
from shared.web.pages.names import place_name, service_words


class PackSummary(View):
    """A pack in one row. `left` and `granted` None: unlimited. `unit` is what one credit is called
    (class, day, visit). `expires_with_next`: when the next period's pack becomes usable."""

    id: str
    name: str
    status: PackStatus
    unlimited: bool = False
    granted: int | None
    left: int | None
    service: str = ""
    unit: str = "credit"
    location_id: str
    location: str
    zone: str
    bought_at: AwareDatetime
    usable_from: AwareDatetime
    expires_at: AwareDatetime | None = None
    expires_with_next: bool = False
    frozen_at: AwareDatetime | None = None
    """When a bank took back what paid for it: nothing of it can be used ([REVERSE])."""
    trial: bool = False
    to_come: int | None = None
    """Of one that is not paid yet: the credits that become usable then; None of an unlimited one
    ([BOOK])."""
    holds_place_at: AwareDatetime | None = None
    """The start of what its first credits hold, while it is not paid."""
    subscription_id: str | None = None
    invoice_id: str | None = None


class CreditsLeft(View):
    """What is left over all usable packs of one service. `left` None: unlimited."""

    service: str
    unit: str = "credit"
    left: int | None
    unlimited: bool = False
    packs: int
    next_expiry_at: AwareDatetime | None = None
    zone: str


def pack_summary(pack: Pack, business: Business, now: datetime) -> PackSummary:
    service, unit = service_words(business, pack.service_id)
    return PackSummary(
        id=pack.id,
        name=pack.name,
        status=pack.status(now),
        unlimited=pack.unlimited,
        granted=pack.granted,
        left=pack.left,
        service=service,
        unit=unit,
        location_id=pack.location_id,
        location=place_name(business, pack.location_id),
        zone=pack.zone,
        bought_at=pack.bought_at,
        usable_from=pack.usable_from,
        expires_at=pack.expires_at,
        expires_with_next=pack.expires_with_next,
        frozen_at=pack.frozen_at,
        trial=pack.trial,
        to_come=pack.granted - pack.advanced if pack.unpaid and pack.granted is not None else None,
        holds_place_at=(
            min((one.starts_at for one in pack.booked), default=None) if pack.unpaid else None
        ),
        subscription_id=pack.subscription_id,
        invoice_id=pack.invoice_id,
    )


def credits_left(
    packs: Iterable[Pack], business: Business, now: datetime
) -> tuple[CreditsLeft, ...]:
    """What is left over the packs that can be used now, by service; packs of 0 credits aside."""
    by_service: dict[str, list[Pack]] = {}
    for pack in packs:
        if pack.status(now) is PackStatus.ACTIVE and pack.left != 0:
            by_service.setdefault(pack.service_id or "", []).append(pack)
    found = []
    for service_id, usable in by_service.items():
        name, unit = service_words(business, service_id)
        unlimited = any(pack.unlimited for pack in usable)
        ends = [(pack.expires_at, pack.zone) for pack in usable if pack.expires_at is not None]
        first, zone = min(ends, default=(None, usable[0].zone))
        found.append(
            CreditsLeft(
                service=name,
                unit=unit,
                left=None if unlimited else sum(pack.left or 0 for pack in usable),
                unlimited=unlimited,
                packs=len(usable),
                next_expiry_at=first,
                zone=zone,
            )
        )
    return tuple(sorted(found, key=lambda one: one.service))
