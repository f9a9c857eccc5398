"""What the pages show of packages that recur without a calendar, in tests ([RECUR])."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from pydantic import BaseModel

from functions.portal.pages.cart_models import CartLineView, CartPage
from functions.portal.pages.checkout_models import CheckoutPage, SubscriptionTerms
from functions.portal.pages.product_models import ProductPage
from functions.portal.pages.shop_models import ProductView
from functions.portal.pages.subscription_models import (
    CancelConsequence,
    CancelOptions,
    CancelPage,
    CancelWhen,
    Commitment,
    SubscriptionPage,
)
from shared.domain.expiry_policy import ExpiryPolicy
from shared.domain.money import Money
from shared.domain.next_payment import NextPayment
from shared.domain.product_kind import ProductKind
from shared.domain.recurs_when import RecursWhen
from shared.domain.self_cancel import SelfCancel
from shared.domain.subscription import SubscriptionState
from shared.web.pages.charges import ChargeView
from shared.web.pages.lines import Totals
from shared.web.pages.subscriptions import SubscriptionSummary

ZONE = "America/New_York"
PRICE = Money(minor=9000, currency="USD")
TAX = Money(minor=743, currency="USD")
WITH_TAX = PRICE + TAX
TOTALS = Totals(subtotal=PRICE, tax_name="Sales tax", tax=TAX, total=WITH_TAX)
NEXT_AT = datetime(2026, 3, 29, 3, 59, tzinfo=UTC)

PASSES = ProductView(
    id="passes",
    name="Five passes",
    kind=ProductKind.PACKAGE,
    price=PRICE,
    service="Yoga class",
    unit="class",
    credits=5,
    expiry=ExpiryPolicy.AFTER_DAYS,
    validity_days=30,
    recurs_when=RecursWhen.PACK_EXPIRES,
    minimum_payments=3,
    taxed=True,
    tax_name="Sales tax",
)
HELD = SubscriptionSummary(
    id="sub-7",
    name="Five passes",
    state=SubscriptionState.ACTIVE,
    price=PRICE,
    recurs_when=RecursWhen.PACK_EXPIRES,
    next_payment=NextPayment.BY_HAND,
    next_pack_at=NEXT_AT,
    service="Yoga class",
    unit="class",
    credits=5,
    location_id="riverside",
    location="Riverside Studio",
    zone=ZONE,
    anchor=date(2026, 3, 1),
)
IN_CART = HELD.model_copy(update={"in_cart": True, "next_pack_at": None})
BY_CREDITS = HELD.model_copy(
    update={
        "recurs_when": RecursWhen.NO_CREDITS_REMAIN,
        "next_payment": NextPayment.DEBIT,
    }
)
_PAID = ChargeView(
    id="charge-7",
    period=1,
    invoice_id="inv-7",
    amount=WITH_TAX,
    outcome=None,
    settled_at=NEXT_AT,
)
PAGE = SubscriptionPage(
    subscription=HELD,
    expiry=ExpiryPolicy.AFTER_DAYS,
    validity_days=30,
    payments_made=2,
    commitment=Commitment(minimum_payments=3, made=2, remaining=1),
    forecast_total=Money.zero("USD"),
    cancel=CancelOptions(ways=(CancelWhen.NOW, CancelWhen.PERIOD_END)),
    can_choose_payment=True,
    charges=(_PAID,),
    pay_key="pay-key-7",
    undo_key="undo-key-7",
)
_FIRST = CartLineView(
    id="line-7",
    product_id="passes",
    kind=ProductKind.PACKAGE,
    name="Five passes",
    quantity=1,
    unit=PRICE,
    amount=PRICE,
    tax=TAX,
    credits=5,
    credit_unit="class",
    recurs_when=RecursWhen.PACK_EXPIRES,
    next_payment=NextPayment.DEBIT,
)
_NEXT = _FIRST.model_copy(
    update={"id": "line-8", "next_payment": None, "next_of": "sub-7", "minimum_payments": 3}
)


def _terms(payment: NextPayment, when: RecursWhen) -> SubscriptionTerms:
    return SubscriptionTerms(
        line_id="line-7",
        name="Five passes",
        amount=WITH_TAX,
        recurs_when=when,
        next_payment=payment,
        starts_on=date(2026, 3, 1),
        minimum_payments=3,
        self_cancel=SelfCancel.PERIOD_END,
        zone=ZONE,
    )


MORE: Mapping[str, tuple[str, BaseModel]] = {
    "product, recurs": ("product", ProductPage(product=PASSES, today=date(2026, 3, 1))),
    "cart, a next pack": (
        "cart",
        CartPage(
            location_id="riverside",
            location="Riverside Studio",
            cart="cart-1.7",
            lines=(_FIRST, _NEXT),
            totals=TOTALS,
            due_now=WITH_TAX,
            can_check_out=True,
        ),
    ),
    "checkout, recurs": (
        "checkout",
        CheckoutPage(
            location="Riverside Studio",
            cart="cart-1.7",
            lines=(_FIRST, _NEXT),
            totals=TOTALS,
            due_now=WITH_TAX,
            expected_total=WITH_TAX.minor,
            idempotency_key="checkout-key-7",
            terms=(
                _terms(NextPayment.DEBIT, RecursWhen.PACK_EXPIRES),
                _terms(NextPayment.BY_HAND, RecursWhen.NO_CREDITS_REMAIN),
            ),
        ),
    ),
    "subscription, recurs": ("subscription", PAGE),
    "subscription, recurs with its credits": (
        "subscription",
        PAGE.model_copy(update={"subscription": BY_CREDITS}),
    ),
    "subscription, next pack in the cart": (
        "subscription",
        PAGE.model_copy(update={"subscription": IN_CART}),
    ),
    "cancel, recurs": (
        "cancel",
        CancelPage(
            subscription=IN_CART,
            choices=(
                CancelConsequence(when=CancelWhen.NOW, ends_at=NEXT_AT, credits_kept=2),
                CancelConsequence(when=CancelWhen.PERIOD_END, credits_kept=2, can_undo=True),
            ),
            idempotency_key="cancel-key-7",
        ),
    ),
}
