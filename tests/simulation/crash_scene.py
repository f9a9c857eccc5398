"""Where an operation is tried: one small shop, its people, and a copy of it all for each fault.

A scene is arranged once. Every run of it happens in a process of its own that is forked off, so
that it begins with exactly the same memory: world, clock, provider, chance. What is stored on
Amazon's engine stands outside; there the tables are put back to what they were.
"""

import gc
import json
import logging
import os
import pickle
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from infra.local.aws import Answer, Engine
from infra.local.banks import SANDBOX
from infra.local.dynamodb_local import DynamoDBLocal
from infra.local.engine import Embedded
from infra.local.http_api import Response
from infra.local.sandbox import ChargeSeen
from infra.local.sandbox_faults import Fault, Operation
from infra.local.template import create_tables
from infra.local.world import LocalWorld
from shared.domain.message import Message, MessageKind, MessageState, NoticeKind
from shared.domain.outcome import NEVER_REACHED, UNSAID_OUTCOMES
from shared.store import catalogue as catalogues
from shared.store import tries
from shared.store.items import document
from tests import banking, shop_floor
from tests.banking import Skill, StandIn
from tests.console import office
from tests.scenario.person import Person
from tests.simulation.crash_line import CrashLine

T = TypeVar("T")

PRESSES = 5
"""How often somebody presses a button that answers with an error of ours."""

RUN_SECONDS = 60
BATCH_WRITE_ITEMS = 25


class Stubborn(Person):
    """Whoever gets an error of ours does the same again: the same link, the same form with the
    same key."""

    def ask(self, method: str, target: str, *args: Any, **kwargs: Any) -> Response:
        for _ in range(PRESSES):
            response = super().ask(method, target, *args, **kwargs)
            if response.status < 500:
                return response
        return response

    def form(self, path: str, **fields: Any) -> Response:
        """Send a form and go where it leads; it has to be taken."""
        answer = self.go("POST", path, fields)
        assert answer.status < 300, (path, answer.status, answer.body[-600:])
        return answer


class Movable:
    """An engine whose content can go on elsewhere."""

    def __init__(self) -> None:
        self._engine: Engine = Embedded()

    def call(self, operation: str, body: bytes) -> Answer:
        return self._engine.call(operation, body)

    def first_due(self, table_name: str, index_name: str = "due") -> str | None:
        """The smallest `due_at` of all. In one call: the world asks at every moment."""
        if isinstance(self._engine, Embedded):
            return self._engine.first_due(table_name, index_name)
        asked = {"TableName": table_name, "IndexName": index_name}
        answer = self._engine.call("Scan", json.dumps(asked).encode())
        assert answer.status == 200 and "LastEvaluatedKey" not in answer.content
        return min((item["due_at"]["S"] for item in answer.content["Items"]), default=None)

    def reset(self) -> None:
        self._engine.reset()

    def close(self) -> None:
        self._engine.close()

    def move_to(self, stage: "Stage") -> None:
        """From now on on Amazon's engine, with what is stored now."""
        stage.set(self._items())
        self._engine = stage.engine

    def _items(self) -> dict[str, list[dict[str, Any]]]:
        return {name: _scan(self._engine, name) for name in _tables(self._engine)}


class Stage:
    """Tables on Amazon's engine that are set anew for every run."""

    def __init__(self, process: DynamoDBLocal) -> None:
        self.engine = process.share()
        create_tables(_Direct(self.engine), shop_floor.template())

    def reconnect(self) -> None:
        """In a process that was forked off: connections of its own, to the same tables."""
        mine = self.engine.share()
        mine._key = self.engine._key
        self.engine = mine

    def set(self, tables: dict[str, list[dict[str, Any]]]) -> None:
        """Store exactly these items."""
        for table, wanted in tables.items():
            stored = {_key(item): item for item in _scan(self.engine, table)}
            asked: list[dict[str, Any]] = [
                {"PutRequest": {"Item": item}}
                for item in wanted
                if stored.pop(_key(item), None) != item
            ]
            asked += [
                {"DeleteRequest": {"Key": {"pk": {"S": pk}, "sk": {"S": sk}}}} for pk, sk in stored
            ]
            for at in range(0, len(asked), BATCH_WRITE_ITEMS):
                batch = {table: asked[at : at + BATCH_WRITE_ITEMS]}
                self.engine.ask("BatchWriteItem", RequestItems=batch)

    def close(self) -> None:
        self.engine.reset()
        self.engine.close()


class _Direct:
    """What `create_tables` needs of a client."""

    def __init__(self, engine: DynamoDBLocal) -> None:
        self._engine = engine

    def create_table(self, **arguments: Any) -> None:
        self._engine.ask("CreateTable", **arguments)

    def update_time_to_live(self, **_: Any) -> None:
        """Left out: the engine would delete by this machine's clock, which is not the world's."""


