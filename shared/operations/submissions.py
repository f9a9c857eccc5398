"""A press of a button that moves money or credits, known again by its key ([KEY]).

The same key with the same content answers the same; with other content it is refused. The record
is written in the transaction of what was asked for, so of two presses at once only one happens.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from shared.domain.errors import Conflict
from shared.store import accounts
from shared.store.items import Lost, Ref, Row
from shared.store.reading import read
from shared.store.records import Submission

ONCE_TRIES = 5


class Press(NamedTuple):
    """One press of a button: what was asked for (`operation`, `content`), of whose account, under
    which key. `answer` is the reference from which the same answer can be given again. Where
    several people act on one account, their keys begin with who they are."""

    customer_id: str
    key: str
    operation: str
    content: tuple[str | int | bool | None, ...] = ()
    answer: str = ""

    @property
    def ref(self) -> Ref[Submission]:
        """Where its record is kept: read it before `once`."""
        return accounts.submission(self.customer_id, self.key)

    @property
    def digest(self) -> str:
        told = json.dumps([self.operation, *self.content])
        return hashlib.sha256(told.encode()).hexdigest()

    def record(self, now: datetime) -> tuple[str, Submission]:
        """The key, and what is written under it."""
        record = Submission(
            content=self.digest, operation=self.operation, answer=self.answer, at=now
        )
        return self.key, record


def once(
    press: Press,
    earlier: Row[Submission] | None,
    now: datetime,
    do: Callable[[tuple[str, Submission]], None],
) -> Row[Submission] | None:
    """Call `do` with the record to write in its transaction, and return None; or return what an
    earlier press of the same left, and do nothing. `earlier` is what was read at `press.ref`.

    `do` raises `Lost` when something else was first: then the record is looked for again, and `do`
    is called again only when there is none. What `do` refuses with `Conflict` may be the work of
    another press of the same that came in between: then that is the answer. Raises `Conflict` when
    the key was used for something else, `Lost` after `ONCE_TRIES`.
    """
    if earlier is not None:
        return _same(press, earlier)
    for tries_left in reversed(range(ONCE_TRIES)):
        try:
            do(press.record(now))
        except Lost:
            earlier = read(press.ref).get(press.ref)
            if earlier is not None:
                return _same(press, earlier)
            if not tries_left:
                raise
        except Conflict:
            earlier = read(press.ref).get(press.ref)
            if earlier is None:
                raise
            return _same(press, earlier)
        else:
            return None
    raise AssertionError("unreachable")


def _same(press: Press, earlier: Row[Submission]) -> Row[Submission]:
    if earlier.value.content != press.digest:
        raise Conflict(
            "This Idempotency-Key was used for something else.", code="idempotency_key_reused"
        )
    return earlier
