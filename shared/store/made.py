"""When an item was made, as its sort key says: ids are ULIDs, which begin with their time."""

from datetime import datetime, timedelta

from ulid import ULID, constants

ON_TIME = timedelta(hours=1)
"""What happens to an item within this time of its making is found where its id says that it is."""


def made_at(sk: str) -> datetime | None:
    """The time of the id that a sort key begins with, after its kind; None for another id."""
    _, _, rest = sk.partition("#")
    try:
        return ULID.from_str(rest[: constants.REPR_LEN]).datetime
    except ValueError:
        return None


def is_late(touched_at: datetime, made: datetime | None) -> bool:
    """Whether something happened to an item that the time of its making gives no hint of."""
    return made is None or touched_at - made >= ON_TIME


def first_id_at(at: datetime) -> str:
    """The id that sorts before every other one that is made at `at` or later."""
    millis = int(at.timestamp() * 1000).to_bytes(constants.TIMESTAMP_LEN)
    return str(ULID.from_bytes(millis + bytes(constants.RANDOMNESS_LEN)))
