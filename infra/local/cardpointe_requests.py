"""The requests that the stand-in for CardPointe's gateway understands, parameter by parameter."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class BadRequest(Exception):
    """The gateway can't read the request: HTTP 400, nothing happens."""


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    merchid: str


Flag = Annotated[str, Field(pattern="^[YyNn]$")]
Text = Annotated[str, Field(max_length=50)]
Amount = Annotated[str, Field(max_length=14)]


class Auth(_Asked):
    """A payment, or with an amount of 0 a check of the card."""

    amount: Amount
    account: Annotated[str, Field(max_length=19)] | None = None
    expiry: Annotated[str, Field(max_length=8)] | None = None
    profile: Annotated[str, Field(max_length=24)] | None = None
    orderid: Text = ""
    currency: Annotated[str, Field(max_length=3)] | None = None
    capture: Flag = "N"
    ecomind: Annotated[str, Field(pattern="^[TRE]$")] | None = None
    cof: Annotated[str, Field(pattern="^[CM]$")] | None = None
    cofscheduled: Flag = "N"
    cofpermission: Flag | None = None
    cvv2: Annotated[str, Field(max_length=4)] | None = None
    name: Annotated[str, Field(max_length=30)] | None = None
    email: Text | None = None
    postal: Annotated[str, Field(max_length=9)] | None = None
    userfields: list[dict[str, str]] | dict[str, str] | None = None
    receipt: Flag = "N"


class Void(_Asked):
    """A void of a payment by its reference."""

    retref: str
    amount: Amount | None = None


class VoidByOrderId(_Asked):
    """A void of whatever payment has the order id."""

    orderid: Text
    amount: Amount | None = None


class Refund(_Asked):
    """A refund of a settled payment, with an order id of its own."""

    retref: str
    amount: Amount | None = None
    orderid: Text = ""


class NewProfile(_Asked):
    """A card for a new profile, for one that exists, or in place of one of its cards."""

    account: Annotated[str, Field(max_length=19)]
    expiry: Annotated[str, Field(max_length=8)]
    profile: Annotated[str, Field(max_length=24)] | None = None
    profileupdate: Flag = "N"
    defaultacct: Flag = "N"
    cofpermission: Flag | None = None
    auoptout: Flag = "N"
    name: Annotated[str, Field(max_length=30)] | None = None
    email: Text | None = None
    company: Text | None = None
    postal: Annotated[str, Field(max_length=9)] | None = None


class Tokenize(BaseModel):
    """What the tokenizer's page sends to CardSecure."""

    model_config = ConfigDict(extra="forbid", strict=True)

    account: Annotated[str, Field(max_length=2000)]
    expiry: str | None = None
    cvv: str | None = None
    unique: bool = False


M = TypeVar("M", bound=BaseModel)


def read(model: type[M], content: dict[str, Any]) -> M:
    """The request in `content`; `BadRequest` names the parameter that is not right."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(step) for step in wrong["loc"]) or "body"
        raise BadRequest(f"{where}: {wrong['msg']}") from None
