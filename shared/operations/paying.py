"""Paying what is owed on a subscription, by the customer's own wish ([HARD], [KEY])."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.errors import Conflict
from shared.operations import past_due
from shared.operations.answered import Answered, answer_of
from shared.operations.books import Books, open_books
from shared.operations.collect import Renewed
from shared.operations.submissions import Press, once
from shared.store.items import Lost, Row

if TYPE_CHECKING:
    from shared.operations.context import Context
    from shared.store.records import Submission


def pay(
    context: Context,
    subscription_id: str,
    *,
    card_id: str | None,
    press: Press,
    earlier: Row[Submission] | None,
) -> tuple[Answered, Books]:
    """Try the open charge of a subscription on `card_id`, or on the card it would use. Also the
    books as they then stand.

    The same press answers the same, and two presses make one try. `Conflict` when nothing is
    owed, `Invalid` for a card that is not on file.
    """
    tried: list[Books] = []

    def do(record: tuple[str, Submission]) -> None:
        result, books = past_due.pay_subscription(
            context, press.customer_id, subscription_id, card_id=card_id, submission=record
        )
        if result is Renewed.LOST:
            raise Lost([0])
        tried.append(books)

    before = once(press, earlier, context.now(), do)
    if before is None:
        (books,) = tried
        return answer_of(books.charge.value, None), books
    again = open_books(press.customer_id, before.value.answer)
    if again is None:
        raise Conflict("Nothing is owed on this subscription.", code="nothing_owed")
    return answer_of(again.charge.value, before.value.attempt), again
