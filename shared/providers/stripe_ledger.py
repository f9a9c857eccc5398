"""What Stripe has of a customer: payments with what has gone back of them, page by page.

Lists are complete at once; Stripe's search is not, and is never asked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from shared.domain.outcome import Outcome
from shared.domain.provider_charge import ProviderCharge
from shared.providers.errors import ProviderUnavailable
from shared.providers.port import ChargeResult
from shared.providers.stripe_charging import Charging, read_intent
from shared.providers.stripe_events import CHARGE_REF
from shared.providers.stripe_http import Ask, NoAnswer, Refused, StripeApi
from shared.providers.stripe_objects import (
    REFUND_KEY,
    ChargeSeen,
    DisputeSeen,
    IntentSeen,
    PageSeen,
    RefundSeen,
    money_of,
    read_as,
)

if TYPE_CHECKING:
    from stripe.params import (
        ChargeListParams,
        DisputeListParams,
        PaymentIntentListParams,
        RefundListParams,
    )

PAGE_SIZE = 100
MAX_PAGES = 20
"""How many pages of a list are read before it is given up."""

_NEVER = datetime.min.replace(tzinfo=UTC)

PageAfter = Callable[[str | None], Ask]
"""The call for the page that begins after an id."""


class Ledger:
    """The port's calls that read lists. They raise `ProviderUnavailable` rather than leave
    something out."""

    def __init__(self, api: StripeApi, charging: Charging) -> None:
        self._api = api
        self._charging = charging

    def look_up(
        self, charge_ref: str, attempt_id: str, intent_id: str | None, customer: str
    ) -> ChargeResult | None:
        """By the stored id, else among the customer's payments."""
        try:
            if intent_id is not None:
                intent = self._charging.fetch(intent_id)
                said = None if intent is None else self._said(intent, charge_ref, attempt_id)
                if said is not None:
                    return said
            own: ChargeResult | None = None
            for intent in self._payments_of(customer):
                said = self._said(intent, charge_ref, attempt_id)
                if said is not None and said.outcome is Outcome.SUCCEEDED:
                    return said
                own = own or said
        except (Refused, NoAnswer) as trouble:
            raise ProviderUnavailable(str(trouble)) from None
        return own

    def _said(self, intent: IntentSeen, charge_ref: str, attempt_id: str) -> ChargeResult | None:
        if intent.charge_ref != charge_ref:
            return None
        said = self._charging.said_of(intent, attempt_id)
        charge = intent.latest_charge
        if said is None or not isinstance(charge, ChargeSeen) or not charge.disputed:
            return said
        taken = self._taken_back(intent.id)
        if not taken:
            return said
        money = money_of(charge.amount, charge.currency).model_copy(update={"minor": taken})
        return said._replace(reversed=money)

    def charge_ref(self, intent_id: str) -> str | None:
        """What a payment is for, in our words; None for one of others."""
        try:
            intent = self._charging.fetch(intent_id)
        except (Refused, NoAnswer) as trouble:
            raise ProviderUnavailable(str(trouble)) from None
        return None if intent is None else intent.charge_ref

    def charges(self, customer: str, since: datetime | None) -> Sequence[ProviderCharge]:
        """A payment is one charge, whichever of its tries succeeded; one for which no bank was
        asked yet is none. A charge without our `charge_ref` was not asked for by us."""

        def page(after: str | None) -> Ask:
            params: ChargeListParams = {"customer": customer, "limit": PAGE_SIZE}
            if since is not None:
                params["created"] = {"gte": int(since.timestamp())}
            if after is not None:
                params["starting_after"] = after
            return lambda stripe: stripe.v1.charges.list(params)

        found: dict[str, ChargeSeen] = {}
        try:
            for one in map(_charge, self._pages(page)):
                payment = one.payment_intent
                if payment is None or CHARGE_REF not in one.metadata:
                    continue
                if payment not in found or one.status == "succeeded":
                    found[payment] = one
            listed = [one for one in found.values() if one.created >= (since or _NEVER)]
            return [self._listed(one) for one in listed]
        except (Refused, NoAnswer) as trouble:
            raise ProviderUnavailable(str(trouble)) from None

    def _listed(self, charge: ChargeSeen) -> ProviderCharge:
        assert charge.payment_intent is not None
        taken = self._taken_back(charge.payment_intent) if charge.disputed else 0
        try:
            return charge.as_provider_charge(taken)
        except ValueError:
            raise ProviderUnavailable("a charge that cannot be read") from None

    def refund_with(self, intent_id: str, key: str) -> RefundSeen | None:
        """The refund of a payment that was asked for with this key. Raises `Refused`, `NoAnswer`
        and `ProviderUnavailable`."""

        def page(after: str | None) -> Ask:
            params: RefundListParams = {"payment_intent": intent_id, "limit": PAGE_SIZE}
            if after is not None:
                params["starting_after"] = after
            return lambda stripe: stripe.v1.refunds.list(params)

        made = (read_as(RefundSeen, one) for one in self._pages(page))
        return next((one for one in made if one.metadata.get(REFUND_KEY) == key), None)

    def _taken_back(self, intent_id: str) -> int:
        """What banks have of a payment, in our minor unit."""

        def page(after: str | None) -> Ask:
            params: DisputeListParams = {"payment_intent": intent_id, "limit": PAGE_SIZE}
            if after is not None:
                params["starting_after"] = after
            return lambda stripe: stripe.v1.disputes.list(params)

        return sum(read_as(DisputeSeen, one).taken for one in self._pages(page))

    def _payments_of(self, customer: str) -> Iterator[IntentSeen]:
        """Newest first."""

        def page(after: str | None) -> Ask:
            params: PaymentIntentListParams = {
                "customer": customer,
                "limit": PAGE_SIZE,
                "expand": ["data.latest_charge"],
            }
            if after is not None:
                params["starting_after"] = after
            return lambda stripe: stripe.v1.payment_intents.list(params)

        return map(read_intent, self._pages(page))

    def _pages(self, page_after: PageAfter) -> Iterator[Mapping[str, Any]]:
        after: str | None = None
        for _ in range(MAX_PAGES):
            page = read_as(PageSeen, self._api.call(page_after(after)))
            yield from page.data
            if not page.has_more:
                return
            after = page.data[-1].get("id") if page.data else None
            if not isinstance(after, str):
                raise ProviderUnavailable("a list that does not go on")
        raise ProviderUnavailable(f"a list of more than {MAX_PAGES} pages")


def _charge(found: Mapping[str, Any]) -> ChargeSeen:
    return read_as(ChargeSeen, found)
