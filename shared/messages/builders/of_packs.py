"""The emails about packs ([PACKMAIL])."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.message import Message, MessageKind
from shared.messages.builders.agreement import running
from shared.messages.builders.pack import pack_shown
from shared.messages.builders.telling import Telling
from shared.messages.facts.of_packs import PackFacts

if TYPE_CHECKING:
    from shared.domain.pack import Pack
    from shared.domain.subscription import Subscription


def pack_expiring(
    telling: Telling, *, pack: Pack, subscription: Subscription | None = None
) -> Message:
    """Sent so many days before a pack's expiry as its product says ([PACKMAIL]). Once per pack, and
    once more each time that staff moved its expiry to a later day."""
    told = f"{pack.id}:{pack.expiry_moves}" if pack.expiry_moves else pack.id
    return _of_pack(MessageKind.PACK_EXPIRING, telling, told, pack, subscription)


def credits_low(
    telling: Telling, *, pack: Pack, subscription: Subscription | None = None
) -> Message:
    """Sent when a pack's credits fell to the number that its product names ([PACKMAIL]). Once per
    pack."""
    return _of_pack(MessageKind.CREDITS_LOW, telling, pack.id, pack, subscription)


def _of_pack(
    kind: MessageKind, telling: Telling, told: str, pack: Pack, subscription: Subscription | None
) -> Message:
    facts = PackFacts(
        greeting=telling.customer.name,
        zone=pack.zone,
        pack=pack_shown(pack, telling.business),
        agreement=running(telling, subscription),
    )
    return telling.message(kind, told, facts)
