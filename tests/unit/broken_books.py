"""One broken thing after the other in good books, and the rule that has to name it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from shared.domain.by import By
from shared.domain.cart import Cart, CartLine
from shared.domain.charge import Charge, Purpose, RefundState, record_refund
from shared.domain.due import Moment, Worker, due_text
from shared.domain.invariants import TICKS, Rule
from shared.domain.invoice import InvoiceState, PaymentKind
from shared.domain.message import MessageKind, message_key
from shared.domain.money import Money
from shared.domain.next_payment import NextPayment
from shared.domain.order import OrderLine
from shared.domain.outcome import Outcome
from shared.domain.pack import Booked
from shared.domain.product_kind import ProductKind
from shared.domain.recurring import NextPack, Recurring, Turn
from shared.domain.recurs_when import RecursWhen
from shared.domain.reservation import Held, ReservationState, reserve
from shared.domain.subscription import SubscriptionState
from tests.unit.books_samples import (
    NOW,
    PRICE,
    Told,
    changed,
    charge_of,
    entry_of,
    invoice_of,
    late_success,
    paid,
    queued,
    recorded,
    tried,
)
from tests.unit.places_samples import activity_of
from tests.unit.reversal_samples import bank_holds, of_invoice
from tests.unit.subscription_samples import subscription_of, utc

FEBRUARY, MARCH = "c-00.00001", "c-00.00002"
"""Sources of charges in the good books: one paid at its second try, one failing."""
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Case:
    """One thing that is broken, the rule that has to say so, and of what."""

    rule: Rule
    what: str
    item: str
    spoil: Callable[[Told], object]


def _second_success(told: Told) -> None:
    # As if the day's decline of February's first try had never been: two payments were settled.
    charge = told.charge(FEBRUARY)
    first, second = charge.attempts
    first = first.model_copy(update={"outcome": Outcome.SUCCEEDED})
    changed(told.books.charges, charge, attempts=(first, second))


def _settled_by_nothing(told: Told) -> None:
    changed(told.books.charges, told.charge(MARCH), settled_at=NOW)
    # The books say otherwise that it is paid.
    month = told.subscription("c-00")
    changed(told.books.subscriptions, month, collection=None, state=SubscriptionState.ACTIVE)
    told.books.customer = told.books.customer.model_copy(update={"past_due": ()})
    march = next(one for one in told.books.invoices if one.id == "i2")
    told.books.invoices[told.books.invoices.index(march)] = paid(march, told.charge(MARCH), NOW)
    for kind in (MessageKind.INVOICE, MessageKind.RENEWAL_RECEIPT):
        told.books.messages.add(message_key(kind, "i2"))


def _still_collected(told: Told) -> None:
    """March is paid in all books but the subscription's own."""
    charge = told.charge(MARCH)
    (first,) = charge.attempts
    first = first.model_copy(update={"outcome": Outcome.SUCCEEDED})
    charge = changed(told.books.charges, charge, attempts=(first,), settled_at=first.started_at)
    took(told, f"ch_{MARCH}-1", succeeded=True)
    march = next(one for one in told.books.invoices if one.id == "i2")
    told.books.invoices[told.books.invoices.index(march)] = paid(march, charge, NOW)
    for kind in (MessageKind.INVOICE, MessageKind.RENEWAL_RECEIPT):
        told.books.messages.add(message_key(kind, "i2"))


def _collected_by_nothing(told: Told) -> None:
    told.books.charges.remove(told.charge(MARCH))
    _collection(told, slots_passed=2)


def _paid_otherwise(told: Told) -> None:
    february = next(one for one in told.books.invoices if one.id == "i1")
    (payment,) = february.payments
    other = payment.model_copy(update={"kind": PaymentKind.NOTHING_DUE})
    _invoice(told, "i1", payments=(other,))


def surplus(told: Told) -> Charge:
    """February's first try, too, turns out to have succeeded, after the second had settled it:
    its money is owed back."""
    before = told.charge(FEBRUARY)
    after = recorded(before, Outcome.SUCCEEDED, utc("2026-03-01 05:30"), attempt=0)
    told.books.charges[told.books.charges.index(before)] = after
    took(told, f"ch_{FEBRUARY}-1", succeeded=True)
    return after


