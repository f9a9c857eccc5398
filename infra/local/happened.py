"""What went on while the clock moved: the answer of `/_local/clock` ([CLOCK])."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.domain.due import utc_text


class NeverQuiet(Exception):
    """What was set going does not come to rest; the message says what goes on."""


@dataclass
class Happened:
    """What went on between two moments. Counts are by function or by event."""

    started_at: datetime
    ended_at: datetime
    moments: int = 0
    invocations: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    webhooks: int = 0
    mails: int = 0
    errors: list[str] = field(default_factory=list)
    dead_letters: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "from": utc_text(self.started_at),
            "now": utc_text(self.ended_at),
            "moments": self.moments,
            "invocations": dict(sorted(self.invocations.items())),
            "events": dict(sorted(self.events.items())),
            "webhooks": self.webhooks,
            "mails": self.mails,
            "errors": self.errors,
            "dead_letters": self.dead_letters,
        }
