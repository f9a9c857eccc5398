"""What is sold: products, and the catalogue of a merchant's."""

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.domain.business import Business
from shared.domain.calendar import DAYS_OF_WEEK, Frequency
from shared.domain.definition import Definition
from shared.domain.dunning import check_policy
from shared.domain.errors import Invalid
from shared.domain.money import Currency, Money
from shared.domain.participants import MAX_PARTICIPANTS
from shared.domain.product_kind import ProductKind
from shared.domain.recurs_when import DAYS_BEFORE_EXPIRY, RecursWhen
from shared.domain.valid_from import ValidFrom

MAX_PRICE_MINOR = 100_000_000
"""The largest price of one thing: a million of most currencies."""

VALIDITY_DAYS_MIN = DAYS_BEFORE_EXPIRY + 1
"""A shorter pack would have its next one before it began."""

Price = Annotated[int, Field(ge=0, le=MAX_PRICE_MINOR)]


class RestrictTo(StrEnum):
    """Who may buy ([VISIBLE]): new joiners have no earlier reservation, active members have."""

    ANYONE = "anyone"
    NEW_JOINERS = "new_joiners"
    ACTIVE_MEMBERS = "active_members"


class Product(Definition):
    """One thing on sale.

    `prices` holds the minor units per currency; a product without a price in a location's
    currency is not sold there. With `pay_what_you_want` the price is a suggestion and
    `minimum_prices` the least ([PWYW]). `credits` counts only for packages and subscriptions;
    None is unlimited. Without a validity a package never expires, and a subscription's pack
    expires at the next renewal ([GRANT]).
    """

    id: str
    name: str
    kind: ProductKind
    prices: dict[Currency, Price]
    description: str = ""
    category: str = ""
    service: str | None = None
    credits: Annotated[int, Field(ge=0)] | None = 0
    validity_days: Annotated[int, Field(ge=1, le=3660)] | None = None
    validity_months: Annotated[int, Field(ge=1, le=120)] | None = None
    valid_from: ValidFrom = ValidFrom.PAYMENT
    hourly: bool = False
    """Whether a credit pays for one hour."""
    use_pricing_rules: bool = False
    """Whether what its credits are worth follows their own service's pricing rules ([VOUCHER])."""
    staff_members: tuple[str, ...] | None = None
    """Whose activities its credits pay for; None is everybody's ([STAFF])."""
    pay_what_you_want: bool = False
    minimum_prices: dict[Currency, Price] = {}
    recurs_when: RecursWhen | None = None
    """A package that is bought again and again without a calendar ([RECUR])."""
    frequency: Frequency | None = None
    frequencies: tuple[Frequency, ...] = ()
    trial_days: Annotated[int, Field(ge=1, le=365)] | None = None
    minimum_payments: Annotated[int, Field(ge=0, le=1000)] = 0
    standing: bool = False
    """Whether it is a place at the same weekday and time every week; its credits are how many
    participants come ([WEEKLY])."""
    taxed: bool = False
    account_code: str = ""
    enabled: bool = True
    sell_online: bool = True
    hidden: bool = False
    """Left out of the shop's pages, but reachable by its direct link."""
    restrict_to: RestrictTo = RestrictTo.ANYONE
    locations: tuple[str, ...] | None = None
    email_days_before_expiry: int | None = None
    email_credits_left: int | None = None
    access_link: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.validity_days and self.validity_months:
            raise ValueError("validity is in days or in months, not both")
        if self.valid_from is not ValidFrom.PAYMENT:
            if self.kind is not ProductKind.PACKAGE:
                raise ValueError("only a package's validity begins with a booking")
            if not (self.validity_days or self.validity_months):
                raise ValueError("a validity that begins with a booking needs a length")
        if self.recurs_when is not None:
            self._can_recur(self.recurs_when)
        if self.kind is ProductKind.SUBSCRIPTION:
            self._has_calendar()
        elif self.trial_days or (self.minimum_payments and self.recurs_when is None):
            raise ValueError("only subscriptions have trials, and only what recurs a commitment")
        if self.standing:
            self._weekly()
        if self.kind is ProductKind.ACCESS and not (self.access_link or "").startswith("https://"):
            raise ValueError("an access product needs an https:// link")
        return self

    def _has_calendar(self) -> None:
        if self.frequency is None or self.frequency not in self.allowed_frequencies:
            raise ValueError("a subscription needs a frequency that it allows")

    def _weekly(self) -> None:
        """A standing place is sold by the week, and one credit holds each participant's place."""
        if self.kind is not ProductKind.SUBSCRIPTION or set(self.allowed_frequencies) != {
            Frequency.WEEKLY
        }:
            raise ValueError("a standing place is a weekly subscription")
        if self.service is None or self.hourly:
            raise ValueError("a standing place has a service, and a credit for each participant")
        if not 1 <= (self.credits or 0) <= MAX_PARTICIPANTS:
            raise ValueError(f"a standing place is for 1 to {MAX_PARTICIPANTS} participants")
        if self.trial_days is not None:
            raise ValueError("a standing place has no trial: each week's is booked when it is paid")
        if self.validity_days is not None and self.validity_days < DAYS_OF_WEEK:
            raise ValueError("the credits of a standing place are valid for its whole week")

    def _can_recur(self, when: RecursWhen) -> None:
        """What recurs without a calendar is a package whose end is known ([RECUR])."""
        if self.kind is not ProductKind.PACKAGE:
            raise ValueError("only packages recur without a calendar")
        if self.valid_from is not ValidFrom.PAYMENT:
            raise ValueError("a package that recurs is valid from its payment")
        if self.validity_days is not None and self.validity_days < VALIDITY_DAYS_MIN:
            raise ValueError(f"a package that recurs is valid for {VALIDITY_DAYS_MIN} days or more")
        if when is RecursWhen.PACK_EXPIRES and not (self.validity_days or self.validity_months):
            raise ValueError("a package that recurs with its expiry needs a validity")
        if when is RecursWhen.NO_CREDITS_REMAIN and not self.credits:
            raise ValueError("a package that recurs without credits needs a number of them")

    @property
    def unlimited(self) -> bool:
        return self.credits is None

    @property
    def is_pack(self) -> bool:
        """Whether buying it grants packs."""
        return self.kind in (ProductKind.PACKAGE, ProductKind.SUBSCRIPTION)

    @property
    def allowed_frequencies(self) -> tuple[Frequency, ...]:
        return self.frequencies or ((self.frequency,) if self.frequency else ())

    def price_in(self, currency: str) -> Money | None:
        minor = self.prices.get(currency)
        return None if minor is None else Money(minor=minor, currency=currency)

    def minimum_in(self, currency: str) -> Money:
        return Money(minor=self.minimum_prices.get(currency, 0), currency=currency)


class Catalogue(Business):
    """Everything that is on sale and how, as pages and workers read it: one snapshot."""

    version: int = 1
    products: tuple[Product, ...] = ()

    @model_validator(mode="after")
    def _unique(self) -> Self:
        names = [product.name.casefold() for product in self.products]
        if len(set(names)) != len(names):
            raise ValueError("product names are unique")
        for product in self.products:
            for frequency in product.allowed_frequencies:
                self._retries_fit(product, frequency)
            service = self.service(product.service)
            if product.standing and service is not None and service.hourly:
                raise ValueError(f"{product.name}: a standing place is not charged by the hour")
        return self

    def _retries_fit(self, product: Product, frequency: Frequency) -> None:
        """Retries end before the product renews again ([RETRY])."""
        try:
            check_policy(self.settings.retry, frequency)
        except Invalid as error:
            raise ValueError(f"{product.name}: {error.detail}") from error

    @cached_property
    def _products(self) -> dict[str, Product]:
        return {product.id: product for product in self.products}

    def product(self, product_id: str) -> Product | None:
        return self._products.get(product_id)
