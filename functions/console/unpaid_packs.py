"""Packs that were bought with a place and wait to be paid: staff release them ([PACK], [BOOK])."""

from typing import Annotated

from pydantic import StringConstraints

from functions.console.one_customer import again, context_of, path_of
from functions.console.pages.outstanding_models import PackActivated
from shared.log import logger
from shared.operations import outstanding as operations
from shared.operations.outstanding import REASON_MAX, Activation
from shared.web.answer import Answer, Input
from shared.web.app import App
from shared.web.pages.packs import pack_summary
from shared.web.request import Request, Who


class Activate(Input):
    """Why its credits may be used though it is not paid; the customer sees it in its history."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=REASON_MAX)]


def mount_unpaid_packs(app: App) -> None:
    """Adds what staff do about unpaid packs to the console's app."""
    app.post(
        "/console/customers/{customer}/packs/{pack}/activate",
        answer=PackActivated,
        body=Activate,
        who=Who.STAFF,
        idempotency_key=True,
        on_error=again,
        summary="Release a pack that waits to be paid, with a reason; its invoice stays open.",
    )(activate)


def activate(request: Request) -> Answer:
    body: Activate = request.body
    activation = Activation(request.params["customer"], request.params["pack"], body.reason)
    key = request.idempotency_key
    found = request.load(
        lambda claims: (activation.ref, activation.press(claims.staff_email or "", key).ref)
    )
    press = activation.press(request.staff.email, key)
    pack = operations.activate_pack(context_of(request), request.staff, activation, press, found)
    logger.info("pack activated", extra={"pack": pack.id})
    return Answer(
        PackActivated(pack=pack_summary(pack, request.catalogue, request.now)),
        location=path_of(request),
        done="pack_activated",
    )
