"""What became of a checkout ([CHECKOUT])."""

from enum import StrEnum

from pydantic import AwareDatetime

from functions.portal.pages.cart_models import DueLater
from functions.portal.pages.decline_models import Decline
from shared.web.answer import View
from shared.web.pages.cards import CardView
from shared.web.pages.lines import LineView, Totals
from shared.web.pages.packs import PackSummary
from shared.web.pages.subscriptions import SubscriptionSummary


class OrderState(StrEnum):
    PAID = "paid"
    PROCESSING = "processing"
    """Money is on its way, or the outcome is not known yet."""
    CONFIRM = "confirm"
    """The customer's bank asks for a confirmation."""
    DECLINED = "declined"


class AccessLink(View):
    """A digital product that was paid for."""

    product_id: str
    name: str
    url: str


class OrderPage(View):
    """`GET /orders/{order}`: what became of a checkout. `order` names its page, `order_id` is what
    people call it; `at` is when it was submitted."""

    order: str = ""
    order_id: str
    state: OrderState
    at: AwareDatetime
    zone: str
    location: str
    lines: tuple[LineView, ...] = ()
    totals: Totals
    card: CardView | None = None
    invoice_id: str | None = None
    due_later: tuple[DueLater, ...] = ()
    packs: tuple[PackSummary, ...] = ()
    subscriptions: tuple[SubscriptionSummary, ...] = ()
    access: tuple[AccessLink, ...] = ()
    confirm_url: str | None = None
    decline: Decline | None = None
