"""What became of an attempt to collect, and what that means for the next one ([ONCE])."""

from enum import StrEnum

NEVER_REACHED = "never_reached_the_provider"
"""The decline code of an attempt that the provider never spoke of ([ONCE])."""

NOT_SET_UP = "provider_not_set_up"
"""The decline code of an attempt on a card whose provider this deployment has no more ([MANY])."""


class Outcome(StrEnum):
    """What became of one attempt.

    - `ATTEMPTING`: written down, the provider not yet asked, or its answer not yet recorded.
    - `UNKNOWN`: asked, and it is open whether money moved. Blocks every further try.
    - `PROCESSING`: accepted, settles days later (bank debits). Blocks every further try.
    - `AUTHENTICATION_REQUIRED`: waits for the customer; not a decline.
    - `DECLINED`: a definite no that may be tried again. `DECLINED_FINAL`: not on this card.
    - `REFUSED`: the provider would not take the request itself: a key that was revoked, an account
      that can't charge, a currency or an amount that it doesn't take. No money moved, and the card
      is not to blame. It may be tried again when the merchant has put it right.
    - `CANCELLED`: given up before it moved money.
    """

    ATTEMPTING = "attempting"
    UNKNOWN = "unknown"
    PROCESSING = "processing"
    AUTHENTICATION_REQUIRED = "authentication_required"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    DECLINED_FINAL = "declined_final"
    REFUSED = "refused"
    CANCELLED = "cancelled"


OPEN_OUTCOMES = frozenset(
    {
        Outcome.ATTEMPTING,
        Outcome.UNKNOWN,
        Outcome.PROCESSING,
        Outcome.AUTHENTICATION_REQUIRED,
    }
)
"""While the last attempt stands at one of these, no other may begin."""

UNDECIDED_OUTCOMES = frozenset({Outcome.ATTEMPTING, Outcome.UNKNOWN, Outcome.PROCESSING})
"""Money may have moved, and nobody has said."""

UNSAID_OUTCOMES = frozenset({Outcome.ATTEMPTING, Outcome.UNKNOWN})
"""The provider has said nothing of the attempt yet."""

REFUSALS = frozenset({Outcome.DECLINED, Outcome.DECLINED_FINAL, Outcome.REFUSED})
"""A definite no, by the bank or by the provider itself."""
