"""Several emails of one moment are one item: each is sent once and has a fate of its own
([OUTBOX])."""

from datetime import timedelta

import pytest

from shared.domain.message import Message, MessageKind, MessageState, together
from shared.operations.deliver import MAX_TRIES, Delivered
from shared.store import accounts
from tests.messages.delivery import CUSTOMER, START, card_update, due_at, run, store, stored
from tests.messages.ses import StandInSes, refusal

THROTTLED = refusal("TooManyRequestsException", status=429)
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.usefixtures("world")


def both() -> Message:
    first = card_update()
    second = first.model_copy(update={"key": f"{first.kind.value}:another"})
    return together([first, second])


def states(message: Message) -> list[MessageState]:
    return [one.state for one in stored(message).each]


def test_both_are_sent_once_for_any_number_of_events() -> None:
    message, ses = both(), StandInSes()
    store(message)
    assert run(ses, message) is Delivered.SENT
    assert run(ses, message, START + timedelta(days=1)) is Delivered.NOTHING_DUE
    assert len({mail["X-Message-Key"] for mail in ses.accepted}) == len(ses.accepted) == 2
    assert [one.sent_at for one in stored(message).each] == [START, START]
    assert due_at(message) is None


@pytest.mark.parametrize("answers", [(None, THROTTLED), (THROTTLED, None)])
def test_the_one_that_was_sent_is_not_sent_again_with_the_other(
    answers: tuple[Exception | None, ...],
) -> None:
    message, ses = both(), StandInSes(*answers)
    store(message)
    assert run(ses, message) is Delivered.LATER
    assert sorted(states(message)) == [MessageState.PENDING, MessageState.SENT]
    assert due_at(message) is not None
    assert run(ses, message, START + MINUTE) is Delivered.SENT
    assert len({mail["X-Message-Key"] for mail in ses.accepted}) == len(ses.accepted) == 2
    assert states(message) == [MessageState.SENT, MessageState.SENT]
    assert due_at(message) is None


def test_one_that_fails_for_good_is_set_aside_alone() -> None:
    message = both()
    bad = message.model_copy(update={"facts": {"owed": "a lot"}})
    store(bad)
    ses, now, outcomes = StandInSes(), START, []
    while any(state is MessageState.PENDING for state in states(message)):
        outcomes.append(run(ses, message, now))
        now += timedelta(days=1)
    assert outcomes == [Delivered.LATER] * (MAX_TRIES - 1) + [Delivered.PARKED]
    assert states(message) == [MessageState.SUPPRESSED, MessageState.SENT]
    assert len(ses.accepted) == 1
    assert len(accounts.open_notices().rows) == 1


def test_nothing_of_it_goes_to_a_blocked_address() -> None:
    message, ses = both(), StandInSes()
    store(message, customer=CUSTOMER.model_copy(update={"mail_blocked": True}))
    assert run(ses, message) is Delivered.SUPPRESSED
    assert states(message) == [MessageState.SUPPRESSED, MessageState.SUPPRESSED]
    assert ses.asked == []


def test_only_emails_of_one_person_and_moment_are_kept_together() -> None:
    first = card_update()
    for other in (
        first.model_copy(update={"to": "somebody@example.com"}),
        first.model_copy(update={"created_at": START + MINUTE}),
        first.model_copy(update={"only_while": "sub-1"}),
    ):
        with pytest.raises(ValueError, match="one moment"):
            together([first, other])
    assert together([first]) == first
    assert first.kind is MessageKind.CARD_UPDATE
