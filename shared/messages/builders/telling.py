"""One builder per email ([MAILS]): from entities to a message that is written with what it tells.

Every builder is pure. Give it the entities **as they are after the change**, and write what it
returns in the same transaction, under `accounts.message(customer.id, customer.email, message.key)`
([OUTBOX]). The key is derived from what is told, so that the same thing is told once.

`total_with_tax` is what one period of a subscription costs with tax. A location that the catalogue
no longer has is replaced by the first one: no email is worth a failed payment. Which emails belong
to a purchase or a renewal is decided by `purchases.purchase_mails` and
`renewals.renewal_mails`. Each family stands apart: who tells one thing loads what that tells.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from shared.domain.message import Message, MessageKind, message_key

if TYPE_CHECKING:
    from shared.domain.business import Business
    from shared.domain.customer import Customer
    from shared.messages.opening import Facts


class Telling(NamedTuple):
    """To whom, by which settings, and when a message is written (UTC)."""

    customer: Customer
    business: Business
    now: datetime

    def message(
        self,
        kind: MessageKind,
        told: str,
        facts: Facts,
        *,
        only_while: str | None = None,
        period: int | None = None,
    ) -> Message:
        """The message of `kind` that tells of `told`: both make its key."""
        return Message(
            key=message_key(kind, told),
            kind=kind,
            to=self.customer.email,
            customer_id=self.customer.id,
            locale=self.customer.locale or self.business.settings.locale,
            created_at=self.now,
            facts=facts.model_dump(mode="json", exclude_defaults=True),
            only_while=only_while,
            period=period,
        )
