"""One operation, what it has to come to, and a run of it in which chosen calls go wrong."""

import json
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from infra.local.bus import Delivery, Task, Tick, Webhook
from shared.domain.message import MessageState, NoticeKind
from shared.messages.sender import message_id
from tests.banking import Skill
from tests.simulation.crash_line import Seen, Strike
from tests.simulation.crash_scene import Scene, Stage, stored_messages
from tests.simulation.holding import queued, scan, violations

A_LITTLE_LATER = timedelta(minutes=20)
"""After that a lease has run out, and a message that was held up has gone out."""


ANCHOR = "2026-01-31 15:00"
"""When most operations are arranged: what is bought then has the awkward anchor."""

A_DAY_LATER = timedelta(hours=25)
"""After that "not found" was final."""

Doing = Callable[[Scene], object]


ERRORS_SHOWN = 3


def _nothing(_: Scene) -> None:
    """What most people do a little later."""


@dataclass(frozen=True)
class Operation:
    """`act` is what is tried: its calls are recorded, with those of all invocations that it sets
    going; the tick of the next minute is an operation of its own. `a_little_later` is what
    somebody does then who waits for an answer. `ends` tells what SPEC.md says and is not so, once
    the machinery has run on for `after`."""

    name: str
    arrange: Doing
    act: Doing
    ends: Callable[[Scene], Iterator[str]]
    start: str = ANCHOR
    after: timedelta = timedelta(days=3)
    a_little_later: Doing = _nothing
    settings: Mapping[str, Any] = field(default_factory=dict)
    needs: frozenset[Skill] = frozenset()
    """What a provider has to be able to do, for this to be played there."""
    lacking: frozenset[Skill] = frozenset()
    """What it can't be able to do: elsewhere it could not come to this."""
    when_lost: Doing = _nothing
    """What somebody does whose payment was taken for lost, a day later: where a provider has no
    keys, what it never heard of is not sent again."""
    ends_when_lost: Callable[[Scene], Iterator[str]] | None = None
    """What it comes to then, where that is something else."""


@dataclass(frozen=True)
class Run:
    """What one run came to: the calls that were made, and what was wrong at its end."""

    calls: tuple[Seen, ...]
    struck: int
    problems: tuple[str, ...]


def record(scene: Scene, operation: Operation, stage: Stage | None) -> tuple[Seen, ...]:
    """The calls of `act` on a good line, in order. Raises when even then something is wrong."""
    run = carry_out(scene, operation, (), stage)
    if run.problems:
        raise AssertionError(f"{operation.name}, nothing gone wrong: {'; '.join(run.problems)}")
    return run.calls


def carry_out(
    scene: Scene, operation: Operation, strikes: Sequence[Strike], stage: Stage | None
) -> Run:
    """Act while `strikes` happen, let the machinery run on, and look. It changes the scene, so it
    belongs into `apart`. Without a stage it is the embedded engine."""
    if stage is not None:
        stage.reconnect()
        scene.engine.move_to(stage)
    world, line = scene.world, scene.line
    problems: list[str] = []
    scene.acted_at = world.now()
    line.arm(*strikes)
    calls: tuple[Seen, ...] = ()
    try:
        operation.act(scene)
        calls = tuple(line.calls)
        world.advance(A_LITTLE_LATER)
        operation.a_little_later(scene)
        if scene.nobody_says():
            world.advance(A_DAY_LATER)
            if scene.lost():
                operation.when_lost(scene)
        world.advance(operation.after)
    except Exception:  # noqa: BLE001 - whatever stops a person or the clock is a finding
        problems.append(f"it stops: {traceback.format_exc(limit=-3)}")
    problems += line.wrong_name
    problems += violations(world)
    problems += _left_behind(scene)
    problems += _mail_repeats(scene)
    ends = operation.ends_when_lost if scene.lost() else None
    problems += (ends or operation.ends)(scene)
    if problems:
        problems += [f"on the way: {error}" for error in world.errors[-ERRORS_SHOWN:]]
    return Run(calls, len(line.struck), tuple(problems))


def _left_behind(scene: Scene) -> Iterator[str]:
    """Work that was set aside, given up or forgotten by whoever had it on lease."""
    for notice in (NoticeKind.PARKED, NoticeKind.INVARIANT_BREACHED):
        if scene.notices(notice):
            yield f"{scene.notices(notice)} notices: {notice.value}"
    for task in scene.world.dead_letters:
        yield f"given up: {_shortly(task)}"
    for item in scan(scene.world, scene.world.wiring.environment.accounts_table):
        stands = queued(item)
        if stands.parked:
            yield f"parked: {stands.item}"
        elif stands.leased:
            yield f"still on lease: {stands.item} until {stands.due_at}"


def _shortly(task: Task) -> str:
    match task:
        case Delivery():
            return f"{task.event['detail-type']} {json.dumps(task.event['detail'])}"
        case Webhook():
            return f"a webhook, {task.body.decode()}"
        case Tick():
            return task.expression


def _mail_repeats(scene: Scene) -> Iterator[str]:
    """Every message that was sent went out once; twice only where a crash hit the hand-over."""
    handed_over = Counter(
        dict(mail.headers)["X-Message-Key"] for mail in scene.world.mailbox.sent()
    )
    for message in stored_messages(scene):
        times = handed_over.pop(message_id(message), 0)
        if message.state is MessageState.PENDING:
            yield f"{message.key} was never sent"
        elif message.state is MessageState.SENT and not times:
            yield f"{message.key} is called sent and was not"
        elif times > (2 if message_id(message) in scene.line.may_repeat else 1):
            yield f"{message.key} was sent {times} times"
    for key in handed_over:
        yield f"an email went out that no message stands for: {key}"
