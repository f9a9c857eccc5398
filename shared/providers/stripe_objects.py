"""What we read of Stripe's objects, and what it is in our words.

Stripe may add fields and words at any time: what is not read here is passed over, and a field of
another type than it is documented with makes the object unreadable (`ValidationError`), never
something else than it is.
"""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    ValidationError,
)

from shared.domain.card import Card
from shared.domain.money import Money
from shared.domain.provider_charge import ProviderCharge
from shared.domain.record import Record
from shared.providers.errors import ProviderUnavailable
from shared.providers.stripe_events import CHARGE_REF

PROVIDER = "stripe"

ATTEMPT_ID, RETURN_URL = "attempt_id", "return_url"
"""What we write into a payment's metadata, beside `stripe_events.CHARGE_REF`."""

REFERENCE = "reference"
"""What we write into a customer's: whose card it is, in our words."""

REFUND_KEY = "refund_key"

MONEY_GONE = frozenset({"needs_response", "under_review", "lost"})
"""The states of a dispute in which the bank has the money. An inquiry (`warning_…`) takes none, a
dispute that is won or prevented has given it back or never took it."""

HUNDREDFOLD = frozenset(
    {"AFN", "ALL", "ISK", "LAK", "LBP", "MMK", "RSD", "SOS", "STD", "UGX", "YER"}
)
"""Currencies that we count without decimals and Stripe with two (docs.stripe.com/currencies)."""


def stripe_amount(money: Money) -> int:
    """The amount in the unit in which Stripe counts its currency."""
    return money.minor * (100 if money.currency in HUNDREDFOLD else 1)


