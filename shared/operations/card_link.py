"""The emailed link that leads only to updating a card ([CARDS]).

Its page keeps to [SCAN]: `GET` shows a button, only its `POST` opens the provider's card page.
"""

from datetime import datetime

from shared.store.card_links import GOOD_FOR, CardLink, card_link
from shared.store.items import Lost
from shared.store.reading import read
from shared.store.writing import commit, create, remove

PATH = "/card-update"


def mint(
    *, customer_id: str, subscription_id: str | None, now: datetime, token: str, public_url: str
) -> str:
    """Make a link from the fresh secret `token` and return its address; only the token's hash is
    kept. Good for 7 days."""
    link = CardLink(
        customer_id=customer_id,
        subscription_id=subscription_id,
        made_at=now,
        ends_at=now + GOOD_FOR,
    )
    commit([create(card_link(token), link)])
    return f"{public_url}{PATH}/{token}"


def find(token: str, now: datetime) -> CardLink | None:
    """What a token is for; None when it is unknown, over or revoked. Looking uses nothing up.

    Whether what it was sent for is paid meanwhile is the caller's to see, from the subscription.
    """
    ref = card_link(token)
    row = read(ref).get(ref)
    return row.value if row is not None and now < row.value.ends_at else None


def revoke(token: str) -> None:
    """The link is dead, as after the payment that it was sent for. Twice is harmless."""
    ref = card_link(token)
    row = read(ref).get(ref)
    if row is None:
        return
    try:
        commit([remove(row)])
    except Lost:
        return
