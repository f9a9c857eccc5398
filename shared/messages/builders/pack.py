"""A pack, in an email's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.messages.facts.pack import PackShown

if TYPE_CHECKING:
    from shared.domain.business import Business
    from shared.domain.pack import Pack


def pack_shown(pack: Pack, business: Business) -> PackShown:
    service = business.service(pack.service_id)
    return PackShown(
        id=pack.id,
        name=pack.name,
        service="" if service is None else service.name,
        granted=pack.granted,
        left=pack.left,
        expires_at=pack.expires_at,
    )