def _key(item: dict[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _tables(engine: Engine) -> list[str]:
    names: list[str] = engine.call("ListTables", b"{}").content["TableNames"]
    return names


def _scan(engine: Engine, table: str) -> list[dict[str, Any]]:
    """A table of a scene is far smaller than a page."""
    answer = engine.call("Scan", json.dumps({"TableName": table}).encode())
    assert answer.status == 200 and "LastEvaluatedKey" not in answer.content
    items: list[dict[str, Any]] = answer.content["Items"]
    return items


@dataclass
class Scene:
    """A shop with `ada`, and what an operation remembers between arranging, acting and the end."""

    world: LocalWorld
    engine: Movable
    line: CrashLine
    provider: str = SANDBOX
    ada: str = ""
    kept: dict[str, Any] = field(default_factory=dict)
    acted_at: datetime | None = None

    @property
    def bank(self) -> StandIn:
        """The provider at which everybody pays."""
        return banking.stand_in(self.world, self.provider)

    def customer(self, customer_id: str = "") -> Stubborn:
        """A customer who has signed in just now."""
        person = Stubborn(self.world, "ada@example.com")
        person.cookies.update(office.customer(self.world, customer_id or self.ada).cookies)
        return person

    def staff(self) -> Stubborn:
        person = Stubborn(self.world, "owner@happypaws.example")
        person.cookies.update(office.staff(self.world).cookies)
        return person

    def go_to(self, when: str) -> None:
        shop_floor.go_to(self.world, when)

    # What has come of it

    def charges(self) -> list[ChargeSeen]:
        """What the provider was asked for since the operation began."""
        assert self.acted_at is not None
        seen = shop_floor.asked_of(self.world, self.ada)
        return [one for one in seen if one.created_at >= self.acted_at]

    def nobody_says(self) -> bool:
        """Whether it is open what came of a payment that can't be sent again."""
        if banking.can(self.provider, Skill.KEYS):
            return False
        charges = shop_floor.charges_of(self.ada) if self.ada else []
        return any(one.outcome in UNSAID_OUTCOMES for one in charges)

    def lost(self) -> int:
        """How many payments that could not be sent again were taken for lost."""
        if banking.can(self.provider, Skill.KEYS) or not self.ada:
            return 0
        tries = [one for charge in shop_floor.charges_of(self.ada) for one in charge.attempts]
        return sum(one.decline_code == NEVER_REACHED for one in tries)

    def kept_payments(self) -> list[int]:
        """What the merchant has of the customer, ever: amounts in minor units."""
        return [
            one.amount - sum(one.refunds) - one.reversed
            for one in shop_floor.asked_of(self.world, self.ada)
            if one.kept
        ]

    def packs(self) -> list[tuple[str, int | None]]:
        """Product and credits left of every pack, oldest first."""
        return [(one.product_id, one.left) for one in shop_floor.packs_of(self.ada)]

    def told(self) -> dict[str, int]:
        """How many emails of each kind went to the customer for what was written since the
        operation began; but for the one that tells of a payment that was lost."""
        assert self.acted_at is not None
        told = Counter(
            one.kind.value
            for one in shop_floor.messages_of(self.ada)
            if one.created_at >= self.acted_at and one.state is MessageState.SENT
        )
        told -= Counter({MessageKind.CHARGE_FAILED.value: self.lost()})
        return dict(told)

    def notices(self, *kinds: NoticeKind) -> int:
        return len(shop_floor.notices(*kinds))


@contextmanager
def scene(start: str, seed: int, provider: str = SANDBOX, **settings: Any) -> Iterator[Scene]:
    """A shop at `start`, in this process: nothing else may be open in it. Nothing waits. Everybody
    pays at `provider`."""
    line, engine = CrashLine(), Movable()
    waited = tries.waits
    world = LocalWorld(
        engine=engine,
        start=shop_floor.moment(start),
        public_url=shop_floor.PUBLIC_URL,
        template=shop_floor.template(provider),
        line=line,
        seed=seed,
    )
    with world:
        catalogues.publish(shop_floor.catalogue_of(**settings))
        bank: Any = banking.stand_in(world, provider)

        def broken_after(forward: Callable[[], T]) -> T:
            bank.misbehave(Operation.ANY, Fault.ERROR_AFTER)
            waiting = bank._faults._waiting
            told = waiting[-1]
            try:
                return forward()
            finally:
                # A call that is answered from its key is not carried out, and does not break.
                if told in waiting:
                    waiting.remove(told)

        line.broken_after = broken_after
        tries.waits = lambda _: None
        # Clients are made here, and not anew in every run.
        _ = world.wiring.events, world.wiring.mailer
        try:
            yield Scene(world, engine, line, provider)
        finally:
            tries.waits = waited


def stored_messages(found: Scene) -> Iterator[Message]:
    """Every message of anybody, sign-in emails included."""
    table = found.world.wiring.environment.accounts_table
    for item in _scan(found.world.engine, table):
        if item["kind"]["S"] == "message":
            yield from Message.model_validate_json(document(item)).each


# --- runs that leave nothing behind -----------------------------------------------------------


class NoAnswer(Exception):
    """A run ended without a word: it hung, or was killed."""


class Crashed(Exception):
    """What a run was stopped by, with its traceback."""


@contextmanager
def quietly() -> Iterator[None]:
    """Without logs and the metrics' lines."""
    before, stdout = logging.root.manager.disable, sys.stdout
    logging.disable(logging.CRITICAL)
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = nowhere
        try:
            yield
        finally:
            sys.stdout = stdout
            logging.disable(before)


def apart(do: Callable[[], T]) -> T:
    """The answer of `do`, carried out in a copy of this process that is gone afterwards."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer_and_end(do, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    if not told:
        raise NoAnswer(f"no answer within {RUN_SECONDS} seconds")
    worked, answer = pickle.loads(told)  # noqa: S301 - written by this very program
    if not worked:
        raise Crashed(answer)
    found: T = answer
    return found


def _answer_and_end(do: Callable[[], Any], writing: int) -> None:
    """Whatever happens, this process ends here: what its parent would clean up is the parent's."""
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(RUN_SECONDS)
        gc.disable()
        with quietly():
            try:
                answer = True, do()
            except BaseException:  # noqa: BLE001 - told to the parent, which raises it
                answer = False, traceback.format_exc()
        with os.fdopen(writing, "wb") as pipe:
            pickle.dump(answer, pipe)
    finally:
        os._exit(0)
