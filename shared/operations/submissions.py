"""A submission of a form that moves money or credits, known again by its key ([KEY]).

The same key with the same content answers the same; with other content it is refused. The record
is written in the transaction of what was submitted, so of two at once only one happens.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from shared.domain.errors import Conflict
from shared.store import accounts
from shared.store.accounts import Submission
from shared.store.engine import Ref, Row


@dataclass(frozen=True)
class Submitted:
    """One press of a button. `operation` and `parts` are what was asked for; `key` the caller's,
    made unique by who the caller is where several may act on one customer."""

    operation: str
    key: str
    parts: tuple[str | int | None, ...]

    @property
    def content(self) -> str:
        told = json.dumps([self.operation, *self.parts])
        return hashlib.sha256(told.encode()).hexdigest()

    def ref(self, customer_id: str) -> Ref[Submission]:
        """Where its record is kept."""
        return accounts.submission(customer_id, self.key)

    def record(
        self, now: datetime, *, answer: str = "", attempt: str | None = None
    ) -> tuple[str, Submission]:
        """What to write with the change. `answer` is a reference to what it answers with."""
        record = Submission(
            content=self.content, operation=self.operation, answer=answer, attempt=attempt, at=now
        )
        return self.key, record

    def earlier(self, row: Row[Submission] | None) -> Submission | None:
        """What this submission left when it came before; None when it is new. Raises `Conflict`
        when its key was used for something else."""
        if row is None:
            return None
        if row.value.content != self.content:
            raise Conflict(
                "This Idempotency-Key was used for something else.", code="idempotency_key_reused"
            )
        return row.value