def surplus_back(told: Told) -> None:
    """The same, and it went back."""
    before = surplus(told)
    after = record_refund(before, RefundState.DONE, utc("2026-03-01 05:31"))
    told.books.charges[told.books.charges.index(before)] = after
    told.books.messages.add(message_key(MessageKind.REFUND, f"{after.refund_attempt}-refund"))
    took(told, f"ch_{FEBRUARY}-1", refunded_minor=PRICE.minor)


def _used_though_taken_back(told: Told) -> None:
    bank_holds(told, PRICE.minor)
    _pack(told, "p1", frozen_at=None)


def _taken_back_unsaid(told: Told) -> None:
    """The bank holds it, and the invoice goes on saying that it is paid."""
    invoice, packs = of_invoice(told, "i1"), list(told.books.packs)
    bank_holds(told, PRICE.minor)
    changed(told.books.invoices, of_invoice(told, "i1"), **dict(invoice))
    told.books.packs = packs


def _surplus_still_there(told: Told) -> None:
    surplus_back(told)
    took(told, f"ch_{FEBRUARY}-1", refunded_minor=0)


def _both_given_back(told: Told) -> None:
    surplus_back(told)
    took(told, f"ch_{FEBRUARY}-2", refunded_minor=PRICE.minor)


def _late_money_kept(told: Told) -> None:
    told.books.charges.append(
        late_success("cart.9").model_copy(update={"refund": RefundState.NONE})
    )


def _no_invoice(told: Told, invoice_id: str) -> None:
    told.books.invoices = [one for one in told.books.invoices if one.id != invoice_id]


def _invoice(told: Told, invoice_id: str, **update: object) -> None:
    invoice = next(one for one in told.books.invoices if one.id == invoice_id)
    changed(told.books.invoices, invoice, **update)


def _open_though_paid(told: Told) -> None:
    extra = paid(invoice_of("i9"), told.charge(FEBRUARY), NOW)
    told.books.invoices.append(extra.model_copy(update={"state": InvoiceState.OPEN}))


def _no_entries(told: Told, pack_id: str) -> None:
    told.books.entries = [one for one in told.books.entries if one.pack_id != pack_id]


def _pack(told: Told, pack_id: str, **update: object) -> None:
    pack = next(one for one in told.books.packs if one.id == pack_id)
    changed(told.books.packs, pack, **update)


def _below_zero(told: Told) -> None:
    told.books.entries.append(entry_of("c-01-00", -10))
    _pack(told, "c-01-00", left=-1)


def never_checked(told: Told) -> None:
    charge = charge_of("cart.9", "never", purpose=Purpose.CHECKOUT)
    charge = tried(charge, Outcome.UNKNOWN, NOW, By.CUSTOMER)
    told.books.charges.append(charge.model_copy(update={"next_check_at": None}))


def _requeue(told: Told, name: str, **update: object) -> None:
    at, old = next((at, one) for at, one in enumerate(told.books.queue) if one.item == name)
    told.books.queue[at] = queued(name, old.moment, **update)


def _waits_for_yesterday(told: Told) -> None:
    moment = Moment(at=NOW - TICKS - SECOND, worker=Worker.DELIVER)
    told.books.queue.append(queued("message#x", moment))


def _lease_ran_out(told: Told) -> None:
    moment = Moment(at=NOW - timedelta(hours=1), worker=Worker.DELIVER)
    ended = due_text(Moment(at=NOW - TICKS - SECOND, worker=Worker.DELIVER), "x")
    told.books.queue.append(
        queued("message#x", moment, due_at=ended, due_for=due_text(moment, "x"))
    )


def _collection(told: Told, **update: object) -> None:
    month = told.subscription("c-00")
    assert month.collection is not None
    collection = month.collection.model_copy(update=update)
    changed(told.books.subscriptions, month, collection=collection)


def _given_up(told: Told, **update: object) -> None:
    gone = told.subscription("gone")
    assert gone.failed_collection is not None
    failed = gone.failed_collection.model_copy(update=update)
    changed(told.books.subscriptions, gone, failed_collection=failed)


def _gave_up_early(told: Told) -> None:
    # Five tries in five slots, and one slot was left.
    _given_up(told, slots_used=5)
    charge = told.charge("gone.00001")
    changed(told.books.charges, charge, attempts=charge.attempts[:5])
    told.at_provider.remove(told.taken("ch_gone.00001-6"))


