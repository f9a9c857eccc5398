"""A charge that fails: its slots, what rescues it, and what becomes of it when nothing does."""

from datetime import date

from infra.local.sandbox_faults import Fault, Operation
from shared.domain.by import By
from shared.domain.customer import Attention
from shared.domain.ending import EndReason
from shared.domain.invoice import InvoiceState
from shared.domain.message import MessageKind, NoticeKind
from shared.domain.subscription import SubscriptionState
from shared.operations import cancel, card_removal, cards, past_due
from shared.store.writing import commit, replace
from tests.billing.conftest import Shop
from tests.shop_floor import (
    ALSO_WORKS,
    FAILS_LATER,
    LOST_CARD,
    NEEDS_AUTHENTICATION,
    asked_of,
    card_of,
    card_on_file,
    charge_of_period,
    charged_at,
    context_of,
    go_to,
    head,
    invoices_of,
    messages_of,
    moment,
    new_card,
    notices,
    packs_of,
    subscribed,
    subscription_of,
    text,
    told_at,
    tried_at,
)

SIX_SLOTS = [
    "2026-02-28 04:59",
    "2026-03-01 04:59",
    "2026-03-02 04:59",
    "2026-03-03 04:59",
    "2026-03-04 04:59",
    "2026-03-05 04:59",
]
"""The first charge of example 2 and its five tries, New York."""

FAILED = NoticeKind.SUBSCRIPTION_FAILED_PAYMENT


