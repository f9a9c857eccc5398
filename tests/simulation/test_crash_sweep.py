"""Whatever call fails, is lost, times out, is throttled or ends its process: in the end it is as
SPEC.md says. Here a share of the faults, drawn by seed; `make crash` tries them all.

`CRASH_SHARE=1 pytest tests/simulation/test_crash_sweep.py` does so too. All of it is on Amazon's
own engine: what races and faults come to is never believed of the embedded one.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from infra.local.banks import CARDPOINTE, SANDBOX, STRIPE
from infra.local.dynamodb_local import DynamoDBLocal
from shared.domain.outcome import Outcome
from shared.providers.port import ChargeRequest, ChargeResult
from tests.shop_floor import template
from tests.simulation import crash_sweep
from tests.simulation.crash_line import Fault, Seen, Strike
from tests.simulation.crash_runs import Operation, Run, carry_out
from tests.simulation.crash_scene import Crashed, Scene, apart, quietly, scene

SHARE = float(os.environ.get("CRASH_SHARE", "0.2"))


def named(name: str) -> Operation:
    (found,) = [one for one in crash_sweep.OPERATIONS if one.name == name]
    return found


AT_THE_SANDBOX = crash_sweep.played_at(SANDBOX)


@pytest.mark.parametrize("at", range(len(AT_THE_SANDBOX)), ids=[one.name for one in AT_THE_SANDBOX])
def test_every_call_may_go_wrong_in_every_way(at: int, dynamodb_local: DynamoDBLocal) -> None:
    doubles = crash_sweep.parts(crash_sweep.DOUBLES, len(AT_THE_SANDBOX))
    with crash_sweep.on_engine("dynamodb", dynamodb_local) as stage:
        result = crash_sweep.sweep_one(
            AT_THE_SANDBOX[at], stage=stage, share=SHARE, double_faults=doubles[at]
        )
    assert result.failures == [], "\n".join(map(str, result.failures))
    assert result.faults > 0


ELSEWHERE = [
    (STRIPE, "checkout now"),
    (STRIPE, "checkout that is to be confirmed"),
    (STRIPE, "retry"),
    (STRIPE, "card update while past due"),
    (STRIPE, "refund of a late success"),
    (STRIPE, "a payment is taken back"),
    (CARDPOINTE, "checkout now"),
    (CARDPOINTE, "renewal"),
    (CARDPOINTE, "card update while past due"),
    (CARDPOINTE, "refund of a late success"),
    (CARDPOINTE, "checkout after what was lost has arrived"),
    (CARDPOINTE, "retry after what was lost has arrived"),
]
"""Where a share of the calls to a provider is tried; `make crash PROVIDER=stripe` tries all."""


@pytest.mark.parametrize(("provider", "name"), ELSEWHERE)
def test_whatever_goes_wrong_with_a_call_to_a_provider_it_ends_well(
    provider: str, name: str, dynamodb_local: DynamoDBLocal
) -> None:
    (operation,) = [one for one in crash_sweep.played_at(provider) if one.name == name]
    with crash_sweep.on_engine("dynamodb", dynamodb_local) as stage:
        result = crash_sweep.sweep_one(
            operation, stage=stage, share=SHARE, provider=provider, struck="provider:"
        )
    assert result.failures == [], "\n".join(map(str, result.failures))
    assert result.faults > 0


SEEN_IN = {
    "functions.billing.deliver": "reminder",
    "functions.billing.expiries": "pack expiry",
    "functions.billing.number": "the minute after two orders",
    "functions.billing.places": "a class ends",
    "functions.billing.reconcile": "reconcile what never arrived",
    "functions.billing.reminders": "reminder",
    "functions.billing.renewals": "renewal",
    "functions.billing.retries": "retry",
    "functions.billing.sweep": "renewal",
    "functions.console.console": "staff add credits",
    "functions.portal.booking": "book a place",
    "functions.portal.cards": "another card made the default while past due",
    "functions.portal.cart": "the next pack is taken out of the cart",
    "functions.portal.checkout": "checkout now",
    "functions.portal.subscriptions": "cancel now",
    "functions.portal.invoices": "pay for a pack that waits",
    "functions.portal.sign_in": "sign in by link",
    "functions.webhooks.apply": "webhook of a late success",
    "functions.webhooks.receive": "webhook of a late success",
}
"""An operation that has calls of each function."""

LEFT_OUT = {
    "functions.billing.audit",
    "functions.portal.account",
    "functions.portal.packs",
    "functions.portal.activity",
    "functions.portal.schedule",
    "functions.portal.shop",
}
"""The audit only reads and tells; the shop, the schedule, packs and the account's first page
only read."""


def test_a_function_that_nobody_tries_shows() -> None:
    every = {one.handler.rpartition(".")[0] for one in template().functions}
    assert every == {*SEEN_IN, *LEFT_OUT}
    for name in sorted(set(SEEN_IN.values())):
        run = tried(named(name))
        assert run.problems == (), name
        called = {call.function.rpartition(".")[0] for call in run.calls}
        wanted = {one for one, operation in SEEN_IN.items() if operation == name}
        assert wanted <= called, name


# --- the sweep sees what it is there for ---------------------------------------------------------


def tried(
    operation: Operation,
    *strikes: Strike,
    spoil: Callable[[Scene], None] = lambda _: None,
) -> Run:
    with quietly(), scene(operation.start, crash_sweep.SEED) as found:
        operation.arrange(found)
        spoil(found)
        return apart(lambda: carry_out(found, operation, strikes, None))


def look_ups_find_nothing(found: Scene) -> None:
    """The provider's list lags behind, and its webhooks are lost."""
    found.world.sandbox.webhooks(hold=True)
    found.world.wiring.provider("sandbox").__dict__["look_up"] = lambda **_: None


