"""What every model of ours is: a frozen value."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A frozen value, checked when it is made.

    What checks it is built when it is first needed, and not when its module is loaded: a function
    that starts knows a hundred models and uses a few (decision 11).
    """

    model_config = ConfigDict(frozen=True, defer_build=True)
