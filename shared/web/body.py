"""Reading what was sent, JSON or a form, into one and the same model ([ROUTES])."""

import base64
import binascii
import json
import types
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError

from shared.domain.errors import Invalid
from shared.web.errors import Malformed, TooLarge, UnsupportedType

MAX_BODY_BYTES = 64 * 1024
MAX_FIELDS = 200
FORM = "application/x-www-form-urlencoded"
IDEMPOTENCY_FIELD = "idempotency_key"

M = TypeVar("M", bound=BaseModel)
Data = dict[str, Any]

SENTENCES: Mapping[str, str] = {
    "missing": "This is needed.",
    "extra_forbidden": "There is no such field.",
    "enum": "This is not one of the choices.",
    "literal_error": "This is not one of the choices.",
    "string_pattern_mismatch": "This is not in the right form.",
    "bool_parsing": "This should be yes or no.",
    "date_from_datetime_parsing": "This should be a date, like 2026-01-31.",
    "date_parsing": "This should be a date, like 2026-01-31.",
    "int_parsing": "This should be a whole number.",
    "int_from_float": "This should be a whole number.",
    "decimal_parsing": "This should be a number.",
}
"""What people are told, by pydantic's error type; its own words for the rest."""


def raw_body(event: Mapping[str, Any]) -> bytes:
    """The bytes that were sent. Raises `TooLarge` over `MAX_BODY_BYTES`, `Malformed`."""
    text = event.get("body") or ""
    if len(text) > 2 * MAX_BODY_BYTES:
        raise TooLarge(f"More than {MAX_BODY_BYTES // 1024} KB were sent.")
    if event.get("isBase64Encoded"):
        try:
            body = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Malformed("The body can't be read.") from error
    else:
        body = text.encode("utf-8", "surrogatepass")
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(f"More than {MAX_BODY_BYTES // 1024} KB were sent.")
    return body


def sent(body: bytes, content_type: str, model: type[BaseModel] | None) -> tuple[Data, bool]:
    """What was sent, by field, and whether as a form. Nothing at all is an empty form."""
    kind = content_type.partition(";")[0].strip().lower()
    if not body.strip():
        return {}, kind != "application/json"
    if kind == FORM:
        return _form(body, model), True
    if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
        return _json(body), False
    raise UnsupportedType(f"Send application/json or {FORM}.")


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _json(body: bytes) -> Data:
    try:
        data = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed("The body is not JSON.") from error
    if not isinstance(data, dict):
        raise Malformed("The body is not a JSON object.")
    return data


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise Malformed("What was sent can't be read.") from error


def _form(body: bytes, model: type[BaseModel] | None) -> Data:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("The body is not UTF-8.") from error
    return _fields(_pairs(text), model)


def _fields(pairs: Sequence[tuple[str, str]], model: type[BaseModel] | None) -> Data:
    """By name; a field that takes several is a list, an empty one is absent, the last one of
    others that came twice counts."""
    if not pairs:
        return {}
    several = _several(model) if model else frozenset()
    data: Data = {}
    for name, value in pairs:
        if value.strip() == "":
            continue
        if name in several:
            data.setdefault(name, []).append(value)
        else:
            data[name] = value
    return data


@cache
def _several(model: type[BaseModel]) -> frozenset[str]:
    """The fields that take several values."""
    fields = model.model_fields.items()
    return frozenset(name for name, field in fields if _is_several(field.annotation))


def _is_several(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return any(_is_several(one) for one in get_args(annotation))
    return origin in (list, tuple, set, frozenset)


def read_query(text: str, model: type[M]) -> M:
    """The part behind `?`, as `model`. Raises `Invalid`, `Malformed`."""
    return validated(model, _fields(_pairs(text), model))


def validated(model: type[M], data: Data) -> M:
    """`data` as `model`, or `Invalid` with a sentence for each wrong field."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        fields: dict[str, str] = {}
        for one in error.errors(include_url=False, include_context=False, include_input=False):
            name = ".".join(str(part) for part in one["loc"]) or "body"
            fields.setdefault(name, SENTENCES.get(one["type"]) or _sentence(one["msg"]))
        raise Invalid("Please check what you entered.", fields=fields) from error


def _sentence(message: str) -> str:
    text = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    text = text.replace("Input should", "This should").replace("String should", "This should")
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
