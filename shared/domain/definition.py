"""What staff write of their business."""

from pydantic import ConfigDict

from shared.domain.record import Record


class Definition(Record):
    """Staff write it, everyone reads it."""

    model_config = ConfigDict(extra="forbid")
