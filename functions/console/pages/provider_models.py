"""Answers of the console about payment providers ([MANY])."""

from enum import StrEnum

from pydantic import AwareDatetime

from shared.web.answer import View


class Wrong(StrEnum):
    """What is wrong with a provider, for programs; each comes with a sentence for people."""

    NOT_SET_UP = "not_set_up"
    SETTINGS_INCOMPLETE = "settings_incomplete"
    NO_ANSWER = "no_answer"
    KEY_REFUSED = "key_refused"
    WRONG_MODE = "wrong_mode"
    ACCOUNT_CANT_CHARGE = "account_cant_charge"
    CURRENCY_NOT_TAKEN = "currency_not_taken"


class WrongView(View):
    """`detail` is what the provider says itself, or the name of a setting, never what it is."""

    kind: Wrong
    sentence: str
    detail: str = ""


class ProviderRow(View):
    """One payment provider. `preferred`: new cards go there. `checked`: it was asked just now;
    only then are `live` (None: it does not say) and `account` known."""

    name: str
    title: str
    set_up: bool
    preferred: bool
    checked: bool = False
    live: bool | None = None
    account: str = ""
    wrong: tuple[WrongView, ...] = ()


class ProviderChange(View):
    """Who chose another provider for new cards; `before` is empty while nobody had chosen."""

    at: AwareDatetime
    by: str
    before: str = ""
    after: str


class ProvidersPage(View):
    """`GET /console/providers`. `chosen`: the merchant's settings say where new cards go; else the
    deployment does. `version` is the catalogue's, to be sent back with a choice. `readable`: the
    settings of the providers could be read."""

    providers: tuple[ProviderRow, ...] = ()
    preferred: str = ""
    chosen: bool = False
    readable: bool = True
    version: int
    may_change: bool = False
    changes: tuple[ProviderChange, ...] = ()
    checked_at: AwareDatetime | None = None
    zone: str
