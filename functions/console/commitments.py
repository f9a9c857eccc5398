"""Agreements for a minimum of payments that are not fulfilled yet ([COMMIT])."""

from collections.abc import Mapping

from functions.console.lists import heads_of
from functions.console.pages.outstanding_models import CommitmentRow
from shared.domain.customer import Customer
from shared.domain.subscription import Subscription
from shared.store import accounts
from shared.store.listed import Commitment
from shared.store.reading import Page
from shared.web.request import Request

SHOWN = 40
"""Commitments of one page: each is a subscription, and perhaps a customer, to be read."""


def commitments_at(location_id: str, after: str | None) -> Page[Commitment]:
    """Those of a location, the latest first."""
    return accounts.commitments_of(location_id, limit=SHOWN, after=after)


def commitment_rows(request: Request, page: Page[Commitment]) -> tuple[CommitmentRow, ...]:
    """With their subscriptions and customers, in one round trip."""
    open_ones = [row.value for row in page.rows if not row.value.done]
    heads = heads_of([one.customer_id for one in open_ones])
    refs = [accounts.subscription(one.customer_id, one.subscription_id) for one in open_ones]
    if not refs:
        return ()
    found = request.load(*heads.values(), *refs)
    rows = (found.get(ref) for ref in refs)
    known = {one: row.value for one, ref in heads.items() if (row := found.get(ref)) is not None}
    return tuple(_row(row.value, known) for row in rows if row is not None)


def _row(one: Subscription, known: Mapping[str, Customer]) -> CommitmentRow:
    customer = known.get(one.customer_id)
    return CommitmentRow(
        customer_id=one.customer_id,
        customer_name=(customer.name or customer.email) if customer else "",
        subscription_id=one.id,
        name=one.terms.name,
        state=one.state,
        price=one.terms.price,
        minimum_payments=one.terms.minimum_payments,
        made=one.payments_made,
        remaining=one.payments_remaining,
    )
