"""Answers of shop, cart, checkout, orders and cards ([SHOP], [CART], [CHECKOUT], [CARDS])."""

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime

from shared.domain.calendar import Frequency
from shared.domain.money import Money
from shared.domain.product import ProductKind, RecursWhen, SelfCancel
from shared.domain.recurring import NextPayment
from shared.domain.shopping import ExpiryPolicy, Hidden
from shared.web.answer import View
from shared.web.pages.cards import CardView
from shared.web.pages.choices import Choice
from shared.web.pages.lines import LineView, Totals
from shared.web.pages.packs import PackSummary
from shared.web.pages.subscriptions import SubscriptionSummary
from shared.web.pages.weekly import WeeklyTime


class ShopTab(StrEnum):
    """The three shops. Digital products (`access`) are sold in retail's."""

    PACKAGES = "packages"
    SUBSCRIPTIONS = "subscriptions"
    RETAIL = "retail"


class WhyEmpty(StrEnum):
    """Why a shop shows nothing ([VISIBLE])."""

    NOTHING_SOLD = "nothing_sold"
    NOTHING_FOUND = "nothing_found"
    NO_PROVIDER = "no_provider"
    """Packages and subscriptions need a payment provider that is set up."""
    NOT_ALLOWED = "not_allowed"
    """This customer may not buy packages online."""


class ProductView(View):
    """A product at one location. `price` is before tax; with `pay_what_you_want` a suggestion, and
    `minimum` the least. `credits` is None for what has no credits and for `unlimited`.
    `trial_days` is set only while this customer has not had the trial."""

    id: str
    name: str
    kind: ProductKind
    description: str = ""
    category: str = ""
    price: Money
    pay_what_you_want: bool = False
    minimum: Money | None = None
    service: str = ""
    unit: str = "credit"
    credits: int | None = None
    unlimited: bool = False
    expiry: ExpiryPolicy = ExpiryPolicy.NEVER
    validity_days: int | None = None
    validity_months: int | None = None
    frequency: Frequency | None = None
    frequencies: tuple[Frequency, ...] = ()
    recurs_when: RecursWhen | None = None
    """A package that is bought again by itself ([RECUR])."""
    trial_days: int | None = None
    minimum_payments: int = 0
    taxed: bool = False
    """Whether tax is added to `price`."""
    tax_name: str = "Tax"
    standing: bool = False
    """Whether it is a place at the same weekday and time every week ([WEEKLY])."""


class ShopPage(View):
    """`GET /shop`, filtered by tab, category and search."""

    tab: ShopTab
    tabs: tuple[Choice, ...]
    query: str = ""
    category: str = ""
    categories: tuple[Choice, ...] = ()
    products: tuple[ProductView, ...] = ()
    why_empty: WhyEmpty | None = None


class LineForm(View):
    """What the form that puts a product into the cart holds at first. `price` is decimal text in
    major units, for pay-what-you-want only."""

    quantity: int = 1
    price: str = ""
    frequency: Frequency | None = None
    starts_on: date | None = None
    until: date | None = None
    next_payment: NextPayment = NextPayment.DEBIT


class TimeChoice(View):
    """A weekday and time of the coming week, named by its activity ([WEEKLY])."""

    activity_id: str
    name: str
    starts_at: AwareDatetime
    zone: str
    staff_member: str = ""
    free: int


class ProductPage(View):
    """`GET /shop/{product}`. `today` is the location's; `latest_start` the last day that may be
    chosen. What was typed before comes back by itself. `access_link` only for who has paid."""

    product: ProductView
    form: LineForm = LineForm()
    today: date
    latest_start: date | None = None
    max_quantity: int = 1
    trial_ends_on: date | None = None
    first_charge_at: AwareDatetime | None = None
    """With a trial that starts today."""
    can_add: bool = True
    why_not: Hidden | None = None
    access_link: str | None = None
    times: tuple[TimeChoice, ...] = ()
    """Of a weekly place: what can be chosen for every week."""


class LineNotice(StrEnum):
    """What changed about a line since the customer last saw it."""

    PRICE_CHANGED = "price_changed"
    NOT_FOR_SALE = "not_for_sale"
    START_PASSED = "start_passed"
    """Its start day has passed; it starts today."""
    TRIAL_USED = "trial_used"
    TIME_GONE = "time_gone"
    """A weekly place is not on the schedule, or full, in its first week."""