def not_shown(told: Told) -> None:
    told.books.customer = told.books.customer.model_copy(update={"past_due": ()})


def _paid_twice(told: Told) -> None:
    february = next(one for one in told.books.invoices if one.id == "i1")
    told.books.invoices.append(february.model_copy(update={"id": "i9"}))


def _too_early(told: Told) -> None:
    charge = told.charge(FEBRUARY)
    first, second = charge.attempts
    first = first.model_copy(update={"started_at": first.started_at - SECOND})
    changed(told.books.charges, charge, attempts=(first, second))


def _untold(told: Told, kind: MessageKind, what: str) -> None:
    told.books.messages.remove(message_key(kind, what))


def _taken_again(told: Told) -> None:
    told.at_provider.append(told.taken(f"ch_{FEBRUARY}-2").model_copy(update={"id": "ch_again"}))


def took(told: Told, charge_id: str, **update: object) -> None:
    changed(told.at_provider, told.taken(charge_id), **update)


def _of_nobody(told: Told) -> None:
    lost = told.taken(f"ch_{FEBRUARY}-2")
    stranger = lost.model_copy(update={"id": "ch_9", "charge_ref": "ada/cart.77"})
    told.at_provider.append(stranger)


def _held_for_nobody(told: Told) -> None:
    booked = Booked(reservation_id="r1", starts_at=NOW, credits=1)
    _pack(told, "c-01-00", booked=(booked,))


def _booked_with_nothing(told: Told) -> None:
    activity = activity_of(starts_at=NOW + timedelta(days=1))
    reservation = reserve(
        activity,
        reservation_id="r1",
        customer_id="ada",
        customer_name="Ada",
        participants=1,
        state=ReservationState.BOOKED,
        charge=PRICE,
        held=(Held(pack_id="c-01-00", pack_name="P", participants=1, credits=1, worth=PRICE),),
        now=NOW,
    )
    told.books.reservations.append(reservation)


def _recurs(told: Told, turn: Turn | None = None) -> None:
    """Ada also has a pack that comes again by its expiry, paid by hand."""
    recurring = Recurring(when=RecursWhen.PACK_EXPIRES, next_payment=NextPayment.BY_HAND, turn=turn)
    told.books.subscriptions.append(
        subscription_of(id="passes", frequency=None, recurring=recurring, next_period=1)
    )
    told.books.messages.add(message_key(MessageKind.SUBSCRIPTION_PURCHASED, "passes"))


def _in_no_cart(told: Told) -> None:
    _recurs(told, Turn(at=NOW, carted=True))


def _in_a_cart_unasked(told: Told) -> None:
    _recurs(told)
    line = CartLine(id="line", product_id="passes", seen_minor=1, next_pack=NEXT_PASSES)
    told.books.carts.append(Cart(id="cart", location_id="ny", lines=(line,), changed_at=NOW))


def _paid_in_two_carts(told: Told) -> None:
    _recurs(told)
    order = (
        OrderLine(
            product_id="passes", kind=ProductKind.PACKAGE, name="Passes", next_pack=NEXT_PASSES
        ),
    )
    nothing = Money.zero("USD")
    for source in ("cart.11", "cart.12"):
        told.books.charges.append(
            charge_of(
                source,
                f"i-{source}",
                purpose=Purpose.CHECKOUT,
                amount=nothing,
                order=order,
                settled_at=NOW,
            )
        )


NEXT_PASSES = NextPack(subscription_id="passes", period=1, recurs_when=RecursWhen.PACK_EXPIRES)

DUE_CHARGE = "subscription#c-00"

