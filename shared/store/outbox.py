"""The outbox: emails that are written down before they are sent ([OUTBOX])."""

from datetime import timedelta

from shared.domain import message as messages
from shared.domain.message import Message, MessageState
from shared.store.engine import AccountItem, Kind, Ref, register
from shared.store.people import customer_pk, digest, normal_address

OPENING_MESSAGE_KEPT = timedelta(days=30)
"""How long sign-in emails are kept: they belong to an address, not to a customer."""

register(
    Message,
    Kind(
        "message",
        moment=messages.next_moment,
        state=lambda m: MessageState.PENDING.value if m.pending else m.state.value,
        expires_at=lambda m: m.created_at + OPENING_MESSAGE_KEPT if m.customer_id is None else None,
    ),
)


def message(customer_id: str | None, email: str, key: str) -> Ref[Message]:
    """A customer's message, or one to an address that may be nobody's yet."""
    pk = customer_pk(customer_id) if customer_id else f"address#{digest(normal_address(email))}"
    return Ref(AccountItem, pk, f"message#{key}", Message)
