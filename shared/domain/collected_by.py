"""How periods are paid: apart from customers, since orders and subscriptions keep it."""

from enum import StrEnum


class CollectedBy(StrEnum):
    """How a subscription's periods are paid ([PAY]): by a card on file, or by what staff record."""

    CARD = "card"
    RECORDING = "recording"
