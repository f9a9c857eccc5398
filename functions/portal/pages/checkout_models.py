"""The review before paying ([CHECKOUT])."""

from datetime import date

from pydantic import AwareDatetime

from functions.portal.pages.cart_models import CartLineView, DueLater
from functions.portal.pages.decline_models import Decline
from shared.domain.calendar import Frequency
from shared.domain.money import Money
from shared.domain.next_payment import NextPayment
from shared.domain.recurs_when import RecursWhen
from shared.domain.self_cancel import SelfCancel
from shared.web.answer import View
from shared.web.pages.cards import CardView
from shared.web.pages.lines import Totals


class SubscriptionTerms(View):
    """What a customer agrees to with one subscription line: `amount` of each charge with tax, the
    first one's moment (None: at once), the next one's, and how it can be ended."""

    line_id: str
    name: str
    amount: Money
    frequency: Frequency | None = None
    recurs_when: RecursWhen | None = None
    next_payment: NextPayment | None = None
    starts_on: date
    first_charge_at: AwareDatetime | None = None
    next_charge_at: AwareDatetime | None = None
    """The first renewal; None when `until` ends it before."""
    until: date | None = None
    trial_days: int | None = None
    minimum_payments: int = 0
    first_place_at: AwareDatetime | None = None
    """Of a weekly place: the first one."""
    self_cancel: SelfCancel
    zone: str


class CheckoutPage(View):
    """`GET /checkout`, and the answer to a declined or outdated `POST`. `card` is the one chosen
    beforehand; `card_required` is false when nothing is due and nothing renews. `cart_changed`:
    the cart is not what was seen before; look at it again."""

    location: str
    cart: str
    lines: tuple[CartLineView, ...]
    totals: Totals
    due_now: Money
    due_later: tuple[DueLater, ...] = ()
    expected_total: int
    """`due_now` in minor units, sent back by the form."""
    seen: str = ""
    """Names all that is shown, what is charged later included; sent back by the form."""
    cards: tuple[CardView, ...] = ()
    card: str | None = None
    card_required: bool = True
    can_add_card: bool = True
    idempotency_key: str
    terms: tuple[SubscriptionTerms, ...] = ()
    decline: Decline | None = None
    cart_changed: bool = False
