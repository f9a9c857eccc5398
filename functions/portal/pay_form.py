"""Paying what is owed, from the page of a subscription or of an invoice ([KEY])."""

from collections.abc import Callable

from functions.portal import hosted
from functions.portal.declines import declined
from functions.portal.ids import Id
from shared.operations.answered import Answered, Checked
from shared.operations.submissions import Press
from shared.web.answer import Input
from shared.web.request import Request


class ChooseCard(Input):
    """`card` absent: the default one, whichever that is."""

    card: Id | None = None


def press_for(
    request: Request, operation: str, thing: str, *content: str | None
) -> Callable[[str], Press]:
    """This press of a button, for whose account it turns out to be."""

    def press_of(customer_id: str) -> Press:
        return Press(customer_id, request.idempotency_key, operation, (thing, *content))

    return press_of


def settled(request: Request, answered: Answered) -> tuple[str, int, str | None]:
    """The sentence, the status and where people go on, after a try to pay. Raises `Declined`."""
    match answered.state:
        case Checked.PAID:
            return "paid", 200, None
        case Checked.PROCESSING:
            return "payment_processing", 202, None
        case Checked.CONFIRM:
            url = answered.attempt.confirm_url if answered.attempt else None
            return "payment_processing", 202, url if hosted.is_hosted(request, url) else None
        case Checked.DECLINED:
            raise declined(answered.attempt)