class CartLineView(View):
    """`unit`, `amount` and `tax` as they are now; `was` is the unit price shown when it was added,
    if another. `starts_on` None: today. `recurs_when` and `next_payment` are of a package that
    comes again by itself; `next_of` names the subscription whose next pack this is: taking it out
    ends that one ([RECUR])."""

    id: str
    product_id: str
    kind: ProductKind
    name: str
    quantity: int
    max_quantity: int = 1
    unit: Money
    amount: Money
    tax: Money
    pay_what_you_want: bool = False
    credits: int | None = None
    unlimited: bool = False
    credit_unit: str = "credit"
    frequency: Frequency | None = None
    starts_on: date | None = None
    until: date | None = None
    recurs_when: RecursWhen | None = None
    next_payment: NextPayment | None = None
    next_of: str | None = None
    minimum_payments: int = 0
    """Of a next pack: while they are not made it can't be taken out ([COMMIT])."""
    trial_days: int | None = None
    weekly: WeeklyTime | None = None
    notice: LineNotice | None = None
    was: Money | None = None


class LaterReason(StrEnum):
    TRIAL = "trial"
    LATER_START = "later_start"


class DueLater(View):
    """A line that is charged later, not at checkout: `amount` in all, tax included."""

    line_id: str
    name: str
    why: LaterReason
    starts_on: date
    at: AwareDatetime
    amount: Money
    zone: str


class WhyNotCheckOut(StrEnum):
    EMPTY = "empty"
    BEING_PAID = "being_paid"
    NOT_FOR_SALE = "not_for_sale"
    """A line has to be removed first."""
    NO_PROVIDER = "no_provider"


class CartPage(View):
    """`GET /cart`, for one location. `cart` names exactly what is seen (id and version); None while
    there is no cart. `totals` covers all lines, `due_now` what checkout charges."""

    location_id: str
    location: str
    cart: str | None = None
    lines: tuple[CartLineView, ...] = ()
    added: str = ""
    """The name of what was just put in, to say so."""
    totals: Totals
    due_now: Money
    due_later: tuple[DueLater, ...] = ()
    can_check_out: bool = False
    why_not: WhyNotCheckOut | None = None


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


class WhyDeclined(StrEnum):
    """What to tell who paid, and no more."""

    DECLINED = "declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED_CARD = "expired_card"
    FINAL = "final"
    """This card will not work again."""
    REFUSED = "refused"
    """The payment provider would not take the request: the merchant's trouble, not the card's."""
    NOT_CHARGEABLE = "not_chargeable"
    """The merchant has left the provider that keeps this card; another card works."""


class Decline(View):
    reason: WhyDeclined
    brand: str = ""
    last4: str = ""


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


class WhyCardStays(StrEnum):
    """Why a card can't be removed ([CARDS])."""

    LAST_NEEDED = "last_needed"
    CHARGE_UNKNOWN = "charge_unknown"


class UsedBy(View):
    subscription_id: str
    name: str


class CardOnFile(View):
    card: CardView
    used_by: tuple[UsedBy, ...] = ()
    """The subscriptions that are charged to it."""
    removable: bool
    why_not: WhyCardStays | None = None


class CardsPage(View):
    """`GET /cards`. `can_add` is false at the limit, or without a payment provider."""

    cards: tuple[CardOnFile, ...] = ()
    can_add: bool = True
    max_cards: int


class CardPage(View):
    """Where a card is added: the provider's own page. It comes back with `setup_id`."""

    setup_id: str
    url: str


class CardEnterPage(View):
    """`GET /cards/enter`: a card field of the provider's, as a frame in our page. The frame hands
    the page a token, which is posted with the expiry. `owed` is what a new card is asked to pay at
    once, for whoever came by an emailed link."""

    provider: str
    frame_url: str
    next: str
    years: tuple[int, ...]
    """Those that a card may expire in."""
    owed: tuple["Owed", ...] = ()


class CardUpdateState(StrEnum):
    OPEN = "open"
    SETTLED = "settled"
    """Nothing is owed any more."""
    STALE = "stale"
    """Expired, used or unknown."""


class Owed(View):
    name: str
    owed: Money
    next_try_at: AwareDatetime | None = None
    zone: str


class CardUpdatePage(View):
    """`GET /card-update/{token}`: leads only to updating a card ([CARDS], [SCAN])."""

    state: CardUpdateState
    owed: tuple[Owed, ...] = ()
    card: CardView | None = None
    """The one that failed."""


class PlaceView(View):
    id: str
    name: str
    address: str = ""
    phone: str = ""


class ContactPage(View):
    """`GET /contact`."""

    merchant: str
    support_email: str
    support_phone: str = ""
    address: str = ""
    locations: tuple[PlaceView, ...] = ()
    social: tuple[str, ...] = ()
    """Full https:// addresses."""
