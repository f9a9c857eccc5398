"""The whole system in one process, without sockets: what `template.yaml` describes, on a clock
that can be moved ([RUN] [CLOCK]).

A request becomes an API Gateway event, its handler runs here, and what it set going (events,
webhooks) is carried out before the answer is given. Moving the clock jumps from due moment to due
moment, and at each runs what is due, so that everything happens at its own time.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import RLock
from typing import Any, Self

import boto3

from infra.local import banks, lambdas, permissions, schedules, site
from infra.local.aws import Answer, Engine, Service, switchboard
from infra.local.banks import Banks, ParameterStore
from infra.local.bus import RETRY_SECONDS, Agenda, Bus, Delivery, Task, Tick, Webhook
from infra.local.chance import repeatable
from infra.local.clock import MAX_ADVANCE, Backwards, BadMoment, LocalClock, moment
from infra.local.engine import Embedded
from infra.local.happened import Happened, NeverQuiet
from infra.local.http_api import (
    INTERNAL_ERROR,
    MAX_BODY_BYTES,
    NOT_FOUND,
    TOO_LARGE,
    Request,
    Response,
    Routes,
    event_of,
    response_of,
)
from infra.local.lambdas import Died
from infra.local.line import PROVIDER, Call, Good, Line
from infra.local.mailbox import Mailbox
from infra.local.surroundings import CREDENTIALS, install_wiring
from infra.local.template import REGION, Function, Template, create_tables
from infra.local.template import load as load_template
from shared import wiring
from shared.domain.due import utc_text
from shared.providers import adapters
from shared.providers.names import NAMES
from shared.providers.port import PaymentProvider
from shared.store import snapshot

MAX_TASKS_AT_ONE_MOMENT = 20_000
"""More than this at one moment never ends: something sets itself going again and again."""

MAX_SWEEPS_AT_ONE_MOMENT = 500
MAX_IDLE_SWEEPS = 10
"""How many ticks in a row may leave the oldest due item where it is."""

TICK = timedelta(minutes=1)
WEBHOOK_RETRY_SECONDS = (60, 240)
"""When a provider posts again what we answered with an error of ours."""

MAX_ERRORS_KEPT = 200
DEFAULT_START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)

log = logging.getLogger(__name__)

_working: ContextVar[tuple[Function, int] | None] = ContextVar("working", default=None)
"""The function at work in this thread, whose policy decides what it may ask of AWS, and the number
of its run."""


@contextmanager
def outside() -> Iterator[None]:
    """What is done meanwhile is not the doing of the function at work: for tests in which somebody
    else acts in the middle of its call, with permissions of their own."""
    before = _working.set(None)
    try:
        yield
    finally:
        _working.reset(before)


class LocalWorld:
    """Punchcard on one machine. Use it as a context manager, or `close` it: while it is open it
    answers the AWS calls of this process, and `shared.wiring` is its own.

    `running` lets the clock go on with real time; otherwise it stands until it is moved.
    `parameters` are the template's. `template` replaces the project's own, for tests of this
    module. `banks_over_http` lets adapters reach the providers at `public_url`, as `make run` does;
    otherwise they are called directly. Calls are carried out one at a time.

    `line` carries the calls of functions to all that stands outside them; calls that anybody else
    in this process makes go straight. With `seed` ids, secrets and the provider's chance are the
    same in every run.
    """

    def __init__(
        self,
        *,
        engine: Engine | None = None,
        start: datetime = DEFAULT_START,
        running: bool = False,
        public_url: str = "http://127.0.0.1:8000",
        parameters: Mapping[str, str] | None = None,
        template: Template | None = None,
        banks_over_http: bool = False,
        line: Line | None = None,
        seed: int | None = None,
        woken: Callable[[], None] = lambda: None,
    ) -> None:
        self.public_url = public_url.rstrip("/")
        self.template = template or load_template(
            {
                "PublicUrl": self.public_url,
                "SenderAddress": "punchcard@example.com",
                "Provider": "sandbox",
                **(parameters or {}),
            }
        )
        self.lock = RLock()
        self.clock = LocalClock(start, running=running)
        self.agenda = Agenda(woken)
        self.mailbox = Mailbox(self.clock.now)
        self.routes = Routes(self.template.routes, self.template.elsewhere)
        self.errors: list[str] = []
        self.used_permissions: set[tuple[str, permissions.Need]] = set()
        """What each handler asked of AWS so far, and its policy granted."""
        self.dead_letters: list[Task] = []
        self.runs = 0
        """How often a handler was run."""
        self.last_happened: Happened | None = None
        self.sign_in_addresses: tuple[str, ...] = ()
        """Those of the demo data, staff first, for the page that lists them."""
        self._happened = Happened(start, start)
        self._requests = 0
        self._idle_sweeps = 0
        self._sweep_not_before = start
        self._accounts_table = self.template.environment.get("ACCOUNTS_TABLE", "")
        self._ticks = [s.function for s in self.template.schedules if schedules.is_tick(s)]
        self._environment_before = dict(os.environ)
        os.environ.update(CREDENTIALS)
        os.environ.update(self.template.environment)
        self.engine = engine if engine is not None else Embedded()
        self.bus = Bus(
            self.template.environment.get("EVENT_BUS", "default"),
            self.template.rules,
            self.agenda,
            self.clock.now,
        )
        self._line = line or Good()
        chance = None if seed is None else repeatable(seed)
        self.banks = Banks(self.clock.now, self.deliver, self.public_url, chance)
        self.sandbox = self.banks.sandbox
        self.parameters = ParameterStore(
            self.template.environment.get("PROVIDER_SECRETS", ""), self.banks.settings
        )
        self._services: Mapping[str, Service] = {
            "dynamodb": self.engine.call,
            "sesv2": self.mailbox.call,
            "eventbridge": self.bus.call,
            "ssm": self.parameters.call,
        }
        # An engine that stands outside is reached as the network is, with botocore's retries; a
        # line decides itself how often a call fails.
        in_process_engine = isinstance(self.engine, Embedded) or line is not None
        outside = set() if in_process_engine else {"dynamodb"}
        switchboard.connect(
            {name: partial(self._serve_aws, name) for name in self._services},
            direct=set(self._services) - outside,
        )
        self.wiring = install_wiring(
            self.template.environment,
            self.clock.now,
            {} if banks_over_http else self.adapters(),
            chance,
        )
        snapshot.forget()
        create_tables(self.client("dynamodb"), self.template)
        for schedule in self.template.schedules:
            if not schedules.is_tick(schedule):
                self._plan(Tick(schedule.expression, schedule.function))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the process: nobody answers AWS calls any more."""
        switchboard.disconnect()
        wiring.install(None)
        self.engine.close()
        os.environ.clear()
        os.environ.update(self._environment_before)

    @property
    def tick(self) -> Function:
        """The function that runs each minute."""
        (function,) = self._ticks
        return function

    def now(self) -> datetime:
        """The local time, in UTC."""
        return self.clock.now()

    def client(self, service: str) -> Any:
        """A boto3 client whose calls are answered here."""
        return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]

    # Requests

    def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
        body: bytes | str = b"",
        *,
        source_ip: str = "127.0.0.1",
    ) -> Response:
        """Answer one HTTP request, after all that it set going has come to rest.

        `target` is a path with its query, or an address below `public_url`. What `/_local`
        offers is answered too.
        """
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers or [])
        data = body.encode() if isinstance(body, str) else body
        target = target.removeprefix(self.public_url) or "/"
        asked = Request(method.upper(), target, pairs, data, source_ip)
        if asked.path == "/_local" or asked.path.startswith("/_local/"):
            return site.answer(self, asked)
        return self.serve(asked)

    def serve(self, request: Request) -> Response:
        """What API Gateway would answer: everything but `/_local`."""
        with self.lock:
            self._settle()
            response = self._serve(request)
            self._settle()
            return response

    def _serve(self, request: Request) -> Response:
        if len(request.body) > MAX_BODY_BYTES:
            return TOO_LARGE
        match = self.routes.find(request.method, request.path)
        if match is None:
            return NOT_FOUND
        self._requests += 1
        event = event_of(request, match, self.now(), f"local-{self._requests}")
        try:
            return response_of(self.invoke(match.function, event))
        except (Exception, Died) as error:  # noqa: BLE001 - as Lambda: whatever a handler raises
            self._failed(match.function, error)
            return INTERNAL_ERROR

    def invoke(self, function: Function, event: Mapping[str, Any]) -> Any:
        """Run a function's handler here, on a copy of the event. What it raises goes through."""
        self._happened.invocations[function.handler] += 1
        self._requests += 1
        self.runs += 1
        before = _working.set((function, self._requests))
        try:
            return lambdas.run(function, event, f"local-{self._requests}")
        finally:
            _working.reset(before)

    def _serve_aws(self, service: str, operation: str, body: bytes) -> Answer:
        """Answer an AWS call, if the policy of the function that makes it grants it."""
        working = _working.get()
        if working is not None:
            function, invocation = working
            needed = list(permissions.needs(service, operation, body))
            refused = permissions.refusal(function, needed)
            if refused is not None:
                # Said here too: many a handler turns it into an error of its own.
                self._note(refused.body.decode())
                return refused
            self.used_permissions.update(
                (function.handler, need._replace(context=())) for need in needed
            )
            call = Call(function.handler, invocation, service, operation, body)
            return self._line.carry(call, lambda: self._services[service](operation, body))
        return self._services[service](operation, body)

    def adapters(self) -> dict[str, PaymentProvider]:
        """An adapter of each provider, which goes through the line and waits in no time."""
        return {
            name: adapters.make(
                name,
                self.banks.settings[name],
                self.now,
                partial(self._ask, name),
                pause=lambda _: None,
            )
            for name in banks.NAMES
            if name in NAMES
        }

    def _ask(
        self, name: str, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """The transport of a provider's adapter."""
        bank = self.banks.bank(name)
        assert bank is not None
        working = _working.get()
        if working is None:
            return bank.in_process(method, path, headers, body)
        function, invocation = working
        call = Call(function.handler, invocation, PROVIDER, f"{method} {path}", body)
        return self._line.carry(call, lambda: bank.in_process(method, path, headers, body))

    # Time

    def advance_to(self, target: datetime) -> Happened:
        """Move the clock to `target`, running all that falls due on the way, in order, each at
        its own moment. Raises `Backwards`, `BadMoment` (too far) and `NeverQuiet`."""
        with self.lock:
            if target < self.now():
                raise Backwards(f"It is {utc_text(self.now())}; the clock only goes forward.")
            if target - self.now() > MAX_ADVANCE:
                raise BadMoment(f"The clock moves at most {MAX_ADVANCE.days} days at once.")
            ran = self.clock.stand_still()
            try:
                return self._watch(lambda: self._advance(target))
            finally:
                if ran:
                    self.clock.go_on()

    def advance(self, span: timedelta) -> Happened:
        """`advance_to` the moment `span` from now."""
        return self.advance_to(self.now() + span)

    def run_due(self) -> Happened:
        """Run what is due now, without moving the clock."""
        with self.lock:
            return self._watch(self._run_moment)

    def settle_if_free(self) -> None:
        """Carry out what waits, unless a call is under way: then that call does it."""
        if self.lock.acquire(blocking=False):
            try:
                self._settle()
            finally:
                self.lock.release()

    def next_moment(self) -> datetime | None:
        """When something next happens by itself."""
        moments = [self.agenda.next_moment(), self._next_due()]
        return min((moment for moment in moments if moment is not None), default=None)

    def deliver(self, delay_seconds: int, path: str, headers: dict[str, str], body: bytes) -> None:
        """Post a webhook to ourselves so many seconds from now (local time)."""
        at = self.now() + timedelta(seconds=delay_seconds)
        self.agenda.add(at, Webhook(path, headers, body))

    def _advance(self, target: datetime) -> None:
        self._run_moment()
        while True:
            upcoming = self.next_moment()
            if upcoming is None or upcoming > target:
                break
            self.clock.move_to(max(upcoming, self.now()))
            self._happened.moments += 1
            self._run_moment()
        self.clock.move_to(target)

    def _watch(self, run: Callable[[], None]) -> Happened:
        self._happened = happened = Happened(self.now(), self.now())
        mails, dead = len(self.mailbox), len(self.dead_letters)
        try:
            run()
        finally:
            happened.ended_at = self.now()
            happened.mails = len(self.mailbox) - mails
            happened.dead_letters = len(self.dead_letters) - dead
            self.last_happened = happened
            self._happened = Happened(self.now(), self.now())
        return happened

    def _run_moment(self) -> None:
        """Run what is due at this moment until it is quiet."""
        self._settle()
        for _ in range(MAX_SWEEPS_AT_ONE_MOMENT):
            now = self.now()
            oldest = self._oldest_due()
            if oldest is None or _moment_of(oldest) > now or now < self._sweep_not_before:
                return
            for function in self._ticks:
                self._try(function, lambdas.schedule_event(utc_text(now)))
            self._settle()
            if self._oldest_due() == oldest:
                # The sweep left it. On AWS the next tick comes in a minute; so it does here.
                self._idle_sweeps += 1
                self._sweep_not_before = now + TICK
                if self._idle_sweeps > MAX_IDLE_SWEEPS:
                    self._idle_sweeps = 0
                    raise NeverQuiet(f"the sweep does not take up what is due: {oldest}")
            else:
                self._idle_sweeps = 0
        raise NeverQuiet(f"{MAX_SWEEPS_AT_ONE_MOMENT} sweeps at {utc_text(self.now())}")

    def _settle(self) -> None:
        """Carry out the tasks whose moment has come, also those that they add."""
        for _ in range(MAX_TASKS_AT_ONE_MOMENT):
            task = self.agenda.take(self.now())
            if task is None:
                return
            self._carry_out(task)
        raise NeverQuiet(f"{MAX_TASKS_AT_ONE_MOMENT} tasks at {utc_text(self.now())}")

    def _carry_out(self, task: Task) -> None:
        match task:
            case Delivery():
                self._happened.events[str(task.event["detail-type"])] += 1
                if not self._try(task.function, task.event):
                    self._again(task)
            case Webhook():
                self._happened.webhooks += 1
                headers = [*task.headers.items(), ("host", "127.0.0.1")]
                answer = self._serve(Request("POST", task.path, headers, task.body))
                if answer.status >= 500:
                    self._post_again(task)
            case Tick():
                self._try(task.function, lambdas.schedule_event(utc_text(self.now())))
                self._plan(task)

    def _try(self, function: Function, event: Mapping[str, Any]) -> bool:
        try:
            self.invoke(function, event)
        except (Exception, Died) as error:  # noqa: BLE001 - as Lambda: whatever a handler raises
            self._failed(function, error)
            return False
        return True

    def _again(self, task: Delivery) -> None:
        wait = RETRY_SECONDS[min(task.tries, len(RETRY_SECONDS) - 1)]
        at = self.now() + timedelta(seconds=wait)
        too_old = at - task.put_at > timedelta(seconds=task.max_age_seconds)
        if task.tries >= task.retries or too_old:
            self.dead_letters.append(task)
            return
        again = Delivery(
            task.event, task.function, task.put_at, task.retries, task.max_age_seconds,
            task.tries + 1,
        )  # fmt: skip
        self.agenda.add(at, again)

    def _post_again(self, task: Webhook) -> None:
        if task.tries >= len(WEBHOOK_RETRY_SECONDS):
            self.dead_letters.append(task)
            return
        at = self.now() + timedelta(seconds=WEBHOOK_RETRY_SECONDS[task.tries])
        self.agenda.add(at, Webhook(task.path, task.headers, task.body, task.tries + 1))

    def _failed(self, function: Function, error: BaseException) -> None:
        log.error("%s failed", function.handler, exc_info=error)
        self._note(f"{function.handler}: {type(error).__name__}: {error}")

    def _note(self, error: str) -> None:
        for errors in (self.errors, self._happened.errors):
            errors.append(error)
            del errors[:-MAX_ERRORS_KEPT]

    def _plan(self, tick: Tick) -> None:
        self.agenda.add(schedules.next_after(tick.expression, self.now()), tick)

    def _oldest_due(self) -> str | None:
        return self.engine.first_due(self._accounts_table) if self._accounts_table else None

    def _next_due(self) -> datetime | None:
        oldest = self._oldest_due()
        return None if oldest is None else max(_moment_of(oldest), self._sweep_not_before)


def _moment_of(due_at: str) -> datetime:
    """The instant that a `due_at` begins with, whatever it says of the worker."""
    return moment(due_at.partition("#")[0])
