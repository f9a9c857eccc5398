"""A charge: money asked of a provider for one invoice, attempt by attempt ([ONCE])."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Outcome(StrEnum):
    """What became of one attempt.

    - `ATTEMPTING`: written down, the provider not yet asked, or its answer not yet recorded.
    - `UNKNOWN`: asked, and it is open whether money moved. Blocks every further try.
    - `PROCESSING`: accepted, settles days later (bank debits). Blocks every further try.
    - `AUTHENTICATION_REQUIRED`: waits for the customer; not a decline.
    - `DECLINED`: a definite no that may be tried again. `DECLINED_FINAL`: not on this card.
    - `CANCELLED`: given up before it moved money.
    """

    ATTEMPTING = "attempting"
    UNKNOWN = "unknown"
    PROCESSING = "processing"
    AUTHENTICATION_REQUIRED = "authentication_required"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    DECLINED_FINAL = "declined_final"
    CANCELLED = "cancelled"


class Card(BaseModel):
    """A card on file, as the provider describes it. The number never reaches us."""

    model_config = ConfigDict(frozen=True)

    id: str
    provider: str
    token: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
