"""Links that lead only to updating a card ([CARDS]): in the access table, by the hash of their
token. The token itself is in the email and nowhere else."""

from datetime import timedelta

from pydantic import AwareDatetime

from shared.domain.record import Record
from shared.store.items import AccessItem, Kind, Ref, register
from shared.store.people import digest

GOOD_FOR = timedelta(days=7)


class CardLink(Record):
    """Lets whoever holds its token update a card of this customer: for one subscription, or the
    default one. It ends at `ends_at` (UTC), or when what is owed is paid."""

    customer_id: str
    subscription_id: str | None = None
    made_at: AwareDatetime
    ends_at: AwareDatetime


register(CardLink, Kind("card_update", expires_at=lambda link: link.ends_at))


def card_link(token: str) -> Ref[CardLink]:
    return Ref(AccessItem, f"card_update#{digest(token)}", "card_update", CardLink)
