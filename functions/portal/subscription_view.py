"""What the pages of one subscription show. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from functions.portal.pages.subscription_models import (
    CancelConsequence,
    CancelOptions,
    CancelPage,
    CancelWhen,
    Commitment,
    FailingCharge,
    ForecastLine,
    NextPlace,
    SubscriptionPage,
    WhyNotCancel,
)
from shared.domain.business import Business
from shared.domain.charge import Charge
from shared.domain.collecting import unlimited_pack_ends_at, waits_for
from shared.domain.customer import Attention, Customer
from shared.domain.expiry import expecting
from shared.domain.expiry_policy import ExpiryPolicy
from shared.domain.forecast import total_of
from shared.domain.invoice import Invoice
from shared.domain.pack import Pack
from shared.domain.renewal import period_end_is_now
from shared.domain.self_cancel import SelfCancel
from shared.domain.subscription import (
    Subscription,
    SubscriptionState,
    next_try_at,
    paid_until,
    pay_by,
)
from shared.operations.cancel import When, allowed
from shared.operations.forecast import ahead
from shared.web.pages.cards import card_views
from shared.web.pages.charges import charge_view
from shared.web.pages.packs import pack_summary
from shared.web.pages.subscriptions import (
    ends_at,
    subscription_summary,
)


def _expiry(subscription: Subscription) -> ExpiryPolicy:
    """When the credits of each period expire ([GRANT])."""
    terms = subscription.terms
    if terms.validity_days is not None:
        return ExpiryPolicy.AFTER_DAYS
    if terms.validity_months is not None:
        return ExpiryPolicy.AFTER_MONTHS
    if subscription.recurring is not None:
        return ExpiryPolicy.NEVER
    return ExpiryPolicy.PERIOD_END if terms.credits is None else ExpiryPolicy.NEXT_RENEWAL


def _commitment(subscription: Subscription) -> Commitment | None:
    if not subscription.terms.minimum_payments:
        return None
    return Commitment(
        minimum_payments=subscription.terms.minimum_payments,
        made=subscription.payments_made,
        remaining=subscription.payments_remaining,
    )


def _failing(subscription: Subscription, charge: Charge | None) -> FailingCharge | None:
    collection = subscription.collection
    if collection is None or not collection.failing or charge is None:
        return None
    needs = waits_for(charge)
    waits = needs is Attention.AUTHENTICATION
    return FailingCharge(
        invoice_id=collection.invoice_id,
        owed=charge.amount,
        slots_used=collection.slots_used,
        slots=collection.policy.tries,
        next_try_at=next_try_at(subscription),
        pay_by=pay_by(subscription),
        needs=needs,
        confirm_url=charge.last.confirm_url if waits and charge.last else None,
        blocked=charge.undecided,
    )


def _why_not(subscription: Subscription, policy: SelfCancel) -> WhyNotCancel | None:
    if subscription.over:
        return WhyNotCancel.OVER
    ways = allowed(subscription, policy)
    if not ways:
        return WhyNotCancel.ALREADY_ENDS
    if ways != {When.REQUEST}:
        return None
    return WhyNotCancel.COMMITMENT if subscription.payments_remaining else WhyNotCancel.OFF


def _ways(subscription: Subscription, policy: SelfCancel) -> tuple[CancelWhen, ...]:
    ways = allowed(subscription, policy)
    return tuple(CancelWhen(when.value) for when in When if when in ways)


def can_undo(subscription: Subscription) -> bool:
    """Whether an end that was asked for can be taken back by the customer ([CANCEL])."""
    asked = subscription.cancel_at_period_end or subscription.cancel_after_commitment
    return asked and not subscription.over


def _next_place(packs: Sequence[Pack], now: datetime) -> NextPlace | None:
    """The next place of a weekly subscription: booked, or still looked for ([WEEKLY])."""
    found = [
        NextPlace(starts_at=one.starts_at, reservation_id=one.reservation_id)
        for pack in packs
        if pack.place is not None
        for one in pack.booked
        if one.starts_at > now
    ]
    found += [
        NextPlace(starts_at=pack.place.starts_at)
        for pack in packs
        if pack.place is not None and pack.place.look_at is not None
    ]
    return min(found, key=lambda one: one.starts_at, default=None)


def subscription_page(
    subscription: Subscription,
    charges: Sequence[Charge],
    packs: Sequence[Pack],
    business: Business,
    customer: Customer,
    now: datetime,
    *,
    pay_key: str,
    undo_key: str,
    set_up: Collection[str] | None = None,
) -> SubscriptionPage:
    """`charges` and `packs` are its latest, the newest first."""
    policy = business.settings.self_cancel
    subscription = expecting(subscription, packs)
    lines = ahead(business, customer, subscription, now)
    collection = subscription.collection
    open_charge = next(
        (one for one in charges if collection and one.source == collection.source), None
    )
    terms = subscription.terms
    trialing = subscription.state is SubscriptionState.TRIALING
    return SubscriptionPage(
        subscription=subscription_summary(subscription, business, customer, now),
        expiry=_expiry(subscription),
        validity_days=terms.validity_days,
        validity_months=terms.validity_months,
        payments_made=subscription.payments_made,
        commitment=_commitment(subscription),
        trial_ends_on=subscription.anchor - timedelta(days=1) if trialing else None,
        paid_until=paid_until(subscription) if subscription.payments_made else None,
        failing=_failing(subscription, open_charge),
        forecast=tuple(
            ForecastLine(
                period=line.expected.period,
                at=line.expected.at,
                starts_on=line.expected.starts_on,
                amount=line.expected.amount,
                tax=line.expected.tax,
                total=line.expected.total,
            )
            for line in lines
        ),
        forecast_total=total_of((line.expected for line in lines), terms.price.currency),
        cancel=CancelOptions(
            ways=_ways(subscription, policy),
            why_not=_why_not(subscription, policy),
            can_undo=can_undo(subscription),
        ),
        cards=card_views(customer, now, set_up),
        card_id=subscription.card_id if customer.card(subscription.card_id) else None,
        packs=tuple(pack_summary(pack, business, now) for pack in packs),
        next_place=_next_place(packs, now),
        can_choose_payment=subscription.recurring is not None and not subscription.over,
        charges=tuple(charge_view(one, subscription) for one in charges),
        pay_key=pay_key,
        undo_key=undo_key,
    )


def _consequence(
    when: CancelWhen,
    subscription: Subscription,
    pack: Pack | None,
    charge: Charge | None,
    invoice: Invoice | None,
    now: datetime,
) -> CancelConsequence:
    """What `when` would do, chosen now. A period that is being collected ends at once: the paid
    one is over, or nearly ([CANCEL])."""
    if when is CancelWhen.REQUEST:
        binding = subscription.payments_remaining > 0
        ending = subscription.model_copy(update={"cancel_after_commitment": True})
        return CancelConsequence(
            when=when, ends_at=ends_at(ending) if binding else None, can_undo=binding
        )
    at_once = when is CancelWhen.NOW or period_end_is_now(subscription, now)
    kept = pack is not None and pack.ended_at is None
    until = None
    if pack is not None and kept:
        until = pack.expires_at or unlimited_pack_ends_at(subscription)
    return CancelConsequence(
        when=when,
        ends_at=now if at_once else paid_until(subscription),
        void=invoice.owed if invoice is not None and at_once else None,
        outcome_unknown=charge is not None and charge.undecided,
        credits_kept=(pack.left or 0) if pack is not None and kept and not pack.unlimited else 0,
        unlimited=pack is not None and kept and pack.unlimited,
        credits_until=until,
        can_undo=not at_once,
    )


def cancel_page(
    subscription: Subscription,
    pack: Pack | None,
    charge: Charge | None,
    invoice: Invoice | None,
    business: Business,
    customer: Customer,
    now: datetime,
    *,
    idempotency_key: str,
) -> CancelPage:
    """`pack` is its latest, `charge` and `invoice` those of a period that is being collected."""
    policy = business.settings.self_cancel
    return CancelPage(
        subscription=subscription_summary(subscription, business, customer, now),
        choices=tuple(
            _consequence(when, subscription, pack, charge, invoice, now)
            for when in _ways(subscription, policy)
        ),
        why_not=_why_not(subscription, policy),
        commitment=_commitment(subscription),
        idempotency_key=idempotency_key,
    )