def money_of(amount: int, currency: str) -> Money:
    """`ValueError` for what is no currency."""
    code = currency.upper()
    return Money(minor=amount // (100 if code in HUNDREDFOLD else 1), currency=code)


class _Seen(Record):
    model_config = ConfigDict(extra="ignore")


def _word(value: Any) -> Any:
    return value if isinstance(value, str) else None


Word = Annotated[str | None, BeforeValidator(_word)]
"""A text, or None for whatever else it is: of errors, which must be readable however they look."""

Metadata = Annotated[
    Mapping[str, str], BeforeValidator(lambda value: value or {}), Field(default_factory=dict)
]


def _id_of(value: Any) -> Any:
    return value.get("id") if isinstance(value, dict) else value


Id = Annotated[str | None, BeforeValidator(_id_of)]
"""The id of an object that may or may not have been expanded."""


class ErrorSeen(_Seen):
    """Stripe's error object. Its `message` is only looked at for the mode of the key."""

    type: Word = None
    code: Word = None
    decline_code: Word = None
    advice_code: Word = None
    network_advice_code: Word = None
    param: Word = None
    message: Word = Field(default=None, repr=False)
    payment_intent: Any = Field(default=None, repr=False)
    payment_method: Any = Field(default=None, repr=False)

    @property
    def word(self) -> str:
        """The most exact of Stripe's words for it."""
        return self.decline_code or self.code or self.type or ""

    @property
    def of_other_mode(self) -> bool:
        """The object exists, but for keys of the other mode: test or live."""
        return self.code == "livemode_mismatch" or "a similar object exists in" in (
            self.message or ""
        )

    @property
    def card(self) -> str | None:
        """The payment method that it is about, where it says."""
        found = _id_of(self.payment_method)
        return found if isinstance(found, str) else None


class RedirectSeen(_Seen):
    url: Word = None


class NextActionSeen(_Seen):
    type: Word = None
    redirect_to_url: RedirectSeen | None = None
    verify_with_microdeposits: Mapping[str, Any] | None = None

    @property
    def url(self) -> str | None:
        """Where the customer goes."""
        if self.redirect_to_url is not None:
            return self.redirect_to_url.url
        found: str | None = _word(
            (self.verify_with_microdeposits or {}).get("hosted_verification_url")
        )
        return found


class ChargeSeen(_Seen):
    id: str
    amount: StrictInt
    amount_refunded: StrictInt
    currency: str
    created: AwareDatetime
    status: str
    disputed: bool = False
    payment_intent: Id = None
    metadata: Metadata

    @property
    def wholly_refunded(self) -> bool:
        return 0 < self.amount <= self.amount_refunded

    def as_provider_charge(self, reversed_: int) -> ProviderCharge:
        """`ValueError` when it does not belong to a payment."""
        if self.payment_intent is None:
            raise ValueError("a charge without a payment")
        return ProviderCharge(
            id=self.payment_intent,
            charge_ref=self.metadata.get(CHARGE_REF, ""),
            amount=money_of(self.amount, self.currency),
            succeeded=self.status == "succeeded",
            refunded_minor=money_of(self.amount_refunded, self.currency).minor,
            reversed_minor=reversed_,
            created_at=self.created,
        )


class IntentSeen(_Seen):
    """A PaymentIntent."""

    id: str
    status: str
    metadata: Metadata
    last_payment_error: ErrorSeen | None = None
    next_action: NextActionSeen | None = None
    latest_charge: ChargeSeen | str | None = None

    @property
    def charge_ref(self) -> str | None:
        return self.metadata.get(CHARGE_REF)

    @property
    def attempt_id(self) -> str | None:
        return self.metadata.get(ATTEMPT_ID)


class DisputeSeen(_Seen):
    amount: StrictInt
    currency: str
    status: str

    @property
    def taken(self) -> int:
        """What the bank has of our money, in our minor unit."""
        return money_of(self.amount, self.currency).minor if self.status in MONEY_GONE else 0


class RefundSeen(_Seen):
    id: str
    status: Word = None
    metadata: Metadata


class CustomerSeen(_Seen):
    id: str
    deleted: bool = False
    metadata: Metadata


class PlasticSeen(_Seen):
    brand: str
    display_brand: Word = None
    last4: str
    exp_month: StrictInt
    exp_year: StrictInt


class AccountNumberSeen(_Seen):
    last4: Word = None
    bank_name: Word = None


_DEBITS: Mapping[str, str] = {
    "acss_debit": "Pre-authorized debit",
    "au_becs_debit": "BECS debit",
    "bacs_debit": "Bacs debit",
    "nz_bank_account": "BECS debit",
    "sepa_debit": "SEPA debit",
    "us_bank_account": "Bank account",
}


class MethodSeen(_Seen):
    """A PaymentMethod: a card, or an account that is debited."""

    id: str
    type: str
    customer: CustomerSeen | str | None = None
    card: PlasticSeen | None = None
    account: AccountNumberSeen | None = None

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> "MethodSeen":
        """Raises `ValidationError`."""
        kind = found.get("type")
        account = found.get(kind) if isinstance(kind, str) and kind != "card" else None
        return cls.model_validate({**found, "account": account})

    @property
    def customer_id(self) -> str | None:
        return self.customer.id if isinstance(self.customer, CustomerSeen) else self.customer

    def as_card(self) -> Card:
        """Stripe's id doubles as ours, so a setup that is read twice is one card."""
        if self.card is not None:
            brand = self.card.display_brand or self.card.brand
            last4, month, year = self.card.last4, self.card.exp_month, self.card.exp_year
            return Card(
                id=self.id,
                provider=PROVIDER,
                token=self.id,
                brand=brand,
                last4=last4,
                exp_month=month,
                exp_year=year,
            )
        account = self.account or AccountNumberSeen()
        words = _DEBITS.get(self.type, self.type.replace("_", " ").capitalize())
        brand = account.bank_name or words
        return Card(
            id=self.id, provider=PROVIDER, token=self.id, brand=brand, last4=account.last4 or ""
        )


class SetupIntentSeen(_Seen):
    status: str
    payment_method: Mapping[str, Any] | str | None = None
    last_setup_error: ErrorSeen | None = None


class SessionSeen(_Seen):
    """A Checkout Session."""

    id: str
    mode: str
    status: Word = None
    url: Word = None
    customer: Id = None
    client_reference_id: Word = None
    setup_intent: SetupIntentSeen | str | None = None


class AccountSeen(_Seen):
    id: str
    charges_enabled: bool = True
    country: Word = None
    default_currency: Word = None
    business_profile: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """As the dashboard has it, else as customers see it, else its id."""
        dashboard = (self.settings or {}).get("dashboard")
        shown = dashboard.get("display_name") if isinstance(dashboard, dict) else None
        name = (self.business_profile or {}).get("name")
        return next((one for one in (shown, name) if isinstance(one, str) and one), self.id)


class PageSeen(_Seen):
    """One page of a list."""

    data: tuple[Mapping[str, Any], ...]
    has_more: bool


class CountrySeen(_Seen):
    """What Stripe takes from accounts of a country."""

    supported_payment_currencies: tuple[str, ...]


Read = TypeVar("Read", bound=_Seen)


def read_as(kind: type[Read], found: Mapping[str, Any]) -> Read:
    """Raises `ProviderUnavailable`, without what it is that cannot be read."""
    try:
        return kind.model_validate(found)
    except ValidationError:
        raise ProviderUnavailable(f"{kind.__name__} cannot be read") from None
