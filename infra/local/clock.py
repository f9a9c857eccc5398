"""The local clock: the only one that the code sees on one machine ([CLOCK])."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from dateutil.relativedelta import relativedelta

MAX_ADVANCE = timedelta(days=366 * 20)
"""Nobody means to go further; a slip of the keyboard should not run for hours."""

_DURATION = re.compile(
    r"P(?=.)(?:(?P<years>\d{1,2})Y)?(?:(?P<months>\d{1,3})M)?(?:(?P<weeks>\d{1,4})W)?"
    r"(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,7})M)?(?:(?P<seconds>\d{1,9})S)?)?"
)


class BadMoment(ValueError):
    """A time or duration that can't be read, and what would be."""


class Backwards(ValueError):
    """The clock only goes forward."""


def after(moment: datetime, duration: str) -> datetime:
    """`moment` plus an ISO 8601 duration such as `P30D`, `P1Y2M` or `PT36H`, in UTC.

    Months and years keep the day where they can. Raises `BadMoment`.
    """
    match = _DURATION.fullmatch(duration.strip())
    if match is None:
        raise BadMoment("A duration looks like P30D, P1M, P1Y or PT36H.")
    parts = {name: int(value) for name, value in match.groupdict().items() if value}
    try:
        return moment + relativedelta(
            years=parts.get("years", 0),
            months=parts.get("months", 0),
            weeks=parts.get("weeks", 0),
            days=parts.get("days", 0),
            hours=parts.get("hours", 0),
            minutes=parts.get("minutes", 0),
            seconds=parts.get("seconds", 0),
        )
    except (OverflowError, ValueError) as error:
        raise BadMoment("That is further than a calendar goes.") from error


def moment(text: str) -> datetime:
    """An ISO 8601 instant with its offset, such as `2027-01-31T12:00:00Z`, as UTC.

    Raises `BadMoment`.
    """
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadMoment("A time looks like 2027-01-31T12:00:00Z.") from error
    if read.tzinfo is None:
        raise BadMoment("A time needs its offset, such as the Z in 2027-01-31T12:00:00Z.")
    return read.astimezone(UTC)


class LocalClock:
    """Stands still until it is moved; a running one goes on with real time between moves.

    `elapsed` gives seconds from any fixed point and only counts while the clock runs.
    """

    def __init__(
        self,
        start: datetime,
        *,
        running: bool = False,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._moment = start.astimezone(UTC)
        self._elapsed = elapsed
        self._since: float | None = elapsed() if running else None

    def now(self) -> datetime:
        """The local time, in UTC."""
        moment_now = self._moment
        if self._since is not None:
            moment_now += timedelta(seconds=self._elapsed() - self._since)
        return moment_now

    def move_to(self, target: datetime) -> None:
        """Set the clock. Raises `Backwards` for a moment that is past."""
        if target < self.now():
            raise Backwards(f"It is {self.now():%Y-%m-%dT%H:%M:%SZ}; the clock only goes forward.")
        self._moment = target.astimezone(UTC)
        if self._since is not None:
            self._since = self._elapsed()

    def stand_still(self) -> bool:
        """Stop a running clock where it is; answers whether it ran."""
        ran = self._since is not None
        self._moment = self.now()
        self._since = None
        return ran

    def go_on(self) -> None:
        """Let the clock run from where it stands."""
        self._moment = self.now()
        self._since = self._elapsed()