def test_six_tries_then_cancelled_with_a_notice_and_a_void_invoice(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-05 04:58")
    assert subscription_of(ada).state is SubscriptionState.PAST_DUE
    assert notices(FAILED) == []
    go_to(world, "2026-03-05 04:59")
    assert tried_at(world, ada, "failed") == SIX_SLOTS
    over = subscription_of(ada)
    assert over.state is SubscriptionState.CANCELLED
    assert over.end_reason is EndReason.PAYMENT_FAILED
    (notice,) = notices(FAILED)
    assert notice.title == "Subscription failed payment"
    assert (notice.location_id, notice.customer_id) == ("ny", ada)
    bought, renewal = invoices_of(ada)
    assert (bought.state, renewal.state) == (InvoiceState.CLOSED, InvoiceState.VOID)
    assert renewal.number is None
    assert head(ada).value.past_due == ()


def test_nothing_is_charged_ever_after(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-05 05:00")
    new_card(world, ada, ALSO_WORKS)
    cards.make_default(context_of(world), ada, card_of(ada).id)
    go_to(world, "2027-03-05 05:00")
    assert charged_at(world, ada) == ["2026-01-31 15:00"]
    assert len(asked_of(world, ada)) == 7
    assert told_at(ada, MessageKind.RENEWAL_REMINDER) == ["2026-02-21 04:59"]


def test_each_failure_is_told_once_and_the_last_as_the_end(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-20 12:00")
    assert told_at(ada, MessageKind.CHARGE_FAILED) == SIX_SLOTS[:5]
    assert told_at(ada, MessageKind.CANCELLED_AFTER_FAILURES) == SIX_SLOTS[5:]
    (first, *_) = messages_of(ada, MessageKind.CHARGE_FAILED)
    assert moment(SIX_SLOTS[1]).isoformat().replace("+00:00", "Z") == first.facts["next_try_at"]


def test_while_it_fails_the_portal_can_say_what_is_owed_and_when_it_is_tried(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-02 12:00")
    (owed,) = head(ada).value.past_due
    assert (owed.owed.minor, owed.owed.currency) == (5304, "USD")
    assert text(owed.next_try_at) == "2026-03-03 04:59"
    assert owed.needs is Attention.CARD


def test_the_last_counted_pack_of_a_cancelled_subscription_never_expires(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2027-06-01 12:00")
    (pack,) = packs_of(ada)
    assert (pack.left, pack.expires_at) == (8, None)
    assert pack.status(world.now()).value == "active"


def test_its_last_unlimited_pack_ends_with_the_paid_period(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "open", number=FAILS_LATER)
    go_to(world, "2026-03-06 12:00")
    (pack,) = packs_of(ada)
    assert text(pack.expires_at) == "2026-02-28 05:00"
    assert pack.status(world.now()).value == "expired"


def test_a_new_card_at_the_third_try_pays_at_once_and_the_anchor_stays(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-02 12:00")
    assert len(tried_at(world, ada, "failed")) == 3
    saved = new_card(world, ada)
    world.run_due()
    assert [result.value for _, result in saved.tried] == ["collected"]
    assert head(ada).value.past_due == ()
    go_to(world, "2026-04-30 12:00")
    assert charged_at(world, ada) == [
        "2026-01-31 15:00",
        "2026-03-02 12:00",
        "2026-03-31 03:59",
        "2026-04-30 03:59",
    ]
    assert subscription_of(ada).anchor == date(2026, 1, 31)
    # [GRANT]: valid from the start of the day on which it was paid, to the next period's start.
    assert [(text(p.usable_from), text(p.expires_at)) for p in packs_of(ada)][1] == (
        "2026-03-02 05:00",
        "2026-03-31 04:00",
    )
    assert told_at(ada, MessageKind.CHARGE_FAILED) == SIX_SLOTS[:3]


def test_what_was_usable_before_lasts_until_the_late_pack_begins(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-02 12:00")
    assert packs_of(ada)[0].status(world.now()).value == "active"
    new_card(world, ada)
    world.run_due()
    assert packs_of(ada)[0].status(world.now()).value == "expired"


def test_five_days_of_a_weekly_one_whose_last_try_alone_succeeds(shop: Shop) -> None:
    world = shop("2026-01-05 15:00")
    ada = subscribed(world, "five_days", number=FAILS_LATER)
    go_to(world, "2026-01-17 04:58")
    assert len(tried_at(world, ada, "failed")) == 5
    world.sandbox.let_card_behave_as(card_of(ada).token, ALSO_WORKS)
    go_to(world, "2026-01-26 05:00")
    assert charged_at(world, ada) == [
        "2026-01-05 15:00",
        "2026-01-17 04:59",
        "2026-01-19 04:59",
        "2026-01-26 04:59",
    ]
    assert [(text(p.usable_from), text(p.expires_at)) for p in packs_of(ada)] == [
        ("2026-01-05 05:00", "2026-01-10 04:59"),
        ("2026-01-17 05:00", "2026-01-22 04:59"),
        ("2026-01-19 05:00", "2026-01-24 04:59"),
        ("2026-01-26 05:00", "2026-01-31 04:59"),
    ]
    # The renewal of the 18th was to be announced on the 11th at 23:59: it was past due then.
    assert told_at(ada, MessageKind.RENEWAL_REMINDER) == ["2026-01-19 04:59", "2026-01-26 04:59"]


def test_a_lost_card_is_not_tried_again_and_its_slots_still_count(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=LOST_CARD)
    go_to(world, "2026-03-05 04:58")
    assert tried_at(world, ada, "failed") == SIX_SLOTS[:1]
    assert text(head(ada).value.past_due[0].next_try_at) == SIX_SLOTS[5]
    go_to(world, "2026-03-05 04:59")
    assert tried_at(world, ada, "failed") == SIX_SLOTS[:1]
    assert subscription_of(ada).end_reason is EndReason.PAYMENT_FAILED
    assert len(notices(FAILED)) == 1
    assert told_at(ada, MessageKind.CANCELLED_AFTER_FAILURES) == SIX_SLOTS[5:]


def test_a_card_that_came_in_between_is_tried_in_the_next_slot(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=LOST_CARD)
    go_to(world, "2026-03-01 12:00")
    card_on_file(world, ada, FAILS_LATER)
    go_to(world, "2026-03-06 12:00")
    assert tried_at(world, ada, "failed") == [SIX_SLOTS[0], *SIX_SLOTS[2:]]
    assert subscription_of(ada).end_reason is EndReason.PAYMENT_FAILED


def test_tries_that_the_customer_starts_use_up_no_slot(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-01 12:00")
    for _ in range(3):
        past_due.pay_subscription(context_of(world), ada, subscription_of(ada).id, card_id=None)
    go_to(world, "2026-03-04 12:00")
    assert len(tried_at(world, ada, "failed")) == 2 + 3 + 3
    assert subscription_of(ada).state is SubscriptionState.PAST_DUE
    go_to(world, "2026-03-05 04:59")
    assert subscription_of(ada).state is SubscriptionState.CANCELLED
    by = [attempt.by for attempt in charge_of_period(ada, 1).attempts]
    assert by.count(By.CLOCK) == 6


def test_a_bank_that_asks_for_a_confirmation_is_not_asked_again_by_itself(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=NEEDS_AUTHENTICATION)
    go_to(world, "2026-03-05 04:58")
    assert len(asked_of(world, ada)) == 2
    (told,) = messages_of(ada, MessageKind.CONFIRM_PAYMENT)
    (owed,) = head(ada).value.past_due
    assert owed.needs is Attention.AUTHENTICATION
    assert owed.confirm_url is not None
    assert owed.confirm_url == told.facts["confirm_url"]
    assert messages_of(ada, MessageKind.CHARGE_FAILED) == []
    # The slots go on, and the last gives it up at the provider too.
    go_to(world, "2026-03-05 04:59")
    assert subscription_of(ada).end_reason is EndReason.PAYMENT_FAILED
    assert [one.state for one in asked_of(world, ada)] == ["succeeded", "cancelled"]
    assert len(notices(FAILED)) == 1


def test_a_confirmation_in_time_pays_the_period(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=NEEDS_AUTHENTICATION)
    go_to(world, "2026-03-03 12:00")
    (_, waiting) = asked_of(world, ada)
    world.sandbox.handle("POST", f"/confirm/{waiting.id}", {}, b"answer=confirm")
    world.run_due()
    assert [one.state for one in asked_of(world, ada)] == ["succeeded", "succeeded"]
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    assert head(ada).value.past_due == ()
    assert text(packs_of(ada)[1].usable_from) == "2026-03-03 05:00"


def test_a_confirmation_refused_is_a_decline_and_the_next_slot_asks_again(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=NEEDS_AUTHENTICATION)
    go_to(world, "2026-03-01 12:00")
    (_, waiting) = asked_of(world, ada)
    world.sandbox.handle("POST", f"/confirm/{waiting.id}", {}, b"answer=decline")
    world.run_due()
    assert asked_of(world, ada)[1].state == "failed"
    go_to(world, "2026-03-02 12:00")
    assert [one.state for one in asked_of(world, ada)] == ["succeeded", "failed", "requires_action"]
    assert len(messages_of(ada, MessageKind.CONFIRM_PAYMENT)) == 2


def test_another_card_while_the_bank_waits_takes_the_first_payment_back(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=NEEDS_AUTHENTICATION)
    go_to(world, "2026-03-01 12:00")
    new_card(world, ada)
    world.run_due()
    assert [one.state for one in asked_of(world, ada)] == ["succeeded", "cancelled", "succeeded"]
    assert subscription_of(ada).state is SubscriptionState.ACTIVE


def test_reminders_stay_away_while_past_due_and_after_the_end(shop: Shop) -> None:
    world = shop("2026-01-05 15:00")
    ada = subscribed(world, "five_days", number=FAILS_LATER)
    go_to(world, "2026-03-01 12:00")
    assert told_at(ada, MessageKind.RENEWAL_REMINDER) == []


def test_cancelled_while_past_due_nothing_is_tried_any_more(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-02 12:00")
    over = cancel.cancel(
        context_of(world), ada, subscription_of(ada).id, cancel.When.NOW, by=By.CUSTOMER
    )
    assert over.state is SubscriptionState.CANCELLED
    assert [one.state for one in invoices_of(ada)] == [InvoiceState.CLOSED, InvoiceState.VOID]
    assert head(ada).value.past_due == ()
    new_card(world, ada)
    go_to(world, "2026-06-01 12:00")
    assert tried_at(world, ada, "failed") == SIX_SLOTS[:3]
    assert charged_at(world, ada) == ["2026-01-31 15:00"]
    assert notices(FAILED) == []
    (pack,) = packs_of(ada)
    assert (pack.left, pack.expires_at) == (8, None)


def test_without_any_card_the_slots_pass_and_one_link_to_add_one_is_sent(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    row = head(ada)
    bare = row.value.model_copy(update={"cards": (), "default_card": None})
    commit([replace(row, bare)])
    go_to(world, "2026-03-02 12:00")
    assert len(asked_of(world, ada)) == 1
    assert told_at(ada, MessageKind.CARD_UPDATE) == SIX_SLOTS[:1]
    (owed,) = head(ada).value.past_due
    assert text(owed.next_try_at) == SIX_SLOTS[3]
    new_card(world, ada)
    world.run_due()
    assert charged_at(world, ada) == ["2026-01-31 15:00", "2026-03-02 12:00"]


def test_a_later_start_that_fails_is_tried_at_2359_of_the_next_five_days(shop: Shop) -> None:
    world = shop("2026-01-05 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER, starts_on=date(2026, 2, 1))
    go_to(world, "2026-02-20 12:00")
    assert tried_at(world, ada) == [
        "2026-02-01 05:00",
        "2026-02-03 04:59",
        "2026-02-04 04:59",
        "2026-02-05 04:59",
        "2026-02-06 04:59",
        "2026-02-07 04:59",
    ]
    assert subscription_of(ada).end_reason is EndReason.PAYMENT_FAILED
    assert packs_of(ada) == []


def test_a_later_start_is_charged_when_its_day_starts(shop: Shop) -> None:
    world = shop("2026-01-05 15:00")
    ada = subscribed(world, "month", starts_on=date(2026, 2, 1), location="be")
    assert asked_of(world, ada) == []
    assert subscription_of(ada).state is SubscriptionState.SCHEDULED
    go_to(world, "2026-03-02 12:00")
    assert charged_at(world, ada) == ["2026-01-31 23:00", "2026-02-28 22:59"]
    assert [text(pack.usable_from) for pack in packs_of(ada)] == [
        "2026-01-31 23:00",
        "2026-02-28 23:00",
    ]


def test_a_card_of_its_own_that_is_removed_falls_back_to_the_default(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    own = card_on_file(world, ada, FAILS_LATER, default=False)
    context = context_of(world)
    cancel.use_card(context, ada, subscription_of(ada).id, own.id, by=By.CUSTOMER)
    card_removal.remove(context, ada, own.id)
    go_to(world, "2026-02-28 05:00")
    assert charged_at(world, ada) == ["2026-01-31 15:00", "2026-02-28 04:59"]


def test_a_provider_that_answers_nothing_for_days_holds_every_further_try(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    world.sandbox.misbehave(Operation.ANY, Fault.TIMEOUT_BEFORE, times=10_000)
    go_to(world, "2026-03-03 12:00")
    charge = charge_of_period(ada, 1)
    assert len(charge.attempts) == 1
    assert len(notices(NoticeKind.OUTCOME_UNKNOWN)) == 1
    world.sandbox.behave()
    go_to(world, "2026-03-05 12:00")
    # It answers again, and does not know the try: so that one is over, and a slot is left.
    assert charged_at(world, ada)[1:] in ([SIX_SLOTS[4]], [SIX_SLOTS[5]])
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
