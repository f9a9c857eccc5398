"""Moving the expiry of a customer's pack ([PACK]). Owners and managers only."""

from datetime import date
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from functions.console.one_customer import again, context_of, path_of
from shared.operations import expiry
from shared.operations.expiry import Move
from shared.operations.visit import Claims, Ref
from shared.web.answer import Answer, Input
from shared.web.app import App
from shared.web.pages.packs import PackSummary, pack_summary
from shared.web.request import Request, Who

EARLIEST = date(2000, 1, 1)
LATEST = date(2200, 1, 1)


class MoveExpiry(Input):
    """It expires at 23:59 of the local day `expires_on`."""

    expires_on: Annotated[date, Field(ge=EARLIEST, le=LATEST)]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=200)]


def mount_expiry(app: App) -> None:
    """Adds it to the console's app."""
    app.post(
        "/console/customers/{customer}/packs/{pack}/expiry",
        answer=PackSummary,
        body=MoveExpiry,
        who=Who.STAFF,
        idempotency_key=True,
        on_error=again,
        summary="Move the day on which a pack expires, with a reason.",
    )(move)


def move(request: Request) -> Answer:
    body: MoveExpiry = request.body
    wish = Move(
        customer_id=request.params["customer"],
        pack_id=request.params["pack"],
        to=body.expires_on,
        reason=body.reason,
    )

    def refs(claims: Claims) -> tuple[Ref[Any], ...]:
        return wish.refs(wish.press(claims.staff_email or "", request.idempotency_key))

    found = request.load(refs)
    press = wish.press(request.staff.email, request.idempotency_key)
    moved = expiry.move(context_of(request), request.staff, wish, press, found)
    return Answer(
        pack_summary(moved, request.catalogue, request.now),
        location=path_of(request),
        done="expiry_moved",
    )