CASES = [
    Case(Rule.ONE_SUCCESS, "two successes", FEBRUARY, _second_success),
    Case(Rule.ONE_SUCCESS, "settled without one", MARCH, _settled_by_nothing),
    Case(Rule.ONE_SUCCESS, "a late one neither settled nor owed back", "cart.9", _late_money_kept),
    Case(Rule.SETTLED_HAS_INVOICE, "a period without", FEBRUARY, lambda t: _no_invoice(t, "i1")),
    Case(Rule.SETTLED_HAS_INVOICE, "an order without", "cart.1", lambda t: _no_invoice(t, "i0")),
    Case(
        Rule.SETTLED_HAS_INVOICE,
        "a void one",
        FEBRUARY,
        lambda t: _invoice(t, "i1", state=InvoiceState.VOID),
    ),
    Case(Rule.SETTLED_HAS_INVOICE, "closed by other money", FEBRUARY, _paid_otherwise),
    Case(
        Rule.INVOICE_ADDS_UP,
        "closed with too little",
        "i3",
        lambda t: _invoice(t, "i3", state=InvoiceState.CLOSED),
    ),
    Case(Rule.INVOICE_ADDS_UP, "open, though paid", "i9", _open_though_paid),
    Case(
        Rule.LEDGER_ADDS_UP,
        "one entry too many",
        "c-01-00",
        lambda t: t.books.entries.append(entry_of("c-01-00", -1)),
    ),
    Case(Rule.LEDGER_ADDS_UP, "no entry", "p1", lambda t: _no_entries(t, "p1")),
    Case(Rule.LEDGER_ADDS_UP, "one left too many", "p1", lambda t: _pack(t, "p1", left=9)),
    Case(Rule.LEDGER_ADDS_UP, "below zero", "c-01-00", _below_zero),
    Case(Rule.HOLDS_MATCH, "a credit held for nobody", "c-01-00", _held_for_nobody),
    Case(Rule.HOLDS_MATCH, "a place held by nothing", "c-01-00", _booked_with_nothing),
    Case(Rule.REVERSED_IS_FROZEN, "used on, though taken back", "p1", _used_though_taken_back),
    Case(
        Rule.REVERSED_IS_FROZEN,
        "frozen, though paid",
        "p1",
        lambda t: _pack(t, "p1", frozen_at=NOW),
    ),
    Case(Rule.SETTLED_HAS_INVOICE, "taken back unsaid", FEBRUARY, _taken_back_unsaid),
    Case(Rule.OPEN_HAS_CHECK, "an open outcome without", "cart.9", never_checked),
    Case(
        Rule.DUE_IS_NEXT_MOMENT,
        "not in the index",
        DUE_CHARGE,
        lambda t: _requeue(t, DUE_CHARGE, due_at=None),
    ),
    Case(
        Rule.DUE_IS_NEXT_MOMENT,
        "at another instant",
        DUE_CHARGE,
        lambda t: _requeue(t, DUE_CHARGE, due_at=f"2026-04-02T03:58:00Z#retries#{DUE_CHARGE}"),
    ),
    Case(
        Rule.DUE_IS_NEXT_MOMENT,
        "for another worker",
        DUE_CHARGE,
        lambda t: _requeue(t, DUE_CHARGE, due_at=f"2026-04-02T03:59:00Z#renewals#{DUE_CHARGE}"),
    ),
    Case(
        Rule.DUE_IS_NEXT_MOMENT,
        "for a worker of another version",
        DUE_CHARGE,
        lambda t: _requeue(t, DUE_CHARGE, due_at=f"2026-04-02T03:59:00Z#oracle#{DUE_CHARGE}"),
    ),
    Case(
        Rule.DUE_IS_NEXT_MOMENT,
        "though nothing is to be done",
        "charge#cart.1",
        lambda t: _requeue(t, "charge#cart.1", due_at="2026-04-02T03:59:00Z#reconcile#x"),
    ),
    Case(Rule.NOT_OVERDUE, "due for more than two ticks", "message#x", _waits_for_yesterday),
    Case(Rule.NOT_OVERDUE, "leased, and the lease is over", "message#x", _lease_ran_out),
    Case(
        Rule.COLLECTION_HAS_CHARGE,
        "its charge is given up",
        "c-00",
        lambda t: changed(t.books.charges, t.charge(MARCH), given_up=True),
    ),
    Case(Rule.COLLECTION_HAS_CHARGE, "its charge is settled", "c-00", _still_collected),
    Case(Rule.COLLECTION_HAS_CHARGE, "it has no charge", "c-00", _collected_by_nothing),
    Case(Rule.PAST_DUE_IS_SHOWN, "failing and not shown", "ada", not_shown),
    Case(
        Rule.PAST_DUE_IS_SHOWN,
        "shown and not failing",
        "ada",
        lambda t: _collection(t, failing=False),
    ),
    Case(
        Rule.PAST_DUE_IS_SHOWN,
        "past due for nothing",
        "gone",
        lambda t: changed(
            t.books.subscriptions,
            t.subscription("gone"),
            state=SubscriptionState.PAST_DUE,
            end_reason=None,
            failed_collection=None,
        ),
    ),
    Case(
        Rule.POLICY_IS_KEPT,
        "a slot that nobody used",
        "c-00",
        lambda t: _collection(t, slots_used=3),
    ),
    Case(
        Rule.POLICY_IS_KEPT,
        "a try too many",
        "c-00",
        lambda t: _collection(t, slots_passed=0, slots_used=0),
    ),
    Case(
        Rule.POLICY_IS_KEPT,
        "more slots than the policy has",
        "c-00",
        lambda t: _collection(t, slots_used=7, slots_passed=6),
    ),
    Case(Rule.POLICY_IS_KEPT, "given up too early", "gone", _gave_up_early),
    Case(
        Rule.POLICY_IS_KEPT,
        "given up without having failed",
        "gone",
        lambda t: changed(t.books.subscriptions, t.subscription("gone"), failed_collection=None),
    ),
    Case(Rule.PERIOD_PAID_ONCE, "two paid invoices", "i9", _paid_twice),
    Case(Rule.PERIOD_PAID_ONCE, "a next pack in two carts", "passes", _paid_in_two_carts),
    Case(Rule.NEXT_PACK_IS_CARTED, "it waits in no cart", "passes", _in_no_cart),
    Case(Rule.NEXT_PACK_IS_CARTED, "it is in a cart unasked", "passes", _in_a_cart_unasked),
    Case(Rule.NOT_BEFORE_ITS_MOMENT, "a second early", FEBRUARY, _too_early),
    *(
        Case(Rule.TOLD, kind.value, "ada", partial(_untold, kind=kind, what=what))
        for kind, what in (
            (MessageKind.INVOICE, "i0"),
            (MessageKind.INVOICE, "i1"),
            (MessageKind.RENEWAL_RECEIPT, "i1"),
            (MessageKind.SUBSCRIPTION_PURCHASED, "c-00"),
            (MessageKind.CANCELLED_AFTER_FAILURES, "gone"),
            (MessageKind.REFUND, "cart.2-1-refund"),
        )
    ),
    Case(Rule.PROVIDER_AGREES, "taken twice", f"ada/{FEBRUARY}", _taken_again),
    Case(
        Rule.PROVIDER_AGREES,
        "another amount",
        f"ada/{FEBRUARY}",
        lambda t: took(t, f"ch_{FEBRUARY}-2", amount=Money(minor=1, currency="USD")),
    ),
    Case(
        Rule.PROVIDER_AGREES,
        "another currency",
        f"ada/{FEBRUARY}",
        lambda t: took(t, f"ch_{FEBRUARY}-2", amount=Money(minor=4900, currency="EUR")),
    ),
    Case(Rule.PROVIDER_AGREES, "for a charge that we have not", "ch_9", _of_nobody),
    Case(
        Rule.PROVIDER_AGREES,
        "a success that we call a decline",
        f"ada/{MARCH}",
        lambda t: took(t, f"ch_{MARCH}-1", succeeded=True),
    ),
    Case(
        Rule.PROVIDER_AGREES,
        "settled, and never taken",
        f"ada/{FEBRUARY}",
        lambda t: t.at_provider.remove(t.taken(f"ch_{FEBRUARY}-2")),
    ),
    Case(
        Rule.PROVIDER_AGREES,
        "settled, and declined there",
        f"ada/{FEBRUARY}",
        lambda t: took(t, f"ch_{FEBRUARY}-2", succeeded=False),
    ),
    Case(
        Rule.PROVIDER_AGREES,
        "settled, and wholly given back there",
        f"ada/{FEBRUARY}",
        lambda t: took(t, f"ch_{FEBRUARY}-2", refunded_minor=PRICE.minor),
    ),
    Case(
        Rule.PROVIDER_AGREES,
        "both of two given back there, and one here",
        f"ada/{FEBRUARY}",
        _both_given_back,
    ),
    Case(
        Rule.PROVIDER_AGREES,
        "one of two given back here, and none there",
        f"ada/{FEBRUARY}",
        _surplus_still_there,
    ),
    Case(
        Rule.PROVIDER_AGREES,
        "given back with us, and kept there",
        "ada/cart.2",
        lambda t: took(t, "ch_cart.2-1", refunded_minor=0),
    ),
]