def keys_are_forgotten(found: Scene) -> None:
    """The same, and a provider that makes nothing of our keys."""
    look_ups_find_nothing(found)
    adapter = found.world.wiring.provider("sandbox")
    send = adapter.__dict__["_transport"]
    sent = 0

    def with_another_key(
        method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        nonlocal sent
        sent += 1
        fresh = {"idempotency-key": f"call-{sent}"} if "idempotency-key" in headers else {}
        answer: tuple[int, bytes] = send(method, path, {**headers, **fresh}, body)
        return answer

    adapter.__dict__["_transport"] = with_another_key


def silence_is_a_decline(found: Scene) -> None:
    """What we would do if an answer that did not come were taken for a no."""
    adapter = found.world.wiring.provider("sandbox")
    charge = adapter.charge

    def sure_of_itself(request: ChargeRequest) -> ChargeResult:
        answer = charge(request)
        if answer.outcome is Outcome.UNKNOWN:
            return answer._replace(outcome=Outcome.DECLINED)
        return answer

    adapter.__dict__["charge"] = sure_of_itself


def mail_is_never_marked(found: Scene) -> None:
    """What a line would do that loses the answer of every hand-over to the mail service."""
    mailbox = found.world.mailbox
    taken = mailbox.call

    def twice(operation: str, body: bytes) -> object:
        taken(operation, body)
        return taken(operation, body)

    services = found.world.__dict__["_services"]
    services["sesv2"] = twice


LOST_CHARGE = Strike(2, Fault.LOST, "provider:POST /v1/charges")


def test_without_idempotency_keys_a_customer_would_be_charged_twice_and_it_shows() -> None:
    checkout = named("checkout now")
    kept = tried(checkout, LOST_CHARGE, spoil=look_ups_find_nothing)
    assert (kept.struck, kept.problems) == (1, ()), "the key alone is enough"
    twice = tried(checkout, LOST_CHARGE, spoil=keys_are_forgotten)
    assert any("2 payments were kept" in one for one in twice.problems), twice.problems


def test_a_decline_made_of_silence_shows() -> None:
    result = crash_sweep.sweep_one(named("checkout now"), spoil=silence_is_a_decline)
    (seen,) = {one.strikes for one in result.failures if one.strikes[0].fault is Fault.LOST}
    assert seen == (LOST_CHARGE,)


def test_an_email_that_goes_out_twice_without_need_shows() -> None:
    run = tried(named("reminder"), spoil=mail_is_never_marked)
    assert any("was sent 2 times" in one for one in run.problems)


def test_an_email_may_be_repeated_only_where_the_crash_was_between_sending_and_marking() -> None:
    reminder = named("reminder")
    calls = [call.name for call in tried(reminder).calls]
    sending = calls.index("sesv2:SendEmail")
    repeated = tried(reminder, Strike(sending, Fault.DIES_AFTER, "sesv2:SendEmail"))
    assert (repeated.struck, repeated.problems) == (1, ())


def test_a_call_that_is_not_where_it_was_recorded_shows() -> None:
    run = tried(named("pack expiry"), Strike(0, Fault.FAILS, "sesv2:SendEmail"))
    assert "call 0 is dynamodb:Query, not sesv2:SendEmail" in run.problems


def test_a_failure_names_operation_call_fault_and_what_was_wrong() -> None:
    failure = crash_sweep.Failure(
        "renewal", (Strike(7, Fault.LOST, "provider:POST /v1/charges"),), ("2 payments were kept",)
    )
    assert str(failure) == (
        "renewal: call 7 (provider:POST /v1/charges) takes effect, and the answer is lost\n"
        "    2 payments were kept"
    )


def test_an_operation_that_ends_wrong_without_any_fault_is_a_failure() -> None:
    operation = replace(named("pack expiry"), ends=lambda _: iter(["it is not so"]))
    (failure,) = crash_sweep.sweep_one(operation).failures
    assert failure.strikes == ()
    assert "it is not so" in failure.problems[0]


def test_what_crashes_a_run_crashes_nothing_else() -> None:
    def crash() -> None:
        raise RuntimeError("somewhere in there")

    with pytest.raises(Crashed, match="somewhere in there"):
        apart(crash)


def test_dying_before_a_call_is_not_tried_twice() -> None:
    write = Seen("dynamodb:TransactWriteItems", (Fault.DIES_BEFORE, Fault.DIES_AFTER), "f", 1)
    other = Seen("dynamodb:Query", (Fault.DIES_BEFORE,), "g", 2)
    found = [(one.at, one.fault) for (one,) in crash_sweep.singles([write, write, other])]
    assert found == [
        (0, Fault.DIES_BEFORE),
        (0, Fault.DIES_AFTER),
        (1, Fault.DIES_AFTER),
        (2, Fault.DIES_BEFORE),
    ]
