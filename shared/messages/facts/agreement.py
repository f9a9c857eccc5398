"""What a subscription is, as emails tell it."""

from datetime import date

from pydantic import AwareDatetime

from shared.domain.calendar import Frequency
from shared.domain.money import Money
from shared.domain.record import Record
from shared.domain.recurs_when import RecursWhen
from shared.messages.opening import Words


class Agreement(Record):
    """What a subscription is. `price` is of one period, before tax; `credits` None is unlimited.
    `payments_remaining` are those until the customer may cancel ([COMMIT]). Without a `frequency`
    it `recurs` with its packs: `by_hand` says how the next one is paid, `expected_at` when it comes
    at the latest, if that is known; `goes_on` that there is a next one ([RECUR]). While it is
    `paused` nothing is charged; `by_recording`: it is paid in cash or by transfer, and no card is
    asked ([PAY])."""

    id: str
    name: Words
    frequency: Frequency | None = None
    recurs: RecursWhen | None = None
    by_hand: bool = False
    expected_at: AwareDatetime | None = None
    goes_on: bool = True
    price: Money
    credits: int | None = None
    service: Words = ""
    until: date | None = None
    minimum_payments: int = 0
    payments_remaining: int = 0
    paused: bool = False
    by_recording: bool = False
