"""A customer's subscriptions as staff change them: ended, paused and resumed ([CANCEL] [PAUSE]).
Owners and managers only."""

from collections.abc import Callable
from typing import Literal

from functions.console.one_customer import again, context_of, path_of
from shared.domain.customer import Customer
from shared.domain.subscription import Subscription
from shared.log import logger
from shared.operations import pausing, staff
from shared.operations.cancel import When
from shared.operations.visit import Row
from shared.store import accounts
from shared.web.answer import Answer, Input
from shared.web.app import App
from shared.web.pages.subscriptions import SubscriptionSummary, subscription_summary
from shared.web.request import Request, Who

ONE = "/console/customers/{customer}/subscriptions/{subscription}"


class EndIt(Input):
    """`now`: nothing more is charged, retries included. `period_end`: just before the next charge,
    and it can be undone until then."""

    when: Literal["now", "period_end"]


def mount_subscriptions(app: App) -> None:
    """Adds what is done to one subscription to the console's app."""

    def post(path: str, summary: str, body: type[Input] | None = None) -> Callable[..., object]:
        return app.post(
            f"{ONE}/{path}",
            answer=SubscriptionSummary,
            body=body,
            who=Who.STAFF,
            on_error=again,
            summary=summary,
        )

    post("cancel", "End a subscription, now or with its period.", EndIt)(cancel)
    post("cancel/undo", "Take back a cancellation at the end of the period.")(undo)
    post("pause", "Pause a subscription: nothing is charged until it is resumed.")(pause)
    post("resume", "Let a paused subscription go on.")(resume)


def _subscription_of(request: Request) -> tuple[Row[Subscription] | None, Row[Customer] | None]:
    customer_id = request.params["customer"]
    ref = accounts.subscription(customer_id, request.params["subscription"])
    head = accounts.head(customer_id)
    found = request.load(ref, head)
    return found.get(ref), found.get(head)


def _changed(request: Request, value: Subscription, customer: Customer, done: str) -> Answer:
    logger.info("subscription", extra={"subscription": value.id, "done": done})
    return Answer(
        subscription_summary(value, request.catalogue, customer, request.now),
        location=path_of(request),
        done=done,
    )


def cancel(request: Request) -> Answer:
    body: EndIt = request.body
    row, head = _subscription_of(request)
    value = staff.cancel_subscription(context_of(request), request.staff, row, When(body.when))
    assert head is not None, "a subscription has its customer"
    done = "staff_cancelled" if value.over else "staff_cancel_scheduled"
    return _changed(request, value, head.value, done)


def undo(request: Request) -> Answer:
    row, head = _subscription_of(request)
    value = staff.undo_cancel(context_of(request), request.staff, row)
    assert head is not None, "a subscription has its customer"
    return _changed(request, value, head.value, "staff_cancel_undone")


def pause(request: Request) -> Answer:
    row, _ = _subscription_of(request)
    value, customer = pausing.pause(context_of(request), request.staff, row)
    return _changed(request, value, customer, "staff_paused")


def resume(request: Request) -> Answer:
    row, _ = _subscription_of(request)
    value, customer = pausing.resume(context_of(request), request.staff, row)
    return _changed(request, value, customer, "staff_resumed")
