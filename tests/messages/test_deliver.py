"""Delivering: once, not when its reason has gone, later when the mail service fails ([OUTBOX],
[REMIND])."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from infra.local.world import LocalWorld
from shared.domain.due import utc_text
from shared.domain.message import Message, MessageState, NoticeKind
from shared.domain.subscription import SubscriptionState
from shared.messages.sender import message_id
from shared.operations import card_link, sign_in
from shared.operations.deliver import MAX_TRIES, Delivered, deliver
from shared.operations.sign_in import ask
from shared.store import accounts
from shared.store.card_links import card_link as card_link_ref
from shared.store.items import AccountItem, connection
from shared.store.reading import read
from shared.store.sessions import Audience
from shared.store.writing import commit, overwrite, remove
from tests.messages.delivery import (
    CUSTOMER,
    START,
    SUBSCRIPTION,
    URL,
    card_update,
    due_at,
    post,
    ref_of,
    reminder,
    run,
    store,
    stored,
)
from tests.messages.ses import StandInSes, refusal

THROTTLED = refusal("TooManyRequestsException", status=429)

pytestmark = pytest.mark.usefixtures("world")


def test_a_message_is_sent_once_for_any_number_of_events() -> None:
    message, ses = reminder(), StandInSes()
    store(message)
    assert run(ses, message) is Delivered.SENT
    assert run(ses, message) is Delivered.NOTHING_DUE
    assert run(ses, message, START + timedelta(days=1)) is Delivered.NOTHING_DUE
    assert len(ses.accepted) == 1
    after = stored(message)
    assert after.state is MessageState.SENT
    assert after.sent_at == START
    assert due_at(message) is None


def test_of_two_workers_with_one_event_one_sends() -> None:
    message = reminder()
    store(message)
    ref = ref_of(message)
    inner: list[Delivered] = []

    class Interrupted(StandInSes):
        """While the first worker hands the email over, a second one gets the same event."""

        def send_email(self, **asked: Any) -> dict[str, str]:
            if not inner:
                inner.append(deliver(post(self), ref.pk, ref.sk))
            return super().send_email(**asked)

    ses = Interrupted()
    assert run(ses, message) is Delivered.SENT
    assert inner == [Delivered.NOTHING_DUE]
    assert len(ses.accepted) == 1


def test_a_crash_after_the_mail_service_accepted_repeats_it_with_the_same_id() -> None:
    message = reminder()
    store(message)

    class Crash(Exception):
        pass

    class Crashing(StandInSes):
        def send_email(self, **asked: Any) -> dict[str, str]:
            super().send_email(**asked)
            raise Crash

    first, second = Crashing(), StandInSes()
    with pytest.raises(Crash):
        run(first, message)
    assert run(second, message, START + timedelta(seconds=59)) is Delivered.NOTHING_DUE
    assert run(second, message, START + timedelta(minutes=1)) is Delivered.SENT
    ids = [ses.accepted[0]["Message-ID"] for ses in (first, second)]
    assert ids[0] == ids[1]
    assert message_id(message) in ids[0]


# --- its reason has gone ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"state": SubscriptionState.CANCELLED},
        {"state": SubscriptionState.ENDED},
        {"state": SubscriptionState.PAST_DUE},
        {"state": SubscriptionState.PAUSED},
        {"cancel_at_period_end": True},
        {"next_period": 2},
        {"until": date(2026, 2, 27)},
    ],
)
def test_a_reminder_of_what_will_not_come_is_not_sent(changes: dict[str, object]) -> None:
    message, ses = reminder(), StandInSes()
    store(message, subscription=SUBSCRIPTION.model_copy(update=changes))
    assert run(ses, message) is Delivered.SUPPRESSED
    assert ses.asked == []
    after = stored(message)
    assert after.state is MessageState.SUPPRESSED
    assert after.why_not
    assert due_at(message) is None


def test_a_reminder_that_was_held_up_past_its_charge_is_not_sent() -> None:
    message, ses = reminder(), StandInSes()
    store(message)
    charged_at = datetime(2026, 2, 28, 4, 59, tzinfo=UTC)
    assert run(ses, message, charged_at) is Delivered.SUPPRESSED
    assert ses.asked == []


def test_a_reminder_is_sent_while_all_is_well() -> None:
    message, ses = reminder(), StandInSes()
    store(message)
    assert run(ses, message) is Delivered.SENT
    assert ses.accepted[0]["To"] == CUSTOMER.email


def test_nothing_is_sent_to_a_blocked_address() -> None:
    message, ses = card_update(), StandInSes()
    store(message, customer=CUSTOMER.model_copy(update={"mail_blocked": True}))
    assert run(ses, message) is Delivered.SUPPRESSED
    assert ses.asked == []


def test_nothing_is_sent_to_a_customer_who_is_gone() -> None:
    message, ses = card_update(), StandInSes()
    store(message)
    row = read(accounts.head(CUSTOMER.id)).get(accounts.head(CUSTOMER.id))
    assert row is not None
    commit([remove(row)])
    assert run(ses, message) is Delivered.SUPPRESSED


def test_a_message_that_is_not_there_is_nothing_to_do() -> None:
    assert run(StandInSes(), reminder()) is Delivered.NOTHING_DUE


# --- the mail service fails ------------------------------------------------------------------


def test_a_failed_handover_is_tried_again_after_1_5_and_30_minutes_2_and_12_hours() -> None:
    message, ses = card_update(), StandInSes(*[THROTTLED] * 5)
    store(message)
    now = START
    for minutes in (1, 5, 30, 120, 720):
        assert run(ses, message, now) is Delivered.LATER
        now += timedelta(minutes=minutes)
        assert due_at(message) == utc_text(now)
        early = now - timedelta(seconds=1)
        assert run(ses, message, early) is Delivered.NOTHING_DUE
    assert run(ses, message, now) is Delivered.SENT
    assert len(ses.accepted) == 1
    assert stored(message).tries == 6


def test_after_eight_tries_a_message_is_set_aside_and_staff_are_told() -> None:
    message, ses = card_update(), StandInSes(*[THROTTLED] * 20)
    store(message)
    now, outcomes = START, []
    while stored(message).state is MessageState.PENDING:
        outcomes.append(run(ses, message, now))
        now += timedelta(days=1)
    assert outcomes == [Delivered.LATER] * (MAX_TRIES - 1) + [Delivered.PARKED]
    assert len(ses.asked) == MAX_TRIES
    assert stored(message).state is MessageState.SUPPRESSED
    assert due_at(message) is None
    (notice,) = (row.value for row in accounts.open_notices().rows)
    assert notice.kind is NoticeKind.PARKED
    assert notice.customer_id == CUSTOMER.id
    assert CUSTOMER.email not in notice.title + notice.detail


def test_a_message_that_crashes_its_worker_each_time_is_set_aside_too() -> None:
    message = card_update()
    store(message)

    class Crashing(StandInSes):
        def send_email(self, **asked: Any) -> dict[str, str]:
            self.asked.append(asked)
            raise RuntimeError("a bug")

    ses, now = Crashing(), START
    for _ in range(MAX_TRIES):
        with pytest.raises(RuntimeError):
            run(ses, message, now)
        now += timedelta(days=1)
    assert run(ses, message, now) is Delivered.PARKED
    assert len(ses.asked) == MAX_TRIES


def test_a_rejected_address_is_not_tried_again_and_staff_are_told() -> None:
    message, ses = card_update(), StandInSes(refusal("BadRequestException", "Illegal address"))
    store(message)
    assert run(ses, message) is Delivered.SUPPRESSED
    assert "BadRequestException" in stored(message).why_not
    assert len(accounts.open_notices().rows) == 1
    assert run(ses, message, START + timedelta(days=1)) is Delivered.NOTHING_DUE


def test_facts_that_do_not_fit_are_set_aside_after_eight_tries_without_asking() -> None:
    message = reminder().model_copy(update={"facts": {"nonsense": 1}, "only_while": None})
    ses = StandInSes()
    store(message)
    outcomes = [run(ses, message, START + timedelta(days=day)) for day in range(MAX_TRIES)]
    assert outcomes[-1] is Delivered.PARKED
    assert ses.asked == []


# --- links that are made at sending ----------------------------------------------------------


def test_a_card_link_is_made_at_sending_and_only_its_hash_is_kept() -> None:
    message, ses = card_update(), StandInSes()
    store(message)
    assert run(ses, message) is Delivered.SENT
    html = ses.accepted[0].get_body(("html",))
    assert html is not None
    secret = f"secret-{utc_text(START)}-1"
    assert f'href="{URL}/card-update/{secret}"' in html.get_content()
    assert secret not in stored(message).model_dump_json()
    assert secret not in card_link_ref(secret).pk
    link = card_link.find(secret, START)
    assert link is not None
    assert (link.customer_id, link.subscription_id) == (CUSTOMER.id, SUBSCRIPTION.id)


def test_a_card_link_is_good_for_seven_days_or_until_it_is_revoked() -> None:
    for token in ("one", "other"):
        card_link.mint(
            customer_id="c", subscription_id=None, now=START, token=token, public_url=URL
        )
    week = timedelta(days=7)
    assert card_link.find("one", START + week - timedelta(seconds=1)) is not None
    assert card_link.find("one", START + week) is None
    card_link.revoke("other")
    card_link.revoke("other")
    assert card_link.find("other", START) is None
    assert card_link.find("unknown", START) is None


def asked_to_sign_in(request: str = "1") -> sign_in.Asked:
    return ask(
        audience=Audience.CUSTOMER,
        email="new@example.org",
        next_path=None,
        source_ip="192.0.2.1",
        visitor=None,
        locale="en-US",
        now=START,
        new_id=lambda: f"request-{request}",
        new_secret=lambda: "nonce",
    )


def test_a_sign_in_email_carries_a_link_and_a_code_made_at_sending() -> None:
    asked, ses = asked_to_sign_in(), StandInSes()
    assert deliver(post(ses), asked.due["pk"], asked.due["sk"]) is Delivered.SENT
    text = ses.accepted[0].get_body(("plain",))
    assert text is not None
    assert f"{URL}/sign-in/" in text.get_content()
    assert "042137" in text.get_content()
    assert ses.accepted[0]["To"] == "new@example.org"


def test_an_older_sign_in_email_is_not_sent_after_a_newer_one_was_asked_for() -> None:
    older, ses = asked_to_sign_in(), StandInSes()
    asked_to_sign_in("2")
    assert deliver(post(ses), older.due["pk"], older.due["sk"]) is Delivered.SUPPRESSED
    assert ses.asked == []


def test_a_sign_in_email_that_was_held_up_too_long_is_not_sent() -> None:
    asked, ses = asked_to_sign_in(), StandInSes()
    late = post(ses, START + timedelta(minutes=60))
    assert deliver(late, asked.due["pk"], asked.due["sk"]) is Delivered.SUPPRESSED


# --- the handler -----------------------------------------------------------------------------


def event_of(*messages: Message) -> dict[str, object]:
    refs = [ref_of(message) for message in messages]
    return {
        "detail-type": "deliver",
        "detail": {"due": [{"pk": ref.pk, "sk": ref.sk, "due_at": ""} for ref in refs]},
    }


def function(world: LocalWorld) -> Any:
    return next(
        each
        for each in world.template.functions
        if each.handler == "functions.billing.deliver.handler"
    )


def test_the_function_may_do_what_it_does_and_sends_once_for_two_events(
    world: LocalWorld,
) -> None:
    messages = (reminder(), card_update())
    store(*messages)
    asked_to_sign_in()
    world.run_due()
    for _ in range(2):
        world.invoke(function(world), event_of(*messages))
    assert world.errors == []
    assert sorted(mail.to[0] for mail in world.mailbox.sent()) == [
        "new@example.org",
        CUSTOMER.email,
        CUSTOMER.email,
    ]


def test_one_bad_message_does_not_block_the_others(world: LocalWorld) -> None:
    good, bad = card_update(), reminder()
    store(good, bad)
    connection().client.update_item(  # type: ignore[attr-defined]
        TableName=AccountItem.Meta.table_name,
        Key={"pk": {"S": ref_of(bad).pk}, "sk": {"S": ref_of(bad).sk}},
        UpdateExpression="SET body = :nonsense",
        ExpressionAttributeValues={":nonsense": {"S": "{"}},
    )
    with pytest.raises(Exception, match="1 of 2"):
        world.invoke(function(world), event_of(bad, good))
    assert stored(good).state is MessageState.SENT


def test_logs_hold_ids_and_neither_addresses_nor_bodies(
    world: LocalWorld, caplog: pytest.LogCaptureFixture
) -> None:
    message = reminder()
    store(message.model_copy(update={"to": "sam at example.org"}))
    commit([overwrite(ref_of(card_update()), card_update())])
    world.invoke(function(world), event_of(message, card_update()))
    printed = " ".join(str(vars(record)) for record in caplog.records)
    assert ref_of(message).sk in printed
    assert "example.org" not in printed
    assert "9634" not in printed
    assert "card-update/" not in printed
