"""Requests to the Stripe stand-in, held against Stripe's own description of them.

The description is that of the official package: the `TypedDict`s in `stripe.params`, which Stripe
generates from its OpenAPI file. What they do not name is refused as Stripe does it
(`parameter_unknown`), what they demand must be there (`parameter_missing`), and numbers, booleans
and documented words must be such.
"""

import importlib
import json
from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

from infra.local.stripe_errors import StripeRefusal, invalid

MAX_FIELDS = 500
MAX_DEPTH = 6
MAX_METADATA_KEYS = 50
MAX_METADATA_KEY = 40
MAX_METADATA_VALUE = 500

Params = dict[str, Any]
"""What was sent: texts, lists and dictionaries of them."""


def decode(text: str) -> Params:
    """A form's fields with their brackets made into dictionaries and lists."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise invalid("The request could not be read: too many parameters.") from None
    tree: Params = {}
    for name, value in pairs:
        _place(tree, name, value)
    return {name: _listed(value) for name, value in tree.items()}


def _place(tree: Params, name: str, value: str) -> None:
    steps = name.replace("]", "").split("[")
    if len(steps) > MAX_DEPTH or not steps[0]:
        raise invalid(f"Invalid parameter name: {name}", param=name)
    at = tree
    for step in steps[:-1]:
        inner = at.setdefault(step or str(len(at)), {})
        if not isinstance(inner, dict):
            raise invalid(f"Invalid hash: {name}", param=name)
        at = inner
    last = steps[-1] or str(len(at))
    if isinstance(at.get(last), dict):
        raise invalid(f"Invalid hash: {name}", param=name)
    at[last] = value


def _listed(value: Any) -> Any:
    """Dictionaries that are numbered from 0 are lists."""
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(one) for name, one in value.items()}
    if inner and list(inner) == [str(at) for at in range(len(inner))]:
        return list(inner.values())
    return inner


class Documented:
    """The parameters of one call, as the package's class `name` in `stripe.params` has them."""

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name

    def check(self, given: Params) -> None:
        """Raises `StripeRefusal` (400) for what the documentation does not allow."""
        _check_dict(_typed_dict(self.module, self.name), given, "")


@cache
def _typed_dict(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"stripe.params.{module}"), name)


@cache
def _fields(class_: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """Field types by name, and which of them are required. The package's own options for a
    request (key, version, …) are fields there, but no parameters."""
    module = importlib.import_module("stripe._request_options")
    options = module.RequestOptions.__annotations__
    # The package imports the second name for type checkers only.
    hints = get_type_hints(class_, localns={"Mapping": Mapping, "StripeContext": str})
    ours = {name: hint for name, hint in hints.items() if name not in options}
    return ours, frozenset(class_.__required_keys__) - options.keys()


def _check_dict(class_: Any, given: Params, where: str) -> None:
    hints, required = _fields(class_)
    for name, value in given.items():
        param = f"{where}[{name}]" if where else name
        if name not in hints:
            message = f"Received unknown parameter: {param}"
            raise StripeRefusal(400, message, code="parameter_unknown", param=param)
        _check(hints[name], value, param)
    for name in sorted(required - given.keys()):
        param = f"{where}[{name}]" if where else name
        message = f"Missing required param: {param}."
        raise StripeRefusal(400, message, code="parameter_missing", param=param)


def _check(hint: Any, value: Any, param: str) -> None:
    members = _members(hint)
    match value:
        case dict():
            _check_in_dicts(members, value, param)
        case list():
            inner = [get_args(one)[0] for one in members if get_origin(one) is list]
            if not inner:
                raise invalid(f"Invalid array: {param}", param=param)
            for at, one in enumerate(value):
                _check(inner[0], one, f"{param}[{at}]")
        case _:
            _check_text(members, value, param)


def _members(hint: Any) -> list[Any]:
    if get_origin(hint) in (Union, UnionType):
        return [member for one in get_args(hint) for member in _members(one)]
    return [hint]


def _check_in_dicts(members: list[Any], value: Params, param: str) -> None:
    for member in members:
        if hasattr(member, "__required_keys__"):
            return _check_dict(member, value, param)
        if get_origin(member) is dict:
            return _check_metadata(value, param)
    raise invalid(f"Invalid string: {json.dumps(value)}", param=param)


def _check_metadata(value: Params, param: str) -> None:
    """docs.stripe.com/metadata: 50 keys of 40 characters, values of 500."""
    if len(value) > MAX_METADATA_KEYS:
        raise invalid(f"Metadata can have up to {MAX_METADATA_KEYS} keys.", param=param)
    for key, text in value.items():
        if len(key) > MAX_METADATA_KEY:
            message = f"Metadata keys can be up to {MAX_METADATA_KEY} characters in length."
            raise invalid(message, param=param)
        if not isinstance(text, str) or len(text) > MAX_METADATA_VALUE:
            message = f"Metadata values can be up to {MAX_METADATA_VALUE} characters in length."
            raise invalid(message, param=f"{param}[{key}]")


def _check_text(members: list[Any], value: str, param: str) -> None:
    words = {word for one in members if get_origin(one) is Literal for word in get_args(one)}
    simple = {one for one in members if one in (int, float, bool, str)}
    if value in words or (value in ("true", "false") and bool in simple):
        return
    if int in simple and value.removeprefix("-").isdecimal() and value.isascii():
        return
    if words - {""}:
        listed = ", ".join(sorted(map(str, words - {""})))
        raise invalid(f"Invalid {param}: must be one of {listed}", param=param)
    if str in simple or float in simple:
        if value == "" and "" not in words and str in simple:
            message = f"You passed an empty string for '{param}'."
            raise StripeRefusal(400, message, code="parameter_invalid_empty", param=param)
        return
    if int in simple:
        message = f"Invalid integer: {value}"
        raise StripeRefusal(400, message, code="parameter_invalid_integer", param=param)
    kind = "boolean" if bool in simple else "object"
    raise invalid(f"Invalid {kind}: {value}", param=param)


def is_true(params: Params, name: str) -> bool:
    return params.get(name) == "true"
